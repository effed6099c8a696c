//! `NameHandle`: a name that is neither a directory nor a regular file, looked at through a handle that opens
//! nothing; and how the like is made in a directory of ours.
//!
//! A device or FIFO is never opened, a link never followed. What is made takes its owner, mode and attributes through a
//! handle of its own, so that no other name is ever meant.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, Uid, chmodat, chownat, linkat, mknodat, readlinkat,
    symlinkat, utimensat,
};
use rustix::io::Errno;

use crate::model::{FileState, Metadata, Time};
use crate::sys::error::shown;
use crate::sys::fault::call;
use crate::sys::guest::xattr::ByName;
use crate::sys::guest::{file, stat, xattr};
use crate::sys::{Dir, SysError, SysResult};

/// A handle of a name.
#[derive(Debug)]
pub struct NameHandle {
    fd: OwnedFd,
    path: PathBuf,
}

/// What stands at a name without content of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecialNode {
    /// A symbolic link, and what it says.
    Link(Vec<u8>),
    /// A FIFO.
    Fifo,
    /// A socket: it is nothing without the process that listens.
    Socket,
    /// A character device, by its number.
    Character(u64),
    /// A block device, by its number.
    Block(u64),
}

impl NameHandle {
    /// What the name refers to now.
    pub fn state(&self) -> SysResult<FileState> {
        let state = stat::of_fd(&self.fd).map_err(|e| self.failed("stat", e))?;
        Ok(state.0)
    }

    /// What it is; `None` for a directory or a regular file.
    pub fn node(&self) -> SysResult<Option<SpecialNode>> {
        let told = rustix::fs::fstat(&self.fd).map_err(|e| self.failed("stat", e))?;
        Ok(Some(match FileType::from_raw_mode(told.st_mode) {
            FileType::Symlink => SpecialNode::Link(self.target()?),
            FileType::Fifo => SpecialNode::Fifo,
            FileType::Socket => SpecialNode::Socket,
            FileType::CharacterDevice => SpecialNode::Character(told.st_rdev),
            FileType::BlockDevice => SpecialNode::Block(told.st_rdev),
            _ => return Ok(None),
        }))
    }

    fn target(&self) -> SysResult<Vec<u8>> {
        let target = call("readlink", || readlinkat(&self.fd, c"", Vec::new()));
        let target = target.map_err(|e| self.failed("read the link", e))?;
        Ok(target.into_bytes())
    }

    /// Owner, mode, time and attributes. It has no inode flags and no project that could be asked without opening it.
    pub fn metadata(&self) -> SysResult<Metadata> {
        let state = self.state()?;
        let xattrs = xattr::read_all(&ByName::of(&self.fd));
        Ok(Metadata {
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
            mtime: Some(state.mtime),
            xattrs: xattrs.map_err(|e| self.failed("read extended attributes of", e))?,
            flags: 0,
            project: 0,
        })
    }

    /// Gives a fresh one of ours these: owner, then mode, which a link has none of, then attributes, then the time.
    pub fn dress(&self, like: &Metadata, is_link: bool, mtime: Time) -> SysResult<()> {
        let (uid, gid) = (Uid::from_raw(like.uid), Gid::from_raw(like.gid));
        let own = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
        call("chown", || {
            chownat(&self.fd, c"", Some(uid), Some(gid), own)
        })
        .map_err(|e| self.failed("set the owner of", e))?;
        // The calls on descriptors refuse one that opens nothing.
        let name = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        if !is_link {
            let mode = Mode::from_raw_mode(like.mode);
            call("chmod", || chmodat(CWD, &name, mode, AtFlags::empty()))
                .map_err(|e| self.failed("set the mode of", e))?;
        }
        xattr::write_all(&ByName::of(&self.fd), &like.xattrs)
            .map_err(|e| self.failed("set extended attributes of", e))?;
        call("times", || {
            utimensat(CWD, &name, &file::only_mtime(mtime), AtFlags::empty())
        })
        .map_err(|e| self.failed("set the times of", e))
    }

    fn failed(&self, op: &'static str, errno: Errno) -> SysError {
        SysError::new(op, &self.path, errno)
    }
}

impl Dir {
    /// A handle of a name beneath, whatever it is; nothing is opened.
    pub fn entry(&self, name: &[u8]) -> SysResult<NameHandle> {
        Ok(NameHandle {
            fd: self.name(name)?,
            path: shown(self.path(), name),
        })
    }

    /// Gives what a handle stands for one more name in this directory of ours. `TooManyLinks` is an error to expect.
    pub fn link_again(&self, handle: &NameHandle, name: &[u8]) -> SysResult<()> {
        let whole = AtFlags::EMPTY_PATH;
        call("link", || linkat(&handle.fd, c"", self.fd(), name, whole))
            .map_err(|e| self.failed("link", name, e))
    }

    /// Makes the like of a node in this directory of ours, and returns its handle. A socket cannot be made.
    pub fn make_node(&self, name: &[u8], node: &SpecialNode) -> SysResult<NameHandle> {
        let failed = |e| self.failed("make", name, e);
        let (kind, device) = match node {
            SpecialNode::Link(target) => {
                call("symlink", || symlinkat(target.as_slice(), self.fd(), name))
                    .map_err(failed)?;
                return self.entry(name);
            }
            SpecialNode::Socket => return Err(failed(Errno::OPNOTSUPP)),
            SpecialNode::Fifo => (FileType::Fifo, 0),
            SpecialNode::Character(device) => (FileType::CharacterDevice, *device),
            SpecialNode::Block(device) => (FileType::BlockDevice, *device),
        };
        let mode = Mode::RUSR | Mode::WUSR;
        call("mknod", || mknodat(self.fd(), name, kind, mode, device)).map_err(failed)?;
        self.entry(name)
    }
}
