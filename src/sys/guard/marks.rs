//! The map of marks.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use aya::maps::{HashMap, Map, MapData, MapError};
use rustix::fs::{major, minor};
use rustix::io::Errno;

use super::maps::{MARKS, failed, io};
use super::sets::is_loaded;
use crate::model::FileId;
use crate::sys::fault::call;
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult, ffi};

/// What the kernel is asked: number, device, generation, as `struct inode_key` of `guard.bpf.c` has them.
type Key = [u8; 16];
type MarkTable = HashMap<MapData, Key, u64>;

/// What an inode is, as `maps.bpf.h` has it.
const OBJECT: u64 = 1;
const HELD: u64 = 2;
const OWN_DIRECTORY: u64 = 3;

/// An inode as the guard knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InodeMark {
    /// Device and number, as `stat(2)` tells them. Where a file system tells another device than that of its mount
    /// (btrfs), the kernel does not know the mark; so says the trial of a run.
    pub inode: FileId,
    /// `FS_IOC_GETVERSION`: another inode of the same number has another one.
    pub generation: u32,
}

impl InodeMark {
    /// The mark of a file.
    pub fn of(file: &Regular) -> SysResult<InodeMark> {
        let generation = call("getversion", || ffi::generation(file.fd()));
        Ok(InodeMark {
            inode: file.state()?.id,
            generation: generation.map_err(file.failed("read the generation of"))?,
        })
    }

    /// The mark of a file in memory (tmpfs), which tells its generation otherwise: it begins its handle.
    pub(super) fn of_memory(file: &Regular) -> SysResult<InodeMark> {
        let handle = call("handle", || ffi::handle(file.fd()));
        Ok(InodeMark {
            inode: file.state()?.id,
            generation: handle
                .map_err(file.failed("read the handle of"))?
                .first_word(),
        })
    }

    /// The mark of a directory.
    pub fn of_dir(dir: &Dir) -> SysResult<InodeMark> {
        let generation = call("getversion", || ffi::generation(dir.fd()));
        Ok(InodeMark {
            inode: dir.state()?.id,
            generation: generation
                .map_err(|e| SysError::new("read the generation of", dir.path(), e))?,
        })
    }

    /// The kernel's own number of a device: 12 bits major, 20 bits minor (`linux/kdev_t.h`).
    fn key(&self) -> Key {
        let device = (major(self.inode.dev) << 20) | (minor(self.inode.dev) & 0xf_ffff);
        let mut key = Key::default();
        key[..8].copy_from_slice(&self.inode.ino.to_ne_bytes());
        key[8..12].copy_from_slice(&device.to_ne_bytes());
        key[12..].copy_from_slice(&self.generation.to_ne_bytes());
        key
    }

    fn from_key(key: Key) -> InodeMark {
        let word = |at: usize| u32::from_ne_bytes([key[at], key[at + 1], key[at + 2], key[at + 3]]);
        let number = key.first_chunk().copied().unwrap_or_default();
        let device = word(8);
        InodeMark {
            inode: FileId {
                dev: rustix::fs::makedev(device >> 20, device & 0xf_ffff),
                ino: u64::from_ne_bytes(number),
            },
            generation: word(12),
        }
    }
}

/// The pinned map of this kernel.
#[derive(Debug)]
pub struct Marks(Mutex<MarkTable>);

/// There are as many marks as there may be. That is no full disk, and a person can do something about it.
const FULL: &str = "1,048,576 files are marked, and no more can be: `unify gc` of each base takes off the marks of what no guest has any more";

/// Opened once a process: what is pinned later is another run's.
static MARKS_OF_THIS_KERNEL: OnceLock<Option<Marks>> = OnceLock::new();

impl Marks {
    /// The map; `None` where the guard is not loaded, or may not be reached by this user.
    pub fn here() -> Option<&'static Marks> {
        MARKS_OF_THIS_KERNEL.get_or_init(Marks::open).as_ref()
    }

    fn open() -> Option<Marks> {
        if !is_loaded() {
            return None;
        }
        let map = Map::HashMap(MapData::from_pin(MARKS).ok()?);
        Some(Marks(Mutex::new(MarkTable::try_from(map).ok()?)))
    }

    fn table(&self) -> MutexGuard<'_, MarkTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is it marked as an object?
    pub fn has(&self, mark: &InodeMark) -> SysResult<bool> {
        match self.table().get(&mark.key(), 0) {
            Ok(what) => Ok(what == OBJECT),
            Err(MapError::KeyNotFound) => Ok(false),
            Err(error) => Err(failed("read", MARKS, error)),
        }
    }

    /// Marks it.
    pub fn add(&self, mark: &InodeMark) -> SysResult<()> {
        self.put(mark, OBJECT)
    }

    /// A private copy of which not all names are in place: it is no object, and not to be changed yet.
    pub(super) fn hold(&self, mark: &InodeMark) -> SysResult<()> {
        self.put(mark, HELD)
    }

    /// Ends that; a mark of another kind stays.
    pub(super) fn unhold(&self, mark: &InodeMark) -> SysResult<()> {
        match self.table().get(&mark.key(), 0) {
            Ok(HELD) => {}
            Ok(_) | Err(MapError::KeyNotFound) => return Ok(()),
            Err(error) => return Err(failed("read", MARKS, error)),
        }
        self.remove(mark)
    }

    /// A directory of ours alone: changing it is denied to nobody, and what is found in it is no name of a guest's.
    pub(super) fn own_directory(&self, mark: &InodeMark) -> SysResult<()> {
        self.put(mark, OWN_DIRECTORY)
    }

    fn put(&self, mark: &InodeMark, what: u64) -> SysResult<()> {
        call("mark", || {
            self.table().insert(mark.key(), what, 0).map_err(io)
        })
        .map_err(full_or)
        .map_err(|error| SysError::new("write", MARKS, error))
    }

    /// Takes a mark off, if it is there.
    pub fn remove(&self, mark: &InodeMark) -> SysResult<()> {
        let removed = call("unmark", || self.table().remove(&mark.key()).map_err(io));
        match removed.map_err(|error| SysError::new("write", MARKS, error)) {
            Err(error) if error.meaning() == Meaning::Gone => Ok(()),
            other => other,
        }
    }

    /// All objects. One that comes or goes meanwhile may be missed.
    pub fn all(&self) -> SysResult<Vec<InodeMark>> {
        self.those_that_are(OBJECT)
    }

    /// All that is held.
    pub(super) fn held(&self) -> SysResult<Vec<InodeMark>> {
        self.those_that_are(HELD)
    }

    fn those_that_are(&self, what: u64) -> SysResult<Vec<InodeMark>> {
        let table = self.table();
        let its = table.iter().filter_map(|entry| match entry {
            Ok((key, kind)) => (kind == what).then(|| Ok(InodeMark::from_key(key))),
            Err(error) => Some(Err(error)),
        });
        its.collect::<Result<_, _>>()
            .map_err(|error| failed("read", MARKS, error))
    }
}

fn full_or(error: std::io::Error) -> std::io::Error {
    match error.raw_os_error() {
        Some(code) if code == Errno::TOOBIG.raw_os_error() => std::io::Error::other(FULL),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_says_what_to_do() {
        let told = |errno: Errno| full_or(errno.into()).to_string();
        assert!(told(Errno::TOOBIG).contains("`unify gc`"));
        assert!(!told(Errno::NOSPC).contains("`unify gc`"));
    }

    #[test]
    fn a_key_is_its_mark() {
        for dev in [rustix::fs::makedev(8, 1), rustix::fs::makedev(254, 70_000)] {
            let inode = FileId {
                dev,
                ino: u64::MAX - 7,
            };
            let mark = InodeMark {
                inode,
                generation: 0x8000_0001,
            };
            assert_eq!(InodeMark::from_key(mark.key()), mark);
        }
    }
}
