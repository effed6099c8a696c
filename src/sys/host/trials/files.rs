//! What is tried on a file without a name.

use std::os::fd::AsRawFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, StatxFlags, Timespec, Timestamps, Uid, fchown, futimens, major,
    minor, open, statx,
};
use rustix::io::{pread, pwrite};

use super::{done, failed};
use crate::model::Trial;
use crate::sys::fault::call;
use crate::sys::own::papers;
use crate::sys::{Dir, Leased, Regular, SysError, SysResult, ffi};

/// Bytes that all mounts take to describe.
const MOST_MOUNTS: u64 = 64 << 20;

/// Can a file be made without a name, and be given one in another directory?
pub fn nameless_files(here: &Dir, other: &Dir) -> Trial {
    let name = b"named";
    done(here.nameless().and_then(|file| {
        other.link(&file, name)?;
        other.unlink(name)
    }))
}

/// Is a lease refused while somebody writes, granted when nobody does, and does its holder hear of a new writer?
pub fn leases(dir: &Dir) -> Trial {
    match lease(dir) {
        Ok(None) => Trial::can("refused beside a writer, granted without, and broken by a new one"),
        Ok(Some(wrong)) => Trial::cannot(wrong),
        Err(error) => failed(&error),
    }
}

fn lease(dir: &Dir) -> SysResult<Option<&'static str>> {
    let writer = dir.nameless()?;
    if Leased::take(writer.reopen()?)?.is_ok() {
        return Ok(Some(
            "a lease is granted while the file is open for writing",
        ));
    }
    let Ok(leased) = Leased::take(left_to_readers(writer)?)? else {
        return Ok(Some("a lease is refused though nobody writes"));
    };
    // The process that asks is told to try again later, and the holder that somebody waits.
    let opens = open_for_writing(leased.file());
    match (opens, leased.stands()?) {
        (Err(_), false) => Ok(None),
        (Ok(_), _) => Ok(Some(
            "a file under a lease is opened for writing all the same",
        )),
        (Err(_), true) => Ok(Some(
            "a writer waits, and the holder of the lease does not hear of it",
        )),
    }
}

/// The same inode, open for reading alone.
fn left_to_readers(writer: Regular) -> SysResult<Regular> {
    let reader = writer.reopen()?;
    drop(writer);
    Ok(reader)
}

fn open_for_writing(file: &Regular) -> SysResult<()> {
    let path = own_path(file);
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    call("open", || open(&path, flags, Mode::empty()))
        .map(drop)
        .map_err(|e| SysError::new("open for writing", file.path(), e))
}

/// The link of our own descriptor.
fn own_path(file: &Regular) -> String {
    format!("/proc/self/fd/{}", file.fd().as_raw_fd())
}

/// Can a file be given a project?
pub fn projects(dir: &Dir) -> Trial {
    /// A number that no quota is likely to be kept by.
    const SOME: u32 = 0x7531_0001;
    match dir.gives_project(SOME) {
        true => Trial::can(""),
        false => match dir.nameless() {
            Ok(_) => Trial::cannot("a file cannot be given a project id"),
            Err(error) => failed(&error),
        },
    }
}

/// Does the file system tell what the guard asks for: the generation of an inode, and the device of its mount?
pub fn guard_marks(dir: &Dir) -> Trial {
    match tells_marks(dir) {
        Ok(true) => Trial::can(
            "inodes are told apart as the guard needs it; it is not loaded (`unify guard load`)",
        ),
        Ok(false) => Trial::cannot("files tell another device than their mount has"),
        Err(error) => failed(&error),
    }
}

fn tells_marks(dir: &Dir) -> SysResult<bool> {
    let file = dir.nameless()?;
    call("getversion", || ffi::generation(file.fd()))
        .map_err(file.failed("read the generation of"))?;
    let device = file.state()?.id.dev;
    let its = format!("{}:{}", major(device), minor(device));
    let mount = dir.mount_id()?.to_string();
    let mounts = papers::read_text(Path::new("/proc/self/mountinfo"), MOST_MOUNTS)?;
    let mounts = String::from_utf8_lossy(&mounts).into_owned();
    // `proc_pid_mountinfo(5)`: its number, its parent's, its device.
    Ok(mounts.lines().any(|line| {
        let mut words = line.split(' ');
        words.next() == Some(mount.as_str()) && words.nth(1) == Some(its.as_str())
    }))
}

/// Can the content of a file be sealed, so that it cannot be opened for writing any more?
pub fn verity(dir: &Dir) -> Trial {
    match sealed(dir) {
        Ok(true) => Trial::can("the content of a file was sealed"),
        Ok(false) => Trial::cannot("a sealed file can be opened for writing all the same"),
        Err(error) => failed(&error),
    }
}

fn sealed(dir: &Dir) -> SysResult<bool> {
    let writer = dir.nameless()?;
    call("write", || pwrite(writer.fd(), b"sealed", 0))
        .map_err(|e| SysError::new("write to", writer.path(), e))?;
    let file = left_to_readers(writer)?;
    call("verity", || ffi::enable_verity(file.fd()))
        .map_err(|e| SysError::new("seal", file.path(), e))?;
    Ok(open_for_writing(&file).is_err())
}

/// Is a file of another user read without leaving a new access time?
pub fn no_access_times(dir: &Dir) -> Trial {
    match reads_unseen(dir) {
        Ok(true) => Trial::can(""),
        Ok(false) => Trial::cannot("a file that is read gets a new access time all the same"),
        Err(error) => failed(&error),
    }
}

fn reads_unseen(dir: &Dir) -> SysResult<bool> {
    /// `nobody`, who owns nothing.
    const NOBODY: u32 = 65_534;
    let file = dir.nameless()?;
    let failed = |op| move |e| SysError::new(op, "a scratch file", e);
    call("write", || pwrite(file.fd(), b"read", 0)).map_err(failed("write to"))?;
    let old = Timespec {
        tv_sec: 1_000_000_000,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: old,
        last_modification: old,
    };
    call("times", || futimens(file.fd(), &times)).map_err(failed("set the times of"))?;
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    call("chown", || fchown(file.fd(), Some(uid), Some(gid))).map_err(failed("give away"))?;
    let reader = file.reopen()?;
    pread(reader.fd(), &mut [0; 4], 0).map_err(failed("read"))?;
    let seen = statx(
        reader.fd(),
        c"",
        AtFlags::EMPTY_PATH,
        StatxFlags::BASIC_STATS,
    );
    Ok(seen.map_err(failed("stat"))?.stx_atime.tv_sec == old.tv_sec)
}
