//! Walks a tree by descriptors, of any depth and with any names, without changing an access time.

use std::collections::BTreeSet;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, IFlags, Mode, OFlags, Stat};

/// One thing that was found.
pub struct Found<'a> {
    /// Path beneath the top, beginning with `/`; the top itself is `/`.
    pub path: &'a [u8],
    /// The directory that holds it.
    pub parent: BorrowedFd<'a>,
    /// Its name there.
    pub name: &'a CStr,
    /// What `fstatat` says.
    pub stat: Stat,
}

impl Found<'_> {
    /// What kind of thing it is.
    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// Opens a regular file or directory for reading.
    pub fn open(&self) -> OwnedFd {
        open(self.parent, self.name)
            .unwrap_or_else(|e| panic!("{:?}: {e}", OsStr::from_bytes(self.path)))
    }
}

/// Calls `visit` for the top and everything beneath it.
pub fn walk(top: &Path, visit: &mut dyn FnMut(&Found<'_>)) {
    let name = std::ffi::CString::new(top.as_os_str().as_bytes()).unwrap();
    step(CWD, &name, &mut b"/".to_vec(), visit);
}

fn step(
    parent: BorrowedFd<'_>,
    name: &CStr,
    path: &mut Vec<u8>,
    visit: &mut dyn FnMut(&Found<'_>),
) {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .unwrap_or_else(|e| panic!("{:?}: {e}", OsStr::from_bytes(path)));
    let found = Found {
        path,
        parent,
        name,
        stat,
    };
    visit(&found);
    if found.kind() != FileType::Directory {
        return;
    }
    let dir = found.open();
    for name in names(&dir) {
        let length = path.len();
        if length > 1 {
            path.push(b'/');
        }
        path.extend_from_slice(name.to_bytes());
        step(dir.as_fd(), &name, path, visit);
        path.truncate(length);
    }
}

fn names(dir: &OwnedFd) -> Vec<std::ffi::CString> {
    let entries = Dir::read_from(dir).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_owned());
    let mut names: Vec<_> = names
        .filter(|name| !matches!(name.to_bytes(), b"." | b".."))
        .collect();
    names.sort();
    names
}

fn open(parent: impl AsFd, name: &CStr) -> rustix::io::Result<OwnedFd> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NOATIME | OFlags::NONBLOCK | OFlags::CLOEXEC;
    rustix::fs::openat(parent, name, flags, Mode::empty())
}

/// Allocated bytes of all regular files beneath the tops, each inode once, after everything reached the disk.
pub fn disk_use(tops: &[&Path]) -> u64 {
    rustix::fs::sync();
    let mut seen = BTreeSet::new();
    let mut blocks = 0;
    for top in tops.iter().filter(|top| top.exists()) {
        walk(top, &mut |found| {
            let new = found.kind() == FileType::RegularFile
                && seen.insert((found.stat.st_dev, found.stat.st_ino));
            blocks += if new { found.stat.st_blocks as u64 } else { 0 };
        });
    }
    blocks * 512
}

/// Takes the flags off everything that keep it from being removed.
pub fn lift_flags(top: &Path) {
    walk(top, &mut |found| {
        if matches!(found.kind(), FileType::RegularFile | FileType::Directory) {
            let fd = found.open();
            let flags = rustix::fs::ioctl_getflags(&fd).unwrap_or(IFlags::empty());
            let keeps = IFlags::IMMUTABLE | IFlags::APPEND;
            if flags.intersects(keeps) {
                rustix::fs::ioctl_setflags(&fd, flags - keeps).ok();
            }
        }
    });
}

/// Is the immutable flag set?
pub fn is_immutable(path: &Path) -> bool {
    let name = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
    let fd = open(CWD, &name).unwrap();
    let flags = rustix::fs::ioctl_getflags(&fd).unwrap();
    flags.contains(IFlags::IMMUTABLE)
}

/// Device and inode of a name, links not followed.
pub fn id(path: &Path) -> (u64, u64) {
    let stat = rustix::fs::lstat(path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    (stat.st_dev, stat.st_ino)
}

/// How many names the inode has.
pub fn nlink(path: &Path) -> u64 {
    rustix::fs::lstat(path).unwrap().st_nlink as u64
}
