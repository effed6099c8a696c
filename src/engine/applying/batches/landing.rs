//! What becomes of a batch that was proven: its names are exchanged, or it is said what would become of its lines.

use crate::base::{Base, Run};
use crate::engine::applying::in_flight::{Pending, Unpaid, outcomes};
use crate::engine::exchange::job::{Fate, Job};
use crate::engine::exchange::journal::JournalFile;
use crate::engine::receipt_file::{ReceiptFile, link_line};
use crate::engine::{EngineError, Guest};
use crate::model::{Header, ObjectId, Protect};
use crate::sys::guest::Sharing;

/// What becomes of a batch.
pub enum AfterProof<'a> {
    /// Its names are exchanged.
    Execute {
        run: &'a Run,
        journal: &'a mut JournalFile,
    },
    /// Nothing.
    Rehearse,
}

/// What the loop is about, whether it changes anything or not.
pub struct LoopWorld<'a> {
    pub base: &'a Base,
    pub header: &'a Header,
    /// How objects are protected.
    pub mode: Protect,
    pub guests: &'a [Guest],
    /// Most names of an inode of this file system.
    pub max_links: u64,
    /// Can files here share blocks?
    pub sharing: &'a Sharing,
    /// Are all objects protected that the plan makes, wherever their flag lines stand?
    pub protects_all: bool,
}

/// Counts the lines as done. Objects that would be made are there for this batch alone: in the next, their twins are
/// proven by the name of the object.
pub fn rehearse(
    jobs: &[Job],
    pending: &[Pending],
    unpaid: &mut Unpaid,
    receipt: &mut ReceiptFile<'_>,
    sharing: &Sharing,
) -> Result<Vec<ObjectId>, EngineError> {
    let fates = vec![Fate::Done; jobs.len()];
    let outcomes = outcomes(jobs, pending, &fates, unpaid, sharing)?;
    for ((job, pending), outcome) in jobs.iter().zip(pending).zip(outcomes) {
        if let Some(outcome) = outcome {
            receipt.add(&link_line(&pending.link, job.object, outcome))?;
        }
    }
    Ok(Vec::new())
}
