//! Read leases: the only general proof that no process has a file open for writing, by descriptor or by a
//! writable mapping (`fcntl(2)`, F_SETLEASE). A writer that comes later waits, and we see that it does.

use std::time::Duration;

use crate::sys::fault::call;
use crate::sys::ffi;
use crate::sys::ffi::LeaseKind;
use crate::sys::{Meaning, Regular, SysError, SysResult};

/// How long who holds a lease may keep others from opening the file, before the kernel takes it away; zero where that
/// is for ever.
pub fn lease_break_time() -> Duration {
    let text = std::fs::read_to_string("/proc/sys/fs/lease-break-time").unwrap_or_default();
    Duration::from_secs(text.trim().parse().unwrap_or(USUAL_BREAK_TIME))
}

const USUAL_BREAK_TIME: u64 = 45;

/// A file under a read lease. Dropping it gives the lease back, and a waiting writer goes on.
#[derive(Debug)]
pub struct Leased {
    file: Regular,
}

impl Regular {
    /// Has any process but ours the file open, or mapped? A write lease says so, and is given back at once. A
    /// process that has only its path open (`O_PATH`) is not seen.
    pub fn is_open_elsewhere(&self) -> SysResult<bool> {
        let taken = call("lease", || ffi::set_lease(self.fd(), LeaseKind::Write))
            .map_err(|e| SysError::new("lease", self.path(), e));
        match taken {
            Err(error) if error.meaning() == Meaning::Busy => Ok(true),
            Err(error) => Err(error),
            Ok(()) => {
                drop(ffi::set_lease(self.fd(), LeaseKind::None));
                Ok(false)
            }
        }
    }
}

impl Leased {
    /// Takes the lease; gives the file back where a process has it open for writing.
    pub fn take(file: Regular) -> SysResult<Result<Leased, Regular>> {
        match call("lease", || ffi::set_lease(file.fd(), LeaseKind::Read))
            .map_err(|e| SysError::new("lease", file.path(), e))
        {
            Ok(()) => Ok(Ok(Leased { file })),
            Err(error) if error.meaning() == Meaning::Busy => Ok(Err(file)),
            Err(error) => Err(error),
        }
    }

    /// Does the lease still stand? False once a writer waits for it.
    pub fn stands(&self) -> SysResult<bool> {
        call("getlease", || ffi::holds_read_lease(self.file.fd()))
            .map_err(|e| SysError::new("look at the lease of", self.file.path(), e))
    }

    /// Gives the lease back at once: a waiting writer goes on.
    pub fn give_back(&self) {
        // Closing the descriptor would do the same; an error leaves nothing to be done about it.
        drop(ffi::set_lease(self.file.fd(), LeaseKind::None));
    }

    /// The file.
    pub fn file(&self) -> &Regular {
        &self.file
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.give_back();
    }
}
