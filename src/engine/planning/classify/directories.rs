//! Skips that stand for all that is beneath a directory, which may be the whole guest.

use super::{Classifying, Decision};
use crate::model::{Count, FileState, Skip, SkipDetail, SkipReason};

impl Classifying<'_> {
    /// Why all files of this guest are kept private, and what is said of it: it is being maintained, or could take the
    /// flag off shared files.
    pub(super) fn kept_for_guest(&self) -> Option<(SkipReason, String)> {
        let guest = &self.survey.guest.name;
        let mut maintained = self.judge.maintained.iter();
        if let Some(one) = maintained.find(|one| one.name == *guest) {
            let why = format!("since {}; unify refreeze ends it", one.since);
            return Some((SkipReason::BeingMaintained, why));
        }
        let reason = SkipReason::FlagClearer;
        let clearing = self.survey.clearing.as_ref()?;
        let is_refused = self.judge.policy.flag_clearers.refuse(clearing.answer);
        (is_refused && !self.care.falls(reason)).then(|| (reason, clearing.why.clone()))
    }

    /// A file that could be shared, of a guest whose files are kept private: one line stands for all of them.
    pub(super) fn keep_for_guest(
        &mut self,
        file: usize,
        state: &FileState,
        reason: SkipReason,
        why: String,
    ) -> Decision {
        let names: Vec<usize> = self.survey.scan.tree.names_of(file).collect();
        self.done.count(reason, state.size);
        if self.judge.policy.skips == SkipDetail::All {
            for name in names {
                let skip = self.plain(name, reason, state);
                self.done.list(self.survey, name, skip);
            }
        } else if let Some(first) = names.first() {
            let mut skip = self.plain(*first, reason, state);
            skip.note = Some(why);
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
