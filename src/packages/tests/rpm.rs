//! rpm's three kinds of database, made by real rpms (4.16, 4.18, 4.20), against what `rpm -qca` said of them, and
//! damaged. `tests/data/guests/rpm` holds them compressed.

use super::*;
use crate::packages::rpm::Rpm;
use crate::sys::effort::{computed, stride};

const MODERN: &str = "usr/lib/sysimage/rpm";
const OLD: &str = "var/lib/rpm";

/// Directory of the guest, and the files of the database.
const KINDS: [(&str, &str, &[&str]); 4] = [
    ("sqlite", MODERN, &["rpmdb.sqlite"]),
    ("sqlite-wal", MODERN, &["rpmdb.sqlite", "rpmdb.sqlite-wal"]),
    ("ndb", MODERN, &["Packages.db"]),
    ("bdb", OLD, &["Packages"]),
];

pub(super) fn kept(kind: &str, file: &str) -> Vec<u8> {
    let packed = fs::read(place(kind).join(format!("{file}.zst"))).unwrap();
    zstd::decode_all(&*packed).unwrap()
}

fn place(kind: &str) -> PathBuf {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests/rpm");
    guests.join(kind)
}

fn listed(kind: &str, file: &str) -> Vec<String> {
    let text = fs::read_to_string(place(kind).join(file)).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn guest((kind, directory, files): &(&str, &str, &[&str])) -> Root {
    let root = Root::empty();
    for file in *files {
        root.put(&format!("{directory}/{file}"), kept(kind, file));
    }
    root
}

fn read(root: &Root) -> Result<Listing, Problem> {
    let answer = fixture::read(&Rpm, &root.path);
    answer.map(|listing| listing.expect("there is a database"))
}

/// Paths that `per` claims.
fn claimed_per(listing: &Listing, per: &str) -> Vec<String> {
    let claims = listing.claims.iter().filter(|claim| claim.per == per);
    claims.map(|claim| text(&claim.path)).collect()
}

fn text(path: &[u8]) -> String {
    String::from_utf8(path.to_vec()).unwrap()
}

#[test]
fn config_files_are_those_of_rpm() {
    for kind in &KINDS {
        let listing = read(&guest(kind)).unwrap();
        let want = listed(kind.0, "qca.txt");
        assert_eq!(claimed_per(&listing, "rpm"), want, "{}", kind.0);
        assert_eq!(listing.config_files, want.len());
        // What `rpm -qca` does not list and the guest makes itself.
        let ghosts = claimed_per(&listing, "rpm-ghost");
        assert_eq!(ghosts, ["/var/log/lab.log"], "{}", kind.0);
        let packages = listing.packages.iter();
        let mut names: Vec<String> = packages
            .map(|p| format!("{}-{}", p.name, p.version.as_deref().unwrap()))
            .collect();
        names.sort();
        assert_eq!(names, listed(kind.0, "packages.txt"), "{}", kind.0);
        let owners = fixture::owners(&listing);
        assert!(
            owners.contains(&"/srv/moved/etc/relocatable.conf lab-b 2-1".to_owned()),
            "relocated"
        );
    }
}

/// Larger databases (`rpm-fleet.sh`), file by file as the rpms that wrote them list them: `NAME EVR FLAGS PATH`.
#[test]
fn every_file_has_the_package_that_rpm_says() {
    let said = String::from_utf8(kept("fleet", "listed.txt")).unwrap();
    let (mut want, mut want_config) = (Vec::new(), Vec::new());
    for line in said.lines() {
        let [name, version, flags, path] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        want.push(format!("{path} {name} {version}"));
        let is_config = flags.parse::<u32>().unwrap() & 1 == 1;
        want_config.extend(is_config.then(|| path.to_owned()));
    }
    want.sort();
    want_config.sort();
    assert_eq!((want.len(), want_config.len()), (3_152, 50));
    for file in ["rpmdb.sqlite", "Packages.db", "Packages"] {
        let root = Root::empty();
        root.put(&format!("{OLD}/{file}"), kept("fleet", file));
        let listing = read(&root).unwrap();
        let mut got = fixture::owners(&listing);
        got.sort();
        assert!(got == want, "{file}: files differ");
        assert_eq!(claimed_per(&listing, "rpm"), want_config, "{file}");
        assert_eq!(claimed_per(&listing, "rpm-ghost"), ["/var/log/fleet.log"]);
        let version = |p: &Package| format!("{} {}", p.name, p.version.as_deref().unwrap());
        let mut packages: Vec<_> = listing.packages.iter().map(version).collect();
        packages.sort();
        assert_eq!(packages, listed("fleet", "packages.txt"), "{file}");
    }
}

#[test]
fn what_rpm_leaves_beside_a_config_file_is_private() {
    let root = guest(&KINDS[0]);
    for name in ["plain.conf", "plain.conf.rpmnew", "deleted.conf.rpmsave"] {
        root.put(&format!("etc/lab/{name}"), name);
    }
    root.put("etc/lab/not-config.txt.rpmnew", "");
    root.put("var/log/lab.log", "the guest's own");
    let answer = root.ask();
    let got = facts(&answer);
    let a = Some("lab-a");
    let want = [
        (
            "/etc/lab/deleted.conf.rpmsave",
            (SkipReason::ConfigSidecar, "rpm", a),
        ),
        ("/etc/lab/plain.conf", (SkipReason::ConfigFile, "rpm", a)),
        (
            "/etc/lab/plain.conf.rpmnew",
            (SkipReason::ConfigSidecar, "rpm", a),
        ),
        ("/var/log/lab.log", (SkipReason::ConfigFile, "rpm-ghost", a)),
    ];
    assert_eq!(got, want.map(|(path, fact)| (path.to_owned(), fact)).into());
}

/// SQLite's own word on trees of several levels, payloads of all lengths, and a log that is half of the database.
#[test]
fn rows_are_those_of_sqlite() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/guests/rpm-pages.py");
    // The largest pages make a log of 40 MB.
    let sizes = ["512", "4096", "1024", "65536"];
    for size in &sizes[..4 / stride(2)] {
        let root = Root::empty();
        let directory = root.path.join(MODERN);
        fs::create_dir_all(&directory).unwrap();
        let Ok(made) = Command::new(&script).arg(&directory).arg(size).output() else {
            eprintln!("SKIPPED: needs python3 with sqlite3 to ask SQLite");
            return;
        };
        assert!(made.status.success(), "{made:?}");
        let said = String::from_utf8(made.stdout).unwrap();
        let mut want: Vec<_> = said.lines().collect();
        assert!((150..300).contains(&want.len()));
        let listing = read(&root).unwrap();
        let mut got: Vec<_> = listing.packages.iter().map(|p| &*p.name).collect();
        want.sort_unstable();
        got.sort_unstable();
        assert_eq!(got, want, "pages of {size}");
    }
}

#[test]
fn a_log_lies_beside_the_file_and_not_beside_a_link() {
    let root = guest(&KINDS[1]);
    let away = root.path.join("srv/rpm");
    fs::create_dir_all(root.path.join("srv")).unwrap();
    fs::rename(root.path.join(MODERN), &away).unwrap();
    fs::create_dir_all(root.path.join(MODERN)).unwrap();
    for directory in [MODERN, "usr/share/rpm"] {
        let link = root.path.join(directory).join("rpmdb.sqlite");
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink("/srv/rpm/rpmdb.sqlite", link).unwrap();
    }
    let listing = read(&root).unwrap();
    assert_eq!(listing.packages.len(), 4, "with the one in the log, once");
}

#[test]
fn the_newest_package_is_in_the_log_alone() {
    let [_, with_log, ..] = &KINDS;
    let root = guest(with_log);
    let late = |root: &Root| {
        let listing = read(root).unwrap();
        fixture::claimed(&listing).contains(&"/etc/lab/late.conf".to_owned())
    };
    assert!(late(&root));
    // A log whose last page is torn was not committed, and one of another time is none.
    let log = root.path.join(MODERN).join("rpmdb.sqlite-wal");
    let mut bytes = fs::read(&log).unwrap();
    let last = bytes.len() - 100;
    bytes[last] ^= 1;
    fs::write(&log, &bytes).unwrap();
    assert!(!late(&root));
    fs::write(&log, b"rubbish").unwrap();
    assert!(!late(&root));
}

#[test]
fn a_damaged_log_changes_nothing_or_is_refused() {
    let [_, with_log, ..] = &KINDS;
    let root = guest(with_log);
    let log = kept(with_log.0, with_log.2[1]);
    let path = format!("{MODERN}/rpmdb.sqlite-wal");
    let mut whole = 0;
    let rounds = 1_000 / stride(10);
    mutate::rounds(5, &[&log], rounds, |data| {
        root.put(&path, data);
        // Packages of the main file are always there; the one in the log is, or is not.
        match read(&root).unwrap().packages.len() {
            4 => whole += 1,
            count => assert_eq!(count, 3),
        }
    });
    // Its frames are one transaction, so that nearly every change takes all of it away.
    assert!((1..rounds).contains(&whole), "{whole}: no test");
}

#[test]
fn one_directory_under_two_names_counts_once() {
    let root = guest(&KINDS[0]);
    fs::create_dir_all(root.path.join("var/lib")).unwrap();
    std::os::unix::fs::symlink("../../usr/lib/sysimage/rpm", root.path.join(OLD)).unwrap();
    assert_eq!(read(&root).unwrap().packages.len(), 3);
    // A conversion that was left half way: both count.
    fs::remove_file(root.path.join(OLD)).unwrap();
    root.put(&format!("{OLD}/Packages"), kept("bdb", "Packages"));
    assert_eq!(read(&root).unwrap().packages.len(), 6);
}

#[test]
fn an_unfinished_transaction_is_damage() {
    let root = guest(&KINDS[0]);
    root.put(&format!("{MODERN}/rpmdb.sqlite-journal"), "");
    assert!(read(&root).is_ok(), "an empty one is none");
    root.put(
        &format!("{MODERN}/rpmdb.sqlite-journal"),
        "rolled back by SQLite alone",
    );
    assert!(read(&root).is_err());
}

/// Each changes a real database so that a reader could hang, allocate or read beyond it.
#[test]
fn damage_is_refused_in_short_time() {
    type Change = fn(&mut Vec<u8>);
    let overflow_loop: Change = |b| {
        for page in (4096..b.len())
            .step_by(4096)
            .filter(|page| b[page + 25] == 7)
            .collect::<Vec<_>>()
        {
            let own = u32::try_from(page / 4096).unwrap().to_le_bytes();
            b[page + 16..page + 20].copy_from_slice(&own);
            b[page + 22..page + 24].copy_from_slice(&1u16.to_le_bytes());
        }
    };
    let overflow_type: Change = |b| {
        for page in (4096..b.len()).step_by(4096) {
            if b[page + 25] == 7 {
                b[page + 25] = 0;
            }
        }
    };
    let cases: [(usize, Change); 13] = [
        (3, overflow_loop),
        (3, overflow_type),
        (3, |b| b[20..24].fill(0)),
        (3, |b| b[32..36].fill(0xff)),
        (3, |b| b.truncate(b.len() * 2 / 3)),
        (0, |b| b[16..18].fill(0)),
        // Page 1 as an interior page that leads to itself.
        (0, |b| {
            b[100..114].copy_from_slice(&[5, 0, 0, 0, 1, 0, 112, 0, 0, 0, 0, 1, 0, 112]);
        }),
        (0, |b| b[103..105].fill(0xff)),
        (0, |b| b.truncate(b.len() / 2)),
        (2, |b| {
            b[12..16].copy_from_slice(&0x3fff_ffff_u32.to_le_bytes());
        }),
        (2, |b| {
            b[40..44].copy_from_slice(&0x1000_0001_u32.to_le_bytes());
        }),
        (2, |b| b.truncate(b.len() - 16)),
        (2, |b| b[4..8].fill(1)),
    ];
    for (n, (kind, change)) in cases.into_iter().enumerate() {
        let (kind, directory, files) = KINDS[kind];
        let mut bytes = kept(kind, files[0]);
        change(&mut bytes);
        let root = Root::empty();
        root.put(&format!("{directory}/{}", files[0]), bytes);
        let before = computed();
        assert!(read(&root).is_err(), "case {n} of {kind}");
        assert!((computed() - before).as_secs() < 60, "case {n} of {kind}");
    }
}

#[test]
fn mutations_of_every_kind() {
    let files = [
        ("sqlite", "rpmdb.sqlite"),
        ("ndb", "Packages.db"),
        ("bdb", "Packages"),
    ];
    for (kind, file) in files {
        let sample = kept(kind, file);
        let (mut good, rounds) = (0, 10_000 / stride(10));
        assert!(Rpm.parse(&sample).is_ok_and(|n| n > 10));
        mutate::rounds(11, &[&sample], rounds, |data| {
            if let Ok(entries) = Rpm.parse(data) {
                assert!(entries <= data.len());
                good += 1;
            }
        });
        assert!(
            good > rounds / 100 && good < rounds,
            "{kind}: {good} good, no test"
        );
    }
}
