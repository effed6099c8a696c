//! What an interrupted run left and no journal explains.
//!
//! An entry of staging is dropped only if nothing is lost with it: it is a name of an object, or a file that equals
//! one in content and all metadata. Anything else is kept for a person.

use super::quarantine::Quarantine;
use crate::base::{Base, Held, Index, LiftedObject};
use crate::engine::EngineError;
use crate::engine::lifting::Lifting;
use crate::engine::proof::is_intact;
use crate::engine::protection;
use crate::engine::records::replayed::Replayed;
use crate::engine::records::unprotected;
use crate::model::{FileState, ObjectId, Receipt};
use crate::protect::{self, NameStep};
use crate::rules::precondition::metadata_differs;
use crate::sys::{Dir, Leased, SysResult};

/// Drops what equals an object and puts the rest into quarantine, except what is `due` later.
pub(super) fn drop_known(
    base: &Base,
    lifting: &Lifting<'_>,
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
    let mut met = Vec::new();
    for entry in &left {
        met.extend(index.of_inode(staging.look(entry)?.id).map(|held| held.id));
    }
    lifting.write_down(met, &[NameStep::Unlink])?;
    for entry in left {
        let state = staging.look(&entry)?;
        let shown = String::from_utf8_lossy(&entry);
        if let Some(held) = index.of_inode(state.id) {
            drop_name(base, lifting, aside, staging, &held, &shown)?;
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
    lifting: &Lifting<'_>,
    aside: &Quarantine<'_>,
    staging: &Dir,
    held: &Held,
    entry: &str,
) -> Result<(), EngineError> {
    let object = base.object(&held.id)?;
    if object.map_or(Ok(true), |file| is_intact(&file, None, &held.id))? {
        Ok(lifting.lifted_for(&held.id, || staging.unlink(entry.as_bytes()))?)
    } else {
        aside.keep(staging, entry, Some(&held.id))
    }
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

/// Without a journal that explains everything it is not known which flags were off: every object that guests share by
/// a run that protects shall have its flag. Returns those that have not.
pub(super) fn unprotected(
    base: &Base,
    receipt: Option<&Receipt>,
    replayed: &Replayed<'_>,
) -> Result<Vec<LiftedObject>, EngineError> {
    let index = Index::read(base)?;
    let mode = receipt.and_then(|receipt| receipt.protect);
    let run_protects = mode.is_some_and(|mode| protect::by(mode).protects());
    let known = || Ok(replayed.history()?.protection()?);
    let found = unprotected::unprotected(base, &index, known, Some(run_protects))?;
    let by = protection::of(base)?.mode();
    let line = |held: &Held| LiftedObject::found(held, by);
    Ok(found.iter().map(line).collect())
}

/// Protects them, and returns which they were.
pub(super) fn protect_unprotected(
    base: &Base,
    receipt: Option<&Receipt>,
    replayed: &Replayed<'_>,
) -> Result<Vec<ObjectId>, EngineError> {
    let mut protected = Vec::new();
    for one in unprotected(base, receipt, replayed)? {
        if let Some(file) = base.object(&one.object)? {
            protect::by(one.by).set(&file)?;
            protected.push(one.object);
        }
    }
    Ok(protected)
}
