//! What a receipt that was cut says, and the second one beside it: what healing finished.

use std::collections::BTreeMap;
use std::path::Path;

use super::EngineError;
use super::cut_run::receipt_of;
use crate::base::Base;
use crate::ledger::{ReceiptReader, ReceiptWriter};
use crate::model::{Outcome, ReceiptLine, RunId, RunTotals};
use crate::sys::SysError;
use crate::sys::papers::{self, NewFile};

/// A second receipt beside the one that was cut: what healing finished. Own times of files that a healing which was cut in
/// its turn had noted are kept, for the files that tell them are gone.
pub(super) fn write_receipt(
    base: &Base,
    run: &RunId,
    mut lines: Vec<ReceiptLine>,
) -> Result<(), EngineError> {
    let path = base.run_paper(run, "recovered.jsonl");
    // One of a healing that was cut says what is not so any more.
    let wanted = !lines.is_empty() || SysError::absent(papers::open_for_reading(&path))?.is_some();
    let Some(receipt) = receipt_of(base, run).filter(|_| wanted) else {
        return Ok(());
    };
    let failed = |e| SysError::new("write", &path, e);
    take_over_times(&path, &mut lines);
    let mut writer = ReceiptWriter::new(NewFile::create(&path)?, &receipt).map_err(failed)?;
    for line in &lines {
        writer.line(line).map_err(failed)?;
    }
    let totals = RunTotals {
        done: lines.len() as u64,
        names: lines.iter().map(|line| line.paths.len() as u64).sum(),
        ..RunTotals::default()
    };
    Ok(writer.finish(&totals).map_err(failed)?.publish()?)
}

fn take_over_times(path: &Path, lines: &mut [ReceiptLine]) {
    let before = papers::open_for_reading(path).ok();
    let Some(mut before) = before.and_then(|file| ReceiptReader::open(file).ok()) else {
        return;
    };
    let mut times = BTreeMap::new();
    while let Ok(Some(line)) = before.next_line() {
        if let Outcome::Done {
            mtime: Some(time), ..
        } = line.outcome
        {
            let guest = line.guest;
            times.extend(
                line.paths
                    .into_iter()
                    .map(|path| ((guest.clone(), path), time)),
            );
        }
    }
    for line in lines {
        let mut paths = line.paths.iter();
        let known = paths.find_map(|path| times.get(&(line.guest.clone(), path.clone())));
        if let Outcome::Done { mtime, .. } = &mut line.outcome {
            *mtime = mtime.or(known.copied());
        }
    }
}
