//! Inodes of guests that a run which was cut had made objects.

use std::collections::{BTreeMap, BTreeSet};

use super::Guest;
use super::aside::is_sound;
use super::heal::name_now;
use crate::base::Base;
use crate::ledger::journal::{Intent, OpenBatch};
use crate::model::{FileId, GuestName, ObjectId};
use crate::sys::SysResult;

/// What may refer to an adopted inode.
pub(super) struct Adopted<'a> {
    pub base: &'a Base,
    pub guests: &'a BTreeMap<GuestName, Guest>,
    pub batch: &'a OpenBatch,
}

impl Adopted<'_> {
    /// Takes the base's names from inodes that nobody shares, and the flag that would keep them there.
    pub fn give_up_own(&self) -> SysResult<()> {
        let objects: BTreeSet<ObjectId> = self.intents().map(|intent| intent.object).collect();
        for object in objects {
            if self.is_own(&object)? {
                let file = self.base.object(&object)?;
                if let Some(file) = file.filter(|file| file.is_immutable().unwrap_or(true)) {
                    file.set_immutable(false)?;
                }
                self.base.remove_object(&object)?;
            }
        }
        Ok(())
    }

    /// Was it adopted by the batch that was cut, and is it the file of its own guest alone? Then it is no object: the
    /// guest may have changed it since.
    ///
    /// It is where nothing but that guest's names refers to it: names as they are now, for what a guest has deleted since
    /// leaves room for somebody else's. And it is where it has changed and no other name of the batch refers to it: a
    /// guest gives its own file further names, and nobody else was given one that was not equal.
    pub fn is_own(&self, object: &ObjectId) -> SysResult<bool> {
        let adopted = self.intents().filter(|intent| intent.object == *object);
        let adopted: Vec<&Intent> = adopted.collect();
        let Some(state) = self
            .base
            .object_state(object)?
            .filter(|_| !adopted.is_empty())
        else {
            return Ok(false);
        };
        let names = adopted
            .iter()
            .filter(|intent| self.refers(intent, state.id) == Some(true));
        if u64::from(state.nlink) <= 1 + names.count() as u64 {
            return Ok(true);
        }
        let mut others = self
            .batch
            .intents
            .iter()
            .filter(|intent| intent.object == *object && !intent.is_adoption());
        if others.any(|intent| self.refers(intent, state.id) != Some(false)) {
            return Ok(false);
        }
        let file = self.base.object(object)?;
        Ok(!file.map_or(Ok(true), |file| is_sound(&file, object))?)
    }

    /// `None` where that cannot be seen.
    fn refers(&self, intent: &Intent, inode: FileId) -> Option<bool> {
        let guest = self.guests.get(&intent.guest)?;
        name_now(guest, intent).ok().map(|now| now == Some(inode))
    }

    fn intents(&self) -> impl Iterator<Item = &Intent> {
        let all = self.batch.intents.iter();
        all.filter(|intent| intent.is_adoption() && !self.batch.has_committed(intent))
    }
}
