//! One name that was in flight, by what it refers to now and what lies in staging.
//!
//! What came out and is open for writing is treated as if it were not equal. What is dropped is a name of the object, or
//! a file that equals one which stays: a guest that ran between the cut and the healing may have written to either. What a
//! guest may have written to the object by a name that is taken from it is kept as a copy.
//!
//! | name | staging | meaning | done |
//! | --- | --- | --- | --- |
//! | old | new | not exchanged, or taken back | new dropped if it equals the object, else kept for a person |
//! | new | old | exchanged | old dropped if it equals the new one, or is the object and as it was; else, if the run had committed or old is the object, kept for a person; else exchanged back |
//! | new | – | finished, or adopted | – |
//! | other | old | the guest replaced it later | old dropped if it equals the object, else kept for a person |
//! | other | new | the guest replaced it before | as for "old" |
//! | – | old | the guest deleted it | as for "other" |
//! | – | new | the guest deleted it | as for "old" |
//! | any | other | an exchange was cut in its middle | kept for a person |

use super::Guest;
use super::aside::Quarantine;
use super::sound::is_sound;
use crate::base::Base;
use crate::ledger::journal::Intent;
use crate::link::{Swap, Swapped, swap};
use crate::model::{FileId, Ignored, Time};
use crate::rules::precondition::metadata_differs;
use crate::sys::{Dir, Leased, Regular, SysError, SysResult};

/// How a name was healed.
pub(super) enum Healed {
    /// It refers to its new inode.
    Finished,
    /// The same, and the old file with its own time is in staging: to be dropped when that time is written down.
    FinishedAt(Time),
    /// The same, and what came out is not ours to drop: the old file, whose time this is, or what the object holds by now.
    FinishedAndKept(Option<Time>),
    /// It is what it was, or what the guest made of it.
    Kept,
    /// What lies in staging is not known.
    NeedsPerson,
}

/// Does the name refer to its new inode? The names of one file are finished only if all of them do.
pub(super) fn in_place(guest: Option<&Guest>, intent: &Intent) -> bool {
    let name = parent(guest, intent).map(|dir| dir.look(intent.path.file_name()));
    name.is_some_and(|state| state.is_ok_and(|state| state.id == intent.becomes))
}

/// What the name refers to now, wherever its directory is by now; `None` where there is no such name.
pub(super) fn name_now(guest: &Guest, intent: &Intent) -> SysResult<Option<FileId>> {
    let state = SysError::absent(guest.root.look(intent.path.relative()))?;
    Ok(state.map(|state| state.id))
}

/// An undo after which no name of the file refers to the object any more: what the guest has done with some of them since
/// does not bring others back to what is not its own.
pub(super) fn has_left(base: &Base, guest: Option<&Guest>, file: &[Intent]) -> SysResult<bool> {
    for intent in file {
        let undoes = base.object_inode(&intent.object)? == Some(intent.was);
        let now = guest.map(|guest| name_now(guest, intent));
        let left = now.is_none_or(|now| now.is_ok_and(|now| now != Some(intent.was)));
        if !undoes || !left {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The directory of the name, if it is the one that the journal means.
fn parent(guest: Option<&Guest>, intent: &Intent) -> Option<Dir> {
    let dir = guest.and_then(|guest| guest.root.open_dir(intent.path.parent().relative()).ok());
    dir.filter(|dir| dir.state().is_ok_and(|state| state.id == intent.parent))
}

/// What was decided of a file, all of whose names go the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The run said that it is done.
    Committed,
    /// All names were exchanged.
    Forth,
    /// Some were not.
    Back,
}

/// Heals one name. `guest` is `None` where its root is gone.
pub(super) fn heal_name(
    base: &Base,
    aside: &Quarantine<'_>,
    staging: &Dir,
    guest: Option<&Guest>,
    intent: &Intent,
    way: Way,
) -> SysResult<Healed> {
    let entry = intent.seq.to_string();
    let parent = parent(guest, intent);
    let name = match &parent {
        Some(dir) => SysError::absent(dir.look(intent.path.file_name()))?.map(|state| state.id),
        None => None,
    };
    let Some(staged) = SysError::absent(staging.look(entry.as_bytes()))?.map(|state| state.id)
    else {
        let finished =
            name == Some(intent.becomes) && (!intent.is_adoption() || is_object(base, intent)?);
        return Ok(if finished {
            Healed::Finished
        } else {
            Healed::Kept
        });
    };
    if staged == intent.becomes {
        return drop_equal(base, staging, intent, &entry);
    }
    if staged != intent.was {
        return Ok(Healed::NeedsPerson);
    }
    match (parent, name) {
        (Some(parent), Some(id)) if id == intent.becomes => {
            exchanged(base, aside, staging, &parent, intent, &entry, way)
        }
        _ => drop_equal(base, staging, intent, &entry),
    }
}

/// Was the inode adopted? Nothing was to be exchanged then; it has its name in the base or it has not.
fn is_object(base: &Base, intent: &Intent) -> SysResult<bool> {
    Ok(base.object_inode(&intent.object)? == Some(intent.becomes))
}

/// The exchange was made: it is finished if nothing is lost with the old file and all names of the file go this way.
///
/// Where the old file is not to be dropped, because somebody wrote to it or has it open to write, it depends on what the
/// run said. Without a commit nobody was told anything, and the old file goes back to its name, which is where its writer
/// looks for it. Behind a commit the receipt says "done", and guests went on: the name stays as it is, since what was
/// written there since belongs to it as well, and the old file is kept for a person, as the run itself does with a file
/// that is opened for writing while it is replaced. So both are kept whole, and the receipt stays true.
fn exchanged(
    base: &Base,
    aside: &Quarantine<'_>,
    staging: &Dir,
    parent: &Dir,
    intent: &Intent,
    entry: &str,
    way: Way,
) -> SysResult<Healed> {
    let is_object = base.object_inode(&intent.object)? == Some(intent.was);
    if is_object && way != Way::Back {
        return undone(staging, parent, intent, entry, way);
    }
    if let (Some(old), true) = (
        equal_to_new(staging, parent, intent, entry)?,
        way != Way::Back,
    ) {
        return Ok(Healed::FinishedAt(old.file().state()?.mtime));
    }
    if way == Way::Committed {
        let old = staging.look(entry.as_bytes())?;
        return Ok(Healed::FinishedAndKept(Some(old.mtime)));
    }
    take_back(base, aside, staging, parent, intent, entry)
}

/// An undo, whose old file is the object. The guest's own file was copied while everybody stood still and nobody could
/// write to the object, so it stays, whatever was written to the object since by those who still share it: that is theirs.
/// A cut that left all names exchanged left the flag off, so what the object holds by now is kept, if it changed.
fn undone(
    staging: &Dir,
    parent: &Dir,
    intent: &Intent,
    entry: &str,
    way: Way,
) -> SysResult<Healed> {
    if way == Way::Forth && !is_as_it_was(staging, parent, intent, entry)? {
        return Ok(Healed::FinishedAndKept(None));
    }
    staging.unlink(entry.as_bytes())?;
    Ok(Healed::Finished)
}

/// What was put there goes once it is out again, if nothing is lost with it: a guest may have written to its own file, or
/// to the object, whose flag was off. What the object holds then is kept before it leaves the name: a healing that is cut
/// behind its exchange finds what was put there in staging, as if it had never been at the name.
fn take_back(
    base: &Base,
    aside: &Quarantine<'_>,
    staging: &Dir,
    parent: &Dir,
    intent: &Intent,
    entry: &str,
) -> SysResult<Healed> {
    if base.object_inode(&intent.object)? == Some(intent.becomes) {
        let size = staging.look(entry.as_bytes())?.size;
        let put = parent.open_regular(intent.path.file_name())?;
        if let Some(put) =
            put.filter(|put| !is_sound(put, Some(size), &intent.object).unwrap_or(false))
        {
            aside.copy(&put, &intent.object)?;
        }
    }
    let time = parent.state()?.mtime;
    let back = swap(&Swap {
        staging,
        staged: entry.as_bytes(),
        parent,
        name: intent.path.file_name(),
        put: intent.was,
        expected: intent.becomes,
    })?;
    // All stands still, so nobody else was here; and no content depends on it.
    drop(parent.set_mtime(time));
    match back {
        Swapped::Done => drop_equal(base, staging, intent, entry),
        _ => Ok(Healed::NeedsPerson),
    }
}

/// The object, beside the guest's copy of it.
fn is_as_it_was(staging: &Dir, parent: &Dir, intent: &Intent, entry: &str) -> SysResult<bool> {
    let size = parent.look(intent.path.file_name())?.size;
    let file = staging.open_regular(entry.as_bytes())?;
    file.map_or(Ok(false), |file| {
        is_sound(&file, Some(size), &intent.object)
    })
}

/// The old file, with no writer, if it equals the new one.
fn equal_to_new(
    staging: &Dir,
    parent: &Dir,
    intent: &Intent,
    entry: &str,
) -> SysResult<Option<Leased>> {
    let new = parent.open_regular(intent.path.file_name())?;
    let (Some(old), Some(new)) = (nobodys(staging, entry)?, new) else {
        return Ok(None);
    };
    let same = equal(old.file(), &new)? && old.stands()?;
    Ok(same.then_some(old))
}

/// What lies in staging goes if it is a name of the object or equals it, so that nothing is lost with it.
fn drop_equal(base: &Base, staging: &Dir, intent: &Intent, entry: &str) -> SysResult<Healed> {
    if equals_object(base, staging, intent, entry)? {
        staging.unlink(entry.as_bytes())?;
        Ok(Healed::Kept)
    } else {
        Ok(Healed::NeedsPerson)
    }
}

fn equals_object(base: &Base, staging: &Dir, intent: &Intent, entry: &str) -> SysResult<bool> {
    let staged = staging.look(entry.as_bytes())?.id;
    if base.object_inode(&intent.object)? == Some(staged) {
        return Ok(true);
    }
    match (nobodys(staging, entry)?, base.object(&intent.object)?) {
        (Some(old), Some(object)) => Ok(equal(old.file(), &object)? && old.stands()?),
        _ => Ok(false),
    }
}

/// What came out, under a lease: whoever had it open may have opened it for writing when the run that kept him from it was
/// cut, and what he writes must not be lost. `None` where that is so.
fn nobodys(staging: &Dir, entry: &str) -> SysResult<Option<Leased>> {
    match staging.open_regular(entry.as_bytes())? {
        Some(old) => Ok(Leased::take(old)?.ok()),
        None => Ok(None),
    }
}

/// Times may differ by policy; everything else is equal or nothing is dropped.
fn equal(a: &Regular, b: &Regular) -> SysResult<bool> {
    let (size, other) = (a.state()?.size, b.state()?.size);
    let ignore = [Ignored::Mtime];
    let differs = metadata_differs(&a.metadata(&ignore)?, &b.metadata(&ignore)?, &ignore);
    Ok(size == other && differs.is_empty() && a.same_content(b, size)?)
}
