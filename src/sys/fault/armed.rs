//! The shim with the feature `faults`: what the environment asks for, done at the call that it names.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

/// What happens, and at which call.
struct PlannedFault {
    at: At,
    onwards: bool,
    what: FaultKind,
}

/// A call by its number among all, or among those of its name.
enum At {
    Number(u64),
    Nth(String, u64),
}

enum FaultKind {
    Kill,
    Fail(Errno),
    Run(String),
}

/// Calls so far, by name.
static CALLS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

/// The kind of call that fails from its first failure on.
static FAILING: OnceLock<&'static str> = OnceLock::new();

pub(super) fn pass(name: &'static str) -> Result<(), Errno> {
    let (number, nth) = count(name);
    trace(name);
    for fault in faults() {
        if fault.at.is(name, number, nth) {
            FAILING.set(name).ok();
            fault.happen()?;
        }
        match fault.what {
            FaultKind::Fail(errno) if fault.onwards && FAILING.get() == Some(&name) => {
                return Err(errno);
            }
            _ => {}
        }
    }
    Ok(())
}

fn count(name: &'static str) -> (u64, u64) {
    let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
    let nth = calls.entry(name).or_default();
    *nth += 1;
    let nth = *nth;
    (calls.values().sum(), nth)
}

impl At {
    fn is(&self, name: &str, number: u64, nth: u64) -> bool {
        match self {
            At::Number(at) => *at == number,
            At::Nth(which, at) => which == name && *at == nth,
        }
    }
}

pub fn max_links() -> Option<u64> {
    std::env::var("UNIFY_MAX_LINKS").ok()?.parse().ok()
}

pub fn memory() -> Option<u64> {
    std::env::var("UNIFY_MEMORY").ok()?.parse().ok()
}

pub fn most_held() -> Option<usize> {
    std::env::var("UNIFY_MOST_HELD").ok()?.parse().ok()
}

pub fn most_names() -> Option<u32> {
    std::env::var("UNIFY_MOST_NAMES").ok()?.parse().ok()
}

pub fn longest_silence() -> Option<Duration> {
    let asked = std::env::var("UNIFY_SILENCE").ok()?.parse().ok();
    asked.map(Duration::from_millis)
}

pub fn any_pid_namespace() -> bool {
    std::env::var_os("UNIFY_ANY_PID_NAMESPACE").is_some()
}

pub fn old_kernel() -> bool {
    static ASKED: OnceLock<bool> = OnceLock::new();
    *ASKED.get_or_init(|| std::env::var_os("UNIFY_OLD_KERNEL").is_some())
}

impl PlannedFault {
    fn happen(&self) -> Result<(), Errno> {
        match &self.what {
            FaultKind::Kill => {
                let own = rustix::process::getpid();
                rustix::process::kill_process(own, rustix::process::Signal::KILL)
            }
            FaultKind::Fail(errno) => Err(*errno),
            FaultKind::Run(command) => {
                let ran = Command::new("sh").args(["-c", command]).status();
                ran.map(drop).map_err(|_| Errno::NOEXEC)
            }
        }
    }
}

fn faults() -> &'static [PlannedFault] {
    static ASKED: OnceLock<Vec<PlannedFault>> = OnceLock::new();
    let read = || {
        let text = std::env::var("UNIFY_FAULT").unwrap_or_default();
        text.lines().filter_map(parse).collect()
    };
    ASKED.get_or_init(read)
}

fn parse(text: &str) -> Option<PlannedFault> {
    let (at, what) = text.split_once('=')?;
    let onwards = at.ends_with('+');
    let what = match what.split_once(':') {
        Some(("run", command)) => FaultKind::Run(command.to_owned()),
        _ if what == "kill" => FaultKind::Kill,
        _ => FaultKind::Fail(errno(what)?),
    };
    let at = match at.trim_end_matches('+').split_once('#') {
        Some((name, nth)) => At::Nth(name.to_owned(), nth.parse().ok()?),
        None => At::Number(at.trim_end_matches('+').parse().ok()?),
    };
    Some(PlannedFault { at, onwards, what })
}

fn errno(name: &str) -> Option<Errno> {
    let known = [
        ("E2BIG", Errno::TOOBIG),
        ("EAGAIN", Errno::AGAIN),
        ("EDQUOT", Errno::DQUOT),
        ("EINTR", Errno::INTR),
        ("EIO", Errno::IO),
        ("EMFILE", Errno::MFILE),
        ("EINVAL", Errno::INVAL),
        ("EMLINK", Errno::MLINK),
        ("ENOENT", Errno::NOENT),
        ("ENOMEM", Errno::NOMEM),
        ("ENOSPC", Errno::NOSPC),
        ("EPERM", Errno::PERM),
        ("EROFS", Errno::ROFS),
        ("ETXTBSY", Errno::TXTBSY),
        ("EXDEV", Errno::XDEV),
    ];
    known
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, errno)| *errno)
}

fn trace(name: &str) {
    static FILE: OnceLock<Option<std::fs::File>> = OnceLock::new();
    let open = || {
        let path = std::env::var_os("UNIFY_FAULT_TRACE")?;
        std::fs::File::options()
            .append(true)
            .create(true)
            .open(path)
            .ok()
    };
    if let Some(mut file) = FILE.get_or_init(open).as_ref() {
        file.write_all(format!("{name}\n").as_bytes()).ok();
    }
}
