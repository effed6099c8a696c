//! What an interrupted run has written about itself: its journal, and the first line of its receipt.

use std::collections::{BTreeMap, HashSet};

use crate::base::{Base, JOURNAL, RECEIPT};
use crate::engine::Guest;
use crate::engine::records::receipts;
use crate::ledger::journal::{self, OpenBatch};
use crate::model::{Event, FileId, GuestName, Observer, Receipt, RunId, RunKind};
use crate::sys::guard;
use crate::sys::own::papers;
use crate::sys::{Dir, SysError, SysResult};

/// The first line of a run's receipt, where it got so far.
pub(super) fn receipt_of(base: &Base, run: &RunId) -> Option<Receipt> {
    let reader = receipts::open(base, run, RECEIPT).ok()??;
    Some(reader.receipt().clone())
}

/// What a journal says.
pub struct RunJournal {
    pub batch: OpenBatch,
    /// Is it all there, and does it name everything that lies in staging? Else it does not tell which flags were off.
    pub explains: bool,
}

/// The batch that was current; empty where there is no journal.
///
/// Everything in it is on the base's file system, whose device number may be another one since the last boot.
pub(super) fn read_journal(base: &Base, run: &RunId, staging: &Dir) -> SysResult<RunJournal> {
    let path = base.run_paper(run, JOURNAL);
    let Some(file) = SysError::absent(papers::open_for_reading(&path))? else {
        let batch = OpenBatch::default();
        return Ok(RunJournal {
            batch,
            explains: false,
        });
    };
    let read = journal::read(file).map_err(|e| SysError::new("read", &path, e))?;
    let mut batch = journal::open_batch(&read.records);
    let dev = base.dir().state()?.id.dev;
    for intent in &mut batch.intents {
        for id in [&mut intent.was, &mut intent.becomes, &mut intent.parent] {
            id.dev = dev;
        }
    }
    let explains = read.damaged_at.is_none() && names_all(&batch, staging)?;
    Ok(RunJournal { batch, explains })
}

impl RunJournal {
    /// Breaks move names of objects that need no lift, while their guests run.
    pub fn is_of_breaks(&self) -> bool {
        matches!(self.batch.run, Some((_, RunKind::Break)))
    }
}

fn names_all(batch: &OpenBatch, staging: &Dir) -> SysResult<bool> {
    let named = batch.intents.iter().map(|intent| intent.seq.to_string());
    let named: HashSet<Vec<u8>> = named.map(String::into_bytes).collect();
    Ok(staging.list()?.iter().all(|entry| named.contains(entry)))
}

/// The guests that the run's receipt names, as far as their roots are there.
pub(super) fn guests_of(receipt: Option<&Receipt>) -> BTreeMap<GuestName, Guest> {
    let named = receipt.into_iter().flat_map(|receipt| &receipt.guests);
    named
        .filter_map(|g| {
            let guest = Guest::open(g.name.clone(), &g.root).ok()?;
            Some((g.name.clone(), guest))
        })
        .collect()
}

/// Its copies are their guests' own now: who died held them, and nobody else would let them go.
pub(super) fn let_go(journal: &RunJournal, observer: &dyn Observer) {
    let copies = journal.batch.intents.iter().map(|intent| intent.becomes);
    let copies: Vec<FileId> = copies.filter(|_| journal.is_of_breaks()).collect();
    if let Err(error) = guard::let_go(&copies) {
        observer.notice(&Event::Warning(&format!(
            "files that a daemon held may not be written to until `unify guardd` starts: {error}"
        )));
    }
}
