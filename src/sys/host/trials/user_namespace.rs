//! A user namespace, made by a process of ours that waits in it until we have seen enough.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};

use crate::model::Trial;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult, Watchdog};

/// How long a process may take to begin, and to enter a namespace.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the map of a namespace begins: owners that hardly anybody has.
const SHIFT: u32 = 100_000;

/// A user namespace that lasts as long as this.
#[derive(Debug)]
pub struct UserNamespace {
    /// The process in it.
    holder: Watchdog,
}

impl UserNamespace {
    /// Lets this program, started again with these arguments, [make one](stand_in_namespace); or says why there is
    /// none.
    pub fn make(args: &[&OsStr]) -> Result<UserNamespace, Trial> {
        let own = fs::read_link("/proc/self/ns/user").ok();
        let mut holder = Watchdog::start(args).map_err(|error| super::failed(&error))?;
        let place = PathBuf::from(format!("/proc/{}/ns/user", holder.id()));
        let has_entered = || fs::read_link(&place).is_ok_and(|now| Some(now) != own);
        let ended = holder.wait_until(Instant::now() + PATIENCE, has_entered);
        match (ended, has_entered()) {
            (false, true) => Ok(UserNamespace { holder }),
            (true, _) => Err(Trial::cannot(why_none())),
            (false, false) => Err(Trial::untried("a process that makes one does not begin")),
        }
    }

    /// The namespace, with a map of owners.
    pub fn handle(&self) -> SysResult<File> {
        let file = |name: &str| PathBuf::from(format!("/proc/{}/{name}", self.holder.id()));
        for map in [file("uid_map"), file("gid_map")] {
            let line = format!("0 {SHIFT} {}\n", 1 << 16);
            match call("write", || fs::write(&map, &line)) {
                // It is written once.
                Err(_) if fs::read(&map).is_ok_and(|text| !text.is_empty()) => {}
                other => other.map_err(|e| SysError::new("write", &map, e))?,
            }
        }
        let place = file("ns/user");
        call("open", || File::open(&place)).map_err(|e| SysError::new("open", &place, e))
    }

    /// Ends it.
    pub fn finish(self) {
        self.holder.finish();
    }
}

/// What keeps a process from making one, as far as settings tell.
fn why_none() -> &'static str {
    let is_zero = |path| fs::read(path).is_ok_and(|text| text.trim_ascii() == b"0");
    match () {
        () if is_zero("/proc/sys/user/max_user_namespaces") => "user.max_user_namespaces is 0",
        () if is_zero("/proc/sys/kernel/unprivileged_userns_clone") => {
            "kernel.unprivileged_userns_clone is 0"
        }
        () => "the kernel refuses it",
    }
}

/// Enters a user namespace of its own. For a process that has one thread.
pub fn stand_in_namespace() -> SysResult<()> {
    let enter = || unshare(CloneFlags::CLONE_NEWUSER).map_err(std::io::Error::from);
    call("unshare", enter)
        .map_err(|e| SysError::new("make a user namespace for", "this process", e))
}
