//! What systemd is told by a service (`sd_notify(3)`), and how a thread gets the processor before those who wait for
//! it.

use std::env;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::sys::fault::{self, call};
use crate::sys::{SysError, SysResult, ffi};

/// The socket that the service manager listens on.
#[derive(Debug)]
pub struct ServiceManager {
    socket: UnixDatagram,
    to: SocketAddr,
}

impl ServiceManager {
    /// `None` where nobody has started this process as a service that tells.
    pub fn of_this_process() -> SysResult<Option<ServiceManager>> {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let failed = |e| SysError::new("use", &name, e);
        let to = match name.as_bytes().strip_prefix(b"@") {
            Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name),
            None => SocketAddr::from_pathname(&name),
        };
        Ok(Some(ServiceManager {
            socket: UnixDatagram::unbound().map_err(failed)?,
            to: to.map_err(failed)?,
        }))
    }

    /// Tells it, such as `READY=1`. A manager that does not listen hinders nobody.
    pub fn tell(&self, state: &str) {
        drop(call("notify", || {
            self.socket.send_to_addr(state.as_bytes(), &self.to)
        }));
    }
}

/// How often the manager wants a sign of life at least; `None` where it wants none of this process.
pub fn watchdog() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC")
        .filter(|micros| is_ours && *micros > 0)
        .map(Duration::from_micros)
}

/// The disk may be slow, and one step long: a file of many gigabytes is compared as a whole where a break is healed.
const SILENCE: Duration = Duration::from_secs(600);

/// How long a thread may be silent before it counts as one that stands still.
pub fn longest_silence() -> Duration {
    fault::longest_silence().unwrap_or(SILENCE)
}

/// How a thread got before others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// `SCHED_FIFO`: before all that are not, whatever their nice value.
    Realtime,
    /// Nice -20.
    Nice,
    /// Neither was allowed.
    None,
}

/// Among real-time threads: before all that have not asked for more.
const PRIORITY: i32 = 20;

/// Puts the calling thread before the writers that wait for it, which spin meanwhile. Threads that it starts are as
/// they were.
pub fn precede() -> Precedence {
    if call("precede", || ffi::schedule(Some(PRIORITY))).is_ok() {
        return Precedence::Realtime;
    }
    match rustix::process::setpriority_process(None, -20) {
        Ok(()) => Precedence::Nice,
        Err(_) => Precedence::None,
    }
}

/// Makes the calling thread one like those of the writers, whatever the thread that started it was: it takes the
/// processor from none that has preceded.
pub fn stand_back() {
    // Where that is refused it is an ordinary thread already: only who may raise himself has done so.
    drop(call("stand-back", || ffi::schedule(None)));
    let _ = rustix::process::setpriority_process(None, 0);
}
