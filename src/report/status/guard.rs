//! What a writer of a shared file meets now, where the guard protects a base.

use std::io::{self, Write};

use crate::model::{GuardLevel, Status, WritersMeet};

/// One line.
pub fn text(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let met = status.guard.as_ref();
    let Some((met, level)) = met.and_then(|met| Some((met, met.level?))) else {
        return Ok(());
    };
    writeln!(out, "A write to a shared file {}", words(*met, level))
}

fn words(met: WritersMeet, level: GuardLevel) -> &'static str {
    use GuardLevel::{DenyFirst, Immutable, RestartBySignal, RestartByTaskWork};
    match (met.daemon, level) {
        (true, Immutable) => "is denied: the daemon that answers does no more",
        (true, DenyFirst) => {
            "is denied once, and its guest gets a copy of its own: a daemon answers"
        }
        (true, RestartBySignal | RestartByTaskWork) => {
            "waits until its guest has a copy of its own: a daemon answers"
        }
        (false, Immutable) => "is denied: no daemon answers, and this kernel can do no more",
        (false, DenyFirst) => {
            "is denied: no daemon answers; with one (`unify guardd`) it is denied once, and the next one succeeds"
        }
        (false, RestartBySignal | RestartByTaskWork) => {
            "is denied: no daemon answers; with one (`unify guardd`) it waits until its guest has a copy of its own"
        }
    }
}
