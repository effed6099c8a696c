//! The only `unsafe`: kernel interfaces that neither rustix nor nix wraps, one of the C library's, the page size,
//! and two signals.
//!
//! Each function takes a borrowed descriptor and plain values, and nothing outlives the call.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, signal};
use rustix::fs::OFlags;

use super::layouts::{
    BpfProgram, CacheStat, DedupeRange, FieMap, FieMapHead, FsUuid, FsXattr, LoopConfig, MountAttr,
};

pub use super::layouts::{DiskExtent, FileHandle, LeaseKind, Shares};

/// `sync_file_range(2)` with `SYNC_FILE_RANGE_WRITE`: the disk begins to take what was written there, and the
/// caller does not wait for it. The call makes nothing durable.
pub fn begin_to_write_out(fd: impl AsFd, from: i64, length: i64) -> io::Result<()> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: integers by value; no memory of ours is touched.
    let result = unsafe { libc::sync_file_range(fd, from, length, libc::SYNC_FILE_RANGE_WRITE) };
    check(result).map(drop)
}

/// `mallopt(M_MMAP_THRESHOLD)` and `mallopt(M_TRIM_THRESHOLD)`, `malloc.h`: blocks from `large` bytes on come from the
/// kernel, one by one; of smaller ones that are free, up to `kept` bytes do not go back to it. Other C libraries than
/// glibc have no such choice.
pub fn memory_manners(large: i32, kept: i32) {
    #[cfg(target_env = "gnu")]
    // SAFETY: integers by value; they change where later blocks come from, and no block that is there.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, large);
        libc::mallopt(libc::M_TRIM_THRESHOLD, kept);
    }
    #[cfg(not(target_env = "gnu"))]
    let _ = (large, kept);
}

/// `fcntl(F_SETLEASE)`, `linux/fcntl.h`. `EAGAIN` means that a process has it open.
pub fn set_lease(fd: impl AsFd, kind: LeaseKind) -> io::Result<()> {
    let arg = match kind {
        LeaseKind::Read => libc::F_RDLCK,
        LeaseKind::Write => libc::F_WRLCK,
        LeaseKind::None => libc::F_UNLCK,
    };
    // SAFETY: F_SETLEASE takes an int by value and touches no memory of ours.
    check(unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_SETLEASE, arg) }).map(drop)
}

/// `fcntl(F_GETLEASE)`: does our lease still stand? While a writer waits for it, the kernel answers `F_UNLCK`.
pub fn holds_read_lease(fd: impl AsFd) -> io::Result<bool> {
    // SAFETY: F_GETLEASE takes no argument and touches no memory of ours.
    let result = unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETLEASE) };
    check(result).map(|kind| kind == libc::F_RDLCK)
}

/// `FS_XFLAG_PROJINHERIT`: what is made in a directory inherits its project.
const PROJECT_INHERIT: u32 = 0x200;

/// Project id of a file or directory, and whether what is made in it inherits that: `FS_IOC_FSGETXATTR` of
/// `linux/fs.h`.
pub fn project(fd: impl AsFd) -> io::Result<(u32, bool)> {
    let answer = fsxattr(fd)?;
    Ok((answer.projid, answer.xflags & PROJECT_INHERIT != 0))
}

/// Sets the project id, and whether it is inherited, where that is said: `FS_IOC_FSSETXATTR` of `linux/fs.h`.
pub fn set_project(fd: impl AsFd, project: u32, inherits: Option<bool>) -> io::Result<()> {
    const FS_IOC_FSSETXATTR: libc::Ioctl = 0x401c_5820;
    let mut wanted = fsxattr(fd.as_fd())?;
    wanted.projid = project;
    match inherits {
        Some(true) => wanted.xflags |= PROJECT_INHERIT,
        Some(false) => wanted.xflags &= !PROJECT_INHERIT,
        None => {}
    }
    // SAFETY: the kernel reads 28 bytes, the size of the struct, from `wanted`.
    unsafe { ioctl(fd, FS_IOC_FSSETXATTR, &mut wanted) }
}

/// `FS_IOC_GETFLAGS` of `linux/fs.h`, for directories too.
pub fn inode_flags(fd: impl AsFd) -> io::Result<u32> {
    told(fd, libc::FS_IOC_GETFLAGS)
}

/// `FS_IOC_GETVERSION` of `linux/fs.h`: the generation, by which two inodes of one number are told apart.
pub fn generation(fd: impl AsFd) -> io::Result<u32> {
    told(fd, libc::FS_IOC_GETVERSION)
}

/// `name_to_handle_at(2)` of the file itself.
pub fn handle(fd: impl AsFd) -> io::Result<FileHandle> {
    let mut handle = FileHandle::with_room();
    let (fd, to, mut mount) = (fd.as_fd().as_raw_fd(), (&raw mut handle).cast(), 0);
    // SAFETY: an empty name; the kernel writes a head, at most as many bytes behind it as that says, and an int.
    check(unsafe { libc::name_to_handle_at(fd, c"".as_ptr(), to, &mut mount, libc::AT_EMPTY_PATH) })
        .map(|_| handle)
}

/// `open_by_handle_at(2)` through the mount of `by`. `ESTALE`: there is none.
pub fn open_handle(by: impl AsFd, mut handle: FileHandle, how: OFlags) -> io::Result<OwnedFd> {
    let flags = (how | OFlags::CLOEXEC).bits().cast_signed();
    let (by, handle) = (by.as_fd().as_raw_fd(), (&raw mut handle).cast());
    // SAFETY: the kernel reads a head, and no more bytes behind it than the struct has.
    let fd = check(unsafe { libc::open_by_handle_at(by, handle, flags) })?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn told(fd: impl AsFd, what: libc::Ioctl) -> io::Result<u32> {
    let mut told: libc::c_uint = 0;
    // SAFETY: of these calls the kernel writes an int, whatever their number says, into `told`.
    unsafe { ioctl(fd, what, &mut told) }?;
    Ok(told)
}

/// `FS_IOC_SETFLAGS` of `linux/fs.h`.
pub fn set_inode_flags(fd: impl AsFd, mut flags: u32) -> io::Result<()> {
    // SAFETY: the kernel reads an int, whatever the number of the call says, from `flags`.
    unsafe { ioctl(fd, libc::FS_IOC_SETFLAGS, &mut flags) }
}

fn fsxattr(fd: impl AsFd) -> io::Result<FsXattr> {
    const FS_IOC_FSGETXATTR: libc::Ioctl = 0x801c_581f;
    let mut answer = FsXattr::default();
    // SAFETY: the kernel writes at most 28 bytes, the size of the struct, into `answer`.
    unsafe { ioctl(fd, FS_IOC_FSGETXATTR, &mut answer) }?;
    Ok(answer)
}

const FS_IOC_FIEMAP: libc::Ioctl = 0xc020_660b;

/// `FS_IOC_FIEMAP` of `linux/fs.h` from a place of a file on, with room for as many extents. With `FIEMAP_FLAG_SYNC`
/// (1) what is in memory of the file is written first. Says how many it told: without room for any it only counts.
pub fn fiemap<const ROOM: usize>(
    fd: impl AsFd,
    from: u64,
    flags: u32,
) -> io::Result<(u32, [DiskExtent; ROOM])> {
    let mut map = FieMap {
        head: FieMapHead {
            start: from,
            length: u64::MAX - from,
            flags,
            mapped_extents: 0,
            extent_count: u32::try_from(ROOM).unwrap_or(0),
            reserved: 0,
        },
        extents: [DiskExtent::default(); ROOM],
    };
    // SAFETY: the kernel writes at most the header and `extent_count` extents, which is no more than the struct has.
    unsafe { ioctl(fd, FS_IOC_FIEMAP, &mut map) }?;
    Ok((map.head.mapped_extents, map.extents))
}

const FIDEDUPERANGE: libc::Ioctl = 0xc018_9436;

/// `FIDEDUPERANGE` of `linux/fs.h` with no destination: nothing is changed, and nothing is compared. The answer is an
/// error where this file system has no way to let files share extents.
pub fn deduplicate_to_nowhere(fd: impl AsFd) -> io::Result<()> {
    // SAFETY: the kernel reads and writes the first 24 bytes, a range without destinations.
    unsafe { ioctl(fd, FIDEDUPERANGE, &mut DedupeRange::default()) }
}

/// `FIDEDUPERANGE` of `linux/fs.h`: `destination` has at `from` the extents that this file has there, if so many bytes
/// are the same in both. The kernel compares and remaps under its locks. Says how many bytes it did, which may be fewer
/// than were asked for; `None` where the bytes differ.
pub fn deduplicate(
    fd: impl AsFd,
    destination: impl AsFd,
    from: u64,
    length: u64,
) -> io::Result<Option<u64>> {
    const FILE_DEDUPE_RANGE_DIFFERS: i32 = 1;
    let mut range = DedupeRange {
        from,
        length,
        destinations: 1,
        destination: destination.as_fd().as_raw_fd().into(),
        destination_from: from,
        ..DedupeRange::default()
    };
    // SAFETY: the kernel reads and writes 56 bytes: a range with one destination, which is what the struct has.
    unsafe { ioctl(fd, FIDEDUPERANGE, &mut range) }?;
    match range.status {
        0 => Ok(Some(range.shared)),
        FILE_DEDUPE_RANGE_DIFFERS => Ok(None),
        errno => Err(io::Error::from_raw_os_error(-errno)),
    }
}

/// How many of `length` bytes from `from` on are in the page cache, in whole pages: `cachestat(2)`, Linux 6.5.
/// Later kernels answer it only to a process that may write the file or owns it.
pub fn cached(fd: impl AsFd, from: u64, length: u64) -> io::Result<u64> {
    // The number is the same on all architectures but alpha, and not yet in libc.
    const SYS_CACHESTAT: libc::c_long = 451;
    let range = [from, length];
    let mut answer = CacheStat::default();
    // SAFETY: the kernel reads the two numbers of `struct cachestat_range` and writes 40 bytes, the size of `answer`.
    let result = unsafe {
        libc::syscall(
            SYS_CACHESTAT,
            fd.as_fd().as_raw_fd(),
            range.as_ptr(),
            &raw mut answer,
            0,
        )
    };
    // SAFETY: it takes a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    check(result)?;
    Ok(answer
        .cached
        .saturating_mul(u64::try_from(page).unwrap_or(0)))
}

/// The file system's own UUID, `FS_IOC_GETFSUUID` of `linux/fs.h` (Linux 6.9).
pub fn filesystem_uuid(fd: impl AsFd) -> io::Result<[u8; 16]> {
    const FS_IOC_GETFSUUID: libc::Ioctl = 0x8011_1500;
    let mut uuid = FsUuid {
        length: 0,
        bytes: [0; 16],
    };
    // SAFETY: the kernel writes at most 17 bytes, the size of the struct, into `uuid`.
    unsafe { ioctl(fd, FS_IOC_GETFSUUID, &mut uuid) }?;
    match uuid.length {
        16 => Ok(uuid.bytes),
        _ => Err(io::Error::from_raw_os_error(libc::EOPNOTSUPP)),
    }
}

/// Lets a detached mount show other owners, as the map of a user namespace says: `MOUNT_ATTR_IDMAP` (Linux 5.12).
pub fn map_owners(mount: impl AsFd, namespace: impl AsFd) -> io::Result<()> {
    set_mount_attributes(mount, &MountAttr::owners_by(namespace.as_fd().as_raw_fd()))
}

/// Makes a detached mount read-only, noatime, nosuid, nodev, noexec and nosymfollow (Linux 5.14).
pub fn make_harmless(mount: impl AsFd) -> io::Result<()> {
    set_mount_attributes(mount, &MountAttr::harmless())
}

/// The number of a loop device that nobody uses now: `LOOP_CTL_GET_FREE` of `linux/loop.h`.
pub fn free_loop(control: impl AsFd) -> io::Result<i32> {
    const LOOP_CTL_GET_FREE: libc::Ioctl = 0x4c82;
    // SAFETY: the call takes no argument.
    check(unsafe { libc::ioctl(control.as_fd().as_raw_fd(), LOOP_CTL_GET_FREE) })
}

/// Lets a loop device show a file, read-only, as long as anybody uses it: `LOOP_CONFIGURE` of `linux/loop.h` (Linux
/// 5.8). `EBUSY` means that somebody was quicker.
pub fn show_in_loop(device: impl AsFd, file: impl AsFd) -> io::Result<()> {
    const LOOP_CONFIGURE: libc::Ioctl = 0x4c0a;
    let mut config = LoopConfig::showing(file.as_fd().as_raw_fd());
    // SAFETY: the kernel reads 304 bytes, the size of the struct, from `config`.
    unsafe { ioctl(device, LOOP_CONFIGURE, &mut config) }
}

/// `mount_setattr(2)` of a mount by its descriptor.
fn set_mount_attributes(mount: impl AsFd, attr: &MountAttr) -> io::Result<()> {
    // SAFETY: the path is a constant C string, `attr` outlives the call and its true size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            std::ptr::from_ref(attr),
            size_of::<MountAttr>(),
        )
    };
    check(result).map(drop)
}

/// `FS_IOC_ENABLE_VERITY` of `linux/fsverity.h`: SHA-256 over blocks of 4096 bytes.
pub fn enable_verity(fd: impl AsFd) -> io::Result<()> {
    const FS_IOC_ENABLE_VERITY: libc::Ioctl = 0x4080_6685;
    // `struct fsverity_enable_arg`, 128 bytes: version, hash algorithm, block size, and what is left out.
    let mut wanted = [0u32; 32];
    wanted[..3].copy_from_slice(&[1, 1, 4096]);
    // SAFETY: the kernel reads 128 bytes, the size of the array, and no address stands in them.
    unsafe { ioctl(fd, FS_IOC_ENABLE_VERITY, &mut wanted) }
}

/// Loads a program for a hook of the security modules, by the number of the hook's function. It is attached to nothing,
/// and gone with its descriptor.
pub fn load_lsm_program(hook: u32, instructions: &[[u8; 8]]) -> io::Result<OwnedFd> {
    const BPF_PROG_LOAD: libc::c_int = 5;
    let wanted = BpfProgram {
        kind: 29,
        instruction_count: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
        instructions: instructions.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        no_log_name_or_device: [0; 11],
        expected_attach_type: 27,
        no_debug_information: [0; 9],
        hook,
    };
    let size = size_of::<BpfProgram>();
    // SAFETY: the kernel reads `size` bytes of `wanted`, the instructions and the licence, which outlive the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const wanted, size) };
    let fd = check(libc::c_int::try_from(fd).unwrap_or(-1))?;
    // SAFETY: the kernel has just given us this descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `kcmp(2)`, `linux/kcmp.h`: have these two threads one and the same?
pub fn share(one: u32, other: u32, what: Shares) -> io::Result<bool> {
    let (kind, at, other_at): (libc::c_int, _, _) = match what {
        Shares::OpenFile(at, other_at) => (0, at, other_at),
        Shares::Descriptors => (2, 0, 0),
        Shares::Directories => (3, 0, 0),
    };
    // SAFETY: integers by value; no memory of ours is touched.
    let result = unsafe { libc::syscall(libc::SYS_kcmp, one, other, kind, at, other_at) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        order => Ok(order == 0),
    }
}

/// `ioprio_set(2)` for this process: `IOPRIO_CLASS_IDLE` of `linux/ioprio.h`.
pub fn idle_io() -> io::Result<()> {
    const WHO_PROCESS: libc::c_int = 1;
    const IDLE: libc::c_int = 3 << 13;
    // SAFETY: three integers by value; 0 is the calling process.
    let result = unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, IDLE) };
    check(result).map(drop)
}

/// Gives the calling thread the policy `SCHED_FIFO` with this priority, which it does not hand down, or `SCHED_BATCH`.
pub fn schedule(realtime: Option<i32>) -> io::Result<()> {
    let policy = realtime.map_or(libc::SCHED_BATCH, |_| {
        libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK
    });
    let sched_priority = realtime.unwrap_or(0);
    let param = libc::sched_param { sched_priority };
    // SAFETY: `param` lives for the call, which only reads it; 0 is the calling thread.
    check(unsafe { libc::sched_setscheduler(0, policy, &raw const param) }).map(drop)
}

/// Ignores SIGIO, which a broken lease sends and which would kill us, and SIGXFSZ, so that a file size
/// limit is an error like any other.
pub fn ignore_deadly_signals() -> io::Result<()> {
    ignore(&DEADLY)
}

const DEADLY: [Signal; 2] = [Signal::SIGIO, Signal::SIGXFSZ];
const STOPS: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

/// Ignores none of them any more, for a process that is started now.
pub fn heed_signals() -> io::Result<()> {
    DEADLY.iter().chain(&STOPS).try_for_each(|which| {
        // SAFETY: SIG_DFL runs no code of ours.
        unsafe { signal(*which, SigHandler::SigDfl) }?;
        Ok(())
    })
}

/// Ignores what stops a process from a terminal.
pub fn ignore_stops() -> io::Result<()> {
    ignore(&STOPS)
}

/// Ignores what asks a process to end.
pub fn ignore_ends() -> io::Result<()> {
    ignore(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP])
}

fn ignore(signals: &[Signal]) -> io::Result<()> {
    for which in signals {
        // SAFETY: SIG_IGN runs no code of ours.
        unsafe { signal(*which, SigHandler::SigIgn) }?;
    }
    Ok(())
}

/// `ioctl(2)` with a place in memory.
///
/// # Safety
/// By what the kernel says of this call, it reads and writes no more than a `T`, and any bytes are a `T`.
unsafe fn ioctl<T>(fd: impl AsFd, number: libc::Ioctl, argument: &mut T) -> io::Result<()> {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the caller says that the place is large enough; it is ours alone while the call lasts.
    check(unsafe { libc::ioctl(fd, number, std::ptr::from_mut(argument)) }).map(drop)
}

/// What a call returned that says -1 where it failed.
fn check<T: PartialEq + From<i8>>(result: T) -> io::Result<T> {
    if result == T::from(-1) {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
