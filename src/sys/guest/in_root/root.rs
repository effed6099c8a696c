//! The root itself, and what the kernel's answers about it mean.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::model::{FileId, FileKind};
use crate::sys::guest::error::{GuestError, shown};
use crate::sys::{Dir, SysError, SysResult};

/// The root of a guest, out of which no path leads.
#[derive(Debug)]
pub struct InRoot {
    pub(super) root: OwnedFd,
    pub(super) dev: u64,
}

impl InRoot {
    /// The root that is open here, by a descriptor of its own.
    pub fn of(root: &Dir) -> SysResult<InRoot> {
        let own = root.fd().try_clone_to_owned();
        let own = own.map_err(|e| SysError::new("duplicate", root.path(), e))?;
        InRoot::new(own).map_err(|e| SysError::new("stat", root.path(), e))
    }

    /// Takes a descriptor of the guest's root directory, opened `O_PATH` or for reading.
    pub(super) fn new(root: OwnedFd) -> Result<InRoot, Errno> {
        let dev = rustix::fs::fstat(&root)?.st_dev;
        Ok(InRoot { root, dev })
    }
}

pub(super) fn id_of(stat: &Stat) -> FileId {
    FileId {
        dev: stat.st_dev,
        ino: stat.st_ino,
    }
}

pub(super) fn kind_of(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::Regular,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        _ => FileKind::Special,
    }
}

pub(super) fn io_error(path: &[u8], errno: Errno) -> GuestError {
    match errno {
        Errno::XDEV => GuestError::OtherFilesystem { path: shown(path) },
        _ => GuestError::Io {
            path: shown(path),
            source: errno.into(),
        },
    }
}

/// The answers that mean "no such name". A name too long for the file system cannot exist either.
pub(super) fn is_absent(errno: Errno) -> bool {
    matches!(errno, Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG)
}
