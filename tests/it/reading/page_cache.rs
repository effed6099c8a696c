//! A command leaves the page cache of the host as it found it.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Advice, fadvise};

use crate::support::{Disk, File, Guest, Lab, calls, unify_with};

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
    let found = || {
        open.read_exact_at(&mut buffer, 0).unwrap();
        vec![(cached(file), bytes)]
    };
    assert_soon_near(&file.display().to_string(), found);
}

const MIB: u64 = 1 << 20;

/// The host may take some pages for others meanwhile, and never brings any: pages too many are a fault at once, and
/// where too few are left all is done again.
#[track_caller]
fn assert_soon_near(what: &str, mut round: impl FnMut() -> Vec<(u64, u64)>) {
    for turn in 1..=3 {
        let found = round();
        let none_too_many = found.iter().all(|(bytes, wanted)| bytes <= wanted);
        assert!(none_too_many, "{what}: found and wanted: {found:?}");
        let least = |wanted: u64| wanted - (MIB / 4).min(wanted / 8);
        let all_left = found.iter().all(|(bytes, wanted)| *bytes >= least(*wanted));
        assert!(all_left || turn < 3, "{what}: found and wanted: {found:?}");
        if all_left {
            return;
        }
    }
}

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

fn furnished(lab: &Lab, owner: u32) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| lab.guest(name));
    for (n, guest) in (0..).zip(&guests) {
        for (path, size, _) in LARGE {
            guest.put(path, &large(size, size / MIB).owner(owner, owner));
        }
        let begun = large(n, 5).mode(if n == 0 { 0o644 } else { 0o755 });
        guest.put("/usr/begun", &begun.owner(owner, owner));
    }
    guests
}

/// What a command leaves of each of these paths in the cache, and what it shall leave.
#[track_caller]
fn assert_leaves(guests: &[Guest], what: &str, wanted: &[(&str, u64)], command: impl Fn()) {
    let round = || -> Vec<(u64, u64)> {
        for guest in guests {
            for (path, _, bytes) in LARGE {
                warm(&guest.host(path), bytes);
            }
        }
        command();
        let mut left = Vec::new();
        for guest in guests {
            for (path, bytes) in wanted {
                left.push((cached(&guest.host(path)), *bytes));
            }
        }
        left
    };
    assert_soon_near(&format!("{what}: {wanted:?}"), round);
}

#[test]
fn a_plan_leaves_the_page_cache_as_it_was() {
    for disk in [Disk::Own, Disk::Ext4, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let guests = furnished(&lab, 0);
        if !is_since(6, 5) {
            skip!("this kernel does not tell what is in its page cache");
        }
        let plan = |options: &[&str]| drop(lab.plan(&[&guests[0], &guests[1]], options));
        let what = format!("{disk:?}");
        let was = LARGE.map(|(path, _, bytes)| (path, bytes));
        assert_leaves(&guests, &what, &was, || plan(&[]));
        let all = LARGE.map(|(path, size, _)| (path, size));
        let keep = || plan(&["--keep-cache"]);
        assert_leaves(&guests, &format!("{what}, kept"), &all[..3], keep);
        let begun = guests[0].host("/usr/begun");
        let is_kept = (0..3).any(|_| {
            warm(&begun, 0);
            keep();
            cached(&begun) > 0
        });
        assert!(is_kept, "{what}: a beginning is kept");
    }
}

/// Of files of another user a confined plan is not told what is cached: the kernel drops what it brings. It does
/// not take back what it read ahead of a file that is read no further.
#[test]
fn so_it_does_where_files_are_another_users() {
    for disk in [Disk::Own, Disk::Ext4, Disk::Xfs] {
        let lab = lab!(disk);
        let guests = furnished(&lab, 100_000);
        if !is_since(6, 14) {
            skip!("this kernel drops nothing by itself");
        }
        let plan = |options: &[&str]| drop(lab.plan(&[&guests[0], &guests[1]], options));
        let what = format!("{disk:?}");
        let was = LARGE.map(|(path, _, bytes)| (path, bytes));
        assert_leaves(&guests, &what, &was[..3], || plan(&[]));
        let kept = [("/usr/cold", 3 * MIB)];
        assert_leaves(&guests, &what, &kept, || plan(&["--keep-cache"]));
    }
}

/// What is read last would push out what was read first.
#[test]
fn of_more_files_than_memory_holds_none_stay() {
    armed!();
    const SIZE: u64 = 3 * 4096;
    let small = |seed| File::new(vec![seed; usize::try_from(SIZE).unwrap()]);
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/cold", small(1)), ("/usr/warm", small(2))]);
    if !is_since(6, 5) {
        skip!("this kernel does not tell what is in its page cache");
    }
    let (base, plan) = (lab.base(), lab.path("plan.json"));
    let [base, plan] = [&base, &plan].map(|path| path.to_str().unwrap());
    let guests = [&web, &db].map(Guest::arg);
    let args = ["plan", "--base", base, "-o", plan, &guests[0], &guests[1]];
    for (pages, option, left) in [
        (11, None, 0),
        (11, Some("--keep-cache"), SIZE),
        (24, None, SIZE),
    ] {
        let memory = (2 * pages * 4096).to_string();
        let args: Vec<&str> = args.into_iter().chain(option).collect();
        let [cold, hot] =
            ["/usr/cold", "/usr/warm"].map(|name| [&web, &db].map(|it| it.host(name)));
        let round = || {
            cold.iter().for_each(|file| warm(file, 0));
            hot.iter().for_each(|file| warm(file, SIZE));
            unify_with(&[("UNIFY_MEMORY", &memory)], &args).expect(0);
            let cold = cold.iter().map(|file| (cached(file), left));
            let hot = hot.iter().map(|file| (cached(file), SIZE));
            cold.chain(hot).collect()
        };
        assert_soon_near(&format!("{pages} {option:?}: cold and warm"), round);
    }
}

/// A folio of which a part was read is dropped whole, and would be brought again.
#[test]
fn what_the_kernel_drops_is_read_in_large_pieces() {
    traced!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/f", large(1, 7).owner(100_000, 100_000))]);
    if !is_since(6, 14) {
        skip!("this kernel drops nothing by itself");
    }
    let (base, plan) = (lab.base(), lab.path("plan.json"));
    let [base, plan] = [&base, &plan].map(|path| path.to_str().unwrap());
    let args = ["plan", "--base", base, "-o", plan, &web.arg(), &db.arg()].map(str::to_owned);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let calls = calls(&lab, "preadv2", &args);
    let reads = calls.iter().map(|call| call.text.as_str());
    let reads: Vec<&str> = reads.filter(|text| text.starts_with("preadv2")).collect();
    for piece in [0, 65_536, 2 * MIB, 4 * MIB, 6 * MIB] {
        let begins = |text: &&&str| text.contains(&format!("], 1, {piece}, "));
        assert_eq!(
            reads.iter().filter(begins).count(),
            2,
            "{piece}: {reads:#?}"
        );
    }
    assert_eq!(reads.len(), 10, "{reads:#?}");
}

/// Linux 6.5 has `cachestat(2)`, and 6.14 has `RWF_DONTCACHE`.
fn is_since(major: u32, minor: u32) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
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
    if !is_since(6, 5) {
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
            let args: Vec<&str> = command.iter().copied().chain(option).collect();
            let round = || {
                warm(&cold, 0);
                warm(&hot, 3 * MIB);
                crate::support::unify(&args).expect(0);
                vec![(cached(&cold), left), (cached(&hot), 3 * MIB)]
            };
            assert_soon_near(&format!("{args:?}: cold and warm"), round);
        }
    }
}
