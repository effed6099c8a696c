//! A second process of this program, which notices our end: its standard input closes with us, however we die.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// What a watchdog hears of a run that ended by itself.
pub const ALL_IS_WELL: &[u8] = b"all is well\n";

/// A watchdog at work. Its standard input closes when this is dropped, or when we die.
#[derive(Debug)]
pub struct Watchdog {
    child: Child,
}

impl Watchdog {
    /// Starts this program again with other arguments, in a process group of its own, so that what a terminal sends to
    /// us does not reach it.
    pub fn start(args: &[&std::ffi::OsStr]) -> SysResult<Watchdog> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("/proc/self/exe");
        command
            .args(args)
            .process_group(0)
            .current_dir("/")
            .env_remove("UNIFY_FAULT")
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let child = call("spawn", || command.spawn());
        Ok(Watchdog {
            child: child.map_err(|e| SysError::new("start", "/proc/self/exe", e))?,
        })
    }
}

impl Watchdog {
    /// Its process id, which nobody else gets before it was waited for.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it that there is nothing left for it to do, and waits for it.
    pub fn finish(mut self) {
        if let Some(mut stdin) = self.child.stdin.take() {
            // Where this cannot be said, it looks for itself.
            drop(stdin.write_all(ALL_IS_WELL));
        }
        // How it ended changes nothing any more.
        drop(self.child.wait());
    }
}
