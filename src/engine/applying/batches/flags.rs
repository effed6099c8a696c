//! Which objects are flagged when a batch is over, and which outcomes the plan's flag lines get.

use std::collections::HashSet;
use std::sync::Arc;

use super::{AfterProof, ApplyLoop};
use crate::base::Digests;
use crate::engine::EngineError;
use crate::engine::applying::objects::OpenObject;
use crate::engine::exchange::job::{Fate, Flagged, Job, LeaseBy};
use crate::engine::receipt_file::{flag_line, link_line};
use crate::model::{Link, Making, ObjectId, Outcome};
use crate::sys::SysResult;

const FLAGGED: Outcome = Outcome::Done {
    made: None,
    saved: 0,
    mtime: None,
};

impl ApplyLoop<'_, '_> {
    pub(super) fn answer_bad(&mut self, link: &Link, fate: &Fate) -> SysResult<()> {
        if fate.is_about_content() && matches!(self.landing, AfterProof::Execute { .. }) {
            // What earlier plans have read may be wrong, and the next plan would propose the same again.
            drop(Digests::forget(self.base));
        }
        let outcome = fate.bad_outcome().unwrap_or(Outcome::AlreadyDone);
        self.answer(link, link.object, outcome)
    }

    pub(super) fn answer(
        &mut self,
        link: &Link,
        object: ObjectId,
        outcome: Outcome,
    ) -> SysResult<()> {
        self.receipt.add(&link_line(link, object, outcome))
    }

    /// An object of a later generation than the plan knew is protected like the plan's.
    pub(super) fn inherit_flag(&mut self, link: &Link, object: &ObjectId) -> SysResult<()> {
        let planned = &link.object;
        if object == planned {
            return Ok(());
        }
        let flagged = self.objects.used(planned).is_some_and(OpenObject::flagged);
        if flagged || self.is_wanted(planned)? {
            self.wanted.insert(object)?;
        }
        Ok(())
    }

    /// Is it known now that an object which is made will be protected?
    pub(super) fn will_protect(&self, object: &ObjectId) -> SysResult<bool> {
        Ok(self.protects_all || self.is_wanted(object)?)
    }

    /// Is there a flag line of the object that was not done yet?
    fn is_wanted(&self, object: &ObjectId) -> SysResult<bool> {
        let in_hand = self.flags.iter().any(|flag| flag.object == *object);
        Ok(in_hand || self.wanted.contains(object)?)
    }

    /// Objects whose flag shall be on after this batch: those that get a name and had it, and those whose flag
    /// line was read. The flag of an object that gets no name is not touched.
    pub(super) fn flags_to_set(&mut self, jobs: &[Job]) -> SysResult<Vec<Flagged>> {
        for flag in &self.flags {
            // Opens the object where no link of this batch did; a line whose object does not exist yet waits for it.
            match self.objects.inode(&flag.object) {
                // No flag seals what is not what its name says.
                Ok(Some(_)) => {
                    if let Err(fate) = self.objects.is_sound(&flag.object) {
                        self.unreachable.push((flag.object, fate));
                    }
                }
                Ok(None) => self.wanted.insert(&flag.object)?,
                Err(fate) => self.unreachable.push((flag.object, fate)),
            }
        }
        let bad: HashSet<ObjectId> = self.unreachable.iter().map(|(id, _)| *id).collect();
        let named: HashSet<ObjectId> = jobs.iter().map(|job| job.object).collect();
        let mut set = Vec::new();
        for (id, open) in self.objects.in_use().filter(|(id, _)| !bad.contains(id)) {
            let due = if open.flagged() {
                named.contains(id)
            } else {
                self.will_protect(id)?
            };
            if due {
                set.push(Flagged {
                    id: *id,
                    file: Arc::clone(&open.file),
                    content: id.content,
                    lease: match open.made {
                        Some(Making::Adopt) => LeaseBy::Job,
                        _ => LeaseBy::Batch,
                    },
                });
            }
        }
        set.sort_by_key(|flag| flag.id);
        Ok(set)
    }

    /// Answers the flag lines whose objects exist; the others wait.
    pub(super) fn answer_flags(&mut self, set: &[Flagged]) -> Result<(), EngineError> {
        for flagged in set {
            self.wanted.remove(&flagged.id)?;
            if self.unanswered.remove(&flagged.id)? {
                self.receipt.add(&flag_line(flagged.id, FLAGGED))?;
            }
        }
        for flag in std::mem::take(&mut self.flags) {
            if let Some(at) = self
                .unreachable
                .iter()
                .position(|(id, _)| *id == flag.object)
            {
                let (id, fate) = self.unreachable.swap_remove(at);
                let outcome = fate.bad_outcome().unwrap_or(Outcome::AlreadyDone);
                self.receipt.add(&flag_line(id, outcome))?;
                continue;
            }
            let used = self.objects.used(&flag.object);
            let was_on = used.is_some_and(OpenObject::flagged);
            if was_on {
                self.receipt
                    .add(&flag_line(flag.object, Outcome::AlreadyDone))?;
            } else if set
                .binary_search_by_key(&flag.object, |done| done.id)
                .is_ok()
            {
                self.receipt.add(&flag_line(flag.object, FLAGGED))?;
            } else {
                self.unanswered.insert(&flag.object)?;
            }
        }
        Ok(())
    }
}
