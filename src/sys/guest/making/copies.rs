//! Whole copies: what a copy of a file or directory needs beside its bytes, for directories of ours in which a tree is
//! made again.
//!
//! Some inode flags can be set only while a directory is empty, others keep anything from being changed afterwards: so
//! [`Dir::begin_like`] sets the first kind, [`Dir::dress`] most of them, and [`Dir::make_append_only`] comes last. The
//! immutable flag is never set here.

use rustix::fs::{Gid, IFlags, Mode, Uid, fchmod, fchown, ioctl_ficlone};
use rustix::io::Errno;

use crate::model::{INHERITABLE_FLAGS, Metadata};
use crate::sys::fault::call;
use crate::sys::guest::xattr;
use crate::sys::{Dir, Meaning, Regular, SysError, SysResult, ffi};

/// `FS_CASEFOLD_FL`: only an empty directory takes it.
const CASEFOLD: u32 = 0x4000_0000;

/// What a directory may be given besides: `FS_DIRSYNC_FL`, `FS_TOPDIR_FL`.
const OF_DIRECTORIES: u32 = 0x1_0000 | 0x2_0000;

/// `FS_APPEND_FL`.
const APPEND: u32 = 0x20;

/// Longest path that is given to the kernel at once, well below its 4,096 bytes.
const AT_ONCE: usize = 3_800;

impl Regular {
    /// Makes the empty file `into` share all blocks of this one (`FICLONE`): whatever is written to either later stays
    /// its own. False where the file system cannot, or not between these two files; nothing has happened then.
    pub fn reflink_into(&self, into: &Regular) -> SysResult<bool> {
        match call("reflink", || ioctl_ficlone(into.fd(), self.fd())) {
            Ok(()) => Ok(true),
            Err(
                Errno::OPNOTSUPP
                | Errno::XDEV
                | Errno::INVAL
                | Errno::NOTTY
                | Errno::NOSYS
                | Errno::PERM
                | Errno::TXTBSY,
            ) => Ok(false),
            Err(errno) => Err(self.failed("share the blocks of")(errno)),
        }
    }

    /// From now on a file of ours can only grow.
    pub fn make_append_only(&self) -> SysResult<()> {
        let flags = self.flags()? | APPEND;
        call("setflags", || ffi::set_inode_flags(self.fd(), flags))
            .map_err(self.failed("set the inode flags of"))
    }
}

impl Dir {
    /// A directory beneath this one, or this one itself, opened for reading; its path may have any length: the kernel
    /// takes 4,096 bytes at a time.
    pub fn open_deep(&self, relative: &[u8]) -> SysResult<Dir> {
        let mut rest = relative;
        let mut here: Option<Dir> = None;
        while rest.len() > AT_ONCE {
            let Some(cut) = rest[..AT_ONCE].iter().rposition(|byte| *byte == b'/') else {
                break;
            };
            here = Some(here.as_ref().unwrap_or(self).open_dir(&rest[..cut])?);
            rest = &rest[cut + 1..];
        }
        // The handle of a view opens nothing: what is read is opened through it.
        let rest = if rest.is_empty() { b"." } else { rest };
        here.as_ref().unwrap_or(self).open_dir(rest)
    }

    /// All metadata of the directory, and whether what is made in it inherits its project. The immutable flag is none
    /// of them.
    pub fn metadata(&self) -> SysResult<(Metadata, bool)> {
        let state = self.state()?;
        let xattrs = xattr::read_all(&self.fd());
        let (project, inherits) = self.project()?;
        let metadata = Metadata {
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
            mtime: Some(state.mtime),
            xattrs: xattrs
                .map_err(|e| SysError::new("read extended attributes of", self.path(), e))?,
            flags: self.inode_flags() & !IFlags::IMMUTABLE.bits(),
            project,
        };
        Ok((metadata, inherits))
    }

    /// Is its immutable flag set?
    pub fn is_immutable(&self) -> bool {
        Regular::means_immutable(self.inode_flags())
    }

    /// 0 where the file system has none, or does not tell.
    fn inode_flags(&self) -> u32 {
        call("getflags", || ffi::inode_flags(self.fd())).unwrap_or(0)
    }

    /// Makes an empty directory of ours hold names as this one does.
    pub fn begin_like(&self, like: &Metadata) -> SysResult<()> {
        if like.flags & CASEFOLD == 0 {
            return Ok(());
        }
        let flags = self.inode_flags() | CASEFOLD;
        call("setflags", || ffi::set_inode_flags(self.fd(), flags))
            .map_err(|e| SysError::new("set the inode flags of", self.path(), e))
    }

    /// Gives a directory of ours these, once all names are in it: owner, mode, attributes, project, flags, time. What
    /// it was born with and should not have goes. False where the file system does not take the project or a flag.
    pub fn dress(&self, like: &Metadata, inherits: bool) -> SysResult<bool> {
        let failed = |op| move |e: Errno| SysError::new(op, self.path(), e);
        let (uid, gid) = (Uid::from_raw(like.uid), Gid::from_raw(like.gid));
        call("chown", || fchown(self.fd(), Some(uid), Some(gid)))
            .map_err(failed("set the owner of"))?;
        let mode = Mode::from_raw_mode(like.mode);
        call("chmod", || fchmod(self.fd(), mode)).map_err(failed("set the mode of"))?;
        xattr::write_all(&self.fd(), &like.xattrs).map_err(failed("set extended attributes of"))?;
        let has_project = self.take_project(like.project, inherits)?;
        let has_flags = self.take_flags(like);
        like.mtime.map_or(Ok(()), |mtime| self.set_mtime(mtime))?;
        Ok(has_project && has_flags)
    }

    fn take_project(&self, project: u32, inherits: bool) -> SysResult<bool> {
        if self.project()? == (project, inherits) {
            return Ok(true);
        }
        match self.set_project(project, inherits) {
            Err(error) if error.meaning() == Meaning::Unsupported => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn take_flags(&self, like: &Metadata) -> bool {
        let chosen = INHERITABLE_FLAGS | OF_DIRECTORIES;
        let now = self.inode_flags();
        let wanted = now & !chosen | like.flags & chosen;
        wanted == now || call("setflags", || ffi::set_inode_flags(self.fd(), wanted)).is_ok()
    }

    /// From now on names of a directory of ours can only be added.
    pub fn make_append_only(&self) -> SysResult<()> {
        let flags = self.inode_flags() | APPEND;
        call("setflags", || ffi::set_inode_flags(self.fd(), flags))
            .map_err(|e| SysError::new("set the inode flags of", self.path(), e))
    }

    /// Lets names of a directory of ours be removed again, and the file behind one of them.
    pub(in crate::sys) fn end_append_only(&self, name: &[u8]) {
        let ends = |fd: std::os::fd::BorrowedFd<'_>| {
            if let Ok(flags) = ffi::inode_flags(fd) {
                ffi::set_inode_flags(fd, flags & !APPEND).ok();
            }
        };
        ends(self.fd());
        if let Ok(Some(file)) = self.open_regular(name) {
            ends(file.fd());
        }
    }
}

/// Is the file or directory one that can only grow?
pub fn is_append_only(metadata: &Metadata) -> bool {
    metadata.flags & APPEND != 0
}

/// The same metadata of a file that may be changed in any way.
pub fn without_append_only(metadata: Metadata) -> Metadata {
    Metadata {
        flags: metadata.flags & !APPEND,
        ..metadata
    }
}
