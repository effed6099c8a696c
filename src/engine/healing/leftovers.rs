//! What an interrupted run left and no journal explains.
//!
//! An entry of staging is dropped only if nothing is lost with it: it is a name of an object, or a file that equals
//! one in content and all metadata. Anything else is kept for a person.

use super::quarantine::Quarantine;
use super::soundness::is_intact;
use crate::base::{Base, Held, Index};
use crate::engine::EngineError;
use crate::engine::records::History;
use crate::model::{FileState, ObjectId, Protect, Receipt};
use crate::rules::precondition::metadata_differs;
use crate::sys::{Dir, Leased, Regular, SysResult};

/// Drops what equals an object and puts the rest into quarantine, except what is `due` later.
pub(super) fn drop_known(
    base: &Base,
    aside: &Quarantine<'_>,
    staging: &Dir,
    due: &[&String],
) -> Result<(), EngineError> {
    let mut left = staging.list()?;
    left.retain(|entry| !due.iter().any(|one| one.as_bytes() == entry));
    if left.is_empty() {
        return Ok(());
    }
    let index = Index::read(base)?;
    for entry in left {
        let state = staging.look(&entry)?;
        let shown = String::from_utf8_lossy(&entry);
        if let Some(held) = index.of_inode(state.id) {
            drop_name(base, aside, staging, &held, &shown)?;
        } else if let Some(old) = with_twin(base, &index, staging, &state, &entry)? {
            staging.unlink(&entry)?;
            drop(old);
        } else {
            aside.keep(staging, &shown, None)?;
        }
    }
    Ok(())
}

/// The flag comes off for the moment: a name of a flagged inode cannot be removed. What was written to the object
/// while its flag was off is kept: this may be the last name that a guest wrote through.
fn drop_name(
    base: &Base,
    aside: &Quarantine<'_>,
    staging: &Dir,
    held: &Held,
    entry: &str,
) -> Result<(), EngineError> {
    let object = base.object(&held.id)?;
    let flagged = object.as_ref().map_or(Ok(false), Regular::is_immutable)?;
    let sound = object
        .as_ref()
        .map_or(Ok(true), |file| is_intact(file, None, &held.id))?;
    if let Some(file) = object.as_ref().filter(|_| flagged) {
        file.set_immutable(false)?;
    }
    if sound {
        staging.unlink(entry.as_bytes())?;
    } else {
        aside.keep(staging, entry, Some(&held.id))?;
    }
    if let Some(file) = object.filter(|_| flagged) {
        file.set_immutable(true)?;
    }
    Ok(())
}

/// A file that no process has open for writing, and that equals an object; under its lease.
fn with_twin(
    base: &Base,
    index: &Index,
    staging: &Dir,
    state: &FileState,
    entry: &[u8],
) -> SysResult<Option<Leased>> {
    let opened = staging.open_regular(entry)?;
    let Some(Ok(old)) = opened.map(Leased::take).transpose()? else {
        return Ok(None);
    };
    let file = old.file();
    let metadata = file.metadata(&[])?;
    let alike = |held: &Held| held.state.size == state.size && held.state.mtime == state.mtime;
    for held in index.objects().filter(alike) {
        let Some(object) = base.object(&held.id)? else {
            continue;
        };
        let differs = metadata_differs(&metadata, &object.metadata(&[])?, &[]);
        if differs.is_empty() && file.same_content(&object, state.size)? && old.stands()? {
            return Ok(Some(old));
        }
    }
    Ok(None)
}

/// Without a journal it is not known which flags were off: every object that guests share by a run that protects
/// gets its flag again. Returns those that did.
pub(super) fn flag_unprotected(
    base: &Base,
    receipt: Option<&Receipt>,
) -> Result<Vec<ObjectId>, EngineError> {
    let protection = History::read(base)?.protection()?;
    let run_protects = receipt.and_then(|receipt| receipt.protect) == Some(Protect::Immutable);
    let mut flagged = Vec::new();
    for held in Index::read(base)?.objects() {
        let wanted = *protection.get(&held.id).unwrap_or(&run_protects);
        if held.state.nlink < 2 || !wanted {
            continue;
        }
        let object = base.object(&held.id)?;
        if let Some(file) = object.filter(|file| file.is_immutable().is_ok_and(|on| !on)) {
            file.set_immutable(true)?;
            flagged.push(held.id);
        }
    }
    Ok(flagged)
}
