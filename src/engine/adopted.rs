//! Inodes of guests that a run which was cut had made objects.

use std::collections::{BTreeMap, BTreeSet};

use super::Guest;
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

    /// Was it adopted by the batch that was cut, and does nothing but that guest's names refer to it? Then it is the file of
    /// that guest alone and no object: the guest may have changed it since.
    ///
    /// Names count as they are now: what a guest has deleted since leaves room for somebody else's. Whatever else has it,
    /// be it another name of the same guest, is taken for somebody who shares it, because it was shared for a while.
    pub fn is_own(&self, object: &ObjectId) -> SysResult<bool> {
        let adopted = self.intents().filter(|intent| intent.object == *object);
        let adopted: Vec<&Intent> = adopted.collect();
        let state = self.base.object_state(object)?;
        let Some(state) = state.filter(|_| !adopted.is_empty()) else {
            return Ok(false);
        };
        let names = adopted
            .iter()
            .filter(|intent| self.refers(intent, state.id));
        Ok(u64::from(state.nlink) <= 1 + names.count() as u64)
    }

    fn refers(&self, intent: &Intent, inode: FileId) -> bool {
        let guest = self.guests.get(&intent.guest);
        let now = guest.map(|guest| name_now(guest, intent));
        now.is_some_and(|now| now.is_ok_and(|now| now == Some(inode)))
    }

    fn intents(&self) -> impl Iterator<Item = &Intent> {
        let all = self.batch.intents.iter();
        all.filter(|intent| intent.is_adoption() && !self.batch.has_committed(intent))
    }
}
