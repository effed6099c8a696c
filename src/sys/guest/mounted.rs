//! A file system in a file, mounted where nobody else sees it.
//!
//! The mount is in no namespace: it has no place, goes with its last descriptor, and no other process can reach it. It
//! is read-only, as the loop device beneath it is, and harmless in all ways that [`View`](super::View) is. The file
//! system itself is hostile, and it is the kernel that reads it: that is done only where a person says so.

use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};

use crate::sys::{Dir, SysError, SysResult, ffi};

/// Who else asks for a loop device may be quicker so many times.
const TRIES: usize = 64;

/// An option of a file system, and its value, where it has one.
pub type MountOption<'o> = (&'o str, Option<&'o str>);

/// Mounts the file system in a file; the root of it.
pub fn mount_image(path: &Path, kind: &str, options: &[MountOption<'_>]) -> SysResult<Dir> {
    let failed = |op| move |error: Errno| SysError::new(op, path, error);
    let device = loop_device(path)?;
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC);
    let context = context.map_err(failed("find the file system for"))?;
    let prepare = || {
        fsconfig_set_string(&context, "source", &device.path)?;
        fsconfig_set_flag(&context, "ro")?;
        for (name, value) in options {
            match value {
                Some(value) => fsconfig_set_string(&context, *name, *value)?,
                None => fsconfig_set_flag(&context, *name)?,
            }
        }
        fsconfig_create(&context)?;
        let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY
            | MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    let mount = prepare().map_err(failed("mount"))?;
    let harmless = ffi::make_harmless(&mount);
    harmless.map_err(|error| SysError::new("restrict the mount of", path, error))?;
    Ok(Dir::from_fd(mount, path.to_owned()))
}

/// A loop device that shows a file. It lets go of the file when the last user is gone.
struct LoopDevice {
    path: PathBuf,
    _open: OwnedFd,
}

fn loop_device(path: &Path) -> SysResult<LoopDevice> {
    let reading = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let failed = |op, path: &Path| {
        let path = path.to_owned();
        move |error: Errno| SysError::new(op, path, error)
    };
    let file = open(path, reading, Mode::empty()).map_err(failed("open", path))?;
    let state = fstat(&file).map_err(failed("look at", path))?;
    if FileType::from_raw_mode(state.st_mode) != FileType::RegularFile {
        return Err(SysError::new("mount", path, Errno::NOTBLK));
    }
    let control = Path::new("/dev/loop-control");
    let open_control = open(control, reading, Mode::empty());
    let open_control = open_control.map_err(failed("open", control))?;
    for _ in 0..TRIES {
        let number = ffi::free_loop(&open_control);
        let number = number.map_err(|e| SysError::new("ask for a loop device at", control, e))?;
        let place = PathBuf::from(format!("/dev/loop{number}"));
        let device = open(&place, reading, Mode::empty()).map_err(failed("open", &place))?;
        match ffi::show_in_loop(&device, &file) {
            Ok(()) => {
                return Ok(LoopDevice {
                    path: place,
                    _open: device,
                });
            }
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {}
            Err(error) => return Err(SysError::new("show in a loop device", path, error)),
        }
    }
    Err(SysError::new(
        "find a free loop device for",
        path,
        Errno::BUSY,
    ))
}
