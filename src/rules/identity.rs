//! What a clone of a guest must not have, because it stands for one machine: two machines with one identity get each
//! other's addresses, believe each other's keys, and mix up their logs.
//!
//! The list is what `systemd` ("Safely Building Images" at systemd.io, machine-id(5)), `virt-sysprep` (guestfs-tools)
//! and `cloud-init clean` take out of an image, as far as whatever uses it makes it anew. What nothing makes anew is
//! kept, and told: a key without which a service would not start (`/etc/ssl/private`, `/etc/krb5.keytab`), and the
//! host name, which the manager of a guest sets.
//!
//! A guest may keep any of it elsewhere, behind links of its own: what these lead to is meant as well.
//!
//! Care rules of the same subjects are wider: they name whatever two guests must not share by accident.

use super::pattern::links::Links;
use super::pattern::path_index::PathIndex;
use crate::model::FileKind;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct IdentityRule {
    /// A word that never changes its meaning.
    pub code: &'static str,
    /// Patterns like those of `--exclude`.
    names: &'static [&'static str],
    /// What becomes of it.
    pub becomes: Becomes,
    /// Why, as the end of a sentence that says that it is left out.
    pub why: &'static str,
}

/// What becomes of what stands for one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// A file stays, with nothing in it; a link stays.
    Empty,
    /// The clone does not have the file; a link stays, because it only says where the file is.
    NoFile,
    /// The clone does not have it, be it a file, a link or a directory with all that is in it.
    Nothing,
}

impl Becomes {
    /// Is something of this kind meant?
    pub fn is_of(self, kind: FileKind) -> bool {
        match self {
            Becomes::Empty | Becomes::NoFile => kind == FileKind::Regular,
            Becomes::Nothing => true,
        }
    }
}

/// machine-id(5): where the file is missing the next boot is a first boot, with all that is done then; where it is
/// empty the id is made anew and nothing else, which is what a clone of a machine that was set up needs. A file that is
/// there can also be mounted over where /etc is read-only.
const TABLE: &[IdentityRule] = &[
    IdentityRule {
        code: "machine-id",
        names: &["/etc/machine-id"],
        becomes: Becomes::Empty,
        why: "the next boot makes a new one",
    },
    IdentityRule {
        code: "dbus-machine-id",
        names: &["/var/lib/dbus/machine-id"],
        becomes: Becomes::NoFile,
        why: "D-Bus takes /etc/machine-id, or makes a new one",
    },
    IdentityRule {
        code: "ssh-host-key",
        names: &[
            "/etc/ssh/ssh_host_*key",
            "/etc/ssh/ssh_host_*key.pub",
            "/etc/ssh/ssh_host_*-cert.pub",
            "/etc/dropbear/dropbear_*_host_key",
        ],
        becomes: Becomes::Nothing,
        why: "who holds it can pose as the other guest",
    },
    IdentityRule {
        code: "random-seed",
        names: &[
            "/var/lib/systemd/random-seed",
            "/var/lib/urandom/random-seed",
            "/var/lib/misc/random-seed",
            "/var/lib/random-seed",
            "/var/lib/seedrng/*",
            "/boot/loader/random-seed",
            "/boot/efi/loader/random-seed",
            "/efi/loader/random-seed",
        ],
        becomes: Becomes::Nothing,
        why: "guests that begin with one seed make the same keys",
    },
    IdentityRule {
        code: "credential-secret",
        names: &["/var/lib/systemd/credential.secret"],
        becomes: Becomes::Nothing,
        why: "systemd makes a new one; credentials that were encrypted with it are to be made again",
    },
    IdentityRule {
        code: "dhcp-lease",
        names: &[
            "/var/lib/dhcp/*.leases",
            "/var/lib/dhclient/*.lease*",
            "/var/lib/dhcpcd/*",
            "/etc/dhcpcd.duid",
            "/etc/dhcpcd.secret",
            "/var/lib/dhcpv6/dhcp6c_duid",
            "/var/lib/wide-dhcpv6/dhcp6c_duid",
            "/var/lib/NetworkManager/*.lease",
            "/var/lib/NetworkManager/secret_key",
            "/var/lib/systemd/network/*",
        ],
        becomes: Becomes::Nothing,
        why: "it asks for the address of the other guest",
    },
    IdentityRule {
        code: "network-names",
        names: &[
            "/etc/udev/rules.d/70-persistent-net.rules",
            "/etc/udev/rules.d/75-persistent-net.rules",
        ],
        becomes: Becomes::Nothing,
        why: "it binds names of interfaces to the hardware addresses of the other guest",
    },
    IdentityRule {
        code: "cloud-init",
        names: &[
            "/var/lib/cloud/instance",
            "/var/lib/cloud/instances/*",
            "/var/lib/cloud/data/*",
            "/var/lib/cloud/sem/*",
        ],
        becomes: Becomes::Nothing,
        why: "cloud-init would take the clone for the instance that it has set up",
    },
];

/// The table, compiled.
#[derive(Debug, Default)]
pub struct Identity {
    index: PathIndex,
    /// The row of each pattern.
    rows: Vec<&'static IdentityRule>,
    is_cut_short: bool,
}

impl Identity {
    /// Compiles the table; a test shows that all of its patterns are valid.
    pub fn new() -> Identity {
        let mut identity = Identity::default();
        for row in TABLE {
            for name in row.names {
                let sound = identity.index.push(name);
                debug_assert!(sound.is_ok(), "{name}: {sound:?}");
                identity.rows.push(row);
            }
        }
        identity
    }

    /// The same for one guest, which may keep any of it elsewhere behind links: the table means what these lead to.
    pub fn of_guest(links: &dyn Links) -> Identity {
        let mut identity = Identity::new();
        for row in TABLE {
            for name in row.names {
                let through = identity.index.push_through(name, links);
                let (globs, is_cut_short) = through.unwrap_or_default();
                identity.rows.extend(std::iter::repeat_n(row, globs));
                identity.is_cut_short |= is_cut_short;
            }
        }
        identity
    }

    /// Are there more links than were followed?
    pub fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// The row that names this very path. A whole directory can be named; what is in it is not asked about then.
    pub fn of(&self, path: &[u8]) -> Option<&'static IdentityRule> {
        let hit = self.index.first(path)?;
        let row = self.rows.get(hit.rank)?;
        (hit.covered == path).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_one_machine_is_named() {
        let identity = Identity::new();
        let code = |path: &str| identity.of(path.as_bytes()).map(|row| row.code);
        for (path, want) in [
            ("/etc/machine-id", "machine-id"),
            ("/etc/ssh/ssh_host_ed25519_key", "ssh-host-key"),
            ("/etc/ssh/ssh_host_rsa_key.pub", "ssh-host-key"),
            ("/var/lib/cloud/instances/i-1", "cloud-init"),
            ("/var/lib/dhcp/dhclient.eth0.leases", "dhcp-lease"),
            ("/var/lib/dhcpcd/duid", "dhcp-lease"),
        ] {
            assert_eq!(code(path), Some(want), "{path}");
        }
        for path in [
            "/etc/hostname",
            "/etc/ssh/sshd_config",
            "/etc/ssh",
            "/usr/share/doc/etc/machine-id",
            "/var/lib/cloud/seed/nocloud/meta-data",
            "/etc/ssl/private/ssl-cert-snakeoil.key",
        ] {
            assert_eq!(code(path), None, "{path}");
        }
    }

    #[test]
    fn only_the_id_of_the_machine_stays_as_an_empty_file() {
        let emptied = TABLE.iter().filter(|row| row.becomes == Becomes::Empty);
        let codes: Vec<&str> = emptied.map(|row| row.code).collect();
        assert_eq!(codes, ["machine-id"]);
    }
}
