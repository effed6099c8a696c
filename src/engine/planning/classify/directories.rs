//! Skips that stand for all that is beneath a directory, which may be the whole guest.

use super::{Classifying, Decision};
use crate::model::{Count, FileState, Skip, SkipDetail, SkipReason};

impl Classifying<'_> {
    /// Are the files of this guest kept private, because it could take the flag off shared ones?
    pub(super) fn is_refused(&self) -> bool {
        let answer = self.survey.clearing.as_ref().map(|one| one.answer);
        answer.is_some_and(|answer| self.judge.policy.flag_clearers.refuse(answer))
    }

    /// A file that could be shared, of a guest that could take the flag off: one line stands for all of them.
    pub(super) fn keep_for_guest(&mut self, file: usize, state: &FileState) -> Decision {
        let reason = SkipReason::FlagClearer;
        let names: Vec<usize> = self.survey.scan.tree.names_of(file).collect();
        self.done.count(reason, state.size);
        if self.judge.policy.skips == SkipDetail::All {
            for name in names {
                let skip = self.plain(name, reason, state);
                self.done.list(self.survey, name, skip);
            }
        } else if let Some(first) = names.first() {
            let mut skip = self.plain(*first, reason, state);
            skip.note = self.survey.clearing.as_ref().map(|one| one.why.clone());
            self.count_under(b"/".to_vec(), &skip, state, true);
        }
        Decision::Listed
    }

    pub(super) fn count_under(
        &mut self,
        under: Vec<u8>,
        skip: &Skip,
        state: &FileState,
        counts: bool,
    ) {
        let entry = self.directories.entry((under, skip.reason));
        let (count, _) = entry.or_insert_with(|| (Count::default(), skip.clone()));
        if counts {
            count.add(1, state.size);
        }
    }
}
