//! What a run that was cut short had begun to share, or to give blocks of its own: the journal names the files, and the
//! extent maps say how far it came. Nothing needs to be put right, because no content depends on it; but what is shared
//! shall be known, so that it can be undone.

use std::collections::BTreeMap;

use crate::engine::Guest;
use crate::ledger::journal::OpenBatch;
use crate::link::Unshare;
use crate::model::{About, CommonBlocks, GuestName, Outcome, Receipt, ReceiptLine, RunId, RunKind};
use crate::sys::{Regular, SysResult};

/// Guests of the run that are there.
type Guests = BTreeMap<GuestName, Guest>;

/// Lines for the receipt, of files whose batch has none that are sure to be on disk.
pub(super) fn lines(
    batch: &OpenBatch,
    receipt: Option<&Receipt>,
    guests: &Guests,
) -> SysResult<Vec<ReceiptLine>> {
    let Some(what) = receipt.map(|receipt| receipt.what) else {
        return Ok(Vec::new());
    };
    let mut lines = Vec::new();
    for (_, blocks) in &batch.blocks {
        let Some(file) = open(blocks, guests) else {
            continue;
        };
        let shared = match what {
            RunKind::Apply => shared(&file, blocks, guests)?,
            RunKind::Undo | RunKind::Forget | RunKind::Break => Unshare::All.bytes(&file)?,
        };
        let is_done = (shared > 0) == (what == RunKind::Apply);
        lines.extend(is_done.then(|| line(blocks, shared)));
    }
    Ok(lines)
}

/// Where its source cannot be asked, what others have as well may be its.
fn shared(file: &Regular, blocks: &CommonBlocks, guests: &Guests) -> SysResult<u64> {
    let source = guests.get(&blocks.source.guest);
    let path = blocks.source.path.relative();
    match source.and_then(|guest| guest.root.open_regular(path).ok()?) {
        Some(source) => Ok(file.overlap(&source)?.together),
        None => Unshare::All.bytes(file),
    }
}

/// The file, where one of its names refers to it still.
fn open(blocks: &CommonBlocks, guests: &Guests) -> Option<Regular> {
    let root = &guests.get(&blocks.guest)?.root;
    let names = blocks.paths.iter();
    let mut files = names.filter_map(|name| root.open_regular_seen(name.relative()).ok()?);
    let found = files.find(|(_, state)| state.id.ino == blocks.ino);
    found.map(|(file, _)| file)
}

fn line(blocks: &CommonBlocks, shared: u64) -> ReceiptLine {
    ReceiptLine {
        about: About::Blocks(CommonBlocks {
            shared,
            ..blocks.clone()
        }),
        outcome: Outcome::Done {
            made: None,
            saved: 0,
            mtime: None,
        },
    }
}

/// What a person is told of them.
pub(super) fn note(run: &RunId, lines: &[ReceiptLine]) -> Option<String> {
    let files = lines.len();
    let text = "changed the blocks of files before it was cut short, and its receipt says so now";
    (files > 0).then(|| format!("run {run} {text}: {files}"))
}
