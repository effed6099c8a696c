//! Protections that `recover` and `gc` take off for the moment in which a name goes. No journal may know of the object,
//! so it is written into the base first, see [`LiftedPaper`].
//!
//! Whoever heals next begins from what the interrupted one began from, with fewer names in staging, and is held
//! to the same. What was lifted is protected at once, and lifted once more only while all its holders are quiet.
//! What was found without protection, and is on the paper so that it is not forgotten, stays so until the names
//! are healed or cannot be: who holds it may be known to nobody by then, and it is better healed than left so.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use crate::base::{Base, JOURNAL, LiftedObject, LiftedPaper};
use crate::ledger::journal::OpenBatch;
use crate::model::{FileState, ObjectId, RunId};
use crate::protect::{self, Lifted, NameStep, Protector, WrittenDown};
use crate::sys::own::papers::Growing;
use crate::sys::{Meaning, Regular, SysError, SysResult};

/// What is left of it is nobody's, or one guest's own file.
pub(super) const OBJECT_NO_MORE: [NameStep; 2] = [NameStep::Unlink, NameStep::Retire];

/// What is left of it is nobody's. What stays on while names go stays on then, for who may have it open: see
/// [`forget_ceased`](crate::protect::forget_ceased).
pub(super) const NOBODY_S: [NameStep; 1] = [NameStep::Unlink];

/// The one way for healing and `gc` to lift.
pub(super) struct Lifting<'a> {
    base: &'a Base,
    /// The lines of the paper, those of an interrupted recovery first.
    paper: RefCell<Vec<LiftedObject>>,
    by_paper: RefCell<WrittenDown>,
    by_journal: RefCell<WrittenDown>,
}

impl<'a> Lifting<'a> {
    /// The base whose objects are lifted.
    pub fn base(&self) -> &'a Base {
        self.base
    }

    /// Protects what an interrupted recovery or `gc` has lifted, and says how many objects that were.
    pub fn resume(base: &'a Base) -> SysResult<(Lifting<'a>, u64)> {
        let lifting = Lifting {
            base,
            paper: RefCell::new(LiftedPaper::read(base)?),
            by_paper: RefCell::default(),
            by_journal: RefCell::default(),
        };
        let set = lifting.protect(|one| !one.found)?;
        Ok((lifting, set))
    }

    /// From here on the journal of this run is a record, and that of no other. What its run had not synced when it was
    /// killed is synced now.
    pub fn follow(&self, run: &RunId, batch: &OpenBatch) -> SysResult<()> {
        let journal = self.base.run_paper(run, JOURNAL);
        let objects = batch.lifted.iter().map(|(object, _)| *object);
        let synced = || {
            if batch.lifted.is_empty() {
                return Ok(());
            }
            Growing::open(&journal)?.sync()
        };
        *self.by_journal.borrow_mut() = WrittenDown::once(objects, synced)?;
        Ok(())
    }

    /// Writes down those of the objects that will have to be lifted for these changes, all at once. One on which
    /// somebody holds a lease is left out, and written down alone if it is lifted all the same.
    pub fn write_down(
        &self,
        objects: impl IntoIterator<Item = ObjectId>,
        changes: &[NameStep],
    ) -> SysResult<()> {
        let mut lifted = Vec::new();
        for object in objects {
            if self.is_written_down(&object) {
                continue;
            }
            let file = match self.base.object(&object) {
                Err(error) if error.meaning() == Meaning::Busy => None,
                other => other?,
            };
            if let Some(file) = file
                && let Some(by) = protect::in_the_way(&file, changes)?
            {
                lifted.push(line(by, object, &file)?);
            }
        }
        self.owe(&lifted)
    }

    /// Writes down objects that shall be protected in the end, whatever becomes of this recovery.
    pub fn owe(&self, objects: &[LiftedObject]) -> SysResult<()> {
        if objects.is_empty() {
            return Ok(());
        }
        let mut paper = self.paper.borrow_mut();
        let mut all = paper.clone();
        let there: HashSet<&LiftedObject> = paper.iter().collect();
        all.extend(objects.iter().filter(|one| !there.contains(one)));
        let names = objects.iter().map(|one| one.object);
        let written = WrittenDown::once(names, || LiftedPaper::write(self.base, &all))?;
        *paper = all;
        self.by_paper.borrow_mut().join(written);
        Ok(())
    }

    /// Does something to a name of an object, which is without its protection meanwhile if that is in the way.
    pub fn lifted_for<T>(
        &self,
        object: &ObjectId,
        act: impl FnOnce() -> SysResult<T>,
    ) -> SysResult<T> {
        let lifted = self.lift(object, &[NameStep::Unlink])?;
        let done = act()?;
        lifted.map_or(Ok(()), Lifted::restore)?;
        Ok(done)
    }

    /// Removes an object from the base: it is nobody's any more, or one guest's own file.
    pub fn retire(&self, object: &ObjectId) -> SysResult<()> {
        let remove = || self.base.remove_object(object);
        let state = self.base.object_state(object)?;
        let changes: &[NameStep] = match state.is_some_and(|state| state.nlink <= 1) {
            true => &NOBODY_S,
            false => &OBJECT_NO_MORE,
        };
        match self.lift(object, changes)? {
            Some(lifted) => lifted.retire(remove),
            None => remove(),
        }
    }

    /// The same, unless the object turns out to have other names than the base's, now that no protection keeps
    /// them as they are; or a process has it open, which could write to it then, and other guests' processes see that.
    pub fn retire_unused(&self, object: &ObjectId) -> SysResult<bool> {
        let Some(file) = self.base.object(object)? else {
            return Ok(false);
        };
        let on = protect::on(&file)?;
        if file.state()?.nlink > 1 && on.is_some_and(Protector::stays_on) {
            return Ok(false);
        }
        if on.is_some_and(|on| on.needs_lift_for(NameStep::Unlink)) && file.is_open_elsewhere()? {
            // What is off is off for who has it open without a name, too.
            return Ok(false);
        }
        let lifted = self.lift(object, &NOBODY_S)?;
        let is_unused = file.state()?.nlink <= 1;
        let remove = || self.base.remove_object(object);
        match lifted {
            Some(lifted) if is_unused => lifted.retire(remove)?,
            Some(lifted) => lifted.restore()?,
            None if is_unused => remove()?,
            None => {}
        }
        Ok(is_unused)
    }

    /// Objects on the paper that guests share: they may have been written to while they were not protected.
    pub fn shared(&self) -> SysResult<Vec<ObjectId>> {
        let mut shared = Vec::new();
        for one in self.paper.borrow().iter() {
            if present(self.base, one)?.is_some_and(|(_, state)| state.nlink > 1) {
                shared.push(one.object);
            }
        }
        Ok(shared)
    }

    /// Protects what is on the paper, which stays: nothing can be healed now, or what is on it is read next.
    pub fn give_up(&self) -> SysResult<()> {
        self.protect(|_| true).map(drop)
    }

    /// Protects what is on the paper. When that is durable the paper has served.
    pub fn finish(self) -> SysResult<()> {
        if self.paper.borrow().is_empty() {
            return Ok(());
        }
        self.protect(|_| true)?;
        self.base.dir().sync_filesystem()?;
        LiftedPaper::remove(self.base)
    }

    fn lift(&self, object: &ObjectId, changes: &[NameStep]) -> SysResult<Option<Lifted>> {
        let Some(file) = self.base.object(object)? else {
            return Ok(None);
        };
        let Some(by) = protect::in_the_way(&file, changes)? else {
            return Ok(None);
        };
        if !self.is_written_down(object) {
            self.owe(&[line(by, *object, &file)?])?;
        }
        let (journal, paper) = (self.by_journal.borrow(), self.by_paper.borrow());
        let written = if journal.covers(object) {
            journal
        } else {
            paper
        };
        by.lift(object, Arc::new(file), &written).map(Some)
    }

    fn is_written_down(&self, object: &ObjectId) -> bool {
        self.by_journal.borrow().covers(object) || self.by_paper.borrow().covers(object)
    }

    /// Protects these, whatever one of them says; the first error in the end.
    fn protect(&self, which: impl Fn(&LiftedObject) -> bool) -> SysResult<u64> {
        let (mut set, mut failed) = (0, None);
        for one in self.paper.borrow().iter().filter(|one| which(one)) {
            match protect_again(self.base, one) {
                Ok(was_off) => set += u64::from(was_off),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(set), Err)
    }
}

fn line(by: &dyn Protector, object: ObjectId, file: &Regular) -> SysResult<LiftedObject> {
    Ok(LiftedObject {
        by: by.mode(),
        object,
        ino: file.state()?.id.ino,
        found: false,
    })
}

/// False where it is protected, or no object any more.
fn protect_again(base: &Base, one: &LiftedObject) -> SysResult<bool> {
    let Some((file, _)) = present(base, one)? else {
        return Ok(false);
    };
    let by = protect::by(one.by);
    if protect::on(&file)?.is_some() || !by.is_there() {
        return Ok(false);
    }
    by.set(&file)?;
    Ok(true)
}

/// The object of a line, if it is in the base and the same inode.
fn present(base: &Base, one: &LiftedObject) -> SysResult<Option<(Regular, FileState)>> {
    let seen = object_or_gone(base, &one.object)?;
    Ok(seen.filter(|(_, state)| state.id.ino == one.ino))
}

/// An object, where the base has one of that name: it is an error that it cannot be opened then.
pub(super) fn object_or_gone(
    base: &Base,
    object: &ObjectId,
) -> SysResult<Option<(Regular, FileState)>> {
    let seen = base.object_seen(object)?;
    if seen.is_some() || base.lacks(object)? {
        return Ok(seen);
    }
    let why = io::Error::from(io::ErrorKind::NotFound);
    Err(SysError::new("open an object of", base.path(), why))
}
