//! Shared objects that are without their protection although no run of ours is at work.
//!
//! The world takes flags off: `lxc-destroy`, `incus delete` and `chattr -R -i GUEST` do so for every object that the
//! guest has a name of, and a restored backup has none. From then on a write in one guest is a write in all. What such
//! an object holds now is not judged here; see `proof`.
//!
//! A run at work takes flags off for a moment. So what a first look finds is looked at once more while the lock of the
//! base is held, and not judged where another run holds it.

use std::collections::{BTreeMap, HashMap};

use super::History;
use crate::base::{Base, BaseError, Held, Index};
use crate::engine::proof::has_metadata;
use crate::engine::{EngineError, Guest};
use crate::model::{Event, FileId, GuestName, ObjectId, Observer};
use crate::protect;
use crate::sys::{Meaning, SysResult};

/// Objects that receipts know, and whether a run protects them: [`History::protection`].
type Known = HashMap<ObjectId, bool>;

/// Objects that guests share and that are not protected, as they shall be: by a run that linked them, or, where no
/// receipt knows them, by `unknown`. Where that is not said either, they shall be as the others are.
pub fn unprotected(
    base: &Base,
    index: &Index,
    known: impl FnOnce() -> Result<Known, EngineError>,
    unknown: Option<bool>,
) -> Result<Vec<Held>, EngineError> {
    let in_doubt = |held: &Held| held.state.nlink > 1 && held.flagged != Some(true);
    let in_doubt: Vec<Held> = index.objects().filter(in_doubt).collect();
    if in_doubt.is_empty() {
        return Ok(Vec::new());
    }
    let known = known()?;
    let as_others = || known.is_empty() || known.values().any(|protected| *protected);
    let unknown = unknown.unwrap_or_else(as_others);
    let mut found = Vec::new();
    for held in in_doubt {
        if *known.get(&held.id).unwrap_or(&unknown) && !is_protected(base, &held.id)? {
            found.push(held);
        }
    }
    Ok(found)
}

/// The same for who holds no lock, and changes nothing.
pub fn left_unprotected(
    base: &Base,
    index: &Index,
    known: impl FnOnce() -> Result<Known, EngineError>,
    observer: &dyn Observer,
) -> Result<Vec<Held>, EngineError> {
    let found = unprotected(base, index, known, None)?;
    if found.is_empty() {
        return Ok(found);
    }
    let _still = match base.hold_still() {
        Err(BaseError::Locked { .. }) => {
            observer.notice(&Event::Warning(AT_WORK));
            return Ok(Vec::new());
        }
        held => held?,
    };
    let mut kept = Vec::new();
    for held in found {
        if !is_protected(base, &held.id)? {
            kept.push(held);
        }
    }
    Ok(kept)
}

/// What is said where protections are off and a run may have taken them off.
pub const AT_WORK: &str =
    "another run is at work in this base: what lacks its protection was not judged";

/// Where metadata can be changed all the same, they must be those of the object's name as well: whoever changes them
/// changes them for all.
///
/// One that somebody holds a lease on cannot be opened: nobody takes a lease on what is protected.
fn is_protected(base: &Base, id: &ObjectId) -> SysResult<bool> {
    match base.object(id) {
        Err(error) if error.meaning() == Meaning::Busy => Ok(false),
        Err(error) => Err(error),
        Ok(None) => Ok(true),
        Ok(Some(file)) => match protect::on(&file)? {
            Some(on) if on.keeps_metadata() => Ok(true),
            Some(_) => Ok(has_metadata(&file.metadata(&[])?, id)),
            None => Ok(false),
        },
    }
}

/// The guests that have names of these objects, as receipts say and the disk confirms, and how many names each has.
pub fn guests_of(
    history: &History,
    objects: &[Held],
) -> Result<BTreeMap<GuestName, u64>, EngineError> {
    let inodes: HashMap<ObjectId, FileId> = objects.iter().map(|h| (h.id, h.state.id)).collect();
    let guests: BTreeMap<GuestName, Guest> = history
        .holders(&[])
        .into_iter()
        .map(|guest| (guest.name.clone(), guest))
        .collect();
    let mut found = BTreeMap::new();
    for file in history.files() {
        let (name, file) = file?;
        let (Some(inode), Some(guest)) = (inodes.get(&file.object), guests.get(name)) else {
            continue;
        };
        let looked = file
            .paths
            .iter()
            .map(|path| guest.root.look(path.relative()));
        let refer = looked.filter(|now| now.as_ref().is_ok_and(|state| state.id == *inode));
        let names = refer.count() as u64;
        if names > 0 {
            *found.entry(name.clone()).or_default() += names;
        }
    }
    Ok(found)
}
