//! What became of `unify maintain`, for programs: the run that thawed, the command, and the run that shared again.
//!
//! The JSON form is the fields of `MaintainedJson`. People are told each part when it is over.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::{CourseJson, RunView, course};
use crate::model::{CommandEnd, GuestName, Trouble};
use crate::report::answer::error::{self, ErrorJson};
use crate::report::answer::next::{NextJson, NextStep};
use crate::report::layout::json;

/// A maintenance, as far as it came.
#[derive(Debug, Clone, Copy)]
pub struct MaintainView<'a> {
    pub base: &'a Path,
    pub guest: &'a GuestName,
    /// The run that thawed; `None` where nothing was shared that was chosen.
    pub thawed: Option<RunView<'a>>,
    /// Names that were chosen and could not be thawed.
    pub not_thawed: u64,
    /// How the command ended; `None` where it was not run.
    pub ended: Option<CommandEnd>,
    /// The run that shared again; `None` where none was made.
    pub refrozen: Option<RunView<'a>>,
    /// Files that a plan would share with the guest besides.
    pub left_out: u64,
    /// Has the guest its private copies still?
    pub stays_thawed: bool,
    /// Why nothing was shared again: what it is in parts, as a sentence, and its exit code.
    pub error: Option<(&'a Trouble, &'a str, u8)>,
}

#[derive(Serialize)]
struct MaintainedJson<'a> {
    /// `unify.maintain`.
    kind: &'static str,
    guest: &'a str,
    thawed: Option<CourseJson<'a>>,
    not_thawed: u64,
    command_ended: Option<EndJson>,
    refrozen: Option<CourseJson<'a>>,
    not_shared_before: u64,
    stays_thawed: bool,
    /// Why it could not be shared again.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorJson<'a>>,
    /// What may be done now.
    next: Vec<NextJson>,
}

#[derive(Serialize)]
struct EndJson {
    /// The exit code, as shells tell it.
    exit: u8,
    /// The signal that ended it.
    signal: Option<u8>,
}

/// For programs.
pub fn json(view: &MaintainView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let error = view.error;
    let value = MaintainedJson {
        kind: "unify.maintain",
        guest: view.guest.as_str(),
        thawed: view.thawed.as_ref().map(course),
        not_thawed: view.not_thawed,
        command_ended: view.ended.map(EndJson::from),
        refrozen: view.refrozen.as_ref().map(course),
        not_shared_before: view.left_out,
        stays_thawed: view.stays_thawed,
        error: error.map(|(trouble, what, exit)| error::value(trouble, what, exit)),
        next: NextJson::all(&next(view)),
    };
    json::write_line(out, &value)
}

impl From<CommandEnd> for EndJson {
    fn from(end: CommandEnd) -> EndJson {
        EndJson {
            exit: end.code(),
            signal: match end {
                CommandEnd::Code(_) => None,
                CommandEnd::Signal(signal) => Some(signal),
            },
        }
    }
}

fn next(view: &MaintainView<'_>) -> Vec<NextStep> {
    let base = view.base.as_os_str();
    let words = ["refreeze".as_ref(), "--base".as_ref(), base];
    let guest = view.guest.as_str().as_ref();
    match view.stays_thawed {
        true => vec![NextStep::unify(
            &[&words[..], &[guest]].concat(),
            "to share again what is equal",
        )],
        false => vec![NextStep::on_base(
            "status",
            view.base,
            "to see what is shared now",
        )],
    }
}
