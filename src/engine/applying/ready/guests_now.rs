//! The guests of a plan as they are now: the directories that the plan saw, apart, and nobody else's.

use crate::base::Base;
use crate::engine::error::{CannotHere, RefusedPlan};
use crate::engine::records::History;
use crate::engine::roots::one_filesystem::one_filesystem;
use crate::engine::{EngineError, Guest, guest};
use crate::model::{Method, PlanMethods, PlannedGuest};

/// A guest is known by its name: the base must not take two guests for one.
pub(super) fn no_namesakes(guests: &[Guest], history: &History) -> Result<(), EngineError> {
    for guest in guests {
        let Some(known) = history.guests.get(&guest.name) else {
            continue;
        };
        let there = match history.has_files(known) {
            true => known.find(&guest.name),
            false => known.find_beside(&guest.name),
        };
        let is_other = |other: &Guest| other.id != guest.id && history.has_any(known);
        let other = there.ok().flatten().filter(is_other);
        if let Some(other) = other {
            return Err(RefusedPlan::Namesake {
                name: guest.name.clone(),
                other: other.path,
            }
            .into());
        }
    }
    Ok(())
}

/// Opens the guests of a plan, and makes sure that each root is the directory that the plan saw.
pub(super) fn open_guests(planned: &[PlannedGuest]) -> Result<Vec<Guest>, EngineError> {
    let mut open = Vec::with_capacity(planned.len());
    for planned in planned {
        let guest = Guest::open(planned.name.clone(), &planned.root)?;
        if !guest.is(planned) {
            return Err(RefusedPlan::OtherRoot {
                name: planned.name.clone(),
                root: planned.root.clone(),
            }
            .into());
        }
        open.push(guest);
    }
    Ok(open)
}

/// Guests and base must be apart, and one mount must show them all, or be of one file system where no name need cross:
/// a hard link that would have to is refused by itself then.
pub(super) fn can_share(
    guests: &[Guest],
    base: &Base,
    methods: PlanMethods,
) -> Result<(), EngineError> {
    guest::apart(guests, base.path())?;
    if methods.has(Method::Reflink) {
        return one_filesystem(guests, base.path(), base.dir());
    }
    for guest in guests {
        if guest.root.mount_id()? != base.dir().mount_id()? {
            return Err(CannotHere::OtherMountThanBase(guest.path.clone()).into());
        }
    }
    Ok(())
}
