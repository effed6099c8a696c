//! `undo`: names get a private inode again, with the content and metadata that they have, by the same safe batch.
//!
//! Inode number, ctime and birth time cannot come back. Space is needed again, and is checked before the start.

use std::path::Path;

use super::apply::holder;
use super::batch::{Batch, Flagged, Order};
use super::history::{History, Linked};
use super::journal_file::JournalFile;
use super::receipts::{ReceiptFile, RunResult};
use super::undo_choice::{chosen_files, chosen_run};
use super::undo_prepare::{Undoing, Verdict, prepare};
use super::{EngineError, Guest, quiet, recover};
use crate::base::{Base, Run};
use crate::ledger::journal::Record;
use crate::model::{
    Event, FORMAT, GuestName, Observer, Outcome, Receipt, ReceiptGuest, ReceiptLine, Refusal,
    RunId, RunKind, Stage,
};
use crate::sys::machine;
use crate::sys::papers::Lock;
use crate::sys::signals::Stop;

/// Which runs are undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The last `apply` that still has names.
    Last,
    /// This run.
    Run(RunId),
    /// Every run.
    All,
}

/// What shall be undone.
#[derive(Debug, Clone)]
pub struct UndoOptions {
    /// Which runs.
    pub which: Which,
    /// Only these guests; all where empty.
    pub guests: Vec<GuestName>,
    /// Only files with a name that one of these globs matches; all where empty.
    pub paths: Vec<String>,
}

/// An undo that was checked and can be executed once.
pub struct ReadyToUndo {
    base: Base,
    run: Run,
    undoes: Option<RunId>,
    guests: Vec<Guest>,
    holders: Vec<Guest>,
    /// Guest and file, in order; the guest is an index.
    files: Vec<(usize, Linked)>,
    _lock: Lock,
}

impl ReadyToUndo {
    /// Finds out what there is to undo. Nothing in a guest is changed.
    pub fn check(
        base: &Path,
        options: &UndoOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToUndo, EngineError> {
        if !machine::is_root() {
            return Err(EngineError::CannotHere(
                "undo needs root: it sets owners and flags".into(),
            ));
        }
        let base = Base::existing(base)?;
        let lock = base.lock(&holder("undo"))?;
        recover::heal(&base, observer)?;
        let history = History::read(&base)?;
        let undoes = chosen_run(&history, &options.which)?;
        let (guests, files) = chosen_files(observer, &history, undoes.as_ref(), options)?;
        let run = base.begin_run()?;
        let holders = history.holders();
        let ready = ReadyToUndo {
            base,
            run,
            undoes,
            guests,
            holders,
            files,
            _lock: lock,
        };
        match ready.enough_space() {
            Ok(()) => Ok(ready),
            Err(error) => {
                ready.base.forget_run(&ready.run)?;
                Err(error)
            }
        }
    }

    /// How many files would get their own inode.
    pub fn files(&self) -> u64 {
        self.files.len() as u64
    }

    /// Nobody agreed: leaves no trace of the run.
    pub fn cancel(self) -> Result<(), EngineError> {
        Ok(self.base.forget_run(&self.run)?)
    }

    /// Executes it.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        self.work(observer, stop)
            .map_err(|error| error.in_a_run(&self.base))
    }

    fn work(&self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        let mut journal = JournalFile::create(&self.run.papers.join("journal"))?;
        journal.write_durably(&[Record::Begin {
            run: self.run.id.clone(),
            what: RunKind::Undo,
        }])?;
        let mut receipt = ReceiptFile::create(
            &self.run.papers.join("receipt.jsonl"),
            &self.receipt(),
            observer,
        )?;
        receipt.sync()?;
        observer.notice(&Event::Begin(Stage::Apply, Some(self.files())));
        for batch in batches(&self.files, machine::names_a_batch()) {
            if stop.asked() {
                receipt.result.interrupted = true;
                break;
            }
            self.land(batch, &mut journal, &mut receipt, observer)?;
            observer.notice(&Event::Advance(Stage::Apply, batch.len() as u64));
        }
        observer.notice(&Event::End(Stage::Apply));
        let result = receipt.finish()?;
        self.base.end_run(&self.run)?;
        Ok(result)
    }

    fn land(
        &self,
        files: &[(usize, Linked)],
        journal: &mut JournalFile,
        receipt: &mut ReceiptFile<'_>,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        let (ready, lines) = self.prepare_all(files, receipt)?;
        if ready.is_empty() {
            return Ok(());
        }
        let flags = flags_of(&ready);
        let jobs: Vec<_> = ready.into_iter().map(|undoing| undoing.job).collect();
        let (base, run, guests, order) =
            (&self.base, &self.run, &self.guests[..], Order::DropThenFlag);
        let concerned: Vec<&Guest> = self.guests.iter().chain(&self.holders).collect();
        let running = || quiet::anybody(&concerned);
        let batch = Batch {
            base,
            run,
            guests,
            journal,
            order,
            ignore: &[],
            running: &running,
        };
        let landed = batch.execute(&jobs, &flags, &[], &mut |fates| {
            for ((job, file), fate) in jobs.iter().zip(&lines).zip(fates) {
                let done = || Outcome::Done {
                    made: None,
                    saved: job.state.allocated(),
                    mtime: None,
                };
                receipt.add(&self.line(file, fate.bad_outcome().unwrap_or_else(done)))?;
            }
            receipt.sync()
        })?;
        receipt.result.quarantined += landed.quarantined;
        landed
            .warnings
            .iter()
            .for_each(|warning| observer.notice(&Event::Warning(warning)));
        Ok(())
    }

    /// Holds every file against the world; what cannot be done is answered at once.
    fn prepare_all<'f>(
        &self,
        files: &'f [(usize, Linked)],
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<Prepared<'f>, EngineError> {
        let everybody = || self.guests.iter().chain(&self.holders);
        let conditions = quiet::look(everybody())?;
        let running = everybody()
            .zip(&conditions)
            .find_map(|(g, c)| Some((g.name.clone(), c.running.clone()?)));
        let (mut ready, mut lines) = (Vec::new(), Vec::new());
        for file in files {
            match prepare(
                &self.base,
                &self.guests[file.0],
                file,
                &conditions[file.0],
                running.as_ref(),
            ) {
                Verdict::Ready(undoing) => {
                    ready.push(*undoing);
                    lines.push(file);
                }
                Verdict::Over(outcome) => receipt.add(&self.line(file, outcome))?,
            }
        }
        Ok((ready, lines))
    }

    fn line(&self, (guest, file): &(usize, Linked), outcome: Outcome) -> ReceiptLine {
        ReceiptLine {
            guest: Some(self.guests[*guest].name.clone()),
            paths: file.paths.clone(),
            object: file.object,
            outcome,
        }
    }

    /// Every copy needs its room again, at the same time as the object.
    fn enough_space(&self) -> Result<(), EngineError> {
        let mut needed: u64 = 0;
        for (_, file) in &self.files {
            needed = needed.saturating_add(
                self.base
                    .object_state(&file.object)?
                    .map_or(0, |state| state.allocated()),
            );
        }
        let free = machine::filesystem(self.base.dir())?.free;
        if needed <= free {
            return Ok(());
        }
        Err(EngineError::CannotHere(format!(
            "undo needs {needed} bytes and {free} are free: make room, or undo a part with --guest or --path"
        )))
    }

    fn receipt(&self) -> Receipt {
        let guest = |guest: &Guest| ReceiptGuest {
            name: guest.name.clone(),
            root: guest.path.clone(),
        };
        Receipt {
            kind: "unify.receipt".into(),
            format: FORMAT.into(),
            run: self.run.id.clone(),
            what: RunKind::Undo,
            started: machine::now(),
            plan: None,
            undoes: self.undoes.clone(),
            guests: self.guests.iter().map(guest).collect(),
        }
    }
}

/// What may be undone, and the files that it is about.
type Prepared<'f> = (Vec<Undoing>, Vec<&'f (usize, Linked)>);

/// The flags that go off and on again: each object once.
fn flags_of(ready: &[Undoing]) -> Vec<Flagged> {
    let mut flags: Vec<Flagged> = Vec::new();
    for undoing in ready.iter().filter(|undoing| undoing.flagged) {
        if !flags.iter().any(|flag| flag.id == undoing.job.object) {
            flags.push(Flagged {
                id: undoing.job.object,
                file: std::rc::Rc::clone(&undoing.object),
            });
        }
    }
    flags
}

/// Cuts the files into batches of at most `most` names, at least one file each.
fn batches(files: &[(usize, Linked)], most: usize) -> impl Iterator<Item = &[(usize, Linked)]> {
    let mut rest = files;
    std::iter::from_fn(move || {
        let mut names = 0;
        let fits = rest.iter().take_while(|(_, file)| {
            names += file.paths.len();
            names <= most
        });
        let count = fits.count().max(1).min(rest.len());
        let (batch, behind) = rest.split_at(count);
        rest = behind;
        (!batch.is_empty()).then_some(batch)
    })
}

/// Kept here so that the words of `undo` stand together: a name that is the guest's own needs no undo.
pub(super) const NOT_OURS: Outcome = Outcome::Refused(Refusal::NotShared {});
