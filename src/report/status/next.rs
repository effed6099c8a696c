//! What a status advises, as commands for programs; people find each beside what it is about.

use std::ffi::OsStr;

use crate::model::{RunEnd, RunStatus, Status};
use crate::report::answer::next::NextStep;

/// What ends an alarm comes first.
pub(super) fn steps(status: &Status) -> Vec<NextStep> {
    let base = status.base.as_path();
    let unfinished = |run: &RunStatus| run.end == RunEnd::Unfinished;
    let alarm = !status.frozen.is_empty() || status.objects.unprotected > 0;
    let unfinished = !status.at_work && status.runs.iter().any(unfinished);
    let mut steps = Vec::new();
    if alarm || unfinished {
        let why = "to heal what a run left, and to protect again what lost its protection";
        steps.push(NextStep::on_base("recover", base, why));
    }
    for guest in status.guests.iter().filter(|guest| guest.is_gone) {
        let words = [OsStr::new("forget"), OsStr::new("--base"), base.as_os_str()];
        let words = [&words[..], &[OsStr::new(guest.name.as_str())]].concat();
        steps.push(NextStep::unify(&words, "because this guest was deleted"));
    }
    for guest in &status.maintained {
        let words = [
            OsStr::new("refreeze"),
            OsStr::new("--base"),
            base.as_os_str(),
        ];
        let words = [&words[..], &[OsStr::new(guest.name.as_str())]].concat();
        let why = "when the work in this guest is done";
        steps.push(NextStep::unify(&words, why));
    }
    for guest in &status.guests {
        if !guest.orphans.names.is_empty() {
            let words = [
                "undo",
                "--run",
                "all",
                "--guest",
                guest.name.as_str(),
                "--base",
            ];
            let words = [&words.map(OsStr::new)[..], &[base.as_os_str()]].concat();
            let why =
                "to be rid of names that no package owns: afterwards delete them in the guest";
            steps.push(NextStep::unify(&words, why));
        }
    }
    if status.objects.unused > 0 {
        let why = "to remove objects that nobody uses";
        steps.push(NextStep::on_base("gc", base, why));
    }
    steps
}
