//! The flags of a batch: which are lifted, and how each is put back. A run that dies in between leaves them to
//! its journal.

use std::collections::HashSet;
use std::sync::Arc;

use super::job::Fate;
use super::makers::{how_its_maker_ended, makers};
use super::names::FileChange;
use super::{Batch, FlagOrder, Flagged, Job};
use crate::engine::lifting::OBJECT_NO_MORE;
use crate::model::{Moved, ObjectId, Refusal};
use crate::protect::{self, Lifted, NameStep, Protector};
use crate::sys::{Meaning, SysError, SysResult};

/// How often a name is tried to be removed while another base sets its flag.
const TRIES: usize = 4;

impl Batch<'_, '_> {
    /// Takes off what protects the objects, under leases by now.
    pub(super) fn lift(&self, flags: &[&Flagged]) -> SysResult<Vec<(ObjectId, Lifted)>> {
        let changes: &[NameStep] = match self.order {
            FlagOrder::FlagThenDrop => &[NameStep::Link, NameStep::Unlink],
            FlagOrder::DropThenFlag => &[NameStep::Unlink],
        };
        let mut all = Vec::new();
        for flag in flags {
            let lifted = self
                .journal
                .lift(&flag.id, Arc::clone(&flag.file), changes)?;
            all.extend(lifted.map(|lifted| (flag.id, lifted)));
        }
        Ok(all)
    }

    /// Sets what stays on whatever happens to names, before there is a second one. An inode that was to be adopted and
    /// has it already is another base's.
    pub(super) fn protect_first(
        &self,
        flags: &[Flagged],
        adopted: &[Flagged],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<()> {
        if self.order != FlagOrder::FlagThenDrop || !self.protection.stays_on() {
            return Ok(());
        }
        let adopted: HashSet<ObjectId> = adopted.iter().map(|one| one.id).collect();
        for flag in flags {
            let is_new = adopted.contains(&flag.id);
            let fate = match protect::on(&flag.file)? {
                None => self
                    .protection
                    .set(&flag.file)
                    .err()
                    .map(|e| Fate::Failed(e.to_string())),
                Some(_) if is_new => {
                    let fields = vec![Moved::Flags];
                    Some(Fate::Refused(Refusal::Changed { fields }))
                }
                Some(_) => None,
            };
            if let Some(fate) = fate {
                self.roll_back_all(&flag.id, jobs, changes, &fate)?;
            }
        }
        Ok(())
    }

    /// Is an object of the base under a protection that nothing of this batch takes off?
    pub(super) fn stays_protected(&self, object: &ObjectId) -> SysResult<bool> {
        if !self.protection.stays_on() {
            return Ok(false);
        }
        let file = match self.base.object(object) {
            Err(error) if error.meaning() == Meaning::Busy => return Ok(false),
            file => file?,
        };
        let on = file.map(|file| protect::on(&file)).transpose()?;
        Ok(on.flatten().is_some_and(Protector::stays_on))
    }

    /// Sets the flags. An inode that is not adopted after all stays its guest's, who may move.
    pub(super) fn flag(
        &self,
        flags: &[Flagged],
        lifted: &mut Vec<(ObjectId, Lifted)>,
        jobs: &[Job],
        changes: &[FileChange],
    ) -> SysResult<()> {
        let makers = makers(jobs);
        let wanted = |flag: &&Flagged| how_its_maker_ended(&flag.id, &makers, changes).is_none();
        self.protect_all(flags.iter().filter(wanted), std::mem::take(lifted))
    }

    /// Puts back what was lifted, and protects what has lost its flag since the jobs were prepared: its other holders
    /// share it from here on, whoever took the flag off.
    pub(super) fn protect_all<'f>(
        &self,
        wanted: impl Iterator<Item = &'f Flagged>,
        lifted: Vec<(ObjectId, Lifted)>,
    ) -> SysResult<()> {
        let restored: HashSet<ObjectId> = lifted.iter().map(|(object, _)| *object).collect();
        let mut lifted = lifted.into_iter();
        lifted.try_for_each(|(_, lifted)| lifted.restore())?;
        for flag in wanted.filter(|flag| !restored.contains(&flag.id)) {
            // What could not be marked before its first name got none.
            let is_due = !self.protection.stays_on() || flag.file.state()?.nlink > 1;
            if is_due && protect::on(&flag.file)?.is_none() {
                self.protection.set(&flag.file)?;
            }
        }
        Ok(())
    }

    /// An adopted inode whose own job did not end well is no object: its twins go back to their files, and it to its
    /// guest alone.
    pub(super) fn give_up_unmade(
        &self,
        adopted: &[Flagged],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<Vec<ObjectId>> {
        let makers = makers(jobs);
        let mut given_up = Vec::new();
        for object in adopted {
            let Some(fate) = how_its_maker_ended(&object.id, &makers, changes) else {
                continue;
            };
            self.roll_back_all(&object.id, jobs, changes, &fate)?;
            self.take_back(object)?;
            given_up.push(object.id);
        }
        Ok(given_up)
    }

    /// Takes the base's name from an inode, if it has one: the flag may be another base's, which has it too and sees by
    /// the link count that it is not alone. That one may set its flag at this very moment.
    fn take_back(&self, object: &Flagged) -> SysResult<()> {
        let inode = object.file.state()?.id;
        for _ in 0..TRIES {
            if self.base.object_inode(&object.id)? != Some(inode) {
                return Ok(());
            }
            let file = Arc::clone(&object.file);
            let remove = || SysError::absent(self.base.remove_object(&object.id)).map(drop);
            let removed = match self.journal.lift(&object.id, file, &OBJECT_NO_MORE)? {
                Some(lifted) => lifted.retire(remove),
                None => remove(),
            };
            match removed {
                Err(error) if error.meaning() == Meaning::Denied => {}
                other => return other,
            }
        }
        self.base.remove_object(&object.id)
    }
}
