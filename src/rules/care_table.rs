//! The care rules: what is never shared whatever its content, one row for each reason to say so.
//!
//! **The order of the rows is the priority**: the first row that covers a name gives its reason, so
//! the narrow rows come before the wide ones (`/var/lib/dpkg` before `/var`). Switching a code off
//! takes out its rows and nothing else: what a later row covers as well is still left alone, under
//! that row's code. To let `/var/lib/dpkg` be shared one must allow `package-state` *and* `var`.
//!
//! Patterns are those of `--exclude` ([`super::pattern`]): a directory covers everything below,
//! and without a slash in front a pattern matches at any depth.
//!
//! Sources, as they are named in the rows:
//! * `vunify-exclude`: the packaged default list of util-vserver
//! * `virt-sysprep`: the operations of guestfs-tools, which make a clone out of a guest
//! * `systemd`: "Safely Building Images" at systemd.io
//! * `cloud-init`: what `cloud-init clean` removes
//! * `dpkg`, `rpm`, `apk`, `pacman`, `opkg`, `portage`: what the package manager itself does
//! * `here`: seen on real guests; the row says what

use super::care_rule::{CareRule, Covers, Test};
use super::care_uses::USES;
use crate::model::{FileState, SkipReason};

/// All rows, in the order of their priority: those on names first, then those on files.
pub fn table() -> &'static [CareRule] {
    &TABLE
}

/// Which source says that this pattern or test keeps files; empty for what is no row of the table.
pub fn source_of(reason: SkipReason, rule: &str) -> &'static str {
    let holds = |row: &&CareRule| match row.covers {
        Covers::Names(names) | Covers::UnreadableNames(names) => names.contains(&rule),
        Covers::Files(test) => test.words == rule,
        Covers::Used(_, words) => words == rule,
    };
    let mut rows = table().iter().filter(|row| row.reason == reason);
    rows.find(holds).map_or("", |row| row.source)
}

/// Can `reason` be switched off by the user? True for all care rules and for nothing else.
#[cfg(test)]
pub fn is_overridable(reason: SkipReason) -> bool {
    table().iter().any(|rule| rule.reason == reason)
}

/// May everybody read it?
pub(super) fn world_readable(state: &FileState) -> bool {
    state.mode & 0o004 != 0
}

static TABLE: [CareRule; ROWS.len() + USES.len()] = both();

const fn both() -> [CareRule; ROWS.len() + USES.len()] {
    let mut all = [ROWS[0]; ROWS.len() + USES.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < ROWS.len() {
            ROWS[at]
        } else {
            USES[at - ROWS.len()]
        };
        at += 1;
    }
    all
}

const ROWS: &[CareRule] = &[
    CareRule {
        reason: SkipReason::MachineIdentity,
        covers: Covers::Names(&[
            "/etc/machine-id",
            "/etc/machine-info",
            "/etc/hostname",
            "/etc/hostid",
            "/etc/kernel/entry-token",
            "/etc/smolt",
            "/var/lib/dbus/machine-id",
            "/var/lib/systemd/credential.secret",
            "/var/lib/yum/uuid",
        ]),
        because: "",
        source: "systemd, virt-sysprep, cloud-init",
    },
    CareRule {
        reason: SkipReason::RandomSeed,
        covers: Covers::Names(&[
            "/var/lib/systemd/random-seed",
            "/var/lib/urandom/random-seed",
            "/var/lib/misc/random-seed",
            "/var/lib/random-seed",
            "/var/lib/seedrng",
            "/boot/loader/random-seed",
            "/boot/efi/loader/random-seed",
            "/efi/loader/random-seed",
        ]),
        because: "guests that begin with one seed make the same keys",
        source: "systemd, virt-sysprep",
    },
    CareRule {
        reason: SkipReason::Secret,
        covers: Covers::Names(&[
            "/etc/ssh/*_host_*",
            "/etc/pki/**/private",
            "/etc/ssl/private",
            "/etc/krb5.keytab",
            "/etc/letsencrypt",
            "/var/lib/private",
            ".ssh",
            ".gnupg",
        ]),
        because: "",
        source: "virt-sysprep, vunify-exclude",
    },
    CareRule {
        reason: SkipReason::UserDatabase,
        covers: Covers::Names(&[
            "/etc/passwd",
            "/etc/passwd-",
            "/etc/group",
            "/etc/group-",
            "/etc/shadow",
            "/etc/shadow-",
            "/etc/gshadow",
            "/etc/gshadow-",
            "/etc/subuid",
            "/etc/subuid-",
            "/etc/subgid",
            "/etc/subgid-",
            "/etc/security/opasswd",
            "/etc/.pwd.lock",
            "/var/lib/AccountsService",
        ]),
        because: "",
        source: "vunify-exclude, virt-sysprep",
    },
    CareRule {
        reason: SkipReason::PackageState,
        covers: Covers::Names(&[
            "/var/lib/dpkg",
            "/var/lib/apt",
            "/var/lib/ucf",
            "/var/lib/pam",
            "/var/lib/rpm",
            "/var/lib/dnf",
            "/var/lib/yum",
            "/var/lib/zypp",
            "/var/lib/pacman",
            "/var/lib/opkg",
            "/var/lib/alternatives",
            "/var/db/pkg",
            "/var/db/xbps",
            "/usr/lib/sysimage",
            "/usr/lib/opkg",
            "/usr/share/rpm",
            "/lib/apk/db",
            "/lib/apk/db-uvol",
            "/usr/lib/apk/db",
            "/.rpmdb",
        ]),
        because: "some of them are rewritten in place",
        source: "dpkg, rpm, apk, pacman, opkg, portage, vunify-exclude",
    },
    CareRule {
        reason: SkipReason::NetworkIdentity,
        covers: Covers::Names(&[
            "/var/lib/dhcp",
            "/var/lib/dhclient",
            "/var/lib/dhcpd",
            "/var/lib/NetworkManager",
            "/var/lib/systemd/network",
            "/etc/udev/rules.d/70-persistent-net.rules",
            "/etc/netplan/50-cloud-init.yaml",
            "/etc/network/interfaces.d/50-cloud-init*",
            "/etc/systemd/network/10-cloud-init-*",
            "*.nmconnection",
        ]),
        because: "",
        source: "virt-sysprep, cloud-init",
    },
    CareRule {
        reason: SkipReason::CloudInit,
        covers: Covers::Names(&["/var/lib/cloud"]),
        because: "",
        source: "cloud-init",
    },
    CareRule {
        reason: SkipReason::Cache,
        covers: Covers::Names(&[
            "/var/cache",
            "/etc/ld.so.cache",
            "/etc/udev/hwdb.bin",
            "/usr/lib/locale/locale-archive",
            "/usr/share/mime/mime.cache",
            "icon-theme.cache",
            "gschemas.compiled",
            "/*/ls-R",
        ]),
        because: "made anew by each guest",
        source: "virt-sysprep, vunify-exclude",
    },
    CareRule {
        reason: SkipReason::Log,
        covers: Covers::Names(&[
            "/var/log",
            "/var/account",
            "/var/spool",
            "/var/mail",
            "/var/crash",
            "/root/anaconda-*",
            "/root/install.log*",
        ]),
        because: "",
        source: "virt-sysprep",
    },
    CareRule {
        reason: SkipReason::Database,
        covers: Covers::Names(&[
            "/var/lib/mysql",
            "/var/lib/postgresql",
            "/var/lib/pgsql",
            "/var/lib/mongodb",
            "/var/lib/redis",
            "/var/lib/ldap",
            "/var/lib/samba",
            "/var/lib/sss",
            "/var/lib/dovecot",
            "/var/lib/ipa-client",
            "/var/lib/puppet",
            "/var/lib/docker",
            "/var/lib/containers",
            "/var/lib/libvirt",
        ]),
        because: "written in place",
        source: "virt-sysprep",
    },
    CareRule {
        reason: SkipReason::Runtime,
        covers: Covers::Names(&[
            "/proc",
            "/sys",
            "/dev",
            "/run",
            "/tmp",
            "/var/run",
            "/var/tmp",
            "/var/lock",
            "/mnt",
            "/media",
            "/selinux",
            "/lost+found",
        ]),
        because: "",
        source: "vunify-exclude, virt-sysprep; lost+found: here, what fsck found belongs to nobody",
    },
    CareRule {
        reason: SkipReason::ConfigSidecar,
        covers: Covers::Names(&[
            "/etc/**/*.dpkg-old",
            "/etc/**/*.dpkg-new",
            "/etc/**/*.dpkg-dist",
            "/etc/**/*.dpkg-tmp",
            "/etc/**/*.dpkg-bak",
            "/etc/**/*.dpkg-backup",
            "/etc/**/*.dpkg-remove",
            "/etc/**/*.ucf-old",
            "/etc/**/*.ucf-new",
            "/etc/**/*.ucf-dist",
            "/etc/**/*.rpmnew",
            "/etc/**/*.rpmsave",
            "/etc/**/*.rpmorig",
            "/etc/**/*.apk-new",
            "/etc/**/*.pacnew",
            "/etc/**/*.pacorig",
            "/etc/**/*.pacsave",
            "/etc/**/*.pacsave.[0-9]*",
            "/etc/**/*-opkg",
            "/etc/**/*-opkg.backup",
            "/etc/**/._cfg????_*",
        ]),
        because: "",
        source: "dpkg, rpm, apk, pacman, opkg, portage",
    },
    CareRule {
        reason: SkipReason::History,
        covers: Covers::Names(&[".bash_history", ".zsh_history", ".lesshst", ".viminfo"]),
        because: "",
        source: "virt-sysprep",
    },
    CareRule {
        reason: SkipReason::BootState,
        covers: Covers::Names(&[
            "/boot/loader",
            "/boot/efi",
            "/boot/grub*/grubenv",
            "/boot/grub*/grub.cfg",
            "/efi/loader",
        ]),
        because: "",
        source: "systemd; here: grub-editenv writes grubenv in place",
    },
    CareRule {
        reason: SkipReason::Home,
        covers: Covers::Names(&["/home", "/root", "/srv"]),
        because: "",
        source: "vunify-exclude",
    },
    CareRule {
        reason: SkipReason::Var,
        covers: Covers::Names(&["/var"]),
        because: "",
        source: "vunify-exclude",
    },
    CareRule {
        reason: SkipReason::Etc,
        covers: Covers::Names(&["/etc", "/usr/local/etc", "/opt/*/etc", "/opt/etc"]),
        because: "",
        source: "vunify-exclude, apk, portage",
    },
    CareRule {
        reason: SkipReason::Database,
        covers: Covers::Names(&[
            "*.db",
            "*.sqlite",
            "*.sqlite3",
            "*-wal",
            "*-shm",
            "*-journal",
            "*.ibd",
            "*.mdb",
            "__db.*",
        ]),
        because: "written in place wherever it lies",
        source: "here: SQLite, InnoDB, LMDB and Berkeley DB by the names that they give",
    },
    CareRule {
        reason: SkipReason::LockFile,
        covers: Covers::Names(&["*.lock", "*.lck", "*.pid"]),
        because: "",
        source: "virt-sysprep",
    },
    CareRule {
        reason: SkipReason::Secret,
        covers: Covers::UnreadableNames(&["*.pem", "*.key"]),
        because: "not readable by everybody",
        source: "virt-sysprep",
    },
    CareRule {
        reason: SkipReason::Privileged,
        covers: Covers::Files(Test {
            words: "mode & 06000, or security.capability",
            holds: |state| state.mode & 0o6000 != 0,
        }),
        because: "a link in one guest keeps a vulnerable file alive for all",
        source: "here: the old inode survives an upgrade as long as any guest has a name for it",
    },
    CareRule {
        reason: SkipReason::NotWorldReadable,
        covers: Covers::Files(Test {
            words: "not mode & 0004",
            holds: |state| !world_readable(state),
        }),
        because: "a link count tells a guest that another has the same bytes",
        source: "here: what is public gives nothing away",
    },
    CareRule {
        reason: SkipReason::WorldWritable,
        covers: Covers::Files(Test {
            words: "mode & 0022",
            holds: |state| state.mode & 0o022 != 0,
        }),
        because: "somebody means to write it in place",
        source: "here",
    },
    CareRule {
        reason: SkipReason::Empty,
        covers: Covers::Files(Test {
            words: "size 0",
            holds: |state| state.size == 0,
        }),
        because: "",
        source: "here: Nix shared 8,000 empty files that then ceased to be empty (nix#14599)",
    },
];
