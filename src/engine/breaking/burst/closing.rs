//! A burst that has ended is closed: all of it is made durable, and then written into its receipt, for a receipt that
//! said more than the disk would be believed. That takes as long as the disk needs for whatever guests have written,
//! so it is done in the background, and writers are answered meanwhile: the next burst goes on in the same turn, with
//! a run of its own.
//!
//! Others who want the turn get it when all is closed, and so no burst begins while one of them waits for that. One
//! burst is closed at a time, and one more may wait behind it. A disk tells of a failure once, so one that cannot be
//! closed takes all that came after it with it: what they left is healed.

use std::collections::VecDeque;
use std::sync::Arc;

use super::papers::BurstReceipt;
use crate::base::{Base, Run};
use crate::engine::EngineError;
use crate::engine::exchange::journal::JournalFile;
use crate::model::{ReceiptLine, RunId};
use crate::sys::guard::{AnswersWriters, InodeMark};
use crate::sys::own::papers::Lock;

/// What a burst has in the base.
pub(in crate::engine::breaking) struct BurstRun {
    pub run: Run,
    pub journal: JournalFile,
    pub(super) receipt: BurstReceipt,
}

/// What is to be closed.
pub(in crate::engine::breaking) struct BurstEnd {
    run: BurstRun,
    lines: Vec<ReceiptLine>,
    turn: Arc<Lock>,
}

impl BurstEnd {
    pub(super) fn of(run: BurstRun, lines: Vec<ReceiptLine>, turn: Arc<Lock>) -> BurstEnd {
        BurstEnd { run, lines, turn }
    }

    /// Closes it, but for the end of its run. `base` is open since before it began: of what failed before it is opened
    /// a file system says nothing.
    pub fn close(self, base: &Base) -> Result<Run, EngineError> {
        let BurstRun {
            run,
            journal,
            receipt,
        } = self.run;
        base.dir().sync_filesystem()?;
        receipt.write(&run, self.lines)?;
        journal.write_done()?;
        Ok(run)
    }
}

/// A directory of staging that the guard knows as ours.
pub(super) struct StagingMark<'a> {
    desk: &'a dyn AnswersWriters,
    mark: InodeMark,
}

impl<'a> StagingMark<'a> {
    pub fn of(desk: &'a dyn AnswersWriters, mark: InodeMark) -> StagingMark<'a> {
        StagingMark { desk, mark }
    }
}

impl Drop for StagingMark<'_> {
    fn drop(&mut self) {
        // A mark that is left is one of a directory that is gone.
        drop(self.desk.disown_directory(&self.mark));
    }
}

/// A burst that has ended.
pub(in crate::engine::breaking) struct EndedBurst<'a> {
    pub(super) end: BurstEnd,
    pub(super) staging: Option<StagingMark<'a>>,
}

/// The one that is being closed. Its turn is kept until it is known what came of that.
struct BurstClosing<'a> {
    run: RunId,
    turn: Arc<Lock>,
    _staging: Option<StagingMark<'a>>,
}

/// Bursts that have ended and are not closed yet.
#[derive(Default)]
pub(in crate::engine::breaking) struct Closings<'a> {
    under_way: Option<BurstClosing<'a>>,
    next: VecDeque<EndedBurst<'a>>,
}

impl<'a> Closings<'a> {
    /// Is nothing left to be closed?
    pub fn are_done(&self) -> bool {
        self.under_way.is_none()
    }

    /// Does one wait behind another?
    pub fn are_behind(&self) -> bool {
        !self.next.is_empty()
    }

    /// Is this run one of them?
    pub fn has(&self, run: &RunId) -> bool {
        let under_way = self.under_way.iter().map(|one| &one.run);
        let next = self.next.iter().map(|one| &one.end.run.run.id);
        under_way.chain(next).any(|one| one == run)
    }

    /// One more has ended. Gives what is to be closed now.
    pub fn add(&mut self, ended: EndedBurst<'a>) -> Option<BurstEnd> {
        self.next.push_back(ended);
        match self.are_done() {
            true => self.begin(),
            false => None,
        }
    }

    fn begin(&mut self) -> Option<BurstEnd> {
        let EndedBurst { end, staging } = self.next.pop_front()?;
        self.under_way = Some(BurstClosing {
            run: end.run.run.id.clone(),
            turn: Arc::clone(&end.turn),
            _staging: staging,
        });
        Some(end)
    }

    /// The one that was under way is closed, or was given up. Gives its turn, and what is to be closed now.
    pub fn end(&mut self) -> (Option<Arc<Lock>>, Option<BurstEnd>) {
        let turn = self.under_way.take().map(|one| one.turn);
        (turn, self.begin())
    }

    /// None of those that wait is closed.
    pub fn give_up(&mut self) {
        self.next.clear();
    }
}
