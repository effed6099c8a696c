//! Undo of reflinks: a file gets blocks of its own again, by the same call of the kernel by which it got those of
//! another. Nothing that is seen in its guest changes, so the guest may run, and what it writes meanwhile stays.
//!
//! Only what a run shared is given back. A file that is what it was then has all of its blocks copied that others have
//! as well. Of one that its guest has written to since, those that still lie where its source has them: the others may
//! be shared for a reason of the guest's, such as a snapshot. And another file at the name is its guest's own.

use std::collections::HashMap;

use super::ReadyToUndo;
use super::still_shared::open;
use crate::engine::exchange::journal::JournalFile;
use crate::engine::limits::Pace;
use crate::engine::receipt_file::ReceiptFile;
use crate::engine::records::Reflinked;
use crate::engine::{EngineError, Guest};
use crate::ledger::journal::Record;
use crate::link::{Unshare, WhyNotShared, unshare_blocks};
use crate::model::{
    About, CommonBlocks, Event, GuestName, Observer, Outcome, ReceiptLine, Refusal,
};
use crate::sys::host::signals::Stop;
use crate::sys::{Regular, SysError, SysResult};

/// Most files of a batch, and bytes that are copied in it: a signal waits for no more. Each batch waits for the disk
/// three times, whatever is in it.
const FILES: usize = 4096;
const BYTES: u64 = 256 << 20;

/// Guests whose files are the sources of others.
type SourceGuests = HashMap<GuestName, Option<Guest>>;

/// A file whose size is not known, and that has more bytes of holes than these, is not read to tell whether it is as it
/// was.
const MOST_HOLES: u64 = 1 << 30;

impl ReadyToUndo {
    /// Gives all files blocks of their own that were chosen, a batch at a time.
    pub(super) fn undo_blocks(
        &self,
        (journal, receipt): (&mut JournalFile, &mut ReceiptFile<'_>),
        (pace, stop): (&mut Pace, &Stop),
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        self.answer_lost_blocks(receipt)?;
        let mut sources = SourceGuests::new();
        let mut rest = &self.chosen.blocks[..];
        while !rest.is_empty() {
            let result = &mut receipt.result;
            if pace.is_over(result, stop) {
                break;
            }
            let most = pace.names_a_batch(FILES).min(pace.actions_left(result));
            let batch = &rest[..fit(rest, most)];
            rest = &rest[batch.len()..];
            let before = receipt.result.totals.names;
            self.land_blocks(batch, journal, receipt, &mut sources)
                .map_err(|error| EngineError::halted(&self.base, error))?;
            pace.keep(receipt.result.totals.names - before, stop);
            observer.notice(&Event::Advance(batch.len() as u64));
        }
        Ok(())
    }

    fn land_blocks(
        &self,
        files: &[(usize, Reflinked)],
        journal: &mut JournalFile,
        receipt: &mut ReceiptFile<'_>,
        sources: &mut SourceGuests,
    ) -> SysResult<()> {
        let announced = files.iter().map(|(_, file)| Record::Blocks {
            seq: journal.number(),
            blocks: file.blocks.clone(),
        });
        let announced: Vec<Record> = announced.collect();
        journal.write_durably(&announced)?;
        let mut lines = Vec::with_capacity(files.len());
        for (at, file) in files {
            let guest = &self.chosen.guests[*at];
            let left = self.left_beside(guest, file, sources);
            let outcome = self.own_blocks(guest, file, sources);
            let (shared, outcome) = match outcome {
                Ok(copied) => (copied, done(copied)),
                Err(outcome) => (0, outcome),
            };
            let blocks = CommonBlocks {
                shared,
                left,
                ..file.blocks.clone()
            };
            lines.push(line(blocks, outcome));
        }
        self.base.dir().sync_filesystem()?;
        lines.iter().try_for_each(|line| receipt.add(line))?;
        receipt.sync()?;
        journal.write_done()
    }

    /// What the disk shows is not all that receipts may tell of a file: bytes that stay in common with others. It is
    /// asked before, as a file system may take its time to see that copies are gone.
    fn left_beside(&self, guest: &Guest, reflinked: &Reflinked, sources: &mut SourceGuests) -> u64 {
        if reflinked.run.is_some() {
            return 0;
        }
        let Ok(file) = open(guest, &reflinked.blocks) else {
            return 0;
        };
        let Ok(all) = Unshare::All.bytes(&file) else {
            return reflinked.blocks.shared;
        };
        let source = self.source(reflinked, sources).ok();
        let common = source.and_then(|source| Unshare::With(&source).bytes(&file).ok());
        all.saturating_sub(common.unwrap_or(0))
    }

    /// How many bytes were copied.
    fn own_blocks(
        &self,
        guest: &Guest,
        reflinked: &Reflinked,
        sources: &mut SourceGuests,
    ) -> Result<u64, Outcome> {
        let file = open(guest, &reflinked.blocks)?;
        // What no receipt tells of others may have in common for reasons of their own.
        let is_known = reflinked.run.is_some();
        let is_as_it_was = is_known && is_as_it_was(&file, &reflinked.blocks).map_err(failed)?;
        let source = match is_as_it_was {
            true => None,
            false => Some(self.source(reflinked, sources)?),
        };
        let which = source.as_ref().map_or(Unshare::All, Unshare::With);
        let done =
            unshare_blocks(&file, which, self.base.dir()).map_err(
                |error| match WhyNotShared::of(&error) {
                    Some(WhyNotShared::Immutable) => Outcome::Refused(Refusal::Unchangeable {}),
                    Some(WhyNotShared::NoRoom) => Outcome::Refused(Refusal::NoRoom {}),
                    _ => failed(error),
                },
            )?;
        match (done.left, done.copied) {
            // What is still shared stays remembered, for the next undo.
            (true, _) => Err(Outcome::Refused(Refusal::OpenForWriting {})),
            (false, 0) => Err(Outcome::Refused(Refusal::OwnBlocks {})),
            (false, copied) => Ok(copied),
        }
    }

    /// The file whose blocks it got. Where that is gone, or another, nobody knows which of the blocks are its.
    fn source(
        &self,
        reflinked: &Reflinked,
        sources: &mut SourceGuests,
    ) -> Result<Regular, Outcome> {
        let own = || Outcome::Refused(Refusal::OwnBlocks {});
        let name = &reflinked.blocks.source.guest;
        let path = reflinked.blocks.source.path.relative();
        let open = |guest: &Guest| guest.root.open_regular(path).ok().flatten().ok_or_else(own);
        if let Some(guest) = self.chosen.guests.iter().find(|guest| guest.name == *name) {
            return open(guest);
        }
        let find = || {
            let known = self.history.guests.get(name)?;
            known.find_beside(name).ok().flatten()
        };
        let guest = sources.entry(name.clone()).or_insert_with(find);
        open(guest.as_ref().ok_or_else(own)?)
    }

    /// With a guest its blocks are gone.
    fn answer_lost_blocks(&self, receipt: &mut ReceiptFile<'_>) -> SysResult<()> {
        for (_, files) in &self.chosen.lost_blocks {
            for file in files {
                let gone = Outcome::Refused(Refusal::Gone {});
                receipt.add(&line(file.blocks.clone(), gone))?;
            }
        }
        receipt.sync()
    }
}

/// Has its guest not written to it since? The size tells it of most that were, and what was read when it was shared
/// can be read again.
fn is_as_it_was(file: &Regular, blocks: &CommonBlocks) -> SysResult<bool> {
    let state = file.state()?;
    // Holes cost a guest nothing, and whoever reads them much time.
    let holes = state.size.saturating_sub(state.allocated());
    let may_be = blocks
        .size
        .map_or(holes <= MOST_HOLES, |size| size == state.size);
    Ok(may_be
        && file
            .digest(state.size)
            .is_ok_and(|now| Some(now) == blocks.content))
}

/// How many of these files have room in one batch; at least one.
fn fit(files: &[(usize, Reflinked)], most: usize) -> usize {
    let mut bytes = 0u64;
    let within = files.iter().take(most).take_while(|(_, file)| {
        bytes = bytes.saturating_add(file.blocks.shared);
        bytes <= BYTES
    });
    within.count().max(1)
}

fn line(blocks: CommonBlocks, outcome: Outcome) -> ReceiptLine {
    ReceiptLine {
        about: About::Blocks(blocks),
        outcome,
    }
}

fn done(saved: u64) -> Outcome {
    Outcome::Done {
        made: None,
        saved,
        mtime: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn failed(error: SysError) -> Outcome {
    Outcome::Failed(error.to_string())
}
