//! Other processes of this program that hold a directory. The lock of a base keeps out runs of that base only; a run
//! that applies, undoes, forgets or heals holds the roots of the guests whose names it moves, so that runs of two bases
//! meet there. Where it is undone that a guest shares with others, or a flag comes off for another guest's sake, only
//! names and inodes tell: nobody holds the others.

use std::fs;
use std::io::{BufRead, BufReader};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

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
    let locks = BufReader::new(fs::File::open("/proc/locks").ok()?);
    let holders = locks.lines().map_while(Result::ok);
    let mut holders = holders.filter_map(|line| holder(&line, inode));
    holders.find(|pid| *pid != std::process::id() && is_one_of_us(*pid))
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
