//! Facts about this machine and this moment: clock, users, file systems.

use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::Uid;
use rustix::fs::fstatfs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Dir, SysError, SysResult};

/// What a file system is and can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filesystem {
    /// `ext4`, `xfs`, `btrfs`, `tmpfs`, … or its magic number.
    pub name: String,
    /// Most names of one inode.
    pub max_links: u64,
    /// Bytes free for root.
    pub free: u64,
}

/// Asks about the file system that holds `dir`.
pub fn filesystem(dir: &Dir) -> SysResult<Filesystem> {
    let facts = fstatfs(dir.fd())
        .map_err(|e| SysError::new("ask about the file system of", dir.path(), e))?;
    let block = u64::try_from(facts.f_frsize).unwrap_or(0);
    let name = name_of(u64::try_from(facts.f_type).unwrap_or(0));
    Ok(Filesystem {
        max_links: max_links(&name),
        name,
        free: facts.f_bfree.saturating_mul(block),
    })
}

/// Most names of one inode. `pathconf` does not ask the kernel (glibc says 127 for what it does not know), so these
/// are the kernel's own: `EXT4_LINK_MAX`, `BTRFS_LINK_MAX`, `XFS_MAXLINK`, `F2FS_LINK_MAX`. Elsewhere a number that is
/// safe: an object is then followed by the next one sooner than needed, and `EMLINK` is answered in the same way.
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
        0x794c_7630 => "overlay".into(),
        0xf2f5_2010 => "f2fs".into(),
        0x6969 => "nfs".into(),
        0x2fc1_2fc1 => "zfs".into(),
        0x6573_5546 => "fuse".into(),
        other => format!("{other:#x}"),
    }
}

/// Is this process root as far as files are concerned?
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Now, RFC 3339, UTC, whole seconds.
pub fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Now as `YYYYMMDDTHHMMSSZ`, UTC.
pub fn stamp() -> String {
    jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// What identifies this host: the machine's id, or its name where it has none. Only its digest is ever written.
pub fn host_identity() -> Vec<u8> {
    let id = super::papers::read_small(Path::new("/etc/machine-id"))
        .ok()
        .flatten()
        .filter(|id| !id.is_empty());
    id.unwrap_or_else(|| {
        nix::unistd::gethostname()
            .unwrap_or_default()
            .into_encoded_bytes()
    })
}

/// Must be called once before any lease is taken: see [`super::ffi::ignore_deadly_signals`]. What is made from now on
/// has the mode that it is made with, whatever mask the caller left: nothing asks for more than its owner may.
pub fn prepare() -> SysResult<()> {
    nix::sys::stat::umask(Mode::from_bits_truncate(0o077));
    super::ffi::ignore_deadly_signals()
        .map_err(|e| SysError::new("ignore signals of", "this process", e))
}

/// Most names of one batch: at most 1,024, and so few that the descriptors of a batch (the file, the object,
/// the directory) fit into the limit of this process, which is raised as far as it may be.
pub fn names_a_batch() -> usize {
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
    let descriptors = usize::try_from(current.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    (descriptors.saturating_sub(64) / 4).clamp(1, 1024)
}

/// Is there a process with this id?
pub fn is_alive(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
