//! A lock that several processes of ours have by turns, each for a moment. Who waits is told nothing of who has it.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::new_file::private;
use super::papers::Lock;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// How long it is slept between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Takes the lock file, and waits for it so long at most; `None` where it was not to be had.
pub fn take_turn(path: &Path, patience: Duration) -> SysResult<Option<Lock>> {
    let (mut file, end) = (lock_file(path)?, Instant::now() + patience);
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => return Ok(Some(Lock::of(held))),
            Err((busy, Errno::EWOULDBLOCK)) => file = busy,
            Err((_, errno)) => return Err(SysError::new("lock", path, errno)),
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(PAUSE);
    }
}

/// It is written where it is missing, and then never.
fn lock_file(path: &Path) -> SysResult<File> {
    let failed = |e| SysError::new("open", path, e);
    let there = call("open", || private().read(true).open(path)).map_err(failed);
    match SysError::absent(there)? {
        Some(file) => Ok(file),
        None => {
            let mut options = private();
            options.create(true).append(true);
            call("create", || options.open(path)).map_err(failed)
        }
    }
}
