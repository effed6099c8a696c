//! `Regular`: a handle to a regular file, opened without waiting and without changing its access time.
//!
//! It pins the inode: as long as it lives, device and inode number mean this file. Everything that is
//! asked or done goes through the descriptor, never through a name.

mod protecting;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::fs::{fchmod, fchown, fsync, ftruncate, futimens, ioctl_getflags, open};
use rustix::io::{Errno, pread, pwrite};

use super::page_cache::{Behind, PageCache, WHOLE_FOLIOS};
use super::{stat, xattr};
use crate::model::{FileState, Ignored, Metadata, PROTECTING_FLAGS, Time};
use crate::sys::fault::call;
use crate::sys::{Meaning, SysError, SysResult, ffi};

/// An open regular file.
#[derive(Debug)]
pub struct Regular {
    fd: OwnedFd,
    path: PathBuf,
    behind: Option<Behind>,
    /// Inode flags that it counts as having, whatever its file system says.
    counts_as: Option<u32>,
}

impl Regular {
    pub(super) fn from_fd(fd: OwnedFd, path: PathBuf) -> Regular {
        Regular {
            fd,
            path,
            behind: None,
            counts_as: None,
        }
    }

    /// How the file is called in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::sys) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The same file, about to be read once: a large one leaves the page cache as it was, if that is the wish.
    pub fn passing(mut self, size: u64, wish: PageCache) -> Regular {
        self.behind = Behind::of(&self.fd, size, wish);
        self
    }

    /// Bytes that are read at once from `at` on, where `usual` would be.
    pub fn stride(&self, at: u64, usual: usize) -> usize {
        if !self.kernel_drops() {
            return usual;
        }
        let step = (usual as u64).next_multiple_of(WHOLE_FOLIOS);
        usize::try_from(step - at % step).unwrap_or(usual)
    }

    /// Does the kernel drop what is read, and all of a folio at once?
    pub(super) fn kernel_drops(&self) -> bool {
        self.behind.as_ref().is_some_and(Behind::is_kernels)
    }

    pub(in crate::sys) fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize, Errno> {
        match &self.behind {
            Some(behind) => behind.read(&self.fd, buffer, at),
            None => pread(&self.fd, buffer, at),
        }
    }

    /// The file was read to `at`.
    pub fn passed(&self, at: u64) {
        if let Some(behind) = &self.behind {
            behind.passed(&self.fd, at);
        }
    }

    /// A second handle to the same open file.
    pub fn duplicate(&self) -> SysResult<Regular> {
        let fd = call("dup", || self.fd.try_clone()).map_err(self.failed("duplicate"))?;
        Ok(Regular::from_fd(fd, self.path.clone()))
    }

    /// The same inode opened anew, for reading: a lease on it is another one than that of this handle. `Busy` where a
    /// process holds a write lease. The link is that of our own descriptor, and leads nowhere else.
    pub fn reopen(&self) -> SysResult<Regular> {
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOATIME | OFlags::CLOEXEC;
        let fd = call("open", || open(&path, flags, Mode::empty())).map_err(self.failed("open"))?;
        Ok(Regular::from_fd(fd, self.path.clone()))
    }

    /// What the file is now.
    pub fn state(&self) -> SysResult<FileState> {
        stat::of_fd(&self.fd)
            .map(|(state, _)| state)
            .map_err(self.failed("stat"))
    }

    /// All metadata that a link would merge. With [`Ignored::Mtime`] the time is left out.
    pub fn metadata(&self, ignore: &[Ignored]) -> SysResult<Metadata> {
        self.metadata_of(&self.state()?, self.flags()?, ignore)
    }

    /// The same file with these inode flags, whatever its file system says.
    pub(super) fn counting_as(mut self, flags: u32) -> Regular {
        self.counts_as = Some(flags);
        self
    }

    /// The same, where state and inode flags are known already.
    pub fn metadata_of(
        &self,
        state: &FileState,
        flags: u32,
        ignore: &[Ignored],
    ) -> SysResult<Metadata> {
        let mtime = if ignore.contains(&Ignored::Mtime) {
            None
        } else {
            Some(state.mtime)
        };
        Ok(Metadata {
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
            mtime,
            xattrs: xattr::read_all(&self.fd)
                .map_err(self.failed("read extended attributes of"))?,
            flags: flags & !PROTECTING_FLAGS,
            project: self.project()?,
        })
    }

    /// Inode flags (`FS_IOC_GETFLAGS`); 0 where the file system has none.
    pub fn flags(&self) -> SysResult<u32> {
        Ok(self.flags_if_told()?.unwrap_or(0))
    }

    /// The same; `None` where it has none, or where this is a FIFO.
    pub fn flags_if_told(&self) -> SysResult<Option<u32>> {
        if self.counts_as.is_some() {
            return Ok(self.counts_as);
        }
        match call("getflags", || ioctl_getflags(&self.fd)) {
            Ok(flags) => Ok(Some(flags.bits())),
            Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::INVAL) => Ok(None),
            Err(errno) => Err(self.failed("read flags of")(errno)),
        }
    }

    /// Is the flag among these by which a file system writes to blocks in place, and never copies them?
    pub fn means_no_copy_on_write(flags: u32) -> bool {
        flags & IFlags::NOCOW.bits() != 0
    }

    /// Project id; 0 where the file system has none.
    pub fn project(&self) -> SysResult<u32> {
        let answer = call("project", || ffi::project(&self.fd))
            .map(|(project, _)| project)
            .map_err(|e| SysError::new("read the project id of", &self.path, e));
        match answer {
            Err(error) if error.meaning() == Meaning::Unsupported => Ok(0),
            other => other,
        }
    }

    /// Sets owner, then mode, then xattrs, then times: a change of owner clears setuid, a change of content or
    /// xattrs changes the times.
    pub fn set_metadata(&self, metadata: &Metadata, mtime: Time) -> SysResult<()> {
        let (uid, gid) = (
            rustix::fs::Uid::from_raw(metadata.uid),
            rustix::fs::Gid::from_raw(metadata.gid),
        );
        call("chown", || fchown(&self.fd, Some(uid), Some(gid)))
            .map_err(self.failed("set the owner of"))?;
        self.set_mode(metadata.mode)?;
        xattr::write_all(&self.fd, &metadata.xattrs)
            .map_err(self.failed("set extended attributes of"))?;
        call("times", || futimens(&self.fd, &only_mtime(mtime)))
            .map_err(self.failed("set the times of"))
    }

    /// Sets the mode alone.
    pub fn set_mode(&self, mode: u32) -> SysResult<()> {
        call("chmod", || fchmod(&self.fd, Mode::from_raw_mode(mode)))
            .map_err(self.failed("set the mode of"))
    }

    /// Can this process open the file for writing? Only ever asked of scratch files of ours.
    pub fn accepts_writer(&self) -> SysResult<bool> {
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        match call("open", || {
            open(&path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
        }) {
            Ok(_) => Ok(true),
            Err(Errno::PERM | Errno::ACCESS) => Ok(false),
            Err(errno) => Err(self.failed("open for writing")(errno)),
        }
    }

    /// Can the mode be changed? Only ever asked of scratch files of ours.
    pub fn accepts_new_mode(&self) -> SysResult<bool> {
        match call("chmod", || fchmod(&self.fd, Mode::RUSR)) {
            Ok(()) => Ok(true),
            Err(Errno::PERM | Errno::ACCESS) => Ok(false),
            Err(errno) => Err(self.failed("set the mode of")(errno)),
        }
    }

    /// Can what opened the file before, this very handle, still write to it or make it shorter? Only ever asked of
    /// scratch files of ours, which are open for writing.
    pub fn accepts_older_writer(&self) -> SysResult<bool> {
        let kept_out = |done: Result<(), Errno>| match done {
            Ok(()) => Ok(false),
            Err(Errno::PERM | Errno::ACCESS) => Ok(true),
            Err(errno) => Err(self.failed("write to")(errno)),
        };
        let writes = call("write", || pwrite(&self.fd, b"x", 0).map(drop));
        let cuts = call("truncate", || ftruncate(&self.fd, 1));
        Ok(!(kept_out(writes)? && kept_out(cuts)?))
    }

    /// Makes content and metadata durable.
    pub fn sync(&self) -> SysResult<()> {
        call("sync", || fsync(&self.fd)).map_err(self.failed("sync"))
    }

    pub(in crate::sys) fn failed<E: Into<std::io::Error>>(
        &self,
        op: &'static str,
    ) -> impl Fn(E) -> SysError + use<'_, E> {
        move |error| SysError::new(op, &self.path, error)
    }
}

impl Drop for Regular {
    fn drop(&mut self) {
        if let Some(behind) = &self.behind {
            behind.done(&self.fd);
        }
    }
}

/// Times that set the modification time and leave the access time alone.
pub(super) fn only_mtime(mtime: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime.sec,
            tv_nsec: i64::from(mtime.nsec),
        },
    }
}
