//! The guests of a base that was brought elsewhere: recognised by the names in them that refer to objects.

use std::path::PathBuf;

use super::places::places;
use crate::base::{Base, Index};
use crate::engine::records::{History, named};
use crate::engine::{EngineError, Guest, GuestArg, guest};
use crate::model::{GuestName, ReceiptGuest};
use crate::sys::SysResult;

/// Guests that were found, and those of which the base remembers names and which are nowhere.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub guests: Vec<Guest>,
    pub lost: Vec<ReceiptGuest>,
}

/// Those that a person names, and of the others those that hold names which the base remembers.
pub(super) fn find(
    base: &Base,
    index: &Index,
    history: &History,
    args: &[GuestArg],
) -> Result<Found, EngineError> {
    let mut found = Found {
        guests: named::open(base, index, history, args)?,
        lost: Vec::new(),
    };
    for name in remembered(history, &found.guests) {
        match find_one(base, index, history, &name, &found.guests)? {
            Some(guest) => found.guests.push(guest),
            None => found.lost.extend(history.guests.get(&name).map(|known| {
                let root = known.root.clone();
                ReceiptGuest { name, root }
            })),
        }
    }
    found.guests.sort_by(|a, b| a.name.cmp(&b.name));
    guest::apart(&found.guests, base.path())?;
    Ok(found)
}

/// Guests that have names by what the base remembers, and that nobody has named.
fn remembered(history: &History, open: &[Guest]) -> Vec<GuestName> {
    let known = history.guests.iter();
    let known = known.filter(|(name, known)| {
        history.has_files(known) && open.iter().all(|guest| guest.name != **name)
    });
    known.map(|(name, _)| name.clone()).collect()
}

/// The first place where names that the base remembers refer to their objects.
fn find_one(
    base: &Base,
    index: &Index,
    history: &History,
    name: &GuestName,
    taken: &[Guest],
) -> SysResult<Option<Guest>> {
    let Some(known) = history.guests.get(name) else {
        return Ok(None);
    };
    let files = history.by_guest(|guest, _| guest == name)?;
    let files = files.get(name).map_or(&[][..], Vec::as_slice);
    let dev = base.dir().state()?.id.dev;
    // A link may lead into a guest, and what stands there is that guest's word.
    let open = |place: &PathBuf| {
        let guest = Guest::open(name.clone(), place).ok();
        guest.filter(|guest| guest.path == *place)
    };
    let is_it = |guest: &Guest| {
        let is_free = taken.iter().all(|other| other.id != guest.id);
        is_free && guest.id.dev == dev && named::holds(guest, files, index)
    };
    let places = places(&known.root, base.path());
    Ok(places.iter().filter_map(open).find(is_it))
}
