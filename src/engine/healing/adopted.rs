//! Inodes of guests that an interrupted run had made objects.

use std::collections::{BTreeMap, BTreeSet};

use super::name::refers;
use crate::base::Base;
use crate::engine::Guest;
use crate::engine::lifting::Lifting;
use crate::engine::proof::is_intact;
use crate::ledger::journal::{Intent, OpenBatch};
use crate::model::{Event, GuestName, ObjectId, Observer};
use crate::protect;
use crate::sys::SysResult;

/// What may refer to an adopted inode.
pub struct Adopted<'a> {
    pub base: &'a Base,
    pub lifting: &'a Lifting<'a>,
    pub guests: &'a BTreeMap<GuestName, Guest>,
    pub batch: &'a OpenBatch,
    pub observer: &'a dyn Observer,
    /// Does any of these guests run, or is it frozen only as long as we are at work?
    pub stirring: bool,
}

impl Adopted<'_> {
    /// Takes the base's names from inodes that are not shared, and the flag that would keep them there.
    /// Returns, as sentences, whose content may be another guest's.
    pub fn give_up_own(&self) -> SysResult<Vec<String>> {
        let objects: BTreeSet<ObjectId> = self.intents().map(|intent| intent.object).collect();
        let mut doubts = Vec::new();
        for object in objects {
            self.let_go_unnamed(&object)?;
            if self.is_own(&object)? {
                // It is reported at once: a healing that is interrupted after this finds nothing to report.
                if let Some(doubt) = self.doubt(&object)? {
                    self.observer.notice(&Event::Warning(&doubt));
                    doubts.push(doubt);
                }
                self.lifting.retire(&object)?;
            }
        }
        Ok(doubts)
    }

    /// An inode that was protected to be adopted, and did not get its name in the base before the cut: nothing but its
    /// guest's names refers to it.
    fn let_go_unnamed(&self, object: &ObjectId) -> SysResult<()> {
        let intents = self.intents().filter(|intent| intent.object == *object);
        let intents: Vec<&Intent> = intents.collect();
        let Some(first) = intents
            .first()
            .filter(|_| self.base.object_state(object).is_ok_and(|s| s.is_none()))
        else {
            return Ok(());
        };
        let guest = self.guests.get(&first.guest);
        let state = guest.and_then(|guest| guest.root.look(first.path.relative()).ok());
        let state = state.filter(|state| state.id == first.was);
        if state.is_some_and(|state| state.nlink as usize == intents.len()) {
            protect::release(first.was)?;
        }
        Ok(())
    }

    /// Was it adopted by the batch that was interrupted, and do only that guest's names refer to it? Then it is
    /// the file of that guest alone and no object: the guest may have changed it since.
    ///
    /// Names count as they are now: what a guest has deleted since leaves room for another's. Any other name of
    /// it, even one of the same guest, is taken for one that shares it, because it was shared for a while. And a
    /// process of a guest that was given it may have it open without a name: as long as that can be, the flag
    /// alone keeps that process from writing to it.
    pub fn is_own(&self, object: &ObjectId) -> SysResult<bool> {
        let adopted = self.intents().filter(|intent| intent.object == *object);
        let adopted: Vec<&Intent> = adopted.collect();
        let state = self.base.object_state(object)?;
        let Some(state) = state.filter(|_| !adopted.is_empty()) else {
            return Ok(false);
        };
        let names = adopted
            .iter()
            .filter(|intent| refers(self.guests.get(&intent.guest), intent, state.id));
        let named = u64::from(state.nlink) <= 1 + names.count() as u64;
        Ok(named && !self.may_be_open(object)?)
    }

    fn may_be_open(&self, object: &ObjectId) -> SysResult<bool> {
        if self.takers(object).next().is_none() {
            return Ok(false);
        }
        let file = self.base.object(object)?;
        Ok(self.stirring || file.is_some_and(|file| file.is_open_elsewhere().unwrap_or(true)))
    }

    /// What others wrote to it while they were given it stays in it, and cannot be distinguished from what the
    /// guest wrote.
    fn doubt(&self, object: &ObjectId) -> SysResult<Option<String>> {
        let (mut own, mut takers) = (self.intents(), self.takers(object));
        let own = own.find(|intent| intent.object == *object);
        let (Some(own), Some(taker)) = (own, takers.next()) else {
            return Ok(None);
        };
        let file = self.base.object(object)?;
        let sound = file.map_or(Ok(true), |file| is_intact(&file, None, object))?;
        Ok((!sound).then(|| {
            format!(
                "{}:{} may have been written to after the cut, while {} may have had it: look whose content it is; what it was may be in {}:{}",
                own.guest, own.path, taker.guest, taker.guest, taker.path
            )
        }))
    }

    /// Names that were to be given the inode.
    fn takers(&self, object: &ObjectId) -> impl Iterator<Item = &Intent> {
        let object = *object;
        let all = self.batch.intents.iter();
        all.filter(move |intent| intent.object == object && !intent.is_adoption())
    }

    fn intents(&self) -> impl Iterator<Item = &Intent> {
        let all = self.batch.intents.iter();
        all.filter(|intent| intent.is_adoption() && !self.batch.has_committed(intent))
    }
}
