//! What `unify guard` did and found.
//!
//! The JSON form is the fields of `GuardState` after `kind` (`unify.guard`) and `act`, what was done.

pub mod protect;

use std::io::{self, Write};

use serde::Serialize;

use super::layout::json;
use super::layout::size::counted;
use crate::model::{GuardAct, GuardState};

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
    }
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
        let told = |loaded, marks| written(|out| text(None, &GuardState { loaded, marks }, out));
        let none = "The guard is not loaded: it protects nothing.\n";
        assert_eq!(told(false, None), none);
        let some = "The guard is loaded and protects 1,200 files.\n";
        assert_eq!(told(true, Some(1200)), some);
        let now = GuardState {
            loaded: true,
            marks: None,
        };
        let want = "{\"kind\":\"unify.guard\",\"act\":\"loaded\",\"loaded\":true,\"marks\":null}\n";
        let done = Some(GuardAct::Loaded);
        assert_eq!(written(|out| json(done, &now, out)), want);
    }
}
