//! `/proc/locks` (`proc(5)`): which inodes have a lock or a lease, and who has it.
//!
//! The kernel walks its list anew for every page that is read, so a list of very many takes time that grows with its
//! square: what a guest can make of that is bounded by time, and what was not read is said.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::time::{Duration, Instant};

use crate::sys::host::presence::mounts::places::BlockDevice;

/// A lock on an inode of a watched device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenLock {
    pub device: BlockDevice,
    pub inode: u64,
    /// Who has it; `None` for locks that belong to open files.
    pub pid: Option<u32>,
    /// `flock`, `POSIX lock`, `OFD lock` or `lease`.
    pub kind: &'static str,
}

/// What was read of the list.
#[derive(Debug, Default)]
pub struct LockList {
    pub locks: Vec<SeenLock>,
    /// Why it may not be all.
    pub missed: Option<&'static str>,
}

const UNREADABLE: &str = "/proc/locks cannot be read";
const TOO_MANY: &str = "there are more locks than can be looked at";

/// Most locks on watched devices that are kept.
const MOST_LOCKS: usize = 1 << 20;

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
            let lock = SeenLock::of(&line);
            list.locks
                .extend(lock.filter(|lock| devices.contains(&lock.device)));
            if list.locks.len() >= MOST_LOCKS || Instant::now() > until {
                list.missed = Some(TOO_MANY);
            }
            if list.missed.is_some() {
                return list;
            }
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
            (1_311_042, Some(1234), "flock"),
            (1_311_043, Some(77), "flock"),
            (7, Some(99), "POSIX lock"),
            (8, None, "OFD lock"),
            (9, Some(5), "lease"),
            (10, Some(99), "lock"),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn a_list_that_takes_too_long_is_not_all_there_is() {
        let list = LockList::of(LIST.as_bytes(), &[DISK], Duration::ZERO);
        assert_eq!(list.missed, Some(TOO_MANY));
        let many = std::iter::repeat_n(
            "5: FLOCK  ADVISORY  WRITE 1 fe:00:5 0 EOF\n",
            MOST_LOCKS + 9,
        );
        let many: String = many.collect();
        let list = LockList::of(many.as_bytes(), &[DISK], Duration::from_secs(600));
        assert_eq!(
            (list.locks.len(), list.missed),
            (MOST_LOCKS, Some(TOO_MANY))
        );
    }
}
