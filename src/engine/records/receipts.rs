//! Receipts as they lie in a base, each line for itself: one that is damaged costs that line, and is named.
//!
//! A first line that is damaged says neither what the run was nor where its guests were. The base's own copy of the
//! plan does, for an apply; and its journal says that a run was an undo. A receipt that is not there, or not even its
//! first line, is that of a run which has done nothing, unless its journal says otherwise: then it was lost.

use std::io::{BufRead, BufWriter};

use crate::base::{Base, JOURNAL, PLAN, RECEIPT};
use crate::engine::plan_file::open_copy;
use crate::engine::receipt_file::receipt_head;
use crate::ledger::journal::{self, Record};
use crate::ledger::{BadLine, BadValue, PlanReader, ReceiptError, ReceiptReader, ReceiptWriter};
use crate::model::{
    DamagedLine, Escaped, Event, Observer, PlanTarget, Protect, Receipt, ReceiptGuest, RunId,
    RunKind,
};
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

/// What a receipt is read from: its file, or nothing.
type ReceiptBytes = Box<dyn BufRead>;

/// Opens one of a run's receipts; `None` where there is none, and where the run was killed before its first line was
/// whole and has done nothing.
pub fn open(
    base: &Base,
    run: &RunId,
    name: &str,
) -> SysResult<Option<ReceiptReader<ReceiptBytes>>> {
    let path = base.run_paper(run, name);
    let reopen = || papers::open_for_reading(&path).map(|file| Box::new(file) as ReceiptBytes);
    let Some(file) = SysError::absent(reopen())? else {
        return Ok(lost(base, run, name, "it is not there"));
    };
    let opened = match ReceiptReader::open(file) {
        Err(ReceiptError::NotAReceipt) => {
            return Ok(lost(
                base,
                run,
                name,
                "it is empty, or its first line is cut off",
            ));
        }
        Err(ReceiptError::Head(bad)) => Ok(ReceiptReader::without_head(
            reopen()?,
            head(base, run),
            &bad,
        )),
        // The disk does not give it back.
        Err(ReceiptError::Read(error)) => {
            let bad = BadValue::unreadable(&error);
            Ok(ReceiptReader::without_head(
                reopen()?,
                head(base, run),
                &bad,
            ))
        }
        other => other,
    };
    let unusable = |e: ReceiptError| SysError::new("use", &path, std::io::Error::other(e));
    opened.map(Some).map_err(unusable)
}

/// A receipt of which nothing is left, where the journal shows that there was one: no name moves before its first line
/// is written.
fn lost(base: &Base, run: &RunId, name: &str, how: &str) -> Option<ReceiptReader<ReceiptBytes>> {
    let has_moved = name == RECEIPT
        && records(base, run)
            .iter()
            .any(|record| matches!(record, Record::Intent(_) | Record::Blocks { .. }));
    let nothing: ReceiptBytes = Box::new(std::io::empty());
    let why = format!("{how}, and by its journal the run has changed something");
    let bad = BadValue::lost(&why);
    has_moved.then(|| ReceiptReader::without_head(nothing, head(base, run), &bad))
}

/// What the first line must have said, as far as other papers tell. A run that nothing tells of is taken for one that
/// linked: a name that is believed to be shared is looked at, one that is forgotten is not.
fn head(base: &Base, run: &RunId) -> Receipt {
    let plan = open_copy(&base.run_paper(run, PLAN)).ok();
    let header = plan.as_ref().map(PlanReader::header);
    let target = header.and_then(|header| header.target.as_ref());
    let guests = plan.as_ref().map_or(&[][..], |plan| plan.guests());
    let guests = guests.iter().map(|guest| ReceiptGuest {
        name: guest.name.clone(),
        root: guest.root.clone(),
    });
    let what = match plan {
        Some(_) => RunKind::Apply,
        None => kind_in(&records(base, run)).unwrap_or(RunKind::Apply),
    };
    Receipt {
        started: begun(run),
        // What is in doubt is protected.
        protect: Some(
            target
                .and_then(PlanTarget::protect)
                .unwrap_or(Protect::Immutable),
        ),
        ..receipt_head(run, what, guests.collect())
    }
}

/// What its journal says, as far as it can be read.
fn records(base: &Base, run: &RunId) -> Vec<Record> {
    let file = papers::open_for_reading(&base.run_paper(run, JOURNAL)).ok();
    let read = file.and_then(|file| journal::read(file).ok());
    read.map_or(Vec::new(), |read| read.records)
}

fn kind_in(records: &[Record]) -> Option<RunKind> {
    records.iter().find_map(|record| match record {
        Record::Begin { what, .. } => Some(*what),
        _ => None,
    })
}

/// `YYYYMMDDTHHMMSSZ`, which a run's name begins with, as RFC 3339.
fn begun(run: &RunId) -> String {
    let name = run.to_string();
    let part = |from: usize, to: usize| name.get(from..to).unwrap_or_default();
    let (day, time) = (
        [part(0, 4), part(4, 6), part(6, 8)].join("-"),
        [part(9, 11), part(11, 13), part(13, 15)].join(":"),
    );
    format!("{day}T{time}Z")
}

/// Lines that were left out, with the place of their paper.
pub fn damaged(run: &RunId, name: &str, lines: Vec<BadLine>) -> impl Iterator<Item = DamagedLine> {
    let paper = format!("runs/{run}/{name}");
    let run = run.clone();
    lines
        .into_iter()
        .map(move |BadLine { line, why }| DamagedLine {
            run: run.clone(),
            paper: paper.clone(),
            line,
            why,
        })
}

/// Says, where lines are damaged, that there are such and how what they said is found again.
pub fn tell(damaged: &[DamagedLine], base: &Base, observer: &dyn Observer) {
    let Some(first) = damaged.first() else {
        return;
    };
    let (shown, many) = (Escaped::of(base.path()), damaged.len());
    observer.notice(&Event::Unread(&format!(
        "lines of receipts are damaged and count for nothing: {many}, the first is line {} of {}; `unify status --base {shown}` lists them, `unify recover --restored --base {shown}` finds on the disk what they said of names",
        first.line, first.paper
    )));
}

/// Puts receipts without their damaged lines in the place of these, for what the lines said is known from elsewhere
/// now. The damaged ones stay beside them.
pub fn mend(base: &Base, damaged: &[DamagedLine]) -> SysResult<()> {
    let mut papers: Vec<(&RunId, &str)> = damaged
        .iter()
        .filter_map(|one| Some((&one.run, one.paper.rsplit('/').next()?)))
        .collect();
    papers.dedup();
    papers
        .iter()
        .try_for_each(|(run, name)| mend_one(base, run, name))
}

fn mend_one(base: &Base, run: &RunId, name: &str) -> SysResult<()> {
    let path = base.run_paper(run, name);
    let Some(mut reader) = open(base, run, name)? else {
        return Ok(());
    };
    let failed = |e| SysError::new("write", &path, e);
    let kept = base.run_paper(run, &format!("{name}.damaged"));
    let whole = NewFile::create(&path)?;
    let mut writer = ReceiptWriter::new(BufWriter::new(whole), reader.receipt()).map_err(failed)?;
    while let Some(line) = reader.next_line() {
        writer.line(&line).map_err(failed)?;
    }
    let written = match reader.finish().totals {
        Some(totals) => writer.finish(&totals),
        None => writer.end(),
    };
    let buffered = written.map_err(failed)?;
    let whole = buffered.into_inner().map_err(|e| failed(e.into_error()))?;
    SysError::absent(papers::keep_as(&path, &kept))?;
    whole.publish()
}
