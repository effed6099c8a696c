//! Files that could be shared but for what is done with them now.

use super::{Classifying, Decision};
use crate::model::{FileState, FileUse, SkipReason};

impl Classifying<'_> {
    /// The first use that keeps the file, and whose it is. Where none does, those that the policy lets in are noted.
    pub(super) fn keep_by_use(
        &self,
        names: &[usize],
        state: &FileState,
    ) -> Option<(SkipReason, String)> {
        let uses = self.survey.uses_of(names, state)?;
        let rules = self.care.uses();
        let kept = |(used, who): &(FileUse, String)| {
            Some((rules.keeps(*used, uses.is_owned)?, who.clone()))
        };
        if let Some(kept) = uses.all.iter().find_map(kept) {
            return Some(kept);
        }
        let let_in = uses.let_in(rules);
        let_in.for_each(|(reason, _)| self.uses.borrow_mut().lets_in(reason));
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
