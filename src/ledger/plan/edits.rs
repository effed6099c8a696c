//! What a reviewer did to a plan, counted while it is read.

use super::error::PlanError;
use super::line::{Decoded, Edit};
use crate::ledger::json::BadValue;
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
    pub changed: Vec<(u64, Vec<String>)>,
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
    pub fn add(&mut self, line: u64, decoded: &Decoded) {
        let edits = &mut self.edits;
        match &decoded.edit {
            Edit::Changed(fields) => {
                let fields = fields.clone();
                self.add_changed(line, fields);
            }
            Edit::Unsealed if edits.unsealed.len() < MOST_LISTED => edits.unsealed.push(line),
            Edit::Unsealed => edits.unlisted += 1,
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

    /// Members of the header, a guest, the summary or the digest that were changed.
    pub(super) fn add_changed(&mut self, line: u64, fields: Vec<String>) {
        if fields.is_empty() {
            return;
        }
        if self.edits.changed.len() < MOST_LISTED {
            self.edits.changed.push((line, fields));
        } else {
            self.edits.unlisted += 1;
        }
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

    /// What was seen so far.
    pub fn so_far(&self) -> &Edits {
        &self.edits
    }

    /// All edits; `totals` are those of the plan as it was made.
    pub fn finish(self, totals: &Totals) -> Edits {
        let planned = totals.links.saturating_add(totals.flags);
        Edits {
            removed: planned.saturating_sub(self.kept),
            ..self.edits
        }
    }
}
