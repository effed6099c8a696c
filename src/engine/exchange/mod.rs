//! One batch: the only way in which names of guests come to refer to other inodes.
//!
//! The steps, of which each is durable or harmless before the next:
//!
//! 1. announce: every name, every flag that will be off, in the journal, synced; then mark, where the guard protects
//! 2. give adopted inodes their names in the base, and sync: objects and copies are durable before any name
//!    refers to them; freeze guests that run, where that is allowed; look again which guests run, whose jobs and
//!    objects are left out, and whether every directory is where it was and every file as it was; lift the flags
//!    of objects that will get or lose a name
//! 3. per job: exchange its names one by one, put the directory's time back after each, look at what came out,
//!    look at the file once more
//! 4. set the flags, read them back; look at leases and mounts once more
//! 5. prove every shared inode under its flag (`proof`): what fails is rolled back, and named as spoiled; thaw what was
//!    frozen
//! 6. sync the file system; if that fails the run ends here and nothing is dropped; commit in the journal, synced;
//!    report to the caller, which writes the receipt
//! 7. prove every file that came out, and drop it; what is not what it was, or is opened for writing since guests
//!    went on, goes into quarantine
//!
//! `undo` drops before it sets the flags, because a name of a flagged inode cannot be removed; what others share is
//! proven then. It thaws last.

mod affected;
mod directories;
mod flags;
mod ground;
pub(super) mod job;
pub(super) mod journal;
mod makers;
pub(super) mod names;
pub(super) mod parted;
mod proof;
mod recheck;
mod shared_inode;

use std::rc::Rc;

use super::activity::freeze::Freeze;
use super::proof::SpoiledObject;
use super::records::holders::Holding;
use super::{EngineError, Guest, in_parallel};
use crate::base::{Base, Run};
use crate::ledger::journal::Record;
use crate::model::{GuestPath, Ignored, Moved, ObjectId, Refusal};
use crate::protect::{Lifted, Protector};
use crate::sys::{Meaning, SysResult};
use affected::Affected;
use directories::{Parent, Parents};
use ground::Ground;
use job::{Fate, Flagged, Job};
use journal::JournalFile;
use makers::makers;
use names::{FileChange, NameChange};
use shared_inode::{Proofs, SharedInode, old_is_spent};

/// When the flags go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagOrder {
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
    pub order: FlagOrder,
    /// What protects the objects of this run.
    pub protection: &'static dyn Protector,
    /// Which guests hold names of which object; its guests begin with `guests`.
    pub holding: &'a Holding<'a>,
    /// Freezes the guests that run, if it may.
    pub still: &'a mut Freeze<'b>,
    /// Metadata that the policy ignores, to know an object's metadata digest.
    pub ignore: &'a [Ignored],
}

/// What a batch leaves.
#[derive(Debug, Default)]
pub(super) struct BatchResult {
    /// What could not be put back to what it was, and is not content.
    pub warnings: Vec<String>,
    /// Files of a guest that were put into quarantine.
    pub quarantined: u64,
    /// What became of each job.
    pub fates: Vec<Fate>,
    /// Objects that were to be adopted and are none.
    pub given_up: Vec<ObjectId>,
    /// Jobs that are done and whose old files were kept after that was reported: they give no room back.
    pub kept: Vec<usize>,
    /// Objects that were changed while they were not protected. Where there are some, the batch is not over in the
    /// journal until their holders are parted: see `parting`.
    pub spoiled: Vec<SpoiledObject>,
}

impl<'a> Batch<'a, '_> {
    /// Executes the jobs; `adopted` are the files whose inodes become objects. `committed` is called with the
    /// fates once they are durable, before anything is dropped.
    pub fn execute(
        mut self,
        jobs: &[Job],
        flags: &[Flagged],
        adopted: &[Flagged],
        committed: &mut dyn FnMut(&[Fate]) -> SysResult<()>,
    ) -> Result<BatchResult, EngineError> {
        let base = self.base;
        let _turn = base.turn()?;
        let result = self.steps(jobs, flags, adopted, committed);
        result.map_err(|error| EngineError::halted(base, error))
    }

    fn steps(
        &mut self,
        jobs: &[Job],
        flags: &[Flagged],
        adopted: &[Flagged],
        committed: &mut dyn FnMut(&[Fate]) -> SysResult<()>,
    ) -> SysResult<BatchResult> {
        let affected = Affected::of(jobs, flags, self.holding, &|id| self.stays_protected(id))?;
        let mut parents = Parents::default();
        let mut changes = self.announced(jobs, flags, adopted, &mut parents)?;
        self.still.freeze(&self.guests_at(&affected.guests))?;
        let due = self.stop_if_running(&affected, jobs, flags, &mut changes)?;
        self.stop_if_moved(jobs, &mut changes, &parents)?;
        let (leased, leases) = self.lease_objects(&due, jobs, &mut changes)?;
        self.still.must_stand()?;
        let shared = self.shared_inodes(jobs, &due)?;
        let mut lifted = self.lift(&leased)?;
        for (job, change) in jobs.iter().zip(&mut changes) {
            self.still.must_stand()?;
            change.move_names(job, &self.ground())?;
        }
        self.look_again(jobs, &mut changes)?;
        let mut warnings = parents.restore_times();
        if self.order == FlagOrder::FlagThenDrop {
            self.flag(flags, &mut lifted, jobs, &changes)?;
        } else {
            self.base.dir().sync_filesystem()?;
        }
        self.last_look(&affected, jobs, &leases, &mut changes)?;
        // A lease of ours that was broken would stand in the way of a new one.
        drop(leases);
        let mut proven = match self.order {
            FlagOrder::FlagThenDrop => self.prove_objects(&shared, jobs, &mut changes)?,
            FlagOrder::DropThenFlag => Proofs::default(),
        };
        let given_up = self.give_up_unmade(adopted, jobs, &mut changes)?;
        warnings.extend(parents.restore_times());
        self.still.must_stand()?;
        self.go_on(jobs, &mut changes)?;
        let upto = self.journal.last();
        self.journal.write_durably(&[Record::Commit { upto }])?;
        let fates: Vec<Fate> = changes.iter().map(|change| change.fate.clone()).collect();
        committed(&fates)?;
        self.look_late(&mut proven, jobs, &mut changes)?;
        let (said, kept) = self.drop_out(jobs, &mut changes)?;
        warnings.extend(said);
        if self.order == FlagOrder::DropThenFlag {
            proven = self.protect_after_drop(&leased, lifted, &shared, jobs, &mut changes)?;
        }
        self.close(&proven)?;
        Ok(BatchResult {
            warnings,
            quarantined: changes.iter().map(|change| change.quarantined).sum(),
            fates,
            given_up,
            kept,
            spoiled: proven.spoiled,
        })
    }

    /// All is proven, and what is shared is under its flag: guests need not wait for the disk. An undo is not there
    /// yet.
    fn go_on(&mut self, jobs: &[Job], changes: &mut [FileChange]) -> SysResult<()> {
        if self.order == FlagOrder::DropThenFlag {
            return Ok(());
        }
        self.still.thaw()?;
        self.base.dir().sync_filesystem()?;
        notice_writers(jobs, changes)
    }

    /// The changes of all jobs, in the journal; and all objects by their names in the base, durably.
    fn announced(
        &mut self,
        jobs: &[Job],
        flags: &[Flagged],
        adopted: &[Flagged],
        parents: &mut Parents,
    ) -> SysResult<Vec<FileChange>> {
        let mut changes = self.plan_flights(jobs, parents);
        self.announce(&changes, flags)?;
        self.protect_first(flags, adopted, jobs, &mut changes)?;
        self.name_adopted(adopted, jobs, &mut changes)?;
        self.base.dir().sync_filesystem()?;
        Ok(changes)
    }

    /// A file that was deleted since it was prepared has no name to share, and another may have a project or an
    /// encryption that keeps it where it is: its job is over, and its twins try again with another file. So is that of
    /// one which has been made immutable since, or has as many names as it may: another base has it.
    fn name_adopted(
        &self,
        adopted: &[Flagged],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<()> {
        for object in adopted {
            let changed = |field| {
                Fate::Refused(Refusal::Changed {
                    fields: vec![field],
                })
            };
            let Err(error) = self.base.add_object(&object.file, &object.id) else {
                continue;
            };
            let fate = match error.meaning() {
                Meaning::Denied if object.file.is_immutable()? => changed(Moved::Flags),
                // Another generation would be the same inode.
                Meaning::TooManyLinks => changed(Moved::Nlink),
                _ => Fate::from_name_error(&error),
            };
            self.roll_back_all(&object.id, jobs, changes, &fate)?;
        }
        Ok(())
    }

    /// Drops what came out, unless it is not what it was or a process opens it for writing meanwhile. Returns what is
    /// to be reported of files that are kept only now, and their jobs.
    fn drop_out(
        &mut self,
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<(Vec<String>, Vec<usize>)> {
        let (mut said, mut kept, ignore) = (Vec::new(), Vec::new(), self.ignore);
        // One that was rolled back is its guest's again, and may be anything.
        let pairs = jobs.iter().zip(&*changes);
        let due: Vec<_> = pairs
            .map(|(job, change)| (job, change.fate == Fate::Done))
            .collect();
        let is_spent = |(job, done): &(&Job, bool)| Ok(!done || old_is_spent(job, ignore)?);
        let spent = match self.order {
            FlagOrder::FlagThenDrop => in_parallel::each(&due, is_spent),
            FlagOrder::DropThenFlag => Vec::new(),
        };
        let mut spent = spent.into_iter();
        for (at, (job, change)) in jobs.iter().zip(changes).enumerate() {
            let before = matches!(change.fate, Fate::Done);
            if let Some(spent) = spent.next() {
                let is_spent = spent?;
                change.notice_writer(job, job.old.stands().map(|stands| stands && is_spent))?;
            }
            if before && !matches!(change.fate, Fate::Done) {
                kept.push(at);
            }
            let guest = self.guests.get(job.guest).map(|guest| &guest.name);
            let names = change.drop_staged(&self.ground())?;
            said.extend(names.iter().zip(guest).map(|(name, guest)| {
                format!("{guest}:{name} was opened for writing, or changed, while it was replaced: the old file is in quarantine, with what was written")
            }));
        }
        Ok((said, kept))
    }

    /// The end of an undo: protects what is still shared, and proves it.
    fn protect_after_drop(
        &mut self,
        leased: &[&Flagged],
        lifted: Vec<(ObjectId, Lifted)>,
        shared: &[SharedInode],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<Proofs> {
        self.protect_all(leased.iter().copied(), lifted)?;
        jobs.iter().for_each(|job| job.old.give_back());
        let proven = self.prove_objects(shared, jobs, changes)?;
        self.base.dir().sync_filesystem()?;
        self.still.thaw()?;
        Ok(proven)
    }

    /// The batch is over, unless holders of what is spoiled have to be parted first.
    fn close(&self, proven: &Proofs) -> SysResult<()> {
        if !proven.spoiled.is_empty() {
            return Ok(());
        }
        self.journal.write_done()
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            base: self.base,
            run: self.run,
            journal: self.journal,
            pulse: &|| (),
        }
    }

    /// The guests with these numbers.
    pub(super) fn guests_at(&self, at: &[usize]) -> Vec<&'a Guest> {
        let guests = self.holding.guests();
        at.iter()
            .filter_map(|at| guests.get(*at).copied())
            .collect()
    }

    /// Rolls back all jobs about an object that are not over yet.
    pub(super) fn roll_back_all(
        &self,
        object: &ObjectId,
        jobs: &[Job],
        changes: &mut [FileChange],
        fate: &Fate,
    ) -> SysResult<()> {
        self.roll_back_where(&|job, _| job.object == *object, jobs, changes, fate)
    }

    /// Rolls back all such jobs that are not over yet. Where the object was to be the inode of one of them,
    /// nothing is wrong with the others: they try again with another one.
    pub(super) fn roll_back_where(
        &self,
        affected: &dyn Fn(&Job, &FileChange) -> bool,
        jobs: &[Job],
        changes: &mut [FileChange],
        fate: &Fate,
    ) -> SysResult<()> {
        let makers = makers(jobs);
        for (job, change) in jobs.iter().zip(changes) {
            if change.fate != Fate::Done || !affected(job, change) {
                continue;
            }
            let again = job.new.is_some() && makers.contains_key(&job.object);
            let fate = if again { &Fate::Again } else { fate };
            change.roll_back(job, &self.ground(), fate.clone())?;
        }
        Ok(())
    }

    /// Opens the directories and gives every name its number. A job whose directories cannot be opened is over.
    fn plan_flights(&mut self, jobs: &[Job], parents: &mut Parents) -> Vec<FileChange> {
        let mut all = Vec::with_capacity(jobs.len());
        for job in jobs {
            let root = &self.guests[job.guest].root;
            let mut changes = FileChange::default();
            for name in &job.names {
                match parents.of(job.guest, root, name) {
                    Ok(parent) => changes.names.push(self.change(job, name, parent)),
                    Err(error) => {
                        changes.fate = Fate::from_path_error(&error);
                        changes.names.clear();
                        break;
                    }
                }
            }
            all.push(changes);
        }
        all
    }

    fn change(&mut self, job: &Job, name: &GuestPath, parent: Rc<Parent>) -> NameChange {
        let guest = &self.guests[job.guest].name;
        NameChange::of(self.journal.number(), guest, job, name, parent)
    }

    fn announce(&mut self, changes: &[FileChange], flags: &[Flagged]) -> SysResult<()> {
        let mut records = Vec::new();
        let states = in_parallel::each(flags, |flag| flag.file.state());
        for (flag, state) in flags.iter().zip(states) {
            records.push(Record::Lift {
                object: flag.id,
                inode: state?.id,
            });
        }
        records.extend(
            changes
                .iter()
                .flat_map(|job| &job.names)
                .map(|change| Record::Intent(change.intent.clone())),
        );
        self.journal.write_durably(&records)
    }
}

fn notice_writers(jobs: &[Job], changes: &mut [FileChange]) -> SysResult<()> {
    let stand = in_parallel::each(jobs, |job| job.old.stands());
    let mut all = jobs.iter().zip(changes).zip(stand);
    all.try_for_each(|((job, change), stands)| change.notice_writer(job, stands))
}
