//! One batch: the only way in which names of guests come to refer to other inodes.
//!
//! The steps, of which each is durable or harmless before the next:
//!
//! 1. announce: every name, every flag that will be off, in the journal, synced
//! 2. give adopted inodes their names in the base, and sync: objects and copies are durable before any name refers
//!    to them; freeze guests that run, where that is allowed; look again who runs, whose jobs and objects are left out,
//!    and whether every directory is where it was and every file as it was; lift the flags of objects that will get or
//!    lose a name
//! 3. per job: exchange its names one by one, put the directory's time back after each, look at what came out, look at
//!    the file once more
//! 4. set the flags, read them back
//! 5. sync the file system; if that fails the run ends here and nothing is dropped
//! 6. look at leases and mounts once more; let go what was frozen, if the flags are on; commit in the journal, synced;
//!    tell the caller, who writes the receipt
//! 7. drop what came out; what somebody opens for writing since he went on goes into quarantine
//!
//! `undo` drops before it sets the flags, because a name of a flagged inode cannot be removed.

mod affected;
mod directories;
pub(super) mod job;
pub(super) mod journal;
pub(super) mod names;
mod recheck;

use std::collections::HashMap;
use std::rc::Rc;

use super::activity::freeze::Still;
use super::records::holders::Holding;
use super::{EngineError, Guest, in_parallel};
use crate::base::{Base, Run};
use crate::ledger::journal::{Intent, Record};
use crate::model::{GuestPath, Ignored, ObjectId, Refusal};
use crate::sys::hash::metadata_digest;
use crate::sys::{Leased, Meaning, SysError, SysResult, Weak, weak};
use affected::Concerned;
use directories::{Parent, Parents};
use job::{Fate, Flagged, Job};
use journal::JournalFile;
use names::{Flight, Flights};

/// When the flags go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Before the sync: the shared inode is never unprotected on disk.
    FlagThenDrop,
    /// After the names in staging are gone: they are names of the flagged inode.
    DropThenFlag,
}

/// Everything that a batch works with.
pub(super) struct Batch<'a, 'b> {
    pub base: &'a Base,
    pub run: &'a Run,
    pub guests: &'a [Guest],
    pub journal: &'a mut JournalFile,
    pub order: Order,
    /// Who holds names of which object; its guests begin with `guests`.
    pub holding: &'a Holding<'a>,
    /// Freezes those that run, if it may.
    pub still: &'a mut Still<'b>,
    /// Metadata that the policy ignores, to know an object's metadata digest.
    pub ignore: &'a [Ignored],
}

/// What a batch leaves.
#[derive(Debug, Default)]
pub(super) struct Landed {
    /// What could not be put back to what it was, and is not content.
    pub warnings: Vec<String>,
    /// Files of a guest that were put into quarantine.
    pub quarantined: u64,
    /// What became of each job.
    pub fates: Vec<Fate>,
    /// Objects that were to be adopted and are none.
    pub given_up: Vec<ObjectId>,
    /// Jobs that are done and whose old files were kept after that was said: they give no room back.
    pub kept: Vec<usize>,
}

impl<'a> Batch<'a, '_> {
    /// Executes the jobs; `adopted` are the files whose inodes become objects. `committed` is called with the fates once
    /// they are durable, before anything is dropped.
    pub fn execute(
        mut self,
        jobs: &[Job],
        flags: &[Flagged],
        adopted: &[Flagged],
        committed: &mut dyn FnMut(&[Fate]) -> SysResult<()>,
    ) -> Result<Landed, EngineError> {
        let base = self.base;
        let result = self.steps(jobs, flags, adopted, committed);
        result.map_err(|error| EngineError::halted(base, error))
    }

    fn steps(
        &mut self,
        jobs: &[Job],
        flags: &[Flagged],
        adopted: &[Flagged],
        committed: &mut dyn FnMut(&[Fate]) -> SysResult<()>,
    ) -> SysResult<Landed> {
        let concerned = Concerned::of(jobs, flags, self.holding)?;
        let mut parents = Parents::default();
        let mut flights = self.plan_flights(jobs, &mut parents);
        self.announce(&flights, flags)?;
        self.name_adopted(adopted, jobs, &mut flights)?;
        self.base.dir().sync_filesystem()?;
        self.still.freeze(&self.guests_at(&concerned.guests))?;
        let lifted = self.stop_if_running(&concerned, jobs, flags, &mut flights)?;
        self.stop_if_moved(jobs, &mut flights, &parents)?;
        let guards = self.guard(&lifted, jobs, &mut flights)?;
        guards
            .iter()
            .try_for_each(|guard| guard.file().set_immutable(false))?;
        for (job, flight) in jobs.iter().zip(&mut flights) {
            flight.move_names(job, self.run, self.base)?;
        }
        self.look_again(jobs, &mut flights)?;
        let mut warnings = parents.restore_times();
        if self.order == Order::FlagThenDrop {
            self.flag(flags, jobs, &mut flights)?;
        }
        if !weak(Weak::DropBeforeSync) {
            self.base.dir().sync_filesystem()?;
        }
        self.last_look(jobs, &guards, &mut flights)?;
        let given_up = self.give_up_spoiled(adopted, jobs, &mut flights)?;
        warnings.extend(parents.restore_times());
        if self.order == Order::FlagThenDrop {
            self.still.thaw()?;
            notice_writers(jobs, &mut flights)?;
        }
        let upto = self.journal.last();
        self.journal.write_durably(&[Record::Commit { upto }])?;
        let fates: Vec<Fate> = flights.iter().map(|flight| flight.fate.clone()).collect();
        committed(&fates)?;
        let (said, kept) = self.drop_out(jobs, &mut flights, &guards)?;
        warnings.extend(said);
        self.journal.write(&[Record::Done { upto }])?;
        let quarantined = flights.iter().map(|flight| flight.quarantined).sum();
        Ok(Landed {
            warnings,
            quarantined,
            fates,
            given_up,
            kept,
        })
    }

    /// A file that was deleted since it was prepared has no name to share; its job is over.
    fn name_adopted(
        &self,
        adopted: &[Flagged],
        jobs: &[Job],
        flights: &mut [Flights],
    ) -> SysResult<()> {
        for object in adopted {
            match self.base.add_object(&object.file, &object.id) {
                Err(error) if error.meaning() == Meaning::Gone => {
                    let gone = Fate::Refused(Refusal::Gone {});
                    self.take_back_all(&object.id, jobs, flights, &gone)?;
                }
                other => other?,
            }
        }
        Ok(())
    }

    /// An adopted inode whose own job did not end well is no object: its twins go back to their files, and it to its
    /// guest alone.
    fn give_up_spoiled(
        &self,
        adopted: &[Flagged],
        jobs: &[Job],
        flights: &mut [Flights],
    ) -> SysResult<Vec<ObjectId>> {
        let makers = makers(jobs);
        let mut given_up = Vec::new();
        for object in adopted {
            let Some(fate) = spoiled(&object.id, &makers, flights) else {
                continue;
            };
            self.take_back_all(&object.id, jobs, flights, &fate)?;
            object.file.set_immutable(false)?;
            SysError::absent(self.base.remove_object(&object.id))?;
            given_up.push(object.id);
        }
        Ok(given_up)
    }

    /// What came out goes, unless somebody opens it for writing by now; an undo sets its flags after that, and lets go
    /// last. Returns what is to be said of files that are kept only now, and their jobs.
    fn drop_out(
        &mut self,
        jobs: &[Job],
        flights: &mut [Flights],
        guards: &[Leased],
    ) -> SysResult<(Vec<String>, Vec<usize>)> {
        let (mut said, mut kept) = (Vec::new(), Vec::new());
        for (at, (job, flight)) in jobs.iter().zip(flights).enumerate() {
            let before = matches!(flight.fate, Fate::Done);
            if self.order == Order::FlagThenDrop {
                flight.notice_writer(job, job.old.stands())?;
            }
            if before && !matches!(flight.fate, Fate::Done) {
                kept.push(at);
            }
            let guest = self.guests.get(job.guest).map(|guest| &guest.name);
            let names = flight.drop_staged(self.run, self.base)?;
            said.extend(names.iter().zip(guest).map(|(name, guest)| {
                format!("{guest}:{name} was opened for writing while it was replaced: the old file is in quarantine, with what was written")
            }));
        }
        if self.order == Order::DropThenFlag {
            guards
                .iter()
                .try_for_each(|guard| guard.file().set_immutable(true))?;
            self.base.dir().sync_filesystem()?;
            self.still.thaw()?;
        }
        Ok((said, kept))
    }

    /// The guests with these numbers.
    pub(super) fn guests_at(&self, at: &[usize]) -> Vec<&'a Guest> {
        let guests = self.holding.guests();
        at.iter()
            .filter_map(|at| guests.get(*at).copied())
            .collect()
    }

    /// All jobs about an object that are not over yet.
    pub(super) fn take_back_all(
        &self,
        object: &ObjectId,
        jobs: &[Job],
        flights: &mut [Flights],
        fate: &Fate,
    ) -> SysResult<()> {
        self.take_back_where(&|job, _| job.object == *object, jobs, flights, fate)
    }

    /// All such jobs that are not over yet. Where the object was to be the inode of one of them, nothing is wrong with the
    /// others: they try again with another one.
    pub(super) fn take_back_where(
        &self,
        concerned: &dyn Fn(&Job, &Flights) -> bool,
        jobs: &[Job],
        flights: &mut [Flights],
        fate: &Fate,
    ) -> SysResult<()> {
        let makers = makers(jobs);
        for (job, flight) in jobs.iter().zip(flights) {
            if flight.fate != Fate::Done || !concerned(job, flight) {
                continue;
            }
            let again = job.new.is_some() && makers.contains_key(&job.object);
            let fate = if again { &Fate::Again } else { fate };
            flight.take_back(job, self.run, self.base, fate.clone())?;
        }
        Ok(())
    }

    /// Opens the directories and gives every name its number. A job whose directories cannot be opened is over.
    fn plan_flights(&mut self, jobs: &[Job], parents: &mut Parents) -> Vec<Flights> {
        let mut all = Vec::with_capacity(jobs.len());
        for job in jobs {
            let root = &self.guests[job.guest].root;
            let mut flights = Flights::default();
            for name in &job.names {
                match parents.of(job.guest, root, name) {
                    Ok(parent) => flights.names.push(self.flight(job, name, parent)),
                    Err(error) => {
                        flights.fate = Fate::from_path_error(&error);
                        flights.names.clear();
                        break;
                    }
                }
            }
            all.push(flights);
        }
        all
    }

    fn flight(&mut self, job: &Job, name: &GuestPath, parent: Rc<Parent>) -> Flight {
        let intent = Intent {
            seq: self.journal.number(),
            guest: self.guests[job.guest].name.clone(),
            path: name.clone(),
            parent: parent.id,
            was: job.state.id,
            becomes: job.new.as_ref().map_or(job.state.id, |new| new.id),
            object: job.object,
        };
        Flight::new(intent, parent)
    }

    fn announce(&mut self, flights: &[Flights], flags: &[Flagged]) -> SysResult<()> {
        let mut records = Vec::new();
        let states = in_parallel::each(flags, |flag| flag.file.state());
        for (flag, state) in flags.iter().zip(states) {
            records.push(Record::Lift {
                object: flag.id,
                inode: state?.id,
            });
        }
        records.extend(
            flights
                .iter()
                .flat_map(|job| &job.names)
                .map(|flight| Record::Intent(flight.intent.clone())),
        );
        self.journal.write_durably(&records)
    }

    /// Sets the flags, and proves that what is protected is what the object's name says. A job whose object is not
    /// is taken back. An inode that is not adopted after all stays its guest's, who may move.
    fn flag(&self, flags: &[Flagged], jobs: &[Job], flights: &mut [Flights]) -> SysResult<()> {
        let makers = makers(jobs);
        let wanted = |flag: &&Flagged| spoiled(&flag.id, &makers, flights).is_none();
        let wanted: Vec<&Flagged> = flags.iter().filter(wanted).collect();
        for flag in &wanted {
            flag.file.set_immutable(true)?;
        }
        let metadata = in_parallel::each(&wanted, |flag| flag.file.metadata(self.ignore));
        for (flag, metadata) in wanted.into_iter().zip(metadata) {
            let same = metadata_digest(&metadata?) == flag.id.metadata;
            if same || weak(Weak::NoLookAfterFlag) {
                continue;
            }
            let damaged = Fate::Refused(Refusal::DamagedObject {});
            self.take_back_all(&flag.id, jobs, flights, &damaged)?;
        }
        Ok(())
    }
}

fn notice_writers(jobs: &[Job], flights: &mut [Flights]) -> SysResult<()> {
    let stand = in_parallel::each(jobs, |job| job.old.stands());
    let mut all = jobs.iter().zip(flights).zip(stand);
    all.try_for_each(|((job, flight), stands)| flight.notice_writer(job, stands))
}

/// The jobs whose inodes become objects, by number: there are as many flags as jobs to look them up for.
fn makers(jobs: &[Job]) -> HashMap<ObjectId, usize> {
    let numbered = jobs.iter().enumerate();
    let adopted = numbered.filter(|(_, job)| job.new.is_none());
    adopted.map(|(at, job)| (job.object, at)).collect()
}

/// How the job whose inode becomes this object ended, where it did not end well.
fn spoiled(
    object: &ObjectId,
    makers: &HashMap<ObjectId, usize>,
    flights: &[Flights],
) -> Option<Fate> {
    let own = flights.get(*makers.get(object)?)?;
    Some(own.fate.clone()).filter(|fate| *fate != Fate::Done)
}
