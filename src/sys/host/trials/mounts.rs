//! What is tried with mounts that are attached nowhere: they are gone with their descriptors.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, openat, statx};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string,
    fsmount, fsopen, open_tree,
};

use super::user_namespace::UserNamespace;
use super::{done, failed};
use crate::model::Trial;
use crate::sys::fault::{call, old_kernel};
use crate::sys::host::machine::is_read_only;
use crate::sys::{Dir, SysError, SysResult, View, ffi};

/// Can the mount of a directory be cloned for us alone, so that nothing can be written and no access time changes?
pub fn private_clone(dir: &Dir) -> Trial {
    let is_closed = View::private(dir).and_then(|view| is_read_only(view.dir()));
    match is_closed {
        Ok(true) => Trial::can(""),
        Ok(false) => Trial::cannot("a clone that shall be read-only is not"),
        Err(error) => failed(&error),
    }
}

/// Does the kernel tell by which mount a file is reached?
pub fn mount_ids(dir: &Dir) -> Trial {
    let at = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    let answer = call("stat", || statx(dir.fd(), c"", at, StatxFlags::MNT_ID));
    match answer {
        Err(errno) => failed(&SysError::new("stat", dir.path(), errno)),
        Ok(answer) => {
            let told = StatxFlags::from_bits_retain(answer.stx_mask);
            match told.contains(StatxFlags::MNT_ID) && !old_kernel() {
                true => Trial::can(""),
                false => Trial::cannot("statx does not tell; /proc is asked for each file"),
            }
        }
    }
}

/// Can a mount of the directory show other owners than the disk has? The namespace tells which.
pub fn idmapped_mounts(dir: &Dir, namespace: Result<&UserNamespace, &Trial>) -> Trial {
    let namespace = match namespace {
        Ok(namespace) => namespace,
        Err(trial) => return Trial::untried(format!("no user namespace: {}", trial.detail)),
    };
    done(namespace.handle().and_then(|namespace| {
        let mount = clone_of(dir)?;
        call("idmap", || ffi::map_owners(&mount, &namespace))
            .map_err(|e| SysError::new("map the owners of", dir.path(), e))
    }))
}

fn clone_of(dir: &Dir) -> SysResult<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(dir.fd(), c"", flags).map_err(|e| SysError::new("clone the mount of", dir.path(), e))
}

/// The directories of an overlay, in an empty one of ours.
const LAYERS: [&[u8]; 3] = [b"lower", b"upper", b"work"];

/// Can an overlay have its layers in this directory of ours, and be written to?
pub fn overlay_mounts(scratch: &Dir) -> Trial {
    done(overlaid(scratch))
}

fn overlaid(scratch: &Dir) -> SysResult<()> {
    for layer in LAYERS {
        scratch.make_dir(layer)?;
    }
    let failed = |e: rustix::io::Errno| SysError::new("mount an overlay in", scratch.path(), e);
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(failed)?;
    // No character of a path means anything to the kernel this way.
    let place = format!("/proc/self/fd/{}", scratch.fd().as_raw_fd());
    for (key, layer) in [
        ("lowerdir", "lower"),
        ("upperdir", "upper"),
        ("workdir", "work"),
    ] {
        let layer = format!("{place}/{layer}");
        fsconfig_set_string(context.as_fd(), key, layer).map_err(failed)?;
    }
    call("mount", || fsconfig_create(context.as_fd())).map_err(failed)?;
    let (flags, none) = (FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty());
    let merged = fsmount(context.as_fd(), flags, none).map_err(failed)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    openat(&merged, c"file", flags, Mode::RUSR)
        .map(drop)
        .map_err(failed)
}
