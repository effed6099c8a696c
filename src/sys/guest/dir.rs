//! `Dir`: a directory handle that one cannot leave. All names are resolved beneath it, without following
//! links, crossing mounts or climbing (`openat2`, Linux 5.6); every call that changes a directory is here.
//!
//! A guest may replace its directories while we work. The handle stays the directory that was opened, so a
//! replaced name leads to an error, never to another tree.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::fs::{
    fstatvfs, fsync, futimens, linkat, mkdirat, openat, openat2, renameat_with, syncfs, unlinkat,
};
use rustix::io::Errno;

use super::{file, stat};
use crate::model::{FileKind, FileState, Time};
use crate::sys::error::shown;
use crate::sys::fault::call;
use crate::sys::{Meaning, Regular, SysError, SysResult};

/// A name is resolved beneath the handle, through no links of any kind, into no other mount.
const BENEATH: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS)
    .union(ResolveFlags::NO_XDEV);

/// Never wait, never become a controlling terminal, never follow, never leak to a child.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A name only: opens nothing, so devices and FIFOs notice nothing.
const NAME: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open directory.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
    mount: OnceLock<u64>,
}

impl Dir {
    /// Opens a directory of the host by its path; links in the path are followed, as the host's root wants.
    pub fn open(path: &Path) -> SysResult<Dir> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = call("open", || openat(CWD, path, flags, Mode::empty()))
            .map_err(|e| SysError::new("open directory", path, e))?;
        Ok(Dir::from_fd(fd, path.to_owned()))
    }

    pub(in crate::sys) fn from_fd(fd: OwnedFd, path: PathBuf) -> Dir {
        let mount = OnceLock::new();
        Dir { fd, path, mount }
    }

    /// How the directory is called in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::sys) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// A second handle to the same directory.
    pub fn duplicate(&self) -> SysResult<Dir> {
        let fd = call("dup", || self.fd.try_clone())
            .map_err(|e| SysError::new("duplicate", &self.path, e))?;
        Ok(Dir::from_fd(fd, self.path.clone()))
    }

    /// The state of the directory itself.
    pub fn state(&self) -> SysResult<FileState> {
        stat::of_fd(&self.fd)
            .map(|(state, _)| state)
            .map_err(|e| SysError::new("stat", &self.path, e))
    }

    /// The mount that the handle was opened through; links and renames need equal ones. It never changes as long as the
    /// handle lives, and is asked once.
    pub fn mount_id(&self) -> SysResult<u64> {
        if let Some(known) = self.mount.get() {
            return Ok(*known);
        }
        let failed = |e| SysError::new("stat", &self.path, e);
        let mount = match stat::of_fd(&self.fd).map_err(failed)? {
            (_, Some(mount)) => mount,
            (_, None) => super::mount_id::mount_id(self.fd())?,
        };
        Ok(*self.mount.get_or_init(|| mount))
    }

    /// A directory beneath this one; `relative` empty for itself.
    pub fn open_dir(&self, relative: &[u8]) -> SysResult<Dir> {
        if relative.is_empty() {
            return self.duplicate();
        }
        let fd = self.beneath(
            relative,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        )?;
        Ok(Dir::from_fd(fd, shown(&self.path, relative)))
    }

    /// What a name beneath refers to; a link is not followed, and nothing is mounted on it.
    ///
    /// A name of one component leads nowhere else: one call, unless something is mounted there or the kernel does not
    /// tell of mounts.
    pub fn look(&self, relative: &[u8]) -> SysResult<FileState> {
        if is_single(relative) {
            let (state, mount) = stat::at_with_mount(&self.fd, relative)
                .map_err(|e| self.failed("stat", relative, e))?;
            if mount.is_some() && mount == Some(self.mount_id()?) {
                return Ok(state);
            }
        }
        let fd = self.beneath(relative, NAME)?;
        stat::of_fd(&fd)
            .map(|(state, _)| state)
            .map_err(|e| self.failed("stat", relative, e))
    }

    /// Opens a name beneath for reading if it is a regular file; `None` if it is anything else.
    ///
    /// First a handle that opens nothing, then its state, then the file itself through that handle: a device or
    /// FIFO that a guest puts in its place is never opened.
    pub fn open_regular(&self, relative: &[u8]) -> SysResult<Option<Regular>> {
        Ok(self.open_regular_seen(relative)?.map(|(file, _)| file))
    }

    /// The same, with the state that the handle of the name had: that of the file which was opened through it.
    pub fn open_regular_seen(&self, relative: &[u8]) -> SysResult<Option<(Regular, FileState)>> {
        let name = self.beneath(relative, NAME)?;
        let (state, _) = stat::of_fd(&name).map_err(|e| self.failed("stat", relative, e))?;
        if state.kind != FileKind::Regular {
            return Ok(None);
        }
        let fd = reopen(&name).map_err(|e| self.failed("open", relative, e))?;
        let file = Regular::from_fd(fd, shown(&self.path, relative));
        Ok(Some((file, state)))
    }

    /// The same in one call, for a tree that is mounted without devices and access times: a device put in its
    /// place is not opened there, and a FIFO does not wait. What cannot be opened so is asked again with care.
    /// Its state tells whether it is a regular file at all; the caller asks for that.
    pub(super) fn open_at_once(&self, relative: &[u8]) -> SysResult<Option<Regular>> {
        match self.beneath(relative, read()) {
            Ok(fd) => Ok(Some(Regular::from_fd(fd, shown(&self.path, relative)))),
            Err(_) => self.open_regular(relative),
        }
    }

    /// The same in one call, for directories that only we can change: no other process can have put there what
    /// must not be opened.
    pub fn open_own(&self, relative: &[u8]) -> SysResult<Option<(Regular, FileState)>> {
        let fd = match self.beneath(relative, read() | OFlags::NOATIME) {
            Err(error) if error.meaning() == Meaning::Denied => {
                return self.open_regular_seen(relative);
            }
            other => other?,
        };
        self.if_regular(fd, relative)
    }

    /// The same, and waits as long as another process holds a lease on it. As long as this waits no lease is granted
    /// anew, so that it has the file as soon as that one is given up.
    pub fn open_own_after_lease(&self, relative: &[u8]) -> SysResult<Option<Regular>> {
        if self.look(relative)?.kind != FileKind::Regular {
            return Ok(None);
        }
        let fd = self.beneath(relative, (read() - OFlags::NONBLOCK) | OFlags::NOATIME)?;
        Ok(self.if_regular(fd, relative)?.map(|(file, _)| file))
    }

    fn if_regular(&self, fd: OwnedFd, relative: &[u8]) -> SysResult<Option<(Regular, FileState)>> {
        let (state, _) = stat::of_fd(&fd).map_err(|e| self.failed("stat", relative, e))?;
        let file = Regular::from_fd(fd, shown(&self.path, relative));
        Ok((state.kind == FileKind::Regular).then_some((file, state)))
    }

    /// What one name in this directory is; a link is not followed. It takes one call and is only a proposal: code
    /// that acts on it opens the name.
    pub fn glance(&self, name: &[u8]) -> SysResult<FileState> {
        stat::at(&self.fd, name).map_err(|e| self.failed("stat", name, e))
    }

    /// The same, and whether its immutable flag is set; `None` where the file system says so only of an open file.
    pub fn glance_with_flag(&self, name: &[u8]) -> SysResult<(FileState, Option<bool>)> {
        stat::with_flag(&self.fd, name).map_err(|e| self.failed("stat", name, e))
    }

    /// Names in this directory, without `.` and `..`, sorted.
    pub fn list(&self) -> SysResult<Vec<Vec<u8>>> {
        let failed = |e: Errno| SysError::new("list", &self.path, e);
        let mut names = Vec::new();
        for entry in call("list", || rustix::fs::Dir::read_from(&self.fd)).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_bytes().to_vec();
            if !matches!(name.as_slice(), b"." | b"..") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Names in this directory and what they are, at most so many, in no order; a link is a link. No access time
    /// changes, as far as this user may read without.
    pub fn some_entries(&self, most: usize) -> SysResult<Vec<(Vec<u8>, FileKind)>> {
        let failed = |e: Errno| SysError::new("list", &self.path, e);
        let open = |more| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
            call("open", || openat(&self.fd, c".", flags, Mode::empty()))
        };
        let fd = open(OFlags::NOATIME).or_else(|_| open(OFlags::empty()));
        let list = fd.and_then(|fd| call("list", || rustix::fs::Dir::new(fd)));
        let mut found = Vec::new();
        for entry in list.map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if found.len() == most {
                break;
            }
            let kind = match entry.file_type() {
                FileType::RegularFile => FileKind::Regular,
                FileType::Directory => FileKind::Directory,
                FileType::Symlink => FileKind::Symlink,
                FileType::Unknown => self.glance(name)?.kind,
                _ => FileKind::Special,
            };
            found.push((name.to_vec(), kind));
        }
        Ok(found)
    }

    /// Does an overlay call this directory a part of one of its layers? What cannot be asked says nothing.
    pub fn is_marked_as_layer(&self) -> bool {
        super::xattr::has_any(&self.fd, &[b"trusted.overlay.", b"user.overlay."])
    }

    /// Makes a directory that only its owner may enter. `Exists` is an error.
    pub fn make_dir(&self, name: &[u8]) -> SysResult<()> {
        call("mkdir", || mkdirat(&self.fd, name, Mode::RWXU))
            .map_err(|e| self.failed("make directory", name, e))
    }

    /// A new file without a name, readable and writable by its owner; it vanishes unless it is linked.
    pub fn nameless(&self) -> SysResult<Regular> {
        let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
        let fd = call("tmpfile", || {
            openat(&self.fd, c".", flags, Mode::RUSR | Mode::WUSR)
        })
        .map_err(|e| SysError::new("make a file in", &self.path, e))?;
        Ok(Regular::from_fd(fd, shown(&self.path, b"(new file)")))
    }

    /// Gives an open file a name here. `Exists` and `TooManyLinks` are errors to expect.
    pub fn link(&self, file: &Regular, name: &[u8]) -> SysResult<()> {
        call("link", || {
            linkat(file.fd(), c"", &self.fd, name, AtFlags::EMPTY_PATH)
        })
        .map_err(|e| self.failed("link", name, e))
    }

    /// Exchanges two names in one step: neither is ever missing (`renameat2`, `RENAME_EXCHANGE`).
    pub fn exchange(&self, name: &[u8], other: &Dir, other_name: &[u8]) -> SysResult<()> {
        call("exchange", || {
            renameat_with(&self.fd, name, &other.fd, other_name, RenameFlags::EXCHANGE)
        })
        .map_err(|e| other.failed("exchange", other_name, e))
    }

    /// Moves a name of ours to another directory of ours; never over an existing one.
    pub fn move_to(&self, name: &[u8], other: &Dir, other_name: &[u8]) -> SysResult<()> {
        call("move", || {
            renameat_with(
                &self.fd,
                name,
                &other.fd,
                other_name,
                RenameFlags::NOREPLACE,
            )
        })
        .map_err(|e| self.failed("move", name, e))
    }

    /// Removes a name that is not a directory's.
    pub fn unlink(&self, name: &[u8]) -> SysResult<()> {
        call("unlink", || unlinkat(&self.fd, name, AtFlags::empty()))
            .map_err(|e| self.failed("unlink", name, e))
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, name: &[u8]) -> SysResult<()> {
        call("rmdir", || unlinkat(&self.fd, name, AtFlags::REMOVEDIR))
            .map_err(|e| self.failed("remove directory", name, e))
    }

    /// Sets the modification time of the directory itself; its access time stays.
    pub fn set_mtime(&self, mtime: Time) -> SysResult<()> {
        call("times", || futimens(&self.fd, &file::only_mtime(mtime)))
            .map_err(|e| SysError::new("set the times of", &self.path, e))
    }

    /// Makes the names in this directory durable.
    pub fn sync(&self) -> SysResult<()> {
        call("sync", || fsync(&self.fd)).map_err(|e| SysError::new("sync", &self.path, e))
    }

    /// Makes the whole file system durable. An error means that nothing is known: never tried again.
    pub fn sync_filesystem(&self) -> SysResult<()> {
        call("syncfs", || syncfs(&self.fd))
            .map_err(|e| SysError::new("sync the file system of", &self.path, e))
    }

    /// Has its file system room for so many bytes more, for us?
    pub fn has_room(&self, bytes: u64) -> SysResult<bool> {
        let disk = call("statvfs", || fstatvfs(&self.fd))
            .map_err(|e| SysError::new("ask for the room of", &self.path, e))?;
        Ok(disk.f_bfree.saturating_mul(disk.f_frsize) >= bytes)
    }

    /// A handle of a name beneath that opens nothing.
    pub(super) fn name(&self, relative: &[u8]) -> SysResult<OwnedFd> {
        self.beneath(relative, NAME)
    }

    fn beneath(&self, relative: &[u8], flags: OFlags) -> SysResult<OwnedFd> {
        retry_raced(|| {
            call("open", || {
                openat2(&self.fd, relative, flags, Mode::empty(), BENEATH)
            })
        })
        .map_err(|e| self.failed("open", relative, e))
    }

    pub(in crate::sys) fn failed(
        &self,
        op: &'static str,
        relative: &[u8],
        errno: Errno,
    ) -> SysError {
        SysError::new(op, shown(&self.path, relative), errno)
    }
}

/// Opens for reading what an `O_PATH` handle refers to, without changing the access time where that is allowed.
fn reopen(name: &OwnedFd) -> Result<OwnedFd, Errno> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", name.as_raw_fd());
    let flags = read().difference(OFlags::NOFOLLOW);
    match call("open", || {
        openat(CWD, &path, flags | OFlags::NOATIME, Mode::empty())
    }) {
        Err(Errno::PERM) => call("open", || openat(CWD, &path, flags, Mode::empty())),
        other => other,
    }
}

/// Is it one component that is a name, and not empty, `.` or `..`?
fn is_single(relative: &[u8]) -> bool {
    !relative.contains(&b'/') && !matches!(relative, b"" | b"." | b"..")
}

fn read() -> OFlags {
    READ.union(OFlags::NONBLOCK)
}

/// `openat2` answers EAGAIN when a rename anywhere raced with it; a handful of tries is enough.
fn retry_raced(mut call: impl FnMut() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    for _ in 0..16 {
        match call() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
    call()
}

/// The absolute path of a host directory without links, for headers and comparisons.
pub fn canonical(path: &Path) -> SysResult<PathBuf> {
    call("realpath", || std::fs::canonicalize(path)).map_err(|e| SysError::new("find", path, e))
}

/// A path of these bytes.
pub fn path_of(bytes: &[u8]) -> PathBuf {
    shown(Path::new(""), bytes)
}
