//! What came of a maintenance so far, for those who want it whole in the end.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::apply::view;
use crate::cli::terminal::exit::Failure;
use crate::engine::{Refrozen, RunResult, Thawed};
use crate::model::{CommandEnd, GuestName};
use crate::report::run::maintained::{self, MaintainView};
use crate::report::run::{NotDone, in_use};

/// How far it came.
#[derive(Debug, Default)]
pub(super) struct Course {
    thawed: Option<RunResult>,
    /// Names that were chosen and are shared still.
    pub not_thawed: u64,
    pub thaw_not_done: NotDone,
    /// How the command ended, if it was run.
    pub ended: Option<CommandEnd>,
    refrozen: Option<RunResult>,
    refreeze_not_done: NotDone,
    left_out: u64,
    /// Is the maintenance over?
    is_over: bool,
    /// Why nothing was shared again.
    pub error: Option<Failure>,
}

impl Course {
    /// The first half.
    pub fn thaw(&mut self, thawed: Thawed, not_done: NotDone) {
        self.thawed = thawed.result;
        self.not_thawed = thawed.left;
        self.thaw_not_done = not_done;
    }

    /// What was in use as it was thawed, in lines for people.
    pub fn in_use(&self) -> Vec<String> {
        let thawed = self.thawed.as_ref();
        thawed.map_or(Vec::new(), |run| in_use::lines(&run.in_use))
    }

    /// The second half.
    pub fn refreeze(&mut self, refrozen: Refrozen, not_done: NotDone) {
        self.refrozen = refrozen.result;
        self.refreeze_not_done = not_done;
        self.left_out = refrozen.left_out;
        self.is_over = !refrozen.goes_on;
    }

    /// All of it, for programs.
    pub fn json(&self, base: &Path, guest: &GuestName, out: &mut dyn Write) -> io::Result<()> {
        let thawed = self.thawed.as_ref();
        let refrozen = self.refrozen.as_ref();
        let error = self.error.as_ref().and_then(Failure::parts);
        let answer = MaintainView {
            base,
            guest,
            thawed: thawed.map(|run| view(base, run, &self.thaw_not_done)),
            not_thawed: self.not_thawed,
            ended: self.ended,
            refrozen: refrozen.map(|run| view(base, run, &self.refreeze_not_done)),
            left_out: self.left_out,
            stays_thawed: !self.is_over,
            error: error
                .as_ref()
                .map(|(trouble, what, exit)| (trouble, &**what, *exit)),
        };
        maintained::json(&answer, out)
    }
}
