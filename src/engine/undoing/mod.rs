//! `undo`: names get a private inode again, with the content and metadata that they have, by the same safe batch.
//!
//! Inode number, ctime and birth time cannot come back. Space is needed again, and is checked before the start.

mod blocks;
mod from_disk;
mod in_use;
pub(super) mod look;
mod part_owners;
mod prepare;
mod room;
pub(super) mod select;
mod still_shared;

use std::collections::BTreeSet;
use std::path::Path;

use super::activity::base::must_be_ours;
use super::activity::freeze::Freeze;
use super::exchange::journal::JournalFile;
use super::exchange::{Batch, FlagOrder};
use super::host::{disk_change, lock_note};
use super::limits::{Limits, Pace};
use super::privileges::{entitled, must_see_all};
use super::receipt_file::{ReceiptFile, RunResult, receipt_head};
use super::records::holders::{Holding, told, unknown_names};
use super::records::{History, Linked, receipts};
use super::{EngineError, Guest, guest, healing, parting};
use crate::base::{Base, RECEIPT, Run};
use crate::engine::protection;
use crate::model::{
    About, ChoseNothing, Event, ObjectId, Observer, Outcome, Receipt, ReceiptLine, Recovered,
    Refusal, RunId, RunKind, Running, Stage, Unit,
};
use crate::sys::SysResult;
use crate::sys::host::machine::{self, Filesystem};
use crate::sys::host::signals::Stop;
use crate::sys::own::papers::Lock;
use prepare::{UndoVerdict, Undoing, flags_of, prepare};
use select::{UndoChoice, UndoOptions, chosen_files, chosen_run, with_walked};

/// An undo that was checked and can be executed once.
pub struct ReadyToUndo {
    base: Base,
    run: Run,
    undoes: Option<RunId>,
    chosen: UndoChoice,
    /// Guests that hold other names of the base.
    holders: Vec<Guest>,
    history: History,
    /// What was found of an interrupted run.
    healed: Recovered,
    running: Running,
    limits: Limits,
    /// The disk before anything was written, and room that the copies take at most.
    disk: Filesystem,
    needed: u64,
    _lock: Lock,
}

impl ReadyToUndo {
    /// Finds out what there is to undo. Nothing in a guest is changed.
    pub fn check(
        base: &Path,
        options: &UndoOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToUndo, EngineError> {
        entitled("undo", "it sets owners and flags")?;
        must_see_all("undo")?;
        let base = match options.from_disk {
            // With its receipts the base itself may be lost.
            true => {
                from_disk::can_answer(options)?;
                Base::ensure(base)?
            }
            false => Base::existing(base)?,
        };
        let lock = base.lock(&lock_note("undo"))?;
        must_be_ours(&base)?;
        let healed = healing::heal_first(&base, options.running, observer)?;
        let history = History::read(&base)?;
        let (history, undoes, chosen) = chosen(&base, history, options, observer)?;
        guest::hold(&chosen.guests)?;
        let disk = machine::filesystem(base.dir())?;
        let run = base.begin_run()?;
        let holders = history.holders(&chosen.guests);
        let ready = ReadyToUndo {
            base,
            run,
            undoes,
            chosen,
            holders,
            history,
            healed,
            running: options.running,
            limits: options.limits,
            disk,
            needed: 0,
            _lock: lock,
        };
        match ready.enough_space() {
            Ok(needed) => Ok(ReadyToUndo { needed, ..ready }),
            Err(error) => {
                ready.base.forget_run(&ready.run)?;
                Err(error)
            }
        }
    }

    /// What the run is called.
    pub fn run(&self) -> &RunId {
        &self.run.id
    }

    /// How many files would get their own inode.
    pub fn files(&self) -> u64 {
        self.chosen.count()
    }

    /// Globs of `--path` that no file to undo has a name for.
    pub fn chose_nothing(&self) -> &[ChoseNothing] {
        &self.chosen.chose_nothing
    }

    /// How many bytes that takes at most.
    pub fn needed(&self) -> u64 {
        self.needed
    }

    /// The user did not agree: leaves no trace of the run.
    pub fn cancel(self) -> Result<(), EngineError> {
        Ok(self.base.forget_run(&self.run)?)
    }

    /// Executes it.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        self.work(observer, stop)
            .map_err(|error| error.in_a_run(&self.base))
    }

    fn work(&self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        let mut journal = JournalFile::begin(&self.run, RunKind::Undo)?;
        let mut receipt =
            ReceiptFile::create(&self.run.papers.join(RECEIPT), &self.receipt(), observer)?;
        receipt.result.spoiled.clone_from(&self.healed.spoiled);
        let everybody = self.chosen.guests.iter().chain(&self.holders).collect();
        let mut holding = Holding::new(everybody, &self.base, &self.history)?;
        self.answer_lost(&mut holding, &mut receipt)?;
        let mut still = Freeze::new(&self.base, self.running, observer)?;
        observer.notice(&Event::Begin(Stage::Apply, Unit::Files, Some(self.files())));
        let mut pace = Pace::new(self.limits);
        let papers = (&mut journal, &mut receipt);
        self.undo_blocks(papers, (&mut pace, stop), observer)?;
        let mut rest = &self.chosen.files[..];
        while !rest.is_empty() {
            let result = &mut receipt.result;
            if pace.is_over(result, stop) {
                break;
            }
            let mut room = still.room();
            room.names = pace.names_a_batch(room.names);
            let left = pace.actions_left(result);
            let batch = self.first_batch(rest, room, left)?;
            rest = &rest[batch.len()..];
            let before = receipt.result.totals.names;
            let work = BatchWork {
                holding: &mut holding,
                still: &mut still,
                journal: &mut journal,
                receipt: &mut receipt,
            };
            self.land(batch, work, observer)?;
            pace.keep(receipt.result.totals.names - before, stop);
            observer.notice(&Event::Advance(batch.len() as u64));
        }
        observer.notice(&Event::End);
        receipt.result.clearers = still.clearers();
        receipt.result.stillness = still.finish()?;
        let result = receipt.finish()?;
        self.base.end_run(&self.run)?;
        let objects: BTreeSet<ObjectId> = self.chosen.files.iter().map(|(_, f)| f.object).collect();
        for unknown in told(unknown_names(&self.base, &mut holding, objects)) {
            observer.notice(&Event::Warning(&unknown));
        }
        let disk = disk_change(&self.disk, self.base.dir(), false);
        Ok(RunResult { disk, ..result })
    }

    fn land(
        &self,
        files: &[(usize, Linked)],
        work: BatchWork<'_, '_, '_>,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        let BatchWork {
            holding,
            still,
            journal,
            receipt,
        } = work;
        let (ready, lines) = self.prepare_all(files, holding, still, receipt)?;
        if ready.is_empty() {
            return Ok(());
        }
        self.tell_damaged(&ready, &lines, observer);
        let jobs = ready.iter().map(|undoing| &undoing.job);
        let names = jobs.clone().map(|job| job.names.len()).sum();
        still.holds(names, jobs.map(|job| job.state.size).sum());
        let flags = flags_of(&ready);
        let parted = ready.into_iter().map(|undoing| (undoing.job, undoing.uses));
        let (jobs, uses): (Vec<_>, Vec<_>) = parted.unzip();
        let guests = &self.chosen.guests[..];
        let (base, run, order) = (&self.base, &self.run, FlagOrder::DropThenFlag);
        let batch = Batch {
            base,
            run,
            guests,
            journal,
            order,
            protection: protection::of(base)?,
            ignore: &[],
            holding: &*holding,
            still,
        };
        let result = batch.execute(&jobs, &flags, &[], &mut |fates| {
            for (((job, uses), file), fate) in jobs.iter().zip(&uses).zip(&lines).zip(fates) {
                let done = || Outcome::Done {
                    made: None,
                    saved: job.state.allocated(),
                    mtime: None,
                };
                let line = self.line(file, fate.bad_outcome().unwrap_or_else(done));
                receipt.add_used(&line, in_use::of_line(&line, uses))?;
            }
            receipt.sync()
        })?;
        receipt.result.quarantined += result.quarantined;
        result
            .warnings
            .iter()
            .for_each(|warning| observer.notice(&Event::Warning(warning)));
        let spoiled = &result.spoiled;
        let parted = parting::part_after_batch(&self.base, still, observer, spoiled, journal)?;
        receipt.result.spoiled.extend(parted);
        Ok(())
    }

    /// A guest that alone has a damaged object keeps what it sees.
    fn tell_damaged(&self, ready: &[Undoing], lines: &[&(usize, Linked)], observer: &dyn Observer) {
        for (undoing, file) in ready.iter().zip(lines).filter(|(one, _)| one.damaged) {
            let (guest, object) = (&self.chosen.guests[file.0].name, undoing.job.object);
            let names = &undoing.job.names;
            let shown = names.first().map(ToString::to_string).unwrap_or_default();
            observer.notice(&Event::Warning(&format!(
                "{guest}:{shown} keeps what it holds, which is not what object {object} was made with; no other guest has it"
            )));
        }
    }

    /// Compares every file with the disk; what cannot be done gets its outcome at once.
    fn prepare_all<'f>(
        &self,
        files: &'f [(usize, Linked)],
        holding: &mut Holding<'_>,
        still: &Freeze<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<ReadyFiles<'f>, EngineError> {
        // Nothing is frozen yet: what is done with the files is looked at, too.
        let conditions = still.look_whole(holding.guests())?;
        holding.next_batch();
        let (mut ready, mut lines) = (Vec::new(), Vec::new());
        for file in files {
            let guest = &self.chosen.guests[file.0];
            match prepare(&self.base, guest, file, &conditions, holding) {
                UndoVerdict::Ready(undoing) => {
                    in_use::not_all_known(
                        &guest.name,
                        &conditions[file.0],
                        &mut receipt.result.in_use,
                    );
                    ready.push(*undoing);
                    lines.push(file);
                }
                UndoVerdict::Over(outcome) => receipt.add(&self.line(file, outcome))?,
            }
        }
        Ok((ready, lines))
    }

    /// Writes the outcomes of files whose guests' roots are gone: a file that cannot be reached cannot be undone;
    /// one that has no names left need not be, and is forgotten.
    fn answer_lost(
        &self,
        holding: &mut Holding<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> SysResult<()> {
        for (guest, files) in &self.chosen.lost {
            for file in files {
                let state = self.base.object_state(&file.object)?;
                let left = match state {
                    Some(state) => holding.may_lift(&file.object, &state, 1, &[])?.is_err(),
                    None => false,
                };
                let refusal = if left {
                    Refusal::RootChanged {}
                } else {
                    Refusal::Gone {}
                };
                receipt.add(&ReceiptLine {
                    about: About::Names {
                        guest: guest.name.clone(),
                        paths: file.paths.clone(),
                        object: file.object,
                    },
                    outcome: Outcome::Refused(refusal),
                })?;
            }
        }
        receipt.sync()
    }

    fn line(&self, (guest, file): &(usize, Linked), outcome: Outcome) -> ReceiptLine {
        ReceiptLine {
            about: About::Names {
                guest: self.chosen.guests[*guest].name.clone(),
                paths: file.paths.clone(),
                object: file.object,
            },
            outcome,
        }
    }

    fn receipt(&self) -> Receipt {
        let present = self.chosen.guests.iter().map(Guest::for_receipt);
        let lost = self.chosen.lost_guests().cloned();
        Receipt {
            undoes: self.undoes.clone(),
            ..receipt_head(&self.run.id, RunKind::Undo, present.chain(lost).collect())
        }
    }
}

/// What is to be undone: of a run or all of them, by what receipts say; or what the disk shows.
fn chosen(
    base: &Base,
    history: History,
    options: &UndoOptions,
    observer: &dyn Observer,
) -> Result<(History, Option<RunId>, UndoChoice), EngineError> {
    if options.from_disk {
        let chosen = from_disk::choose(base, &history, options, observer)?;
        return Ok((history, None, chosen));
    }
    let history = with_walked(base, history, options, observer)?;
    receipts::tell(&history.damaged, base, observer);
    let undoes = chosen_run(&history, &options.which)?;
    let chosen = chosen_files(base, &history, undoes.as_ref(), options)?;
    Ok((history, undoes, chosen))
}

/// What every batch of an undo works with.
struct BatchWork<'w, 'a, 'o> {
    holding: &'w mut Holding<'a>,
    still: &'w mut Freeze<'a>,
    journal: &'w mut JournalFile,
    receipt: &'w mut ReceiptFile<'o>,
}

/// What may be undone, and the files that it is about.
type ReadyFiles<'f> = (Vec<Undoing>, Vec<&'f (usize, Linked)>);
