//! The papers of breaks. A guest that writes once a minute for a year shall not make half a million runs: breaks of one
//! day with no other run between them are one run, which goes on. Its journal grows; its receipt is written anew each
//! time, whole or not at all, so that until then it says what it said.
//!
//! A run goes on only where all its papers are whole, nothing of it was healed and none of its bursts is being closed:
//! whatever a death leaves of it is then read as that of any run.

use std::io::Read;

use crate::base::{Base, JOURNAL, RECEIPT, RECOVERED, Run};
use crate::engine::EngineError;
use crate::engine::exchange::journal::JournalFile;
use crate::engine::receipt_file::{ReceiptFile, receipt_head};
use crate::engine::records::receipts;
use crate::engine::records::writers::object_names::ObjectNames;
use crate::ledger::{ReceiptWriter, journal};
use crate::model::{Quiet, Receipt, ReceiptLine, RunId, RunKind};
use crate::sys::host::machine;
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

/// A run whose receipt or journal takes so many bytes goes on no more: all of the one is written each time, and of the
/// other read.
pub(super) const LONGEST: u64 = 128 << 10;

/// `YYYYMMDD`, with which the name of a run begins.
const DAY: usize = 8;

/// The receipt of a run of breaks, as it was when this burst began.
pub(super) struct BurstReceipt {
    head: Receipt,
    lines: Vec<ReceiptLine>,
    /// The last number of the journal, where the run has been over before.
    goes_on: Option<u64>,
}

/// What is there of a run of which nothing came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CalledOff {
    /// What was there of it before.
    Over,
    /// Nothing.
    Gone,
}

/// Begins a run, or goes on with the last one, unless that is being closed. The caller has the turn.
pub(super) fn begin(
    base: &Base,
    names: &ObjectNames,
    is_closed: &dyn Fn(&RunId) -> bool,
) -> Result<(Run, JournalFile, BurstReceipt), EngineError> {
    if let Some(last) = base.runs()?.pop()
        && !is_closed(&last)
        && let Some(receipt) = may_go_on(base, &last, names)?
        && let Some(run) = base.resume_run(&last)?
    {
        let last = receipt.goes_on.unwrap_or(0);
        let journal = JournalFile::go_on(&run, RunKind::Break, last)?;
        return Ok((run, journal, receipt));
    }
    let run = base.begin_run()?;
    match first_papers(&run, names) {
        Ok((journal, receipt)) => Ok((run, journal, receipt)),
        Err(error) => {
            base.forget_run(&run)?;
            Err(error.into())
        }
    }
}

/// Whoever heals finds the guests by the receipt, and knows by the journal what it was.
fn first_papers(run: &Run, names: &ObjectNames) -> SysResult<(JournalFile, BurstReceipt)> {
    let head = receipt_head(&run.id, RunKind::Break, names.for_receipt());
    ReceiptFile::create(&run.papers.join(RECEIPT), &head, &Quiet)?.sync()?;
    let receipt = BurstReceipt {
        head,
        lines: Vec::new(),
        goes_on: None,
    };
    Ok((JournalFile::begin(run, RunKind::Break)?, receipt))
}

/// The receipt of the last run, if that is one of breaks that can go on.
fn may_go_on(
    base: &Base,
    last: &RunId,
    names: &ObjectNames,
) -> Result<Option<BurstReceipt>, EngineError> {
    let (day, now) = (last.to_string(), machine::stamp());
    let is_today = day.get(..DAY) == now.get(..DAY);
    let healed = papers::allocated(&base.run_paper(last, RECOVERED));
    if !is_today || SysError::absent(healed)?.is_some() {
        return Ok(None);
    }
    let bytes = SysError::absent(papers::allocated(&base.run_paper(last, RECEIPT)))?;
    let journal = last_of_whole(base, last)?;
    if bytes.is_none_or(|bytes| bytes > LONGEST) || journal.is_none() {
        return Ok(None);
    }
    let Some(mut reader) = receipts::open(base, last, RECEIPT)? else {
        return Ok(None);
    };
    let head = reader.receipt().clone();
    if head.what != RunKind::Break || head.guests != names.for_receipt() {
        return Ok(None);
    }
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        lines.push(line);
    }
    let end = reader.finish();
    let is_over = end.complete && end.damaged.is_empty();
    Ok(is_over.then_some(BurstReceipt {
        head,
        lines,
        goes_on: journal,
    }))
}

/// The last number of the journal, where that is one of breaks, not too long, with nothing in flight and no line that
/// is damaged: what is written behind one would not be read.
fn last_of_whole(base: &Base, run: &RunId) -> SysResult<Option<u64>> {
    let path = base.run_paper(run, JOURNAL);
    let Some(file) = SysError::absent(papers::open_for_reading(&path))? else {
        return Ok(None);
    };
    let mut bounded = file.take(LONGEST);
    let read = journal::read(&mut bounded).map_err(|e| SysError::new("read", &path, e))?;
    let batch = journal::open_batch(&read.records);
    let is_of_breaks = matches!(batch.run, Some((_, RunKind::Break)));
    let is_whole = bounded.limit() > 0 && read.damaged_at.is_none();
    let goes_on = is_of_breaks && is_whole && batch.intents.is_empty();
    Ok(goes_on.then(|| journal::last_number(&read.records)))
}

impl BurstReceipt {
    /// Writes it anew with these lines, durable before this returns.
    pub fn write(mut self, run: &Run, lines: Vec<ReceiptLine>) -> SysResult<()> {
        self.lines.extend(lines);
        let path = run.papers.join(RECEIPT);
        let failed = |e| SysError::new("write", &path, e);
        let mut count = ReceiptFile::unwritten(run.id.clone(), RunKind::Break, &Quiet);
        let mut writer = ReceiptWriter::new(NewFile::create(&path)?, &self.head).map_err(failed)?;
        for line in &self.lines {
            count.add(line)?;
            writer.line(line).map_err(failed)?;
        }
        let totals = count.finish()?.totals;
        writer.finish(&totals).map_err(failed)?.publish()
    }

    /// Nothing came of this burst.
    pub fn call_off(&self, base: &Base, run: &Run, journal: &JournalFile) -> SysResult<CalledOff> {
        if self.goes_on.is_none() {
            base.forget_run(run)?;
            return Ok(CalledOff::Gone);
        }
        // Where there is no room for that the run goes on no more.
        drop(journal.write_done());
        base.end_run(run)?;
        Ok(CalledOff::Over)
    }
}
