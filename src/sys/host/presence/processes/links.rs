//! What the links of `/proc` lead to, without asking a file system: `statx` tells what the kernel knows already, and
//! `fdinfo` the mount. A plain `stat` through such a link waits for whoever serves the file system.
//!
//! Nothing is opened there: a descriptor of ours would be one inside the guest, to every other process that looks.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{
    AtFlags, FileType, FsWord, Mode, OFlags, StatVfsMountFlags, StatxFlags, openat, readlinkat,
    statfs, statvfs, statx,
};
use rustix::io::{Errno, read};

use crate::sys::fault::old_kernel;
use crate::sys::host::presence::mounts::places::BlockDevice;

/// Why a thing of a task could not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlooked {
    /// It has ended, or closed it.
    Gone,
    /// It may not be seen.
    Closed,
}

impl From<Errno> for Unlooked {
    fn from(errno: Errno) -> Unlooked {
        match errno {
            Errno::ACCESS | Errno::PERM => Unlooked::Closed,
            // Too many open files of our own, no memory: not seen is not absent.
            Errno::MFILE | Errno::NFILE | Errno::NOMEM => Unlooked::Closed,
            _ => Unlooked::Gone,
        }
    }
}

/// Where a link of `/proc` leads.
#[derive(Debug)]
pub struct LinkEnd {
    pub mount: u64,
    /// As the kernel tells it from the root of the namespace on; `None` where it is too long to be told.
    pub text: Option<Vec<u8>>,
}

/// A link of a task: `root`, `cwd`, `exe`, an entry of `map_files`. `None` for what is in no file system.
pub fn follow(dir: impl AsFd, name: &str) -> Result<Option<LinkEnd>, Unlooked> {
    let text = match text_of(&dir, name)? {
        LinkText::Path(path) => Some(path),
        LinkText::TooLong => None,
        LinkText::Watch | LinkText::Other => return Ok(None),
    };
    let state = statx(&dir, name, NOBODY_ASKED, StatxFlags::MNT_ID)?;
    let mount = if state.stx_mask & StatxFlags::MNT_ID.bits() != 0 && !old_kernel() {
        state.stx_mnt_id
    } else {
        told_of_own(&handle_of(dir, name)?).ok_or(Unlooked::Closed)?
    };
    Ok(Some(LinkEnd { mount, text }))
}

/// What a descriptor of a task is.
#[derive(Debug)]
pub enum TaskDescriptor {
    /// It has a place in a file system, and was opened so: `O_WRONLY`, `O_PATH`, …
    Placed(LinkEnd, OFlags),
    /// It tells of changes: inotify or fanotify.
    Watch,
    /// A socket, a pipe and the like.
    Other,
}

/// A descriptor of a task, by its number. Only those with a path are asked further: `fdinfo` of others may wait.
pub fn descriptor(dir: impl AsFd, number: &str) -> Result<TaskDescriptor, Unlooked> {
    let text = match text_of(&dir, &format!("fd/{number}"))? {
        LinkText::Watch => return Ok(TaskDescriptor::Watch),
        LinkText::Other => return Ok(TaskDescriptor::Other),
        LinkText::Path(path) => Some(path),
        LinkText::TooLong => None,
    };
    let info = openat(
        &dir,
        format!("fdinfo/{number}"),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    // It begins with four short lines.
    let mut told = [0; 512];
    let length = read(&info, &mut told)?;
    let told = &told[..length];
    let mount = mount_in(told).ok_or(Unlooked::Gone)?;
    let flags = field(told, b"flags:").and_then(|octal| u32::from_str_radix(octal, 8).ok());
    let flags = flags.map_or(OFlags::RDWR, OFlags::from_bits_retain);
    Ok(TaskDescriptor::Placed(LinkEnd { mount, text }, flags))
}

/// Does the descriptor tell of changes: is it one of inotify or fanotify?
pub fn is_watch(dir: impl AsFd, number: u32) -> Result<bool, Unlooked> {
    let text = text_of(&dir, &format!("fd/{number}"))?;
    Ok(matches!(text, LinkText::Watch))
}

/// The inode of a regular file that a link leads to.
pub fn inode_of_file(dir: impl AsFd, name: &str) -> Option<u64> {
    let asked = StatxFlags::TYPE | StatxFlags::INO;
    let state = statx(dir, name, NOBODY_ASKED, asked).ok()?;
    let kind = FileType::from_raw_mode(state.stx_mode.into());
    (kind == FileType::RegularFile).then_some(state.stx_ino)
}

/// What is known already is told; no file server is asked.
const NOBODY_ASKED: AtFlags = AtFlags::STATX_DONT_SYNC.union(AtFlags::NO_AUTOMOUNT);

/// The mount of a descriptor of ours, where `statx` does not tell it (before Linux 5.8).
fn told_of_own(handle: &OwnedFd) -> Option<u64> {
    let own = format!("/proc/thread-self/fdinfo/{}", handle.as_raw_fd());
    mount_in(&fs::read(own).ok()?)
}

/// The text of a link.
enum LinkText {
    Path(Vec<u8>),
    TooLong,
    /// That of an inotify or fanotify descriptor.
    Watch,
    /// That of sockets, pipes and the like.
    Other,
}

fn text_of(dir: impl AsFd, name: &str) -> Result<LinkText, Unlooked> {
    match readlinkat(dir, name, Vec::with_capacity(256)) {
        Ok(text) => Ok(match text.into_bytes() {
            text if text.starts_with(b"/") => LinkText::Path(text),
            text if WATCHES.contains(&text.as_slice()) => LinkText::Watch,
            _ => LinkText::Other,
        }),
        Err(Errno::NAMETOOLONG) => Ok(LinkText::TooLong),
        Err(errno) => Err(errno.into()),
    }
}

/// The kernel has called it by one of these.
const WATCHES: [&[u8]; 4] = [
    b"anon_inode:inotify",
    b"anon_inode:[inotify]",
    b"anon_inode:[fanotify]",
    b"anon_inode:fanotify",
];

fn handle_of(dir: impl AsFd, name: &str) -> Result<OwnedFd, Unlooked> {
    Ok(openat(
        dir,
        name,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )?)
}

fn mount_in(info: &[u8]) -> Option<u64> {
    field(info, b"mnt_id:")?.parse().ok()
}

/// What stands behind this name in `fdinfo`.
fn field<'i>(info: &'i [u8], name: &[u8]) -> Option<&'i str> {
    let mut lines = info.split(|&byte| byte == b'\n');
    let value = lines.find_map(|line| line.strip_prefix(name))?;
    std::str::from_utf8(value).ok().map(str::trim)
}

/// A mount that no table knows: what kind of file system is it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownMountFacts {
    pub device: BlockDevice,
    pub is_btrfs: bool,
    pub is_overlay: bool,
    /// Read-only and harmless, as our own views are.
    pub is_view: bool,
}

const VIEW: StatVfsMountFlags = StatVfsMountFlags::RDONLY
    .union(StatVfsMountFlags::NOSUID)
    .union(StatVfsMountFlags::NODEV)
    .union(StatVfsMountFlags::NOEXEC)
    .union(StatVfsMountFlags::NOATIME);
const BTRFS: FsWord = 0x9123_683e;
const OVERLAY: FsWord = 0x794c_7630;

impl LinkEnd {
    /// Asks the file system, which may have to wait for a server. `dir` and `name` lead to it as before.
    pub fn facts(dir: impl AsFd, name: &str) -> Result<UnknownMountFacts, Unlooked> {
        let state = statx(&dir, name, NOBODY_ASKED, StatxFlags::TYPE)?;
        let path = format!("/proc/thread-self/fd/{}/{name}", dir.as_fd().as_raw_fd());
        let kind = statfs(&path)?.f_type;
        let flags = statvfs(&path)?.f_flag;
        Ok(UnknownMountFacts {
            device: BlockDevice {
                major: state.stx_dev_major,
                minor: state.stx_dev_minor,
            },
            is_btrfs: kind == BTRFS,
            is_overlay: kind == OVERLAY,
            is_view: flags.contains(VIEW),
        })
    }
}
