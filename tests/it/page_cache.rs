//! What a command leaves behind in the page cache.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Advice, fadvise};

use crate::disks::calls;
use crate::support::{Disk, File, Guest, Lab};

/// How much of a file is in the page cache.
fn cached(file: &Path) -> u64 {
    let out = Command::new("fincore")
        .args(["--bytes", "--noheadings", "--output", "RES"])
        .arg(file)
        .output();
    let out = String::from_utf8(out.unwrap().stdout).unwrap();
    out.trim().parse().unwrap()
}

/// Brings so much of a file into the page cache, and nothing else of it.
fn warm(file: &Path, bytes: u64) {
    let open = std::fs::File::open(file).unwrap();
    open.sync_all().unwrap();
    fadvise(&open, 0, None, Advice::DontNeed).unwrap();
    fadvise(&open, 0, None, Advice::Random).unwrap();
    let mut buffer = vec![0; usize::try_from(bytes).unwrap()];
    open.read_exact_at(&mut buffer, 0).unwrap();
    assert_near(&[cached(file)], bytes, &file.display().to_string());
}

const MIB: u64 = 1 << 20;

fn large(seed: u64, mib: u64) -> File {
    let line = format!("large {seed}\n");
    let length = usize::try_from(mib * MIB).unwrap();
    File::new(line.bytes().cycle().take(length).collect::<Vec<u8>>())
}

/// Large files, and how much of each the host has in its cache.
const LARGE: [(&str, u64, u64); 4] = [
    ("/usr/cold", 3 * MIB, 0),
    ("/usr/warm", 3 * MIB, 3 * MIB),
    ("/usr/half", 4 * MIB, 2 * MIB),
    // Only their beginnings are read: they differ in their modes.
    ("/usr/begun", 5 * MIB, 0),
];

fn furnished(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for (n, guest) in (0..).zip(&guests) {
        for (path, size, _) in LARGE {
            guest.put(path, &large(size, size / MIB));
        }
        guest.put(
            "/usr/begun",
            &large(n, 5).mode(if n == 0 { 0o644 } else { 0o755 }),
        );
    }
    guests
}

fn after(guests: &[Guest], mut command: impl FnMut()) -> BTreeMap<&'static str, Vec<u64>> {
    let files = || {
        guests
            .iter()
            .flat_map(|g| LARGE.map(|(path, _, warm)| (g, path, warm)))
    };
    files().for_each(|(guest, path, bytes)| warm(&guest.host(path), bytes));
    command();
    let mut all: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (guest, path, _) in files() {
        all.entry(path).or_default().push(cached(&guest.host(path)));
    }
    all
}

/// The host may take some pages for others meanwhile, and never brings any.
#[track_caller]
fn assert_near(found: &[u64], wanted: u64, what: &str) {
    let near = |bytes: &u64| *bytes <= wanted && *bytes + MIB / 4 >= wanted;
    assert!(found.iter().all(near), "{what}: {found:?}, wanted {wanted}");
}

#[test]
fn a_plan_leaves_the_page_cache_as_it_was() {
    for disk in [Disk::Own, Disk::Ext4, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let guests = furnished(&lab);
        if !tells_what_is_cached() {
            skip!("this kernel does not tell what is in its page cache");
        }
        let plan = |options: &[&str]| drop(lab.plan(&[&guests[0], &guests[1]], options));
        let left = after(&guests, || plan(&[]));
        for (path, _, bytes) in LARGE {
            assert_near(&left[path], bytes, &format!("{disk:?}: {path}"));
        }
        let left = after(&guests, || plan(&["--keep-cache"]));
        for (path, size, _) in &LARGE[..3] {
            assert_near(&left[path], *size, &format!("{disk:?}: {path} is kept"));
        }
        assert!(left["/usr/begun"][0] > 0);
    }
}

/// Linux 6.5 has `cachestat(2)`.
fn tells_what_is_cached() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(5))
}

/// A file that is larger than the cache must not fill it before it is read to its end.
#[test]
fn what_was_read_is_dropped_while_the_rest_is_read() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", large(1, 24))]);
    for guest in [&web, &db] {
        warm(&guest.host("/usr/f"), 0);
    }
    let (base, plan) = (lab.base(), lab.path("plan.json"));
    let args = [
        "plan",
        "--base",
        base.to_str().unwrap(),
        "-o",
        plan.to_str().unwrap(),
    ];
    let [web, db] = [web.arg(), db.arg()];
    let args = [&args[..], &[&web, &db]].concat();
    let calls = calls(&lab, "pread64,fadvise64", &args);
    let last_read = calls.iter().rposition(|c| c.text.starts_with("pread64"));
    let dropped = calls[..last_read.unwrap()].iter();
    let dropped = dropped
        .filter(|c| c.text.contains("POSIX_FADV_DONTNEED"))
        .count();
    assert!(dropped >= 4, "{dropped} times");
}

#[test]
fn verify_leaves_the_page_cache_as_it_was() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/cold", large(1, 3)), ("/usr/warm", large(2, 3))]);
    if !tells_what_is_cached() {
        skip!("this kernel does not tell what is in its page cache");
    }
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let (cold, hot) = (web.host("/usr/cold"), web.host("/usr/warm"));
    let (plan, base) = (plan.path.to_str().unwrap(), lab.base());
    for command in [
        &["verify", plan][..],
        &["verify", "--base", base.to_str().unwrap()],
    ] {
        for (option, left) in [(None, 0), (Some("--keep-cache"), 3 * MIB)] {
            warm(&cold, 0);
            warm(&hot, 3 * MIB);
            let args: Vec<&str> = command.iter().copied().chain(option).collect();
            crate::support::unify(&args).expect(0);
            assert_near(&[cached(&cold)], left, &format!("{args:?}, cold"));
            assert_near(&[cached(&hot)], 3 * MIB, &format!("{args:?}, warm"));
        }
    }
}
