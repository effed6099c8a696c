//! One name that was in flight, by what it refers to now and what lies in staging.
//!
//! What came out and is open for writing is treated as if it were not equal. What is dropped is a name of the
//! object, or a file that equals one which stays: a guest that ran between the interruption and the healing may
//! have written to either. What a guest may have written to the object by a name that is taken from it is kept as
//! a copy.
//!
//! | name | staging | meaning | done |
//! | --- | --- | --- | --- |
//! | old | new | not exchanged, or rolled back | where an undo gave the file another name back already: exchanged; else new dropped if it equals the object, else kept for a person |
//! | new | old | exchanged | old dropped if it equals the new one and that is sound, or is the object and as it was; else, if the run had committed or old is the object, kept for a person; else exchanged back |
//! | new | – | finished, or adopted | – |
//! | other | old | the guest replaced it later | old dropped if it equals the object, else kept for a person |
//! | other | new | the guest replaced it before | as for "old" |
//! | – | old | the guest deleted it | as for "other" |
//! | – | new | the guest deleted it | as for "old" |
//! | any | other | an exchange was interrupted in its middle | kept for a person |
//!
//! Flags come off where a name of an object goes, for that moment and nowhere else: the other guests that share it
//! are not exposed for the rest.

use super::quarantine::Quarantine;
use crate::base::Base;
use crate::engine::Guest;
use crate::engine::lifting::Lifting;
use crate::engine::proof::is_intact;
use crate::ledger::journal::Intent;
use crate::link::{Exchange, Exchanged, exchange_names};
use crate::model::{Before, FileId, FileState, Ignored, Time};
use crate::rules::precondition::{metadata_differs, moved_but_for_names};
use crate::sys::{Dir, Leased, Regular, SysError, SysResult};

/// How a name was healed.
pub enum Healed {
    /// It refers to its new inode.
    Finished,
    /// The same, and the old file, with its own time, is in staging: to be dropped when that time is written
    /// down, if no process opens it for writing until then.
    FinishedAt(OldFile),
    /// The same, and the old file of an apply, whose own time this is, is not ours to drop: a process may write to it.
    FinishedOldKept(Time),
    /// The same, and the name of the object that an undo exchanged is not ours to drop: what the object holds by now
    /// differs from what it was.
    FinishedObjectKept,
    /// It is what it was, or what the guest made of it.
    Kept,
    /// What lies in staging is not known.
    NeedsPerson,
}

/// An old file under its lease, and what it was when it was found equal.
pub struct OldFile {
    pub old: Leased,
    pub state: FileState,
}

impl OldFile {
    /// Is it still that, with nobody who waits to write?
    pub fn stands(&self) -> SysResult<bool> {
        let now = self.old.file().state()?;
        let fields = moved_but_for_names(&Before::from(&self.state), &now);
        Ok(fields.is_empty() && self.old.stands()?)
    }
}

/// What was decided of a file, all of whose names go the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The run said that it is done.
    Committed,
    /// All names were exchanged, or are to be.
    Forth,
    /// Some were not.
    Back,
}

/// A file whose names were in flight.
pub(super) struct InFlight<'a> {
    pub base: &'a Base,
    pub lifting: &'a Lifting<'a>,
    pub aside: &'a Quarantine<'a>,
    pub staging: &'a Dir,
    /// `None` where its root is gone.
    pub guest: Option<&'a Guest>,
    pub names: &'a [Intent],
}

/// What the name refers to now, whichever directory its path leads to; `None` where there is no such name.
fn name_now(guest: &Guest, intent: &Intent) -> SysResult<Option<FileId>> {
    let state = SysError::absent(guest.root.look(intent.path.relative()))?;
    Ok(state.map(|state| state.id))
}

/// Does the name refer to this inode, as far as that can be seen?
pub fn refers(guest: Option<&Guest>, intent: &Intent, inode: FileId) -> bool {
    let now = guest.map(|guest| name_now(guest, intent));
    now.is_some_and(|now| now.is_ok_and(|now| now == Some(inode)))
}

impl InFlight<'_> {
    /// Which way its names go, where the run has not said it.
    ///
    /// An undo that gave back one name gives back all: what the object holds now may be any guest's that shares
    /// it, and the copy was whole and on disk before the first exchange.
    pub fn way(&self) -> SysResult<Direction> {
        let all = self.names.iter().all(|name| self.is_in_place(name));
        let forth = all || self.undo_has_begun()?;
        Ok(if forth {
            Direction::Forth
        } else {
            Direction::Back
        })
    }

    /// Is it an undo, and was any of its names exchanged?
    fn undo_has_begun(&self) -> SysResult<bool> {
        let mut begun = false;
        for intent in self.names {
            if self.base.object_inode(&intent.object)? != Some(intent.was) {
                return Ok(false);
            }
            let out = self.staged(intent)? == Some(intent.was);
            begun |= out || self.is_in_place(intent);
        }
        // Or what the guest has done with all of them since hides it.
        Ok(begun || self.has_left())
    }

    /// No name of the file refers to what it did: what the guest has done with some of them since does not bring others
    /// back to what is not its own.
    fn has_left(&self) -> bool {
        let left = |intent: &Intent| {
            let now = self.guest.map(|guest| name_now(guest, intent));
            now.is_none_or(|now| now.is_ok_and(|now| now != Some(intent.was)))
        };
        self.names.iter().all(left)
    }

    fn is_in_place(&self, intent: &Intent) -> bool {
        let name = self.parent(intent);
        let state = name.map(|dir| dir.look(intent.path.file_name()));
        state.is_some_and(|state| state.is_ok_and(|state| state.id == intent.becomes))
    }

    fn staged(&self, intent: &Intent) -> SysResult<Option<FileId>> {
        let entry = intent.seq.to_string();
        let state = SysError::absent(self.staging.look(entry.as_bytes()))?;
        Ok(state.map(|state| state.id))
    }

    /// The directory of the name, if it is the one that the journal means.
    fn parent(&self, intent: &Intent) -> Option<Dir> {
        let root = &self.guest?.root;
        let dir = root.open_dir(intent.path.parent().relative()).ok();
        dir.filter(|dir| dir.state().is_ok_and(|state| state.id == intent.parent))
    }

    /// Once all names are healed: does one of them have what lies in staging? Then that is no more than a further
    /// name of the guest's own file.
    pub fn has_name_of(&self, entry: &str) -> SysResult<bool> {
        let staged = self.staging.look(entry.as_bytes())?.id;
        let mut names = self.names.iter();
        Ok(names.any(|name| refers(self.guest, name, staged)))
    }

    /// Heals one of its names.
    pub fn heal(&self, intent: &Intent, way: Direction) -> SysResult<Healed> {
        let parent = self.parent(intent);
        let name = match &parent {
            Some(dir) => SysError::absent(dir.look(intent.path.file_name()))?.map(|state| state.id),
            None => None,
        };
        let one = OneName {
            file: self,
            intent,
            entry: intent.seq.to_string(),
        };
        let staged = self.staged(intent)?;
        let waits = !intent.is_adoption() && staged == Some(intent.becomes);
        match (parent, name) {
            (Some(parent), Some(id)) if waits && id == intent.was && way == Direction::Forth => {
                one.exchange_late(&parent)
            }
            (Some(parent), Some(id)) if staged == Some(intent.was) && id == intent.becomes => {
                one.exchanged(&parent, way)
            }
            (_, name) => match staged {
                None => one.finished(name == Some(intent.becomes)),
                Some(staged) if staged == intent.becomes || staged == intent.was => {
                    one.drop_equal()
                }
                Some(_) => Ok(Healed::NeedsPerson),
            },
        }
    }
}

/// One name, and what lies in staging for it.
struct OneName<'a> {
    file: &'a InFlight<'a>,
    intent: &'a Intent,
    entry: String,
}

impl OneName<'_> {
    /// Nothing is in staging. An inode that was to be adopted was not to be exchanged; it has its name in the
    /// base or it has not.
    fn finished(&self, in_place: bool) -> SysResult<Healed> {
        let adopted = !self.intent.is_adoption() || self.is_object(self.intent.becomes)?;
        Ok(if in_place && adopted {
            Healed::Finished
        } else {
            Healed::Kept
        })
    }

    fn is_object(&self, inode: FileId) -> SysResult<bool> {
        Ok(self.file.base.object_inode(&self.intent.object)? == Some(inode))
    }

    /// Exchanges a name in the rest of an undo: another name of the file is the guest's own again.
    fn exchange_late(&self, parent: &Dir) -> SysResult<Healed> {
        match self.exchange_names(parent, self.intent.becomes, self.intent.was)? {
            Exchanged::Done => self.undone(parent, Direction::Forth),
            _ => self.drop_equal(),
        }
    }

    /// The exchange was made: it is finished if nothing is lost with the old file and all names of the file go
    /// this way.
    ///
    /// Where the old file is not to be dropped, because a process wrote to it or has it open for writing, it
    /// depends on what the run reported. Without a commit it reported nothing, and the old file goes back to its
    /// name, which is where its writer looks for it. After a commit the receipt says "done", and guests went on:
    /// the name stays as it is, since what was written there since belongs to it as well, and the old file is
    /// kept for a person, as the run itself does with a file that is opened for writing while it is replaced. So
    /// both are kept whole, and the receipt stays true.
    fn exchanged(&self, parent: &Dir, way: Direction) -> SysResult<Healed> {
        if self.is_object(self.intent.was)? && way != Direction::Back {
            return self.undone(parent, way);
        }
        if let (Some(old), true) = (self.equal_to_new(parent)?, way != Direction::Back) {
            return Ok(Healed::FinishedAt(old));
        }
        if way == Direction::Committed {
            let old = self.file.staging.look(self.entry.as_bytes())?;
            return Ok(Healed::FinishedOldKept(old.mtime));
        }
        self.roll_back(parent)
    }

    /// An undo, whose old file is the object. The guest's own file was copied while all holders were quiet and no
    /// process could write to the object, so it stays, whatever was written to the object since by the guests
    /// that still share it: that is theirs. An interruption that left all names exchanged left the flag off, so
    /// what the object holds now is kept, if it changed.
    fn undone(&self, parent: &Dir, way: Direction) -> SysResult<Healed> {
        if way == Direction::Forth && !self.is_as_it_was(parent)? {
            return Ok(Healed::FinishedObjectKept);
        }
        self.drop_object()?;
        Ok(Healed::Finished)
    }

    /// What was put there goes once it is out again, if nothing is lost with it: a guest may have written to its
    /// own file, or to the object, whose flag was off. What the object holds then is kept before it leaves the
    /// name: a healing that is interrupted after its exchange finds what was put there in staging, as if it had
    /// never been at the name.
    fn roll_back(&self, parent: &Dir) -> SysResult<Healed> {
        let InFlight { staging, aside, .. } = self.file;
        if self.is_object(self.intent.becomes)? {
            let size = staging.look(self.entry.as_bytes())?.size;
            let put = parent.open_regular(self.intent.path.file_name())?;
            let sound = |put: &Regular| is_intact(put, Some(size), &self.intent.object);
            if let Some(put) = put.filter(|put| !sound(put).unwrap_or(false)) {
                aside.copy(&put, &self.intent.object)?;
            }
        }
        match self.exchange_names(parent, self.intent.was, self.intent.becomes)? {
            Exchanged::Done => self.drop_equal(),
            _ => Ok(Healed::NeedsPerson),
        }
    }

    fn exchange_names(&self, parent: &Dir, put: FileId, expected: FileId) -> SysResult<Exchanged> {
        let time = parent.state()?.mtime;
        let exchange = Exchange {
            staging: self.file.staging,
            staged: self.entry.as_bytes(),
            parent,
            name: self.intent.path.file_name(),
            put,
            expected,
        };
        let lifting = self.file.lifting;
        let exchanged = lifting.lifted_for(&self.intent.object, || exchange_names(&exchange))?;
        // All guests are quiet, so no other process was here; and no content depends on it.
        drop(parent.set_mtime(time));
        Ok(exchanged)
    }

    /// Is the object what it was, compared with the guest's copy of it?
    fn is_as_it_was(&self, parent: &Dir) -> SysResult<bool> {
        let size = parent.look(self.intent.path.file_name())?.size;
        let file = self.file.staging.open_regular(self.entry.as_bytes())?;
        let Some(file) = file else {
            return Ok(false);
        };
        // Or it was another one before, and the copy is of that.
        let mine = parent.open_regular(self.intent.path.file_name())?;
        let equal = |mine: Regular| equal(&file, &mine);
        Ok(is_intact(&file, Some(size), &self.intent.object)? || mine.map_or(Ok(false), equal)?)
    }

    /// The old file, with no writer, if it equals the new one, which is still what its object was made as: the flag was
    /// off.
    fn equal_to_new(&self, parent: &Dir) -> SysResult<Option<OldFile>> {
        let new = parent.open_regular(self.intent.path.file_name())?;
        let (Some(old), Some(new)) = (self.nobodys()?, new) else {
            return Ok(None);
        };
        let state = old.file().state()?;
        let size = Some(state.size);
        let sound = equal(old.file(), &new)? && is_intact(&new, size, &self.intent.object)?;
        let old = OldFile { old, state };
        Ok((sound && old.stands()?).then_some(old))
    }

    /// What lies in staging goes if it is a name of the object or equals it, so that nothing is lost with it.
    fn drop_equal(&self) -> SysResult<Healed> {
        let staged = self.file.staging.look(self.entry.as_bytes())?.id;
        if self.is_object(staged)? {
            self.drop_object()?;
        } else if self.equals_object()? {
            self.file.staging.unlink(self.entry.as_bytes())?;
        } else {
            return Ok(Healed::NeedsPerson);
        }
        Ok(Healed::Kept)
    }

    fn drop_object(&self) -> SysResult<()> {
        let InFlight {
            staging, lifting, ..
        } = self.file;
        let drop = || staging.unlink(self.entry.as_bytes());
        lifting.lifted_for(&self.intent.object, drop)
    }

    fn equals_object(&self) -> SysResult<bool> {
        let object = self.file.base.object(&self.intent.object)?;
        match (self.nobodys()?, object) {
            (Some(old), Some(object)) => Ok(equal(old.file(), &object)? && old.stands()?),
            _ => Ok(false),
        }
    }

    /// What came out, under a lease: a process that had it open may have opened it for writing when the run that
    /// kept it from that was interrupted, and what it writes must not be lost. `None` where that is so.
    fn nobodys(&self) -> SysResult<Option<Leased>> {
        match self.file.staging.open_regular(self.entry.as_bytes())? {
            Some(old) => Ok(Leased::take(old)?.ok()),
            None => Ok(None),
        }
    }
}

/// Times may differ by policy; everything else is equal or nothing is dropped.
fn equal(a: &Regular, b: &Regular) -> SysResult<bool> {
    let (size, other) = (a.state()?.size, b.state()?.size);
    let ignore = [Ignored::Mtime];
    let differs = metadata_differs(&a.metadata(&ignore)?, &b.metadata(&ignore)?, &ignore);
    Ok(size == other && differs.is_empty() && a.same_content(b, size)?)
}
