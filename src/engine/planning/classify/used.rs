//! Files that could be shared but for what is done with them now.

use super::{Classifying, Decision};
use crate::model::{FileState, SkipReason};

impl Classifying<'_> {
    /// The first use that keeps the file, and whose it is. A use that the policy lets in is noted.
    pub(super) fn keep_by_use(
        &self,
        names: &[usize],
        state: &FileState,
    ) -> Option<(SkipReason, String)> {
        let uses = self.survey.uses_of(names, state)?;
        let rules = self.care.uses();
        for (used, who) in uses.all {
            if let Some(reason) = rules.keeps(used, uses.is_owned) {
                return Some((reason, who));
            }
            if let Some(reason) = rules.lets_in(used, uses.is_owned) {
                self.uses.borrow_mut().lets_in(reason);
            }
        }
        None
    }

    pub(super) fn keep_used(
        &mut self,
        names: &[usize],
        state: &FileState,
        (reason, who): &(SkipReason, String),
    ) -> Decision {
        self.done.count(*reason, state.size);
        for &name in names {
            let mut skip = self.plain(name, *reason, state);
            skip.note = Some(who.clone());
            self.done.list(self.survey, name, skip);
        }
        Decision::Listed
    }
}
