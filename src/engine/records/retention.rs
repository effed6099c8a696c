//! Which papers of old runs may go.
//!
//! A run leaves a copy of its plan, a journal and a receipt. The journal is for healing. The receipt is the memory by
//! which names are found again, and the plan knows whose files they were: both may go when nothing that is shared
//! rests on them. So those of an apply stay while a name that it linked is shared, and those of an undo, or of
//! breaks, while an older apply stays whose lines they took back. The very last run stays in any case, for a daemon may
//! go on with it.

use std::collections::HashSet;

use super::History;
use crate::model::{RunEnd, RunId, RunKind};
use crate::sys::SysResult;

/// What may go of the runs before the last ones.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OldPapers {
    /// All that they left.
    pub all: Vec<RunId>,
    /// The journal alone.
    pub journals: Vec<RunId>,
}

impl OldPapers {
    /// Keeps the last `keep` runs as they are, and one at least.
    pub fn of(history: &History, keep: usize) -> SysResult<OldPapers> {
        let mut needed: HashSet<RunId> = HashSet::new();
        for file in history.files() {
            let (_, file) = file?;
            if !needed.contains(&file.run) {
                needed.insert(file.run);
            }
        }
        for file in history.blocks() {
            let run = file?.run;
            needed.extend(run.filter(|run| !needed.contains(run)));
        }
        // Where a guest is now may be said by one that linked nothing.
        let guests = history.guests.values();
        let known = guests.filter(|known| history.has_any(known));
        needed.extend(known.map(|known| known.said_by.clone()));
        let mut papers = OldPapers::default();
        let mut older_stays = false;
        let old = history.runs.len().saturating_sub(keep.max(1));
        for run in &history.runs[..old] {
            // What is in flight is healed by its journal, and what a damaged line said may be shared.
            let is_damaged = history.damaged.iter().any(|line| line.run == run.run);
            let is_over = run.end != RunEnd::Unfinished && !is_damaged;
            let stays = match run.what {
                RunKind::Apply => needed.contains(&run.run),
                RunKind::Undo | RunKind::Forget | RunKind::Break => {
                    older_stays || needed.contains(&run.run)
                }
            };
            older_stays |= !is_over || (stays && run.what == RunKind::Apply);
            match (is_over, stays) {
                (false, _) => {}
                // What kind of run it was stands in the journal as well, and that is short.
                (true, true) if run.what != RunKind::Apply => {}
                (true, true) => papers.journals.push(run.run.clone()),
                (true, false) => papers.all.push(run.run.clone()),
            }
        }
        Ok(papers)
    }
}
