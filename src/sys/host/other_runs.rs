//! Other processes of this program that hold a directory. The lock of a base keeps out runs of that base only; a run
//! that applies, undoes, forgets or heals holds the roots of the guests whose names it moves, so that runs of two bases
//! meet there. Where it is undone that a guest shares with others, or a flag comes off for another guest's sake, only
//! names and inodes tell: nobody holds the others.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::model::Escaped;
use crate::sys::{Dir, SysError, SysResult};

/// Holds the directory for this process as long as it has it open; or returns another process of this program that
/// does. Where this one holds it already, as a guest that is known by two names, it is held; where any other process
/// does, nothing is held and nobody waits: it may be one of the guest's own.
pub fn hold(dir: &Dir) -> SysResult<Option<u32>> {
    match flock(dir.fd(), FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(None),
        Err(Errno::WOULDBLOCK) => Ok(held_by_one_of_us(dir.state()?.id.ino)),
        Err(errno) => Err(SysError::new("lock", dir.path(), errno)),
    }
}

/// What cannot be read says nothing.
fn held_by_one_of_us(inode: u64) -> Option<u32> {
    let mut holders = holders(inode).into_iter();
    holders.find(|pid| *pid != std::process::id() && is_one_of_us(*pid))
}

/// Who holds a lock file now. What the file says was written by the last run of ours, which may be over: it is believed
/// where that process has the lock.
pub fn holder_of(lock: &fs::File, said: &str) -> String {
    let said = said.trim();
    let inode = lock.metadata().map(|state| state.ino()).unwrap_or_default();
    let own = format!("/proc/self/fd/{}", lock.as_raw_fd());
    let Ok(path) = fs::read_link(own) else {
        return UNSEEN.to_owned();
    };
    if process_in(said).is_some_and(|pid| has_locked(pid, &path, inode)) {
        return said.to_owned();
    }
    let mut holders = holders(inode).into_iter();
    let holder = holders.find(|pid| has_locked(*pid, &path, inode));
    match holder.and_then(|pid| Some((pid, name_of(pid)?))) {
        Some((pid, name)) => format!("process {pid} ({})", Escaped(name.as_bytes())),
        None => UNSEEN.to_owned(),
    }
}

const UNSEEN: &str = "a process that cannot be seen from here";

/// Has a process this file open, with a lock on it? Its descriptors are not followed, see below.
fn has_locked(pid: u32, path: &Path, inode: u64) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let mut open = open.flatten();
    open.any(|entry| {
        let is_it = fs::read_link(entry.path()).is_ok_and(|link| link == path);
        let number = entry.file_name();
        let info = format!("/proc/{pid}/fdinfo/{}", number.to_string_lossy());
        let info = is_it.then(|| fs::read_to_string(info).unwrap_or_default());
        let mut lines = info.iter().flat_map(|text| text.lines());
        lines.any(|line| {
            let lock = line.strip_prefix("lock:");
            lock.is_some_and(|lock| holder(lock, inode).is_some())
        })
    })
}

/// `unify apply, process 1234, since ...`.
fn process_in(said: &str) -> Option<u32> {
    let (_, rest) = said.split_once("process ")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn name_of(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Processes that hold a file of this inode number; what cannot be read says nothing.
fn holders(inode: u64) -> Vec<u32> {
    let Ok(locks) = fs::File::open("/proc/locks") else {
        return Vec::new();
    };
    let lines = BufReader::new(locks).lines().map_while(Result::ok);
    lines.filter_map(|line| holder(&line, inode)).collect()
}

/// `1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF`.
fn holder(line: &str, inode: u64) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (kind, pid, place) = (words.next()?, words.nth(2)?, words.next()?);
    let ours = kind == "FLOCK" && place.rsplit(':').next()?.parse() == Ok(inode);
    pid.parse().ok().filter(|_| ours)
}

/// The same program in the same namespaces, where its path means the same. Links of `/proc` are only read: to follow
/// one could take for ever.
fn is_one_of_us(pid: u32) -> bool {
    let link = |who: &str, what: &str| fs::read_link(format!("/proc/{who}/{what}")).ok();
    let same = |what| {
        let theirs = link(&pid.to_string(), what);
        theirs.is_some() && theirs == link("self", what)
    };
    ["exe", "ns/mnt", "ns/pid"].into_iter().all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_known_by_its_inode() {
        let line = "12: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF";
        assert_eq!(holder(line, 5678), Some(1234));
        assert_eq!(holder(line, 1), None);
        assert_eq!(
            holder("1: POSIX  ADVISORY  WRITE 7 fe:01:5678 0 EOF", 5678),
            None
        );
        assert_eq!(
            holder("1: -> FLOCK  ADVISORY  WRITE 7 fe:01:5678 0 EOF", 5678),
            None
        );
        assert_eq!(holder("", 0), None);
    }

    #[test]
    fn what_a_lock_file_says_is_believed_of_its_holder_only() {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("lock");
        let file = fs::File::create(&path).expect("a file");
        let own = std::process::id();
        let run = |pid| format!("unify apply, process {pid}, since then\n");
        assert_eq!(holder_of(&file, &run(own)), UNSEEN, "it holds nothing yet");
        let other = fs::File::open(&path).expect("the file");
        assert_eq!(
            flock(&other, FlockOperation::NonBlockingLockExclusive),
            Ok(())
        );
        assert_eq!(holder_of(&file, &run(own)), run(own).trim());
        let said = holder_of(&file, &run(1));
        assert!(said.starts_with(&format!("process {own} (")), "{said}");
        flock(&other, FlockOperation::Unlock).expect("an end");
        assert_eq!(holder_of(&file, &run(own)), UNSEEN);
    }

    #[test]
    fn what_this_process_holds_is_no_other_run() {
        let place = tempfile::tempdir().expect("a directory");
        let (one, other) = (Dir::open(place.path()), Dir::open(place.path()));
        let (one, other) = (one.expect("open"), other.expect("open"));
        assert_eq!(hold(&one).expect("a lock"), None);
        assert_eq!(hold(&other).expect("an answer"), None);
        drop(one);
        assert_eq!(hold(&other).expect("a lock"), None);
    }
}
