//! Is a file a secret of one machine, and what kind? The care rules on keys, seeds and identities say where to look;
//! what the file holds says what it is.
//!
//! A public key, a certificate, a host name and an `authorized_keys` are none. A private key is known by how it begins,
//! wherever it lies among these.

use crate::model::SecretKind;
use crate::rules::pattern::path_index::PathIndex;
use crate::rules::secrets::Secrets;

/// Longer files are no keys.
pub const LONGEST: u64 = 64 << 10;

/// Where more private keys are kept than those that no two guests may have in any case.
const KEYS: &[&str] = &[
    "/etc/ssh/*_host_*",
    "/etc/letsencrypt",
    "/etc/wireguard",
    "/etc/openvpn",
    "/etc/ipsec.d/private",
    "/var/lib/private",
    "/etc/**/*.pem",
    "/etc/**/*.key",
    "/root/**/*.pem",
    "/root/**/*.key",
    ".ssh",
    ".gnupg/private-keys-v1.d",
];

/// Files that count by their names, because any content of theirs is the secret.
const SEEDS: &[&str] = &["random-seed", "seedrng"];

/// The places, compiled.
#[derive(Debug)]
pub struct SecretPlaces {
    secrets: Secrets,
    keys: PathIndex,
}

impl Default for SecretPlaces {
    fn default() -> SecretPlaces {
        let mut keys = PathIndex::default();
        for pattern in KEYS {
            let sound = keys.push(pattern);
            debug_assert!(sound.is_ok(), "{pattern}: {sound:?}");
        }
        SecretPlaces {
            secrets: Secrets::new(),
            keys,
        }
    }
}

impl SecretPlaces {
    /// May there be a secret at this path? Then its content is to be looked at.
    pub fn may_hold(&self, path: &[u8]) -> bool {
        self.secrets.holds(path) || !path.ends_with(b".pub") && self.keys.first(path).is_some()
    }

    /// What kind of secret these bytes are at this path; `None` for what is none, or none yet.
    pub fn kind(&self, path: &[u8], content: &[u8]) -> Option<SecretKind> {
        let text = content.trim_ascii();
        if text.is_empty() {
            return None;
        }
        if is_private_key(content) {
            return Some(match is_host_key(path) {
                true => SecretKind::HostKey,
                false => SecretKind::PrivateKey,
            });
        }
        match self.secrets.holds(path) {
            true => by_name(path, text),
            false => None,
        }
    }

    /// The same where the content is not there any more: only names that hold nothing but secrets count.
    pub fn kind_by_name(&self, path: &[u8]) -> Option<SecretKind> {
        if !self.secrets.holds(path) {
            return None;
        }
        match is_host_key(path) {
            true => Some(SecretKind::HostKey),
            false => by_name(path, MACHINE_ID),
        }
    }
}

const MACHINE_ID: &[u8] = b"0123456789abcdef0123456789abcdef";

fn by_name(path: &[u8], text: &[u8]) -> Option<SecretKind> {
    let name = path.rsplit(|&b| b == b'/').next().unwrap_or_default();
    let is_seed = SEEDS.iter().any(|seed| {
        let mut parts = path.split(|&b| b == b'/');
        parts.any(|part| part == seed.as_bytes())
    });
    match name {
        b"machine-id" => is_machine_id(text).then_some(SecretKind::MachineId),
        b"credential.secret" => Some(SecretKind::CredentialKey),
        b"krb5.keytab" => Some(SecretKind::Keytab),
        _ if is_seed => Some(SecretKind::RandomSeed),
        _ => None,
    }
}

/// 32 hexadecimal digits, machine-id(5), as dbus writes it, too. `uninitialized` is none.
fn is_machine_id(text: &[u8]) -> bool {
    text.len() == 32 && text.iter().all(u8::is_ascii_hexdigit)
}

fn is_host_key(path: &[u8]) -> bool {
    path.starts_with(b"/etc/ssh/")
}

/// PEM of RFC 7468 and before, OpenSSH's own form, PuTTY's, GnuPG's files of one key, WireGuard's settings.
fn is_private_key(content: &[u8]) -> bool {
    let head = content.get(..4096.min(content.len())).unwrap_or_default();
    let lines = || head.split(|&b| b == b'\n');
    let is_pem = |line: &[u8]| {
        let line = line.trim_ascii();
        line.starts_with(b"-----BEGIN ") && line.ends_with(b"PRIVATE KEY-----")
    };
    let is_wireguard = |line: &[u8]| {
        let named = line.trim_ascii().strip_prefix(b"PrivateKey");
        named.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
    };
    lines().any(is_pem)
        || head.starts_with(b"PuTTY-User-Key-File-")
        || head.starts_with(b"(21:protected-private-key")
        || head.starts_with(b"(11:private-key")
        || head.starts_with(b"Key: (private-key")
        || head.starts_with(b"Key: (protected-private-key")
        || lines().any(is_wireguard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(path: &str, content: &str) -> Option<SecretKind> {
        let places = SecretPlaces::default();
        let may = places.may_hold(path.as_bytes());
        let kind = places.kind(path.as_bytes(), content.as_bytes());
        assert!(
            may || kind.is_none() || content.contains("PRIVATE"),
            "{path}"
        );
        kind.filter(|_| may)
    }

    const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n";

    #[test]
    fn content_decides() {
        use SecretKind as Is;
        let id = "0123456789abcdef0123456789abcdef\n";
        for (path, content, want) in [
            ("/etc/ssh/ssh_host_rsa_key", KEY, Some(Is::HostKey)),
            ("/etc/ssh/ssh_host_rsa_key", "see the other file", None),
            ("/etc/ssh/ssh_host_rsa_key.pub", "ssh-rsa AAAA", None),
            (
                "/etc/ssl/private/a.key",
                "-----BEGIN PRIVATE KEY-----\n",
                Some(Is::PrivateKey),
            ),
            (
                "/etc/ssl/private/a.pem",
                "-----BEGIN CERTIFICATE-----\n",
                None,
            ),
            (
                "/etc/nginx/tls.pem",
                "-----BEGIN CERTIFICATE-----\nx\n-----BEGIN RSA PRIVATE KEY-----\n",
                Some(Is::PrivateKey),
            ),
            (
                "/etc/wireguard/wg0.conf",
                "[Interface]\nPrivateKey = yAnz5=\n",
                Some(Is::PrivateKey),
            ),
            ("/root/.ssh/id_ed25519", KEY, Some(Is::PrivateKey)),
            ("/root/.ssh/authorized_keys", "ssh-rsa AAAA", None),
            ("/usr/share/doc/x/example.pem", KEY, None),
            ("/etc/machine-id", id, Some(Is::MachineId)),
            ("/var/lib/dbus/machine-id", id, Some(Is::MachineId)),
            ("/etc/machine-id", "uninitialized\n", None),
            ("/etc/machine-id", "", None),
            (
                "/var/lib/systemd/random-seed",
                "\u{1}x",
                Some(Is::RandomSeed),
            ),
            ("/etc/hostname", "localhost\n", None),
        ] {
            assert_eq!(kind(path, content), want, "{path} {content}");
        }
    }

    #[test]
    fn without_content_only_names_of_secrets_count() {
        let places = SecretPlaces::default();
        let by_name = |path: &str| places.kind_by_name(path.as_bytes());
        assert_eq!(
            by_name("/etc/ssh/ssh_host_rsa_key"),
            Some(SecretKind::HostKey)
        );
        assert_eq!(by_name("/etc/machine-id"), Some(SecretKind::MachineId));
        assert_eq!(by_name("/etc/nginx/tls.pem"), None);
    }
}
