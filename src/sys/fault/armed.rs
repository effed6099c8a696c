//! The shim with the feature `faults`: what the environment asks for, done at the call that it names.

use std::io::Write;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::io::Errno;

use super::Weak;

/// What happens, and at which call.
struct Fault {
    at: u64,
    onwards: bool,
    what: What,
}

enum What {
    Kill,
    Fail(Errno),
    Run(String),
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// The kind of call that fails from its first failure on.
static FAILING: OnceLock<&'static str> = OnceLock::new();

pub(super) fn pass(name: &'static str) -> Result<(), Errno> {
    let number = CALLS.fetch_add(1, Ordering::SeqCst) + 1;
    trace(name);
    let Some(fault) = fault() else { return Ok(()) };
    if fault.at == number {
        FAILING.set(name).ok();
        return fault.happen();
    }
    match fault.what {
        What::Fail(errno) if fault.onwards && FAILING.get() == Some(&name) => Err(errno),
        _ => Ok(()),
    }
}

/// Is this defence switched off?
pub fn weak(which: Weak) -> bool {
    static ASKED: OnceLock<Option<String>> = OnceLock::new();
    let asked = ASKED.get_or_init(|| std::env::var("UNIFY_WEAK").ok());
    asked.as_deref() == Some(&format!("{which:?}"))
}

pub(in crate::sys) fn max_links() -> Option<u64> {
    std::env::var("UNIFY_MAX_LINKS").ok()?.parse().ok()
}

impl Fault {
    fn happen(&self) -> Result<(), Errno> {
        match &self.what {
            What::Kill => {
                let own = rustix::process::getpid();
                rustix::process::kill_process(own, rustix::process::Signal::KILL)
            }
            What::Fail(errno) => Err(*errno),
            What::Run(command) => {
                let ran = Command::new("sh").args(["-c", command]).status();
                ran.map(drop).map_err(|_| Errno::NOEXEC)
            }
        }
    }
}

fn fault() -> Option<&'static Fault> {
    static ASKED: OnceLock<Option<Fault>> = OnceLock::new();
    let read = || parse(&std::env::var("UNIFY_FAULT").ok()?);
    ASKED.get_or_init(read).as_ref()
}

fn parse(text: &str) -> Option<Fault> {
    let (at, what) = text.split_once('=')?;
    let onwards = at.ends_with('+');
    let what = match what.split_once(':') {
        Some(("run", command)) => What::Run(command.to_owned()),
        _ if what == "kill" => What::Kill,
        _ => What::Fail(errno(what)?),
    };
    Some(Fault {
        at: at.trim_end_matches('+').parse().ok()?,
        onwards,
        what,
    })
}

fn errno(name: &str) -> Option<Errno> {
    let known = [
        ("EAGAIN", Errno::AGAIN),
        ("EDQUOT", Errno::DQUOT),
        ("EINTR", Errno::INTR),
        ("EIO", Errno::IO),
        ("EMFILE", Errno::MFILE),
        ("EMLINK", Errno::MLINK),
        ("ENOENT", Errno::NOENT),
        ("ENOMEM", Errno::NOMEM),
        ("ENOSPC", Errno::NOSPC),
        ("EPERM", Errno::PERM),
        ("EROFS", Errno::ROFS),
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
