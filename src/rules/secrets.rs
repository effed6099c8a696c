//! Which files no two guests may have in common: keys, seeds and identities that stand for one machine.
//!
//! The list is narrower than the care rules of the same names: what is merely not to be shared (a host name, an
//! `authorized_keys`) may well be equal in two guests.

use super::pattern::links::Links;
use super::pattern::path_index::PathIndex;

/// Patterns like those of `--exclude`.
const NAMES: &[&str] = &[
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
    "/var/lib/systemd/credential.secret",
    "/var/lib/systemd/random-seed",
    "/var/lib/urandom/random-seed",
    "/var/lib/misc/random-seed",
    "/var/lib/random-seed",
    "/var/lib/seedrng/*.credit",
    "/etc/ssh/ssh_host_*_key",
    "/etc/ssl/private",
    "/etc/pki/**/private",
    "/etc/krb5.keytab",
    "/etc/letsencrypt/**/privkey*.pem",
    ".ssh/id_*",
];

/// The patterns, compiled.
#[derive(Debug, Default)]
pub struct Secrets(PathIndex);

impl Secrets {
    /// Compiles the table; a test shows that all of its patterns are valid.
    pub fn new() -> Secrets {
        let mut index = PathIndex::default();
        for pattern in NAMES {
            let sound = index.push(pattern);
            debug_assert!(sound.is_ok(), "{pattern}: {sound:?}");
        }
        Secrets(index)
    }

    /// The same for one guest, which may keep any of it elsewhere behind links.
    pub fn of_guest(links: &dyn Links) -> Secrets {
        let Secrets(mut index) = Secrets::new();
        for pattern in NAMES {
            // More links than are followed are no more than a remark less.
            let followed = index.push_through(pattern, links);
            debug_assert!(followed.is_ok(), "{pattern}");
        }
        Secrets(index)
    }

    /// Must no other guest have this file? The public half of a key pair tells nothing more.
    pub fn holds(&self, path: &[u8]) -> bool {
        !path.ends_with(b".pub") && self.0.first(path).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_identities() {
        let secrets = Secrets::new();
        for path in [
            "/etc/machine-id",
            "/etc/ssh/ssh_host_ed25519_key",
            "/etc/ssl/private/snakeoil.key",
            "/etc/pki/tls/private/localhost.key",
            "/root/.ssh/id_ed25519",
            "/home/ada/.ssh/id_rsa",
            "/etc/letsencrypt/archive/example/privkey1.pem",
        ] {
            assert!(secrets.holds(path.as_bytes()), "{path}");
        }
        for path in [
            "/etc/hostname",
            "/etc/ssh/ssh_host_ed25519_key.pub",
            "/root/.ssh/authorized_keys",
            "/root/.ssh/known_hosts",
            "/usr/share/doc/ssh_host_rsa_key",
        ] {
            assert!(!secrets.holds(path.as_bytes()), "{path}");
        }
    }
}
