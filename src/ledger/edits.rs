//! What a reviewer did to a plan, counted while it is read.

use super::json::BadValue;
use super::line::{Decoded, Edit};
use super::plan_error::PlanError;
use crate::model::{Action, Totals};

/// Most edited lines that are listed one by one. Memory must not grow with the plan.
const MOST_LISTED: usize = 10_000;

/// What the lines of a plan show of a reviewer's work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    /// Link and flag lines that the summary counts and that are not there any more.
    pub removed: u64,
    /// Links and flags that were turned into skips.
    pub held: u64,
    /// Lines in which more was changed, and which fields.
    pub changed: Vec<(u64, Vec<&'static str>)>,
    /// Link and flag lines that were added by hand.
    pub unsealed: Vec<u64>,
    /// How many more changed or added lines there are than the two lists name: each names at most 10,000.
    pub unlisted: u64,
}

impl Edits {
    /// Was anything done that `apply` accepts only when told to?
    pub fn need_consent(&self) -> bool {
        !self.changed.is_empty() || !self.unsealed.is_empty()
    }
}

/// The count so far.
#[derive(Default)]
pub(super) struct EditCount {
    edits: Edits,
    kept: u64,
}

impl EditCount {
    pub(super) fn add(&mut self, line: u64, decoded: &Decoded) {
        let may_list = |length: usize| length < MOST_LISTED;
        let edits = &mut self.edits;
        match &decoded.edit {
            Edit::Unsealed if may_list(edits.unsealed.len()) => edits.unsealed.push(line),
            Edit::Changed(fields) if may_list(edits.changed.len()) => {
                edits.changed.push((line, fields.clone()));
            }
            Edit::Unsealed | Edit::Changed(_) => edits.unlisted += 1,
            Edit::Held => edits.held += 1,
            Edit::None => {}
        }
        let is_skip = matches!(decoded.action, Action::Skip(_));
        let was_planned = match decoded.edit {
            Edit::None | Edit::Changed(_) => !is_skip,
            Edit::Held => true,
            Edit::Unsealed => false,
        };
        self.kept += u64::from(was_planned);
    }

    /// The first line that was changed or added by hand, as the reason why the plan is not one.
    pub(super) fn blame(&self) -> Option<PlanError> {
        let changed = self
            .edits
            .changed
            .first()
            .map(|(line, fields)| (*line, fields.join("`, `")));
        let added = self
            .edits
            .unsealed
            .first()
            .map(|line| (*line, "seal".to_owned()));
        let (line, field) = changed.into_iter().chain(added).min()?;
        let why = "changed by hand, and no longer in order with the other lines".to_owned();
        Some(PlanError::Value {
            line,
            bad: BadValue { field, why },
        })
    }

    /// All edits; `totals` are those of the plan as it was made.
    pub(super) fn finish(self, totals: &Totals) -> Edits {
        let planned = totals.links.saturating_add(totals.flags);
        Edits {
            removed: planned.saturating_sub(self.kept),
            ..self.edits
        }
    }
}
