//! Which lines of a plan are selected, paths followed through the links of its guests.

use super::links::GuestLinks;
use crate::engine::error::BadUse;
use crate::engine::{EngineError, Guest, PlanFile};
use crate::model::{GuestName, PlannedGuest};
use crate::rules::selectors::{FollowedPaths, SelectedLines, Selection};

/// The lines of the plan that are selected; where not all are, the plan is read whole for it. A guest that it does not
/// have is a slip.
pub fn select(plan: &mut PlanFile, selection: &Selection) -> Result<SelectedLines, EngineError> {
    if selection.is_all() {
        return Ok(SelectedLines::of(selection.clone()));
    }
    let guests = plan.head()?.1;
    let known = known_guests(selection, &guests)?;
    select_known(plan, &guests, known)
}

/// The same, where it is known that the guests of the selection are there, in this plan or in another.
pub fn select_known(
    plan: &mut PlanFile,
    guests: &[PlannedGuest],
    selection: Selection,
) -> Result<SelectedLines, EngineError> {
    if selection.is_all() {
        return Ok(SelectedLines::of(selection));
    }
    let mut lines = SelectedLines::of(selection);
    if lines.paths().are_narrow() {
        follow(&mut lines, guests)?;
    }
    plan.read(&mut |action| {
        lines.learn(action);
        Ok(())
    })?;
    Ok(lines)
}

/// The selection among these guests; refuses one of guests that are none of these.
pub fn known_guests(
    selection: &Selection,
    guests: &[PlannedGuest],
) -> Result<Selection, EngineError> {
    selected_among(selection, &guests.iter().map(|guest| &guest.name))
}

/// The same among guests of any list.
pub fn selected_among<'g>(
    selection: &Selection,
    known: &(impl Iterator<Item = &'g GuestName> + Clone),
) -> Result<Selection, EngineError> {
    selection.among(known).map_err(|name| {
        let known = known.clone().map(ToString::to_string).collect();
        BadUse::NoSuchGuest { name, known }.into()
    })
}

/// In guests that are not where the plan saw them, paths mean what they spell.
fn follow(lines: &mut SelectedLines, guests: &[PlannedGuest]) -> Result<(), EngineError> {
    for planned in guests {
        let guest = Guest::open(planned.name.clone(), &planned.root).ok();
        if let Some(guest) = guest.filter(|guest| guest.is(planned)) {
            follow_in(lines.paths(), &guest)?;
        }
    }
    Ok(())
}

/// Takes the links of a guest. Refuses paths that go through more than are
/// followed: more might be done than was asked.
pub fn follow_in(paths: &mut FollowedPaths, guest: &Guest) -> Result<(), EngineError> {
    let files = guest.files()?;
    Ok(paths.follow(&guest.name, &GuestLinks::of(&*files))?)
}
