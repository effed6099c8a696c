//! One name that was in flight, by what it refers to now and what lies in staging.
//!
//! What came out and is open for writing is treated as if it were not equal.
//!
//! | name | staging | meaning | done |
//! | --- | --- | --- | --- |
//! | old | new | not exchanged | staging entry dropped |
//! | new | old | exchanged | old dropped if it equals the new one, else exchanged back |
//! | new | – | finished, or adopted | – |
//! | other | old | the guest replaced it later | old dropped if it equals the object, else kept for a person |
//! | other | new | the guest replaced it before | staging entry dropped |
//! | – | old | the guest deleted it | as for "other" |
//! | – | new | the guest deleted it | staging entry dropped |
//! | any | other | an exchange was cut in its middle | kept for a person |

use super::Guest;
use crate::base::Base;
use crate::ledger::journal::Intent;
use crate::link::{Swap, Swapped, swap};
use crate::model::{FileId, Ignored, Time};
use crate::rules::precondition::metadata_differs;
use crate::sys::{Dir, Leased, Regular, SysError, SysResult};

/// How a name was healed.
pub(super) enum Healed {
    /// It refers to its new inode; with the old file's own time, where that could still be seen.
    Finished(Option<Time>),
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

/// The directory of the name, if it is the one that the journal means.
fn parent(guest: Option<&Guest>, intent: &Intent) -> Option<Dir> {
    let dir = guest.and_then(|guest| guest.root.open_dir(intent.path.parent().relative()).ok());
    dir.filter(|dir| dir.state().is_ok_and(|state| state.id == intent.parent))
}

/// Heals one name; `finish` unless its file's other names cannot be. `guest` is `None` where its root is gone.
pub(super) fn heal_name(
    base: &Base,
    staging: &Dir,
    guest: Option<&Guest>,
    intent: &Intent,
    finish: bool,
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
            Healed::Finished(None)
        } else {
            Healed::Kept
        });
    };
    if staged == intent.becomes {
        staging.unlink(entry.as_bytes())?;
        return Ok(Healed::Kept);
    }
    if staged != intent.was {
        return Ok(Healed::NeedsPerson);
    }
    match (parent, name) {
        (Some(parent), Some(id)) if id == intent.becomes => {
            exchanged(staging, &parent, intent, &entry, finish)
        }
        _ if equals_object(base, staging, intent, &entry)? => {
            staging.unlink(entry.as_bytes())?;
            Ok(Healed::Kept)
        }
        _ => Ok(Healed::NeedsPerson),
    }
}

/// Was the inode adopted? Nothing was to be exchanged then; it has its name in the base or it has not.
fn is_object(base: &Base, intent: &Intent) -> SysResult<bool> {
    Ok(base.object_inode(&intent.object)? == Some(intent.becomes))
}

/// The exchange was made and not committed: finish it if both are equal and all names of the file can be, else take
/// it back.
fn exchanged(
    staging: &Dir,
    parent: &Dir,
    intent: &Intent,
    entry: &str,
    finish: bool,
) -> SysResult<Healed> {
    let (old, new) = (
        nobodys(staging, entry)?,
        parent.open_regular(intent.path.file_name())?,
    );
    if let (Some(old), Some(new), true) = (old, new, finish)
        && equal(old.file(), &new)?
        && old.stands()?
    {
        let mtime = old.file().state()?.mtime;
        staging.unlink(entry.as_bytes())?;
        return Ok(Healed::Finished(Some(mtime)));
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
        Swapped::Done => {
            staging.unlink(entry.as_bytes())?;
            Ok(Healed::Kept)
        }
        _ => Ok(Healed::NeedsPerson),
    }
}

/// What came out of the guest equals the object, so nothing is lost with it.
fn equals_object(base: &Base, staging: &Dir, intent: &Intent, entry: &str) -> SysResult<bool> {
    let inode: Option<FileId> = base.object_inode(&intent.object)?;
    if inode == Some(intent.was) {
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
