//! A second receipt beside that of the interrupted run: what healing finished.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use super::interrupted_run::receipt_of;
use crate::base::{Base, RECOVERED};
use crate::engine::EngineError;
use crate::engine::records::receipts;
use crate::ledger::ReceiptWriter;
use crate::ledger::journal::OpenBatch;
use crate::model::{GuestName, GuestPath, Outcome, ReceiptLine, RunId, RunKind, RunTotals, Time};
use crate::sys::SysError;
use crate::sys::own::new_file::NewFile;

/// A name of a guest.
type Named = (Option<GuestName>, GuestPath);

/// Writes it.
///
/// A healing that was interrupted itself may have written one before. The own times in it are kept, for the files
/// that show them are gone; and so is what it says of names that nothing else shows any more: those that an undo
/// gave back, whatever their guest made of them since, and those of a journal that cannot be read now.
pub(super) fn write_receipt(
    base: &Base,
    run: &RunId,
    batch: &OpenBatch,
    mut lines: Vec<ReceiptLine>,
) -> Result<(), EngineError> {
    let path = base.run_paper(run, RECOVERED);
    let before = written_before(base, run);
    let wanted = !lines.is_empty() || before.is_some();
    let Some(receipt) = receipt_of(base, run).filter(|_| wanted) else {
        return Ok(());
    };
    let before = before.unwrap_or_default();
    take_over_times(&before, &mut lines);
    let mut told: BTreeSet<Named> = lines.iter().flat_map(names).collect();
    if receipt.what == RunKind::Apply {
        let looked_at = batch.intents.iter();
        told.extend(looked_at.map(|intent| (Some(intent.guest.clone()), intent.path.clone())));
    }
    let more = before.into_iter();
    lines.extend(more.filter(|line| !names(line).any(|name| told.contains(&name))));
    let failed = |e| SysError::new("write", &path, e);
    let mut writer = ReceiptWriter::new(NewFile::create(&path)?, &receipt).map_err(failed)?;
    for line in &lines {
        writer.line(line).map_err(failed)?;
    }
    let totals = RunTotals {
        done: lines.len() as u64,
        names: lines.iter().map(|line| line.paths().len() as u64).sum(),
        ..RunTotals::default()
    };
    Ok(writer.finish(&totals).map_err(failed)?.publish()?)
}

fn names(line: &ReceiptLine) -> impl Iterator<Item = Named> {
    let paths = line.paths().iter();
    paths.map(|path| (line.guest().cloned(), path.clone()))
}

/// The lines of an earlier one, as far as they can be read; `None` where there is none.
fn written_before(base: &Base, run: &RunId) -> Option<Vec<ReceiptLine>> {
    let mut reader = receipts::open(base, run, RECOVERED).ok()??;
    Some(iter::from_fn(|| reader.next_line()).collect())
}

fn take_over_times(before: &[ReceiptLine], lines: &mut [ReceiptLine]) {
    let mut times: BTreeMap<Named, Time> = BTreeMap::new();
    for line in before {
        if let Outcome::Done {
            mtime: Some(time), ..
        } = line.outcome
        {
            times.extend(names(line).map(|name| (name, time)));
        }
    }
    for line in lines {
        let known = names(line).find_map(|name| times.get(&name).copied());
        if let Outcome::Done { mtime, .. } = &mut line.outcome {
            *mtime = mtime.or(known);
        }
    }
}
