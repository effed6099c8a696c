//! `View`: a guest as `plan` may see it.
//!
//! As root this is a private, non-recursive clone of the guest's mount that is read-only, noatime, nosuid, nodev,
//! noexec and nosymfollow: not even a directory's access time changes, nothing mounted inside is entered, and a
//! walk by path cannot be led astray because no link is followed. Without the right to clone mounts it is the
//! directory itself, and what a walk finds is only a proposal, which it is anyway.

use std::ffi::OsStr;
use std::os::fd::AsRawFd;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::mount::{OpenTreeFlags, open_tree};

use crate::model::{BadPath, GuestPath};
use crate::sys::fault::call;
use crate::sys::{Dir, Regular, SysError, SysResult, ffi};

/// A guest's tree for reading.
#[derive(Debug)]
pub struct View {
    dir: Dir,
    private: bool,
    walk_root: PathBuf,
}

impl View {
    /// Clones the mount beneath `root`, or falls back to `root` itself.
    pub fn of(root: &Dir) -> SysResult<View> {
        View::private(root).or_else(|_| Ok(View::seen_by(root.duplicate()?, false)))
    }

    /// Clones the mount beneath `root`, or says why that cannot be.
    pub fn private(root: &Dir) -> SysResult<View> {
        let dir = Dir::from_fd(clone_mount(root)?, root.path().to_owned());
        Ok(View::seen_by(dir, true))
    }

    /// The root of a mount that is private and harmless already.
    pub fn of_private_mount(root: Dir) -> View {
        View::seen_by(root, true)
    }

    fn seen_by(dir: Dir, private: bool) -> View {
        let walk_root = PathBuf::from(format!("/proc/self/fd/{}/.", dir.fd().as_raw_fd()));
        View {
            dir,
            private,
            walk_root,
        }
    }

    /// The root of the tree.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Opens a name in the tree for reading. What is open may be no regular file at all: its state says so, and only
    /// a state that is that of the walk says what was read. `None` where it was looked at before, and is none.
    pub fn open(&self, relative: &[u8]) -> SysResult<Option<Regular>> {
        if self.private {
            self.dir.open_at_once(relative)
        } else {
            self.dir.open_regular(relative)
        }
    }

    /// Is it a private clone, so that reading leaves no trace at all?
    pub fn is_private(&self) -> bool {
        self.private
    }

    /// Where a walk by path begins. Valid as long as the view lives.
    pub fn walk_root(&self) -> &Path {
        &self.walk_root
    }

    /// The path inside the guest of something that a walk from [`View::walk_root`] met.
    pub fn guest_path(&self, met: &Path) -> Result<GuestPath, BadPath> {
        let relative = met
            .strip_prefix(&self.walk_root)
            .map_or(met.as_os_str(), Path::as_os_str);
        GuestPath::new(&[b"/", relative.as_bytes()].concat())
    }
}

/// The bytes of a name that a walk met.
pub fn name_bytes(name: &OsStr) -> &[u8] {
    name.as_bytes()
}

fn clone_mount(root: &Dir) -> SysResult<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    let fd = call("view", || open_tree(root.fd(), c"", flags))
        .map_err(|e| SysError::new("clone the mount of", root.path(), e))?;
    ffi::make_harmless(&fd)
        .map_err(|e| SysError::new("restrict the mount clone of", root.path(), e))?;
    Ok(fd)
}
