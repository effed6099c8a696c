//! Few threads read a cold and slow disk, and they read it in the order in which files lie on it.

use std::collections::BTreeSet;
use std::fs::FileTimes;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::fs::{major, minor};

use crate::support::{BIN, Call, Disk, File, Guest, Lab, Planned, calls, content, id};

const FILES: u64 = 100;

/// One of the files is larger than what is read at a time where no head moves.
fn length(file: u64) -> usize {
    if file == 50 { 3 << 20 } else { 9000 }
}

/// Where the disk of a lab says whether it rotates.
fn rotational(lab: &Lab) -> PathBuf {
    let device = std::fs::metadata(lab.guests()).unwrap().dev();
    let (major, minor) = (major(device), minor(device));
    format!("/sys/dev/block/{major}:{minor}/queue/rotational").into()
}

/// Twins whose places on disk go down where their inodes go up.
fn against_the_grain(lab: &Lab) -> [Guest; 2] {
    let guests = ["db", "web"].map(|name| lab.guest(name));
    for guest in &guests {
        let host = |n| guest.host(format!("/usr/{n:02}"));
        for n in 0..FILES {
            guest.put(format!("/usr/{n:02}"), &File::new(""));
        }
        for n in (0..FILES).rev() {
            let content: Vec<u8> = content(n).into_iter().cycle().take(length(n)).collect();
            std::fs::write(host(n), content).unwrap();
            let file = std::fs::File::open(host(n)).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + n);
            file.set_times(FileTimes::new().set_modified(time)).unwrap();
            file.sync_all().unwrap();
        }
    }
    guests
}

/// Where a file begins on its disk, in blocks.
fn place(file: &Path) -> u64 {
    let out = Command::new("filefrag").arg("-v").arg(file).output();
    let out = String::from_utf8(out.unwrap().stdout).unwrap();
    let line = out
        .lines()
        .find(|line| line.trim_start().starts_with("0:"))
        .unwrap();
    let physical = line.split(':').nth(2).unwrap();
    physical.split("..").next().unwrap().trim().parse().unwrap()
}

/// What was seen of a plan.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Threads that read files of the guests.
    threads: usize,
    /// The files, in the order in which they were first read.
    files: Vec<u64>,
    /// Bytes of the longest piece that was read at a time.
    longest: u64,
    /// How many were asked for before the first was read.
    asked: usize,
}

/// Plans, under the eyes of strace.
fn read(lab: &Lab, guests: &[Guest; 2], options: &[&str]) -> Seen {
    let (base, plan) = (lab.base(), lab.path("plan.json"));
    let args = [
        "plan",
        "--base",
        base.to_str().unwrap(),
        "-o",
        plan.to_str().unwrap(),
    ];
    let [db, web] = guests.each_ref().map(Guest::arg);
    let kinds = "pread64,fadvise64";
    let calls = calls(lab, kinds, &[&args[..], options, &[&db, &web]].concat());
    let (mut threads, mut files) = (BTreeSet::new(), Vec::new());
    let (mut longest, mut asked) = (0, 0);
    for Call { thread, text } in calls {
        let path = text.split_once("/usr/").map_or("", |(_, path)| path);
        let Ok(file) = path.split('>').next().unwrap().parse() else {
            continue;
        };
        if text.starts_with("fadvise") {
            asked += usize::from(files.is_empty() && text.contains("WILLNEED"));
            continue;
        }
        threads.insert(thread);
        // Where two threads call at once, a line has no end.
        if let Some((arguments, _)) = text.rsplit_once(") = ") {
            let length = arguments.rsplit(", ").nth(1).unwrap();
            longest = longest.max(length.parse().unwrap());
        }
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Seen {
        threads: threads.len(),
        files,
        longest,
        asked,
    }
}

#[test]
fn one_reads_a_rotating_disk_from_one_end_to_the_other() {
    traced!();
    let disk = match Lab::in_memory(Disk::Ext4) {
        Ok(disk) => disk,
        Err(why) => skip!("{why}"),
    };
    let lab = disk.part("lab");
    if let Err(error) = std::fs::write(rotational(&lab), "1") {
        skip!("no disk here can be called a rotating one: {error}");
    }
    let guests = against_the_grain(&lab);
    let by = |key: &dyn Fn(&Path) -> u64| {
        let mut files: Vec<u64> = (0..FILES).collect();
        files.sort_by_key(|n| key(&guests[0].host(format!("/usr/{n:02}"))));
        files
    };
    let (by_place, by_inode) = (by(&place), by(&|file| id(file).1));
    assert_ne!(by_place, by_inode);
    let (long, short) = (3 << 20, 64 << 10);
    // Batches of 64 files.
    let alone = |files: &[u64], longest| Seen {
        threads: 1,
        files: files.to_vec(),
        longest,
        asked: 64,
    };
    for options in [&[][..], &["--jobs", "4"]] {
        let seen = read(&lab, &guests, options);
        assert_eq!(seen, alone(&by_place, long), "{options:?}");
    }
    std::fs::write(rotational(&lab), "0").unwrap();
    let seen = read(&lab, &guests, &["--jobs", "4"]);
    assert!(seen.threads > 1 && seen.longest == short, "{seen:?}");
    let seen = read(&lab, &guests, &["--jobs", "1"]);
    assert_eq!(seen, alone(&by_inode, short));
}

/// Threads hold no more files open than they may; else some would seem to be unreadable.
#[test]
fn many_threads_share_few_descriptors() {
    let lab = lab!(Disk::Own);
    let guests = against_the_grain(&lab);
    let plan = |limit: &str| {
        let (base, plan) = (lab.base(), lab.path("plan.json"));
        let out = Command::new("prlimit")
            .args([&format!("--nofile={limit}:{limit}"), BIN])
            .args(["plan", "--jobs", "16", "--base", base.to_str().unwrap()])
            .args(["-o", plan.to_str().unwrap()])
            .args(guests.each_ref().map(Guest::arg))
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        Planned::read(&plan).names().len() as u64
    };
    for limit in ["128", "80"] {
        assert_eq!(plan(limit), 2 * FILES, "with {limit} descriptors");
    }
}

/// The priorities are taken before there is any other thread, so that all have them.
#[test]
fn all_that_a_reader_starts_is_in_the_background() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let (plan, other) = (plan.path.to_str().unwrap(), lab.path("other.json"));
    let (base, [web, db]) = (lab.base(), [web.arg(), db.arg()]);
    let base = base.to_str().unwrap();
    let commands: [&[&str]; 3] = [
        &[
            "plan",
            "--base",
            base,
            "-o",
            other.to_str().unwrap(),
            &web,
            &db,
        ],
        &["verify", plan],
        &["verify", "--base", base],
    ];
    for command in commands {
        let kinds = "ioprio_set,setpriority,clone,clone3";
        let at = |calls: &[Call], what: &str| calls.iter().position(|c| c.text.contains(what));
        let calls = calls(&lab, kinds, &[command, &["--background"]].concat());
        let threads = at(&calls, "clone").unwrap_or(calls.len());
        for what in ["IOPRIO_CLASS_IDLE", "PRIO_PROCESS, 0, 19)"] {
            let taken = at(&calls, what);
            assert!(taken.is_some_and(|at| at < threads), "{command:?}: {what}");
        }
    }
}
