use super::*;
use crate::model::{FileId, FileKind, Method, Objects, Pattern, Time};
use SkipReason as Skip;

fn policy() -> Policy {
    Policy {
        objects: Objects::Copy,
        ..Policy::default()
    }
}

fn care() -> Care {
    Care::new(&policy(), Method::Hardlink).unwrap()
}

fn allowing(allow: &[SkipReason]) -> Care {
    let allow = allow.to_vec();
    let policy = Policy { allow, ..policy() };
    Care::new(&policy, Method::Hardlink).unwrap()
}

fn code(care: &Care, path: &str) -> Option<SkipReason> {
    care.name(path.as_bytes()).map(|v| v.reason)
}

fn file(mode: u32, size: u64) -> FileState {
    let time = Time { sec: 0, nsec: 0 };
    FileState {
        kind: FileKind::Regular,
        id: FileId { dev: 1, ino: 1 },
        nlink: 1,
        mode,
        uid: 0,
        gid: 0,
        size,
        blocks: 8,
        mtime: time,
        ctime: time,
    }
}

fn inode(care: &Care, path: &str, state: &FileState) -> Option<SkipReason> {
    care.inode(path.as_bytes(), state).map(|v| v.reason)
}

/// A name that the pattern is made for.
fn example(pattern: &str) -> String {
    let name = pattern.replace("**", "q/r").replace("[0-9]", "1");
    let name = name.replace(['*', '?'], "q");
    match name.strip_prefix('/') {
        Some(_) => name,
        None => format!("/usr/share/{name}"),
    }
}

/// The pattern without its first literal byte.
fn misspelt(pattern: &str) -> String {
    let literal = |c: char| !"/*?".contains(c);
    let at = pattern.find(literal).unwrap();
    format!("{}{}", &pattern[..at], &pattern[at + 1..])
}

/// Every pattern of the table works, and none is hidden by an earlier one.
#[test]
fn each_pattern_covers_its_names_and_not_their_neighbours() {
    let care = care();
    let rule = |path: &str| {
        let verdict = care.name(path.as_bytes());
        verdict.map(|v| (v.reason, v.rule))
    };
    let rows = table().iter().filter_map(|row| match row.covers {
        Covers::Names(patterns) => Some((row.reason, patterns)),
        _ => None,
    });
    for (reason, pattern) in rows.flat_map(|(r, ps)| ps.iter().map(move |p| (r, *p))) {
        let name = example(pattern);
        let below = format!("{name}/some/file");
        assert_eq!(rule(&name), Some((reason, pattern)), "{name}");
        let verdict = care.name(below.as_bytes()).unwrap();
        assert_eq!((verdict.reason, verdict.rule), (reason, pattern), "{below}");
        assert_eq!(verdict.under, Some(name.as_bytes()), "{below}");

        let wrong = example(&misspelt(pattern));
        assert_ne!(rule(&wrong), Some((reason, pattern)), "{wrong}");
        let longer = format!("{name}~");
        if !pattern.ends_with('*') {
            assert_ne!(rule(&longer), Some((reason, pattern)), "{longer}");
        }
    }
}

#[test]
fn each_row_is_found_by_what_it_says() {
    for row in table() {
        let rules = match row.covers {
            Covers::Names(names) | Covers::UnreadableNames(names) => names,
            Covers::Files(test) => &[test.words],
            Covers::Used(_, words) => &[words],
        };
        assert!(!row.source.is_empty());
        for rule in rules {
            assert_eq!(source_of(row.reason, rule), row.source, "{rule}");
        }
        assert_eq!(source_of(row.reason, "/no/such"), "");
        assert_eq!(source_of(Skip::Unique, rules[0]), "");
    }
}

/// A name, its reason, and the directory that its line stands for.
type Expected = (&'static str, Option<Skip>, Option<&'static str>);

const NAMES: &[Expected] = &[
    ("/usr/bin/perl", None, None),
    (
        "/usr/lib/python3/dist-packages/certifi/cacert.pem",
        None,
        None,
    ),
    ("/usr/share/etc/x", None, None),
    ("/boot/vmlinuz-6.1.0-18-amd64", None, None),
    ("/vari/x", None, None),
    ("/usr/share/doc/xz/examples/.sshrc", None, None),
    ("/etc/machine-id", Some(Skip::MachineIdentity), None),
    ("/etc/ssh/ssh_host_rsa_key.pub", Some(Skip::Secret), None),
    ("/etc/ssh/sshd_config", Some(Skip::Etc), Some("/etc")),
    ("/etc/shadow-", Some(Skip::UserDatabase), None),
    (
        "/etc/apt/sources.list.dpkg-old",
        Some(Skip::ConfigSidecar),
        None,
    ),
    ("/usr/share/x.dpkg-old", None, None),
    (
        "/opt/app/etc/app.conf",
        Some(Skip::Etc),
        Some("/opt/app/etc"),
    ),
    ("/opt/app/lib/etc/app.conf", None, None),
    (
        "/var/lib/dpkg/info/bash.list",
        Some(Skip::PackageState),
        Some("/var/lib/dpkg"),
    ),
    ("/var/lib/dpkg2/x", Some(Skip::Var), Some("/var")),
    (
        "/var/lib/rpm/__db.001",
        Some(Skip::PackageState),
        Some("/var/lib/rpm"),
    ),
    ("/var/lib/systemd/random-seed", Some(Skip::RandomSeed), None),
    ("/var/log/dpkg.log", Some(Skip::Log), Some("/var/log")),
    (
        "/var/lib/postgresql/15/main/PG_VERSION",
        Some(Skip::Database),
        Some("/var/lib/postgresql"),
    ),
    ("/var/www/shop.sqlite", Some(Skip::Var), Some("/var")),
    ("/usr/share/shop/shop.sqlite", Some(Skip::Database), None),
    (
        "/root/.ssh/id_ed25519",
        Some(Skip::Secret),
        Some("/root/.ssh"),
    ),
    ("/root/.bash_history", Some(Skip::History), None),
    ("/home/ann/notes", Some(Skip::Home), Some("/home")),
    ("/run/sshd.pid", Some(Skip::Runtime), Some("/run")),
    ("/opt/app/app.pid", Some(Skip::LockFile), None),
    ("/boot/grub/grubenv", Some(Skip::BootState), None),
    ("/usr/lib/locale/locale-archive", Some(Skip::Cache), None),
    ("/usr/local/etc/x", Some(Skip::Etc), Some("/usr/local/etc")),
];

#[test]
fn real_names_have_the_reason_that_a_reviewer_expects() {
    let care = care();
    for &(path, reason, under) in NAMES {
        let verdict = care.name(path.as_bytes());
        assert_eq!(verdict.map(|v| v.reason), reason, "{path}");
        let got = verdict.and_then(|v| v.under);
        assert_eq!(got, under.map(str::as_bytes), "{path}");
    }
    assert_eq!(care.name(b"/"), None);
    assert!(care.name(b"/etc/\xff\xfe").is_some());
}

#[test]
fn a_code_that_is_switched_off_leaves_the_others() {
    let care = allowing(&[Skip::Var]);
    assert_eq!(code(&care, "/var/www/index.html"), None);
    assert_eq!(
        code(&care, "/var/lib/dpkg/status"),
        Some(Skip::PackageState)
    );
    assert_eq!(code(&care, "/var/log/syslog"), Some(Skip::Log));
    assert_eq!(code(&care, "/var/www/shop.sqlite"), Some(Skip::Database));

    let care = allowing(&[Skip::PackageState]);
    assert_eq!(code(&care, "/var/lib/dpkg/status"), Some(Skip::Var));
    assert_eq!(code(&care, "/usr/lib/sysimage/rpm/x"), None);
}

#[test]
fn everything_can_be_switched_off_and_nothing_else() {
    let care = allowing(Skip::ALL);
    for row in table() {
        assert!(is_overridable(row.reason));
        if let Covers::Names(patterns) | Covers::UnreadableNames(patterns) = row.covers {
            let left = patterns.iter().find_map(|p| code(&care, &example(p)));
            assert_eq!(left, None, "{}", row.reason);
        }
    }
    assert_eq!(inode(&care, "/x.key", &file(0o6622, 0)), None);
    for reason in [
        Skip::ConfigFile,
        Skip::TooSmall,
        Skip::Excluded,
        Skip::Unique,
    ] {
        assert!(!is_overridable(reason), "{reason}");
    }
}

#[test]
fn each_test_of_an_inode() {
    let care = care();
    let cases = [
        (0o644, 1, None),
        (0o755, 1, None),
        (0o1755, 1, None),
        (0o4755, 1, Some(Skip::Privileged)),
        (0o2755, 1, Some(Skip::Privileged)),
        (0o640, 1, Some(Skip::NotWorldReadable)),
        (0o604, 1, None),
        (0o664, 1, Some(Skip::WorldWritable)),
        (0o646, 1, Some(Skip::WorldWritable)),
        (0o644, 0, Some(Skip::Empty)),
        (0o4700, 0, Some(Skip::Privileged)),
    ];
    for (mode, size, want) in cases {
        let got = inode(&care, "/usr/bin/x", &file(mode, size));
        assert_eq!(got, want, "{mode:o} {size}");
    }
}

#[test]
fn keys_are_secret_where_not_everybody_may_read_them() {
    let care = care();
    let cases = [
        ("/usr/share/a.pem", 0o600, Some(Skip::Secret)),
        ("/usr/share/a.key", 0o640, Some(Skip::Secret)),
        ("/usr/share/a.pem", 0o644, None),
        ("/usr/share/a.pen", 0o600, Some(Skip::NotWorldReadable)),
    ];
    for (path, mode, want) in cases {
        assert_eq!(inode(&care, path, &file(mode, 1)), want, "{path}");
    }
    let care = allowing(&[Skip::NotWorldReadable]);
    let key = inode(&care, "/usr/share/a.key", &file(0o600, 1));
    assert_eq!(key, Some(Skip::Secret));
}

#[test]
fn capabilities_are_a_privilege() {
    let xattr = |name: &[u8]| Xattr {
        name: name.to_vec(),
        value: vec![1],
    };
    let capable = [xattr(b"security.capability"), xattr(b"user.x")];
    let verdict = |care: &Care, xattrs: &[Xattr]| care.xattrs(xattrs).map(|v| v.reason);
    assert_eq!(verdict(&care(), &capable), Some(Skip::Privileged));
    assert_eq!(verdict(&care(), &capable[1..]), None);
    assert_eq!(verdict(&allowing(&[Skip::Privileged]), &capable), None);
}

#[test]
fn small_files_are_left_alone_where_the_user_says_so() {
    let min_size = 4096;
    let policy = Policy {
        min_size,
        ..policy()
    };
    let care = Care::new(&policy, Method::Hardlink).unwrap();
    assert_eq!(inode(&care, "/x", &file(0o644, 4095)), Some(Skip::TooSmall));
    assert_eq!(inode(&care, "/x", &file(0o644, 4096)), None);
    assert_eq!(inode(&care, "/x", &file(0o644, 0)), Some(Skip::Empty));
}

#[test]
fn patterns_overrule_the_rules_on_paths_but_not_those_on_inodes() {
    let pattern = |kind, glob: &str| Pattern {
        kind,
        glob: glob.to_owned(),
        guest: None,
        star_crosses_slash: false,
        from: "--include".to_owned(),
    };
    let patterns = vec![
        pattern(PatternKind::Include, "/var/www"),
        pattern(PatternKind::Exclude, "/usr/share/doc"),
    ];
    let policy = Policy {
        patterns,
        ..policy()
    };
    let care = Care::new(&policy, Method::Hardlink).unwrap();
    assert_eq!(code(&care, "/var/www/a/b"), None);
    assert_eq!(code(&care, "/var/wwx/a"), Some(Skip::Var));
    let verdict = care.name(b"/usr/share/doc/x/y").unwrap();
    assert_eq!(verdict.reason, Skip::Excluded);
    assert_eq!(verdict.rule, "/usr/share/doc");
    assert_eq!(verdict.under, Some(b"/usr/share/doc".as_slice()));
    let private = inode(&care, "/var/www/a/b", &file(0o600, 1));
    assert_eq!(private, Some(Skip::NotWorldReadable));
}
