//! What `unify guard` did and found.
//!
//! The JSON form is the fields of `GuardState` after `kind` (`unify.guard`) and `act`, what was done.

pub mod protect;

use std::io::{self, Write};

use serde::Serialize;

use super::layout::json;
use super::layout::size::counted;
use crate::model::{GuardAct, GuardLevel, GuardState};

/// For people: what was done, if anything was to be, and what there is now.
pub fn text(done: Option<GuardAct>, now: &GuardState, out: &mut dyn Write) -> io::Result<()> {
    match done {
        Some(GuardAct::Loaded) => writeln!(
            out,
            "Loaded the guard, until this machine is restarted. Next, for each base that it protects: unify recover --base DIR"
        )?,
        Some(GuardAct::Unloaded) => writeln!(out, "Took the guard out of the kernel.")?,
        Some(GuardAct::Nothing) | None => {}
    }
    match (now.loaded, now.marks) {
        (false, _) => writeln!(out, "The guard is not loaded: it protects nothing."),
        (true, None) => writeln!(
            out,
            "The guard is loaded; root alone sees what it protects."
        ),
        (true, Some(marks)) => writeln!(
            out,
            "The guard is loaded and protects {}.",
            counted(marks, "file")
        ),
    }?;
    if now.other_version {
        writeln!(
            out,
            "Its programs are of another version of unify, and no daemon of this one is asked by them. To load this \
             one's: unify guard load"
        )?;
    }
    now.level.map_or(Ok(()), |level| write_level(level, out))?;
    match now.daemon {
        true => writeln!(out, "A daemon answers those who write."),
        false => Ok(()),
    }
}

/// Not that nobody has one: an older guard knows none.
fn write_level(level: GuardLevel, out: &mut dyn Write) -> io::Result<()> {
    let what = match level {
        GuardLevel::Immutable => "a write to a shared file is denied, with a daemon too",
        GuardLevel::DenyFirst => {
            "with a daemon, a write to a shared file is denied once, and its guest gets a copy of its own"
        }
        GuardLevel::RestartBySignal => {
            "with a daemon, a write to a shared file waits until its guest has a copy of its own; a program that handles SIGCONT may see one"
        }
        GuardLevel::RestartByTaskWork => {
            "with a daemon, a write to a shared file waits until its guest has a copy of its own"
        }
    };
    writeln!(out, "On this kernel {what}.")
}

#[derive(Serialize)]
struct GuardJson<'a> {
    kind: &'static str,
    act: Option<GuardAct>,
    #[serde(flatten)]
    now: &'a GuardState,
}

/// For programs.
pub fn json(act: Option<GuardAct>, now: &GuardState, out: &mut dyn Write) -> io::Result<()> {
    let kind = "unify.guard";
    json::write_line(out, &GuardJson { kind, act, now })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::written;

    #[test]
    fn it_says_what_there_is() {
        let state = |loaded, marks, level| GuardState {
            loaded,
            other_version: false,
            marks,
            level,
            daemon: false,
        };
        let told = |now: GuardState| written(|out| text(None, &now, out));
        let none = "The guard is not loaded: it protects nothing.\n";
        assert_eq!(told(state(false, None, None)), none);
        let some = "The guard is loaded and protects 1,200 files.\n";
        assert_eq!(told(state(true, Some(1200), None)), some);
        let level = Some(GuardLevel::DenyFirst);
        let now = GuardState {
            daemon: true,
            ..state(true, Some(1200), level)
        };
        let more = "On this kernel with a daemon, a write to a shared file is denied once, and its guest gets a copy of \
            its own.\nA daemon answers those who write.\n";
        assert_eq!(told(now), format!("{some}{more}"));
        let now = GuardState {
            other_version: true,
            ..state(true, Some(1200), None)
        };
        assert!(told(now).starts_with(some));
        assert!(told(now).ends_with("To load this one's: unify guard load\n"));
        let now = state(true, None, level);
        let want = "{\"kind\":\"unify.guard\",\"act\":\"loaded\",\"loaded\":true,\"marks\":null,\
            \"level\":\"deny-first\",\"daemon\":false,\"other_version\":false}\n";
        let done = Some(GuardAct::Loaded);
        assert_eq!(written(|out| json(done, &now, out)), want);
    }
}
