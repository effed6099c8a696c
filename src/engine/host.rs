//! What is reported of this host and this process: in a plan, to a run that finds the base locked, and of the disk
//! after a run.

use std::time::Duration;

use crate::model::{DiskChange, GuardLevel};
use crate::sys::hash::sha256;
use crate::sys::host::machine;
use crate::sys::host::machine::Filesystem;
use crate::sys::{Dir, SysResult};

/// What stands in the lock file for a run that finds the base locked.
pub(super) fn lock_note(what: &str) -> String {
    format!(
        "unify {what}, process {}, since {}\n",
        std::process::id(),
        machine::now()
    )
}

/// What is to be said where a trial has found nothing: a write is denied then, as without a daemon.
pub(super) fn nothing_learnt(learnt: &SysResult<Option<GuardLevel>>) -> Option<String> {
    let next = "it is tried again by the next `unify guard load` and the next daemon";
    match learnt {
        Ok(Some(GuardLevel::Immutable)) => Some(format!(
            "no write of a trial waited, nor was one noticed in time, so a daemon can do nothing here; {next}"
        )),
        Ok(_) => None,
        Err(error) => Some(format!(
            "what a daemon can do here could not be tried: {error}; {next}"
        )),
    }
}

/// How often, and how long apart, the disk is asked until it says the same twice.
const LOOKS: u32 = 10;
const APART: Duration = Duration::from_millis(20);

/// What became of the file system of the base in a run, as it says itself. Where it frees room later than files go, as
/// those do whose files may share blocks, it is waited for, but not for long. A figure that cannot be had is none: what
/// the run did is done.
pub(super) fn disk_change(
    before: &Filesystem,
    base: &Dir,
    frees_later: bool,
) -> Option<DiskChange> {
    let used = || machine::filesystem(base).ok().map(|now| now.used);
    if frees_later {
        base.sync_filesystem().ok()?;
    }
    let mut now = used()?;
    for _ in 0..if frees_later { LOOKS } else { 0 } {
        machine::pause(APART);
        let last = std::mem::replace(&mut now, used()?);
        if last == now {
            break;
        }
    }
    Some(DiskChange {
        used_before: before.used,
        used_after: now,
        layered: before.is_layered(),
    })
}

/// The digest of this host's identity, as it stands in plans.
pub(super) fn host_digest() -> SysResult<String> {
    let identity = machine::host_identity()?;
    Ok(sha256(&[b"unify.host.1\0", identity.as_slice()].concat()).to_string())
}
