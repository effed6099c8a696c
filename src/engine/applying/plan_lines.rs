//! The lines of the plan that is applied, as often as they are asked for: those of the base's own copy, or, where
//! nothing is written, those of the plan itself.

use std::io::BufRead;
use std::path::Path;

use crate::engine::EngineError;
use crate::engine::plan_file::{PlanFile, open_copy};
use crate::engine::read_ahead::ActionLines;
use crate::ledger::{PlanError, PlanReader};
use crate::model::Action;
use crate::rules::selectors::SelectedLines;

/// A plan that can be read again.
pub(super) trait PlanLines {
    /// Its lines, from the first.
    fn lines(&mut self) -> Result<Box<dyn ActionLines + '_>, EngineError>;
}

/// The base's own copy.
pub(super) struct OwnCopy<'p>(pub &'p Path);

/// The lines of a plan that are selected.
pub(super) struct Selected<'p> {
    pub plan: &'p mut PlanFile,
    pub lines: &'p SelectedLines,
}

impl PlanLines for OwnCopy<'_> {
    fn lines(&mut self) -> Result<Box<dyn ActionLines + '_>, EngineError> {
        Ok(Box::new(open_copy(self.0)?))
    }
}

impl PlanLines for Selected<'_> {
    fn lines(&mut self) -> Result<Box<dyn ActionLines + '_>, EngineError> {
        Ok(Box::new(Filtered(self.plan.reader()?, self.lines)))
    }
}

struct Filtered<'p, R>(PlanReader<R>, &'p SelectedLines);

impl<R: BufRead> ActionLines for Filtered<'_, R> {
    fn next_line(&mut self) -> Result<Option<Action>, PlanError> {
        loop {
            match self.0.next_line()? {
                Some(action) if !self.1.has(&action) => {}
                other => return Ok(other),
            }
        }
    }
}
