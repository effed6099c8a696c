//! Facts about this machine and this moment: clock, users, file systems.

use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::stat::Mode;
use nix::unistd::Uid;
use rustix::fs::{StatVfsMountFlags, fstatfs, fstatvfs};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::system::sysinfo;
use rustix::thread::{CapabilitySet, capabilities};

use crate::model::BaseFacts;
use crate::sys::fault;
use crate::sys::fault::call;
use crate::sys::{Dir, Meaning, SysError, SysResult, ffi};

/// What a file system is and can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filesystem {
    /// `ext4`, `xfs`, `btrfs`, `tmpfs`, … or its magic number.
    pub name: String,
    /// Most names of one inode.
    pub max_links: u64,
    /// Bytes free for everybody: what the file system keeps back for root is none of them, and guests live by it.
    pub free: u64,
    /// Bytes that it stores.
    pub used: u64,
    /// Inodes that can still be made; `None` where it makes as many as there is room for.
    pub free_inodes: Option<u64>,
}

impl Filesystem {
    /// Can directories in it be subvolumes, with device numbers of their own?
    pub fn has_subvolumes(&self) -> bool {
        self.name == "btrfs"
    }

    /// Is it a view of several layers, of which only the upper one is ever written to?
    pub fn is_layered(&self) -> bool {
        self.name == BaseFacts::OVERLAY
    }
}

/// Asks about the file system that holds `dir`.
pub fn filesystem(dir: &Dir) -> SysResult<Filesystem> {
    let facts = call("statfs", || fstatfs(dir.fd()))
        .map_err(|e| SysError::new("ask about the file system of", dir.path(), e))?;
    let block = u64::try_from(facts.f_frsize).unwrap_or(0);
    let name = name_of(u64::try_from(facts.f_type).unwrap_or(0));
    Ok(Filesystem {
        max_links: fault::max_links().unwrap_or_else(|| max_links(&name)),
        name,
        free: facts.f_bavail.saturating_mul(block),
        used: facts
            .f_blocks
            .saturating_sub(facts.f_bfree)
            .saturating_mul(block),
        free_inodes: (facts.f_files > 0).then_some(facts.f_ffree),
    })
}

/// May nothing be written where `dir` is, because of its mount or its file system?
pub fn is_read_only(dir: &Dir) -> SysResult<bool> {
    let facts = call("statfs", || fstatvfs(dir.fd()))
        .map_err(|e| SysError::new("ask about the file system of", dir.path(), e))?;
    Ok(facts.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Most names of one inode. `pathconf` does not ask the kernel (glibc says 127 for what it does not know), so
/// these are the kernel's own: `EXT4_LINK_MAX`, `BTRFS_LINK_MAX`, `XFS_MAXLINK`, `F2FS_LINK_MAX`. Elsewhere the
/// number is a safe one: an object is then followed by the next one sooner than needed, and `EMLINK` is answered
/// in the same way.
fn max_links(filesystem: &str) -> u64 {
    match filesystem {
        "ext4" => 65_000,
        "btrfs" => 65_535,
        "xfs" | "tmpfs" => 2_147_483_647,
        _ => 32_000,
    }
}

/// Magic numbers of `linux/magic.h`.
fn name_of(magic: u64) -> String {
    match magic {
        0xef53 => "ext4".into(),
        0x5846_5342 => "xfs".into(),
        0x9123_683e => "btrfs".into(),
        0x0102_1994 => "tmpfs".into(),
        0x794c_7630 => BaseFacts::OVERLAY.into(),
        0xf2f5_2010 => "f2fs".into(),
        0x6969 => "nfs".into(),
        0x2fc1_2fc1 => "zfs".into(),
        0x6573_5546 => "fuse".into(),
        other => format!("{other:#x}"),
    }
}

/// Which file system holds `dir`: its UUID, where the kernel tells (`FS_IOC_GETFSUUID`, Linux 6.9); else the id of
/// `statfs`, but not that of XFS, which changes with the order of devices.
pub fn filesystem_identity(dir: &Dir) -> SysResult<String> {
    let failed = |e: std::io::Error| SysError::new("ask about the file system of", dir.path(), e);
    match call("uuid", || ffi::filesystem_uuid(dir.fd())).map_err(failed) {
        Ok(uuid) => {
            let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
            return Ok(format!("uuid:{hex}"));
        }
        Err(error) if error.meaning() != Meaning::Unsupported => return Err(error),
        Err(_) => {}
    }
    let facts = call("statfs", || fstatvfs(dir.fd())).map_err(|e| failed(e.into()))?;
    Ok(match filesystem(dir)?.name.as_str() {
        "xfs" => "unknown".into(),
        _ => format!("fsid:{:016x}", facts.f_fsid),
    })
}

/// May this user be trusted with directories above a base? Root may; so may the user that runs this process, and
/// the user that became root by sudo for it.
pub fn is_trusted_user(uid: u32) -> bool {
    let own = Uid::effective().as_raw();
    let sudo = std::env::var("SUDO_UID")
        .ok()
        .and_then(|id| id.parse().ok());
    uid == 0 || uid == own || Some(uid) == sudo
}

/// Where temporary files go.
pub fn temporary() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// Is this process root as far as files are concerned?
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// May this process see all extended attributes? Those called `trusted.*` are not even listed without
/// `CAP_SYS_ADMIN` in the first user namespace (`xattr(7)`), whose inode number is the same on every machine
/// (`PROC_USER_INIT_INO`).
pub fn sees_all_attributes() -> bool {
    let namespace = std::fs::read_link("/proc/self/ns/user");
    let first = namespace.is_ok_and(|id| id == Path::new("user:[4026531837]"));
    let held = capabilities(None).map(|held| held.effective);
    first && held.is_ok_and(|held| held.contains(CapabilitySet::SYS_ADMIN))
}

/// Now, RFC 3339, UTC, whole seconds.
pub fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Now, as seconds since 1970.
pub fn seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// A moment as a person gives it, as seconds since 1970: an age (`30d`, `12h`, `2w`), a date or RFC 3339.
pub fn moment(text: &str) -> Option<i64> {
    if let Ok(age) = text.parse::<jiff::Span>() {
        let age = age
            .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .ok()?;
        return Some(seconds() - age.as_secs());
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        let noon = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some(noon.timestamp().as_second());
    }
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(jiff::Timestamp::as_second)
}

/// Now as `YYYYMMDDTHHMMSSZ`, UTC.
pub fn stamp() -> String {
    jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// What identifies this host: the machine's id, or its name where it has none. Only its digest is ever written.
///
/// An id that is there and cannot be read is an error: the host would seem to be another one.
pub fn host_identity() -> SysResult<Vec<u8>> {
    let id = crate::sys::own::papers::read_small(Path::new("/etc/machine-id"))?;
    Ok(id.filter(|id| !id.is_empty()).unwrap_or_else(|| {
        nix::unistd::gethostname()
            .unwrap_or_default()
            .into_encoded_bytes()
    }))
}

/// Must be called once before any lease is taken: see [`crate::sys::ffi::ignore_deadly_signals`]. What is made
/// from now on has the mode that it is made with, whatever mask the caller left: nothing asks for more than its
/// owner may.
pub fn prepare() -> SysResult<()> {
    let mask = nix::sys::stat::umask(Mode::from_bits_truncate(0o077));
    super::command::remember_caller(mask.bits());
    crate::sys::ffi::ignore_deadly_signals()
        .map_err(|e| SysError::new("ignore signals of", "this process", e))
}

/// Most names of one batch: at most 4,096, and so few that the descriptors of a batch (the file, the object, the
/// directory, a lease) and of the three before it that are being closed (the file, the object) fit into the limit
/// of this process, which is raised as far as it may be, beside those that are open now: the roots of guests are.
pub fn names_a_batch() -> usize {
    (free_descriptors() / 10).clamp(1, 4096)
}

/// Most pairs of files of one batch: at most 16,384, and so few that half of the descriptors stay free for batches of
/// names.
pub fn pairs_a_batch() -> usize {
    (free_descriptors() / 4).clamp(1, 16384)
}

fn free_descriptors() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    descriptors().saturating_sub(64 + open)
}

/// Files that this process may have open: the limit is raised as far as it may be.
pub fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = if setrlimit(Resource::Nofile, wanted).is_ok() {
        limit.maximum
    } else {
        limit.current
    };
    usize::try_from(current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX)
}

/// Bytes of memory that this machine has.
pub fn memory() -> u64 {
    fault::memory().unwrap_or_else(|| {
        let told = sysinfo();
        u64::from(told.mem_unit).saturating_mul(told.totalram)
    })
}

/// Most names of one guest, and most bytes of names: what 32 bits count.
pub fn most_names() -> u32 {
    fault::most_names().unwrap_or(u32::MAX)
}

/// Nice 19 and the idle class of the disk's scheduler (`ioprio_set(2)`).
pub fn go_to_background() -> SysResult<()> {
    let failed = |e: std::io::Error| SysError::new("lower the priority of", "this process", e);
    rustix::process::setpriority_process(None, 19).map_err(|e| failed(e.into()))?;
    ffi::idle_io().map_err(failed)
}

/// From now on this process cannot be stopped from a terminal, as long as guests may wait for it.
pub fn ignore_stops() -> SysResult<()> {
    crate::sys::ffi::ignore_stops()
        .map_err(|e| SysError::new("ignore signals of", "this process", e))
}

/// From now on this process ends by itself only.
pub fn ignore_ends() -> SysResult<()> {
    crate::sys::ffi::ignore_ends()
        .map_err(|e| SysError::new("ignore signals of", "this process", e))
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Tables that grow to many megabytes grow in place, and go back to the kernel whole. Else each leaves holes where it
/// stood before it grew: of a plan for a million names, a tenth of its memory. What is made and freed again and again,
/// such as some lines of a plan, stays with the program: pages that go back come again empty, and are cleared first.
pub fn large_tables_grow_in_place() {
    ffi::memory_manners(1 << 20, 8 << 20);
}

/// How often the disk brought something for this thread, `getrusage(2)`; 0 where the kernel does not tell.
pub fn reads_from_disk() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.block_reads())
}

/// Waits.
pub fn pause(time: std::time::Duration) {
    std::thread::sleep(time);
}

/// Columns of the terminal that standard output is; `None` where it is none.
pub fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}
