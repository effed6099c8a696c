//! The mount that a descriptor was opened through.

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;

use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// The mount that a descriptor was opened through, as `proc(5)` tells it of every kernel: for those that `statx`
/// does not tell.
pub fn mount_id(fd: BorrowedFd<'_>) -> SysResult<u64> {
    let path = PathBuf::from(format!("/proc/self/fdinfo/{}", fd.as_raw_fd()));
    let text = call("proc", || fs::read_to_string(&path));
    let text = text.map_err(|e| SysError::new("read", &path, e))?;
    let id = text.lines().find_map(|line| line.strip_prefix("mnt_id:"));
    let none = || {
        SysError::new(
            "find mnt_id in",
            &path,
            std::io::Error::from(std::io::ErrorKind::InvalidData),
        )
    };
    id.and_then(|id| id.trim().parse().ok()).ok_or_else(none)
}
