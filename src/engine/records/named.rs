//! Guests that a person names by their place, and what of the base's names is in them now.

use super::{History, Linked};
use crate::base::{Base, Index};
use crate::engine::error::{BadUse, CannotHere};
use crate::engine::{EngineError, Guest, GuestArg, guest};
use crate::model::FileId;

/// Opens them: on the file system of the base, apart from it and each other, and none under the name of another guest
/// that holds names, for a guest is known by its name.
pub fn open(
    base: &Base,
    index: &Index,
    history: &History,
    named: &[GuestArg],
) -> Result<Vec<Guest>, EngineError> {
    let guests = guest::open_all(named, Some(base.path()))?;
    let dev = base.dir().state()?.id.dev;
    for guest in &guests {
        if guest.id.dev != dev {
            return Err(CannotHere::OtherMountThanBase(guest.path.clone()).into());
        }
    }
    let is_named = |name: &_| guests.iter().any(|guest| guest.name == *name);
    for (name, files) in history.by_guest(|name, _| is_named(name))? {
        let other = history.guests.get(name).and_then(|known| known.open(name));
        let same = |other: &Guest| guests.iter().any(|guest| guest.id == other.id);
        if let Some(other) = other.filter(|other| !same(other) && holds(other, &files, index)) {
            return Err(BadUse::Namesake {
                name: name.clone(),
                other: other.path,
            }
            .into());
        }
    }
    Ok(guests)
}

/// Does any of these names refer to its object in this guest?
pub fn holds(guest: &Guest, files: &[Linked], index: &Index) -> bool {
    files.iter().any(|file| {
        let inode = index
            .find(&file.object)
            .map(|at| index.get(at as usize).state.id);
        let is = |now: FileId| Some(now) == inode;
        let mut now = file
            .paths
            .iter()
            .map(|name| guest.root.look(name.relative()));
        now.any(|now| now.is_ok_and(|now| is(now.id)))
    })
}
