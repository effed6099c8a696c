//! Which lines of a plan are selected, paths followed through the links of its guests.

use super::links::GuestLinks;
use crate::engine::plan_file::knows_guests;
use crate::engine::{EngineError, Guest, PlanFile};
use crate::model::PlannedGuest;
use crate::rules::selectors::{FollowedPaths, SelectedLines, Selection};

/// The lines of the plan that are selected; where not all are, the plan is read whole for it. A guest that it does not
/// have is a slip.
pub fn select<'s>(
    plan: &mut PlanFile,
    selection: &'s Selection,
) -> Result<SelectedLines<'s>, EngineError> {
    let mut lines = SelectedLines::of(selection);
    if selection.is_all() {
        return Ok(lines);
    }
    let guests = plan.head()?.1;
    knows_guests(selection, &guests)?;
    if selection.has_paths() {
        follow(&mut lines, &guests);
    }
    plan.read(&mut |action| {
        lines.learn(action);
        Ok(())
    })?;
    Ok(lines)
}

/// In guests that are not where the plan saw them, paths mean what they spell.
fn follow(lines: &mut SelectedLines<'_>, guests: &[PlannedGuest]) {
    for planned in guests {
        let guest = Guest::open(planned.name.clone(), &planned.root).ok();
        if let Some(guest) = guest.filter(|guest| guest.is(planned)) {
            follow_in(lines.paths(), &guest);
        }
    }
}

/// Takes the links of a guest; of one that cannot be read there are none.
pub fn follow_in(paths: &mut FollowedPaths<'_>, guest: &Guest) {
    if let Ok(files) = guest.files() {
        paths.follow(&guest.name, &GuestLinks::of(&*files));
    }
}
