//! The receipt of the current run: one line an action, durable before anything is dropped.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::ledger::ReceiptWriter;
use crate::model::{
    About, CommonBlocks, DiskChange, Event, FORMAT, FlagClearer, FreezeTimes, Link, ObjectId,
    Observer, Outcome, PartedInUse, Receipt, ReceiptGuest, ReceiptLine, Reflink, RunId, RunKind,
    RunTotals, Spoiled, StoppedBy, UsedFile,
};
use crate::sys::host::machine;
use crate::sys::own::papers::Growing;
use crate::sys::{SysError, SysResult};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunResult {
    /// Its name.
    pub run: RunId,
    /// Apply or undo.
    pub what: RunKind,
    /// Its counts.
    pub totals: RunTotals,
    /// How often each refusal code was met.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Files of guests that were put into quarantine and need a person.
    pub quarantined: u64,
    /// Was it stopped by a signal before its end? What was done is whole.
    pub interrupted: bool,
    /// Link actions, or files of an undo, that were done.
    pub links: u64,
    /// The limit that ended it early, as the user gave it.
    pub limit: Option<&'static str>,
    /// For how long running guests were frozen.
    pub stillness: FreezeTimes,
    /// Guests that could not be frozen because a process in them may take flags off files.
    pub clearers: Vec<FlagClearer>,
    /// Objects that were changed while they were not protected, in this run or in one that it healed.
    pub spoiled: Vec<Spoiled>,
    /// What was in use as it got inodes of its own.
    pub in_use: PartedInUse,
    /// What the disk says, where it was asked.
    pub disk: Option<DiskChange>,
}

impl RunResult {
    /// A run that has done nothing yet.
    pub(super) fn begun(run: RunId, what: RunKind) -> RunResult {
        RunResult {
            run,
            what,
            totals: RunTotals::default(),
            refusals: BTreeMap::new(),
            quarantined: 0,
            interrupted: false,
            links: 0,
            limit: None,
            stillness: FreezeTimes::default(),
            clearers: Vec::new(),
            spoiled: Vec::new(),
            in_use: PartedInUse::default(),
            disk: None,
        }
    }

    /// What ended it before all was done, if anything did.
    fn stopped(&self) -> Option<StoppedBy> {
        match (self.interrupted, self.limit) {
            (true, _) => Some(StoppedBy::Signal),
            (false, Some(_)) => Some(StoppedBy::Limit),
            (false, None) => None,
        }
    }
}

/// A receipt that grows: written when it is synced, a batch at a time.
pub(super) struct ReceiptFile<'a> {
    /// `None` where nothing is written.
    paper: Option<(ReceiptWriter<BufWriter<Growing>>, Growing)>,
    observer: &'a dyn Observer,
    pub result: RunResult,
    /// Bytes that lines say came back, and that did not.
    taken_back: u64,
}

impl<'a> ReceiptFile<'a> {
    pub fn create(
        path: &Path,
        receipt: &Receipt,
        observer: &'a dyn Observer,
    ) -> SysResult<ReceiptFile<'a>> {
        let (file, sync) = (Growing::open(path)?, Growing::open(path)?);
        let failed = |e| SysError::new("write", path, e);
        let mut writer = ReceiptWriter::new(BufWriter::new(file), receipt).map_err(failed)?;
        // The run that heals after us finds the guests by it.
        writer.flush().map_err(failed)?;
        let result = RunResult::begun(receipt.run.clone(), receipt.what);
        Ok(ReceiptFile {
            paper: Some((writer, sync)),
            observer,
            result,
            taken_back: 0,
        })
    }

    /// That of a run which changes nothing: it counts, and is written nowhere.
    pub fn unwritten(run: RunId, what: RunKind, observer: &'a dyn Observer) -> ReceiptFile<'a> {
        ReceiptFile {
            paper: None,
            observer,
            result: RunResult::begun(run, what),
            taken_back: 0,
        }
    }

    /// Adds what became of one action. Durable with the next [`ReceiptFile::sync`].
    pub fn add(&mut self, line: &ReceiptLine) -> SysResult<()> {
        self.add_used(line, Vec::new())
    }

    /// The same of a file that was in use as it got an inode of its own.
    pub fn add_used(&mut self, line: &ReceiptLine, uses: Vec<UsedFile>) -> SysResult<()> {
        self.count(line);
        if let Some((writer, _)) = &mut self.paper {
            writer.line_of_used(line, &uses).map_err(failed)?;
        }
        self.result.in_use.files.extend(uses);
        Ok(())
    }

    /// Files of so many bytes were kept after their lines were written: whichever line was to pay for the object,
    /// this room does not come back.
    pub fn takes_back(&mut self, bytes: u64) {
        self.taken_back += bytes;
    }

    /// Makes all lines so far durable.
    pub fn sync(&mut self) -> SysResult<()> {
        match &mut self.paper {
            Some((writer, sync)) => {
                writer.flush().map_err(failed)?;
                sync.sync()
            }
            None => Ok(()),
        }
    }

    /// Writes the totals, which say that the run ended by itself.
    pub fn finish(mut self) -> SysResult<RunResult> {
        let total = &mut self.result.totals.bytes;
        *total = total.saturating_sub(self.taken_back);
        self.result.totals.stopped = self.result.stopped();
        if let Some((writer, sync)) = self.paper {
            let mut file = writer.finish(&self.result.totals).map_err(failed)?;
            file.flush().map_err(failed)?;
            sync.sync()?;
        }
        Ok(self.result)
    }

    fn count(&mut self, line: &ReceiptLine) {
        let totals = &mut self.result.totals;
        match &line.outcome {
            Outcome::Done { saved, .. } => {
                totals.done += 1;
                self.result.links += u64::from(!matches!(line.about, About::Flag { .. }));
                let names = line.paths().len() as u64;
                totals.names += names;
                if matches!(line.about, About::Blocks(_)) {
                    totals.reflinks += names;
                }
                totals.bytes += saved;
            }
            Outcome::AlreadyDone => totals.already += 1,
            Outcome::Refused(refusal) => {
                totals.refused += 1;
                *self.result.refusals.entry(refusal.code()).or_default() += 1;
            }
            Outcome::Failed(_) => totals.failed += 1,
        }
        if matches!(line.outcome, Outcome::Refused(_) | Outcome::Failed(_)) {
            self.observer
                .notice(&Event::NotDone(line.guest(), line.paths(), &line.outcome));
        }
    }
}

fn failed(error: std::io::Error) -> SysError {
    SysError::new("write", "the receipt", error)
}

/// The first line of the receipt of a run that begins now, without what only some runs have.
pub(super) fn receipt_head(run: &RunId, what: RunKind, guests: Vec<ReceiptGuest>) -> Receipt {
    Receipt {
        kind: "unify.receipt".into(),
        format: FORMAT.into(),
        run: run.clone(),
        what,
        started: machine::now(),
        plan: None,
        undoes: None,
        protect: None,
        guests,
    }
}

/// The line of a link action.
pub(super) fn link_line(link: &Link, object: ObjectId, outcome: Outcome) -> ReceiptLine {
    ReceiptLine {
        about: About::Names {
            guest: link.guest.clone(),
            paths: link.names().cloned().collect(),
            object,
        },
        outcome,
    }
}

/// The line of a reflink action, after which the file has so many bytes in common with its source.
pub(super) fn reflink_line(line: &Reflink, shared: u64, outcome: Outcome) -> ReceiptLine {
    ReceiptLine {
        about: About::Blocks(common_blocks(line, shared)),
        outcome,
    }
}

/// The file of a reflink action and its source, with so many bytes in common.
pub(super) fn common_blocks(line: &Reflink, shared: u64) -> CommonBlocks {
    CommonBlocks {
        guest: line.guest.clone(),
        paths: line.names().cloned().collect(),
        ino: line.before.map_or(0, |before| before.ino),
        source: line.source.clone(),
        content: Some(line.content),
        size: Some(line.size),
        shared,
        left: 0,
    }
}

/// The line of a flag action.
pub(super) fn flag_line(object: ObjectId, outcome: Outcome) -> ReceiptLine {
    ReceiptLine {
        about: About::Flag { object },
        outcome,
    }
}
