//! One interrupted run: its names are finished or rolled back, what no journal explains is dropped or
//! quarantined, and flags are set again.

use std::collections::BTreeMap;

use super::adopted::Adopted;
use super::interrupted_run::RunJournal;
use super::leftovers;
use super::name::{Direction, Healed, InFlight, OldFile};
use super::quarantine::Quarantine;
use crate::base::Base;
use crate::engine::lifting::{Lifting, object_or_gone};
use crate::engine::proof::is_intact;
use crate::engine::protection;
use crate::engine::records::replayed::Replayed;
use crate::engine::{EngineError, Guest};
use crate::ledger::journal::Intent;
use crate::model::{
    About, Event, FileId, FileState, GuestName, GuestPath, ObjectId, Outcome, Receipt, ReceiptLine,
    Recovered, Time,
};
use crate::protect::Protector;
use crate::sys::{Dir, Regular, SysResult};

/// What healing did.
#[derive(Default)]
pub struct Done {
    pub lines: Vec<ReceiptLine>,
    /// Old files in staging that are needed until the lines are on disk.
    pub spent: Vec<Spent>,
    /// Objects that were without their protection.
    pub lifted: Vec<ObjectId>,
}

/// An old file in staging.
pub struct Spent {
    pub entry: String,
    pub object: ObjectId,
    /// Under a lease, where it is to be dropped and not to be kept for a person.
    pub old: Option<OldFile>,
}

/// What an interrupted run left, and what is known of it.
pub struct InterruptedRun<'a> {
    pub base: &'a Base,
    pub lifting: &'a Lifting<'a>,
    pub aside: Quarantine<'a>,
    pub staging: &'a Dir,
    pub guests: &'a BTreeMap<GuestName, Guest>,
    pub journal: &'a RunJournal,
    pub receipt: Option<&'a Receipt>,
    pub adopted: &'a Adopted<'a>,
    pub replayed: &'a Replayed<'a>,
}

impl InterruptedRun<'_> {
    /// Heals names first, then what no journal explains, then flags.
    pub fn put_right(&self, recovered: &mut Recovered) -> Result<Done, EngineError> {
        let (base, batch) = (self.base, &self.journal.batch);
        if !self.journal.explains {
            // Whatever becomes of this healing: what it finds here, the next one may not.
            let due = leftovers::unprotected(base, self.receipt, self.replayed)?;
            self.lifting.owe(&due)?;
        }
        let mut done = Done::default();
        let files = || batch.intents.chunk_by(|a, b| one_file(a) == one_file(b));
        for file in files().filter(|file| !file.iter().any(Intent::is_adoption)) {
            self.heal_file(file, &mut done, recovered)?;
        }
        // Only now is it known whether an adopted inode is shared.
        recovered.notes.extend(self.adopted.give_up_own()?);
        for file in files().filter(|file| file.iter().any(Intent::is_adoption)) {
            self.heal_file(file, &mut done, recovered)?;
        }
        let due: Vec<&String> = done.spent.iter().map(|spent| &spent.entry).collect();
        leftovers::drop_known(base, self.lifting, &self.aside, self.staging, &due)?;
        self.drop_damaged()?;
        // A name that was dropped may have been the last that kept one from being its guest's own.
        recovered.notes.extend(self.adopted.give_up_own()?);
        recovered.flags += flag_all(self.adopted)?;
        done.lifted = batch.lifted.iter().map(|(object, _)| *object).collect();
        if !self.journal.explains {
            let others = leftovers::protect_unprotected(base, self.receipt, self.replayed)?;
            recovered.flags += others.len() as u64;
            done.lifted.extend(others);
        }
        Ok(done)
    }

    /// Drops old files whose own times are on disk by now. What a process has opened to write since is kept for a
    /// person.
    pub fn drop_spent(&self, spent: Vec<Spent>) -> Result<(), EngineError> {
        for Spent { entry, object, old } in spent {
            self.adopted.observer.notice(&Event::Advance(1));
            if old.map_or(Ok(false), |old| old.stands())? {
                self.staging.unlink(entry.as_bytes())?;
            } else {
                self.aside.keep(self.staging, &entry, Some(&object))?;
            }
        }
        Ok(())
    }

    /// Drops an object that no guest refers to and that is not what its name says, because its content had not
    /// reached the disk or a guest wrote to it: it is of no use, and keeps the next apply from making an intact
    /// one. What a guest wrote was kept before its name was taken from it.
    fn drop_damaged(&self) -> SysResult<()> {
        for (object, _) in &self.journal.batch.lifted {
            let state = self.base.object_state(object)?;
            if state.is_none_or(|state| state.nlink > 1) {
                continue;
            }
            let file = self.base.object(object)?;
            if file.is_some_and(|file| !is_intact(&file, None, object).unwrap_or(true)) {
                self.lifting.retire(object)?;
            }
        }
        Ok(())
    }

    /// All names of one file are finished together, or rolled back together.
    fn heal_file(
        &self,
        file: &[Intent],
        done: &mut Done,
        recovered: &mut Recovered,
    ) -> Result<(), EngineError> {
        let in_flight = InFlight {
            base: self.base,
            lifting: self.lifting,
            aside: &self.aside,
            staging: self.staging,
            guest: file.first().and_then(|one| self.guests.get(&one.guest)),
            names: file,
        };
        let way = self.way(&in_flight)?;
        let (mut finished, mut unknown, mut mtime) = (Vec::new(), Vec::new(), None);
        for intent in file {
            self.adopted.observer.notice(&Event::Advance(1));
            let spent = |old| Spent {
                entry: intent.seq.to_string(),
                object: intent.object,
                old,
            };
            match in_flight.heal(intent, way)? {
                Healed::Kept => {
                    recovered.kept += 1;
                    continue;
                }
                Healed::NeedsPerson => {
                    unknown.push(intent);
                    continue;
                }
                Healed::Finished => {}
                Healed::FinishedAt(old) => {
                    mtime = Some(old.state.mtime);
                    done.spent.push(spent(Some(old)));
                }
                Healed::FinishedOldKept(time) => {
                    mtime = mtime.or(Some(time));
                    done.spent.push(spent(None));
                }
                // It is a name of the object, and goes before the flag is on again.
                Healed::FinishedObjectKept => self.set_aside(intent)?,
            }
            finished.push(intent.path.clone());
        }
        self.put_away(&in_flight, unknown)?;
        recovered.finished += finished.len() as u64;
        done.lines.extend(self.line(file, finished, mtime));
        Ok(())
    }

    fn way(&self, file: &InFlight<'_>) -> SysResult<Direction> {
        let batch = &self.journal.batch;
        if file.names.iter().all(|intent| batch.has_committed(intent)) {
            Ok(Direction::Committed)
        } else {
            file.way()
        }
    }

    /// Drops or quarantines what lies in staging and is not known, now that all names of the file are healed.
    fn put_away(&self, file: &InFlight<'_>, unknown: Vec<&Intent>) -> Result<(), EngineError> {
        for intent in unknown {
            let entry = intent.seq.to_string();
            if file.has_name_of(&entry)? {
                // It may be one more name of the object.
                let drop = || self.staging.unlink(entry.as_bytes());
                self.lifting.lifted_for(&intent.object, drop)?;
            } else {
                self.set_aside(intent)?;
            }
        }
        Ok(())
    }

    fn set_aside(&self, intent: &Intent) -> Result<(), EngineError> {
        let entry = intent.seq.to_string();
        self.aside.keep(self.staging, &entry, Some(&intent.object))
    }

    /// The receipt line of a file, some of whose names are finished.
    fn line(
        &self,
        file: &[Intent],
        mut finished: Vec<GuestPath>,
        mtime: Option<Time>,
    ) -> Option<ReceiptLine> {
        let intent = file.first().filter(|_| !finished.is_empty())?;
        if self.receipt.is_some_and(|receipt| receipt.what.parts()) {
            // Whatever the guest did with the others since, they are not the object's either.
            finished = file.iter().map(|intent| intent.path.clone()).collect();
        }
        Some(ReceiptLine {
            about: About::Names {
                guest: intent.guest.clone(),
                paths: finished,
                object: intent.object,
            },
            outcome: Outcome::Done {
                made: None,
                saved: 0,
                mtime,
            },
        })
    }
}

/// A guest's file in flight: its inode before and after. The journal has its names one after the other.
fn one_file(intent: &Intent) -> (&GuestName, FileId, FileId, ObjectId) {
    (&intent.guest, intent.was, intent.becomes, intent.object)
}

/// Sets the flags of all objects that were lifted, even where one cannot be set; returns the first error at the
/// end.
pub(super) fn flag_all(adopted: &Adopted<'_>) -> SysResult<u64> {
    let protection = protection::of(adopted.base)?;
    if !protection.is_there() {
        // It was never off: it went with the kernel that had it, for all objects at once.
        return Ok(0);
    }
    let (mut flags, mut failed) = (0, None);
    for (object, _) in &adopted.batch.lifted {
        match flag_again(adopted, protection, object) {
            Ok(set) => flags += u64::from(set),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(flags), Err)
}

/// Sets the flag of one object. False for what is no object, or none any more.
fn flag_again(
    adopted: &Adopted<'_>,
    protection: &dyn Protector,
    object: &ObjectId,
) -> SysResult<bool> {
    if adopted.is_own(object)? {
        return Ok(false);
    }
    let file = object_or_gone(adopted.base, object)?;
    // One that nobody shares needs no mark, and may have got none because there are too many.
    let is_due = |(_, state): &(Regular, FileState)| !protection.stays_on() || state.nlink > 1;
    let set = file.filter(is_due).map(|(file, _)| protection.set(&file));
    Ok(set.transpose()?.is_some())
}
