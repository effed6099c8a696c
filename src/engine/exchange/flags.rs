//! The flags of a batch: which are lifted, and how each is put back. A run that dies in between leaves them to
//! its journal.

use std::collections::HashSet;
use std::sync::Arc;

use super::job::Fate;
use super::names::FileChange;
use super::{Batch, FlagOrder, Flagged, Job, makers, spoiled};
use crate::engine::in_parallel;
use crate::model::{ObjectId, Refusal};
use crate::protect::{Lifted, NameStep};
use crate::sys::hash::metadata_digest;
use crate::sys::{SysError, SysResult};

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

    /// Sets the flags, and proves that what is protected is what the object's name says. A job whose object is not
    /// is taken back. An inode that is not adopted after all stays its guest's, who may move.
    pub(super) fn flag(
        &self,
        flags: &[Flagged],
        lifted: &mut Vec<(ObjectId, Lifted)>,
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<()> {
        let makers = makers(jobs);
        let wanted = |flag: &&Flagged| spoiled(&flag.id, &makers, changes).is_none();
        let wanted: Vec<&Flagged> = flags.iter().filter(wanted).collect();
        let restored: HashSet<ObjectId> = lifted.iter().map(|(object, _)| *object).collect();
        let mut lifted = lifted.drain(..);
        lifted.try_for_each(|(_, lifted)| lifted.restore())?;
        for flag in wanted.iter().filter(|flag| !restored.contains(&flag.id)) {
            self.protection.set(&flag.file)?;
        }
        let metadata = in_parallel::each(&wanted, |flag| flag.file.metadata(self.ignore));
        for (flag, metadata) in wanted.into_iter().zip(metadata) {
            if metadata_digest(&metadata?) == flag.id.metadata {
                continue;
            }
            let damaged = Fate::Refused(Refusal::DamagedObject {});
            self.roll_back_all(&flag.id, jobs, changes, &damaged)?;
        }
        Ok(())
    }

    /// Puts back what was lifted, and protects what lost its flag since the jobs were prepared: its other holders
    /// share it from here on, whoever took the flag off.
    pub(super) fn protect_after_drop(
        &self,
        leased: &[&Flagged],
        lifted: Vec<(ObjectId, Lifted)>,
    ) -> SysResult<()> {
        let restored: HashSet<ObjectId> = lifted.iter().map(|(object, _)| *object).collect();
        let mut lifted = lifted.into_iter();
        lifted.try_for_each(|(_, lifted)| lifted.restore())?;
        let mut others = leased.iter().filter(|flag| !restored.contains(&flag.id));
        others.try_for_each(|flag| self.protection.set(&flag.file))
    }

    /// An adopted inode whose own job did not end well is no object: its twins go back to their files, and it to its
    /// guest alone.
    pub(super) fn give_up_spoiled(
        &self,
        adopted: &[Flagged],
        jobs: &[Job],
        changes: &mut [FileChange],
    ) -> SysResult<Vec<ObjectId>> {
        let makers = makers(jobs);
        let mut given_up = Vec::new();
        for object in adopted {
            let Some(fate) = spoiled(&object.id, &makers, changes) else {
                continue;
            };
            self.roll_back_all(&object.id, jobs, changes, &fate)?;
            let file = Arc::clone(&object.file);
            let remove = || SysError::absent(self.base.remove_object(&object.id)).map(drop);
            match self.journal.lift(&object.id, file, &[NameStep::Unlink])? {
                Some(lifted) => lifted.retire(remove)?,
                None => remove()?,
            }
            given_up.push(object.id);
        }
        Ok(given_up)
    }
}
