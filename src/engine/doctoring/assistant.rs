//! Second processes of `doctor`. Each waits until its standard input ends, which it does however the first one dies.

use std::ffi::OsStr;
use std::path::Path;

use crate::engine::EngineError;
use crate::model::Trial;
use crate::sys::host::trials::{UserNamespace, stand_in_namespace};
use crate::sys::own::scratch;
use crate::sys::{Heard, SysResult, Watchdog, WatchdogEar};

/// Starts one that sweeps up.
pub(super) fn sweeper(path: &Path) -> SysResult<Watchdog> {
    let words = ["assistant", "--sweep"].map(OsStr::new);
    Watchdog::start(&[words[0], words[1], path.as_os_str()])
}

/// Starts one that makes a user namespace, and waits in it.
pub(super) fn in_a_namespace() -> Result<UserNamespace, Trial> {
    UserNamespace::make(&["assistant", "--namespace"].map(OsStr::new))
}

/// What one of them does: in a user namespace of its own, or at its end with what is left of a scratch directory.
pub fn assist(namespace: bool, sweep: Option<&Path>) -> Result<(), EngineError> {
    if namespace {
        stand_in_namespace()?;
    }
    let mut ear = WatchdogEar::default();
    while !matches!(ear.hear(None), None | Some(Heard::AllIsWell | Heard::End)) {}
    Ok(sweep.map_or(Ok(()), scratch::sweep)?)
}
