//! `/proc/locks` (`proc(5)`): which inodes have a lock or a lease, and who has it.
//!
//! The kernel walks its list anew for every page that is read, so a list of very many takes time that grows with its
//! square: what a guest can make of that is bounded by time, and what was not read is said. What is locked is open:
//! where the list is not whole, every file that a process has open counts as locked, so that it is in nobody's hands
//! to make unknown what others lock.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::time::{Duration, Instant};

use crate::sys::host::presence::mounts::places::BlockDevice;

/// A lock on an inode of a watched device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenLock {
    pub device: BlockDevice,
    pub inode: u64,
    /// `flock`, `POSIX lock`, `OFD lock` or `lease`.
    pub kind: &'static str,
    /// Who took it, and may have gone since; `None` for locks that belong to open files.
    pub pid: Option<u32>,
}

/// What was read of the list.
#[derive(Debug, Default)]
pub struct LockList {
    pub locks: BTreeSet<SeenLock>,
    /// Why it may not be all.
    pub missed: Option<&'static str>,
}

const UNREADABLE: &str = "/proc/locks cannot be read";
const TOO_MANY: &str = "there are more locks than can be looked at";

/// Most locks on watched devices that are kept, each with another inode, process or kind.
const MOST_LOCKS: usize = 1 << 18;

/// So many of them on one inode: those who take more are no news.
const MOST_OF_INODE: usize = 8;

impl LockList {
    /// Reads the list, for so long at most. A kernel without locks has none.
    pub fn read(devices: &[BlockDevice], patience: Duration) -> LockList {
        match File::open("/proc/locks") {
            Ok(file) => LockList::of(BufReader::with_capacity(64 << 10, file), devices, patience),
            Err(error) if error.kind() == ErrorKind::NotFound => LockList::default(),
            Err(_) => LockList {
                missed: Some(UNREADABLE),
                ..LockList::default()
            },
        }
    }

    fn of(mut text: impl BufRead, devices: &[BlockDevice], patience: Duration) -> LockList {
        let until = Instant::now() + patience;
        let (mut list, mut line) = (LockList::default(), Vec::new());
        loop {
            line.clear();
            match text.read_until(b'\n', &mut line) {
                Ok(0) => return list,
                Ok(_) => {}
                Err(_) => list.missed = Some(UNREADABLE),
            }
            let lock = SeenLock::of(&line).filter(|lock| devices.contains(&lock.device));
            lock.into_iter().for_each(|lock| list.add(lock));
            if list.locks.len() >= MOST_LOCKS || Instant::now() > until {
                list.missed = Some(TOO_MANY);
            }
            if list.missed.is_some() {
                return list;
            }
        }
    }

    fn add(&mut self, lock: SeenLock) {
        let (device, inode) = (lock.device, lock.inode);
        let least = SeenLock {
            kind: "",
            pid: None,
            ..lock
        };
        let of_inode = self.locks.range(least..).take(MOST_OF_INODE);
        let of_inode = of_inode.take_while(|known| (known.device, known.inode) == (device, inode));
        if of_inode.count() < MOST_OF_INODE {
            self.locks.insert(lock);
        }
    }
}

impl SeenLock {
    /// `1: FLOCK  ADVISORY  WRITE 1234 fe:00:1311042 0 EOF`; who waits for a lock has an arrow before the kind. `None`
    /// for what is no such line.
    fn of(line: &[u8]) -> Option<SeenLock> {
        let line = std::str::from_utf8(line).ok()?;
        let mut fields = line.split_ascii_whitespace().filter(|one| *one != "->");
        let kind = match fields.nth(1)? {
            "FLOCK" => "flock",
            "POSIX" | "ACCESS" => "POSIX lock",
            "OFDLCK" => "OFD lock",
            "LEASE" | "DELEG" | "LAYOUT" => "lease",
            _ => "lock",
        };
        let (pid, place) = (fields.nth(2)?, fields.next()?);
        let (device, inode) = place.rsplit_once(':')?;
        Some(SeenLock {
            device: BlockDevice::of(device.as_bytes(), 16)?,
            inode: inode.parse().ok()?,
            pid: pid.parse().ok(),
            kind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
1: FLOCK  ADVISORY  WRITE 1234 fe:00:1311042 0 EOF
1: -> FLOCK  ADVISORY  WRITE 77 fe:00:1311043 0 EOF
2: POSIX  ADVISORY  READ  99 fe:00:7 128 128
3: OFDLCK ADVISORY  READ  -1 fe:00:8 0 EOF
4: LEASE  ACTIVE    READ  5 fe:00:9 0 EOF
5: FLOCK  ADVISORY  WRITE 1234 08:01:5 0 EOF
6: POSIX  ADVISORY  READ  99 <none>:0 128 128
7: UNKNOWN UNKNOWN  READ  99 fe:00:10 0 0
nonsense
\u{fffd}
";
    const DISK: BlockDevice = BlockDevice {
        major: 0xfe,
        minor: 0,
    };

    #[test]
    fn locks_of_all_kinds_on_the_device() {
        let list = LockList::of(LIST.as_bytes(), &[DISK], Duration::from_secs(60));
        assert_eq!(list.missed, None);
        let found = list.locks.iter();
        let found: Vec<_> = found.map(|one| (one.inode, one.pid, one.kind)).collect();
        let want = [
            (7, Some(99), "POSIX lock"),
            (8, None, "OFD lock"),
            (9, Some(5), "lease"),
            (10, Some(99), "lock"),
            (1_311_042, Some(1234), "flock"),
            (1_311_043, Some(77), "flock"),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn a_list_that_takes_too_long_is_not_all_there_is() {
        let list = LockList::of(LIST.as_bytes(), &[DISK], Duration::ZERO);
        assert_eq!(list.missed, Some(TOO_MANY));
    }

    #[test]
    fn many_locks_on_few_files_are_few() {
        let of = |pid| format!("5: POSIX  ADVISORY  WRITE {pid} fe:00:5 {pid} {pid}\n");
        let many: String = (0..999)
            .map(|at| of(at % 3))
            .chain((0..99).map(of))
            .collect();
        let list = LockList::of(many.as_bytes(), &[DISK], Duration::from_secs(600));
        assert_eq!((list.locks.len(), list.missed), (MOST_OF_INODE, None));
    }

    #[test]
    fn locks_on_very_many_files_are_not_all_kept() {
        let of = |inode| format!("5: FLOCK  ADVISORY  WRITE 1 fe:00:{inode} 0 EOF\n");
        let many: String = (0..MOST_LOCKS + 9).map(of).collect();
        let list = LockList::of(many.as_bytes(), &[DISK], Duration::from_secs(600));
        assert_eq!(
            (list.locks.len(), list.missed),
            (MOST_LOCKS, Some(TOO_MANY))
        );
    }
}
