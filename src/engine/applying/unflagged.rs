//! Objects that a plan would leave without protection, because a hand has taken their flag lines out.

use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::applying::plan_lines::PlanLines;
use crate::engine::records::object_set::ObjectSet;
use crate::model::{Action, ObjectId};
use crate::protect;

/// How many objects have link lines and no flag line, and are not protected already. One whose links are gone as well
/// is none: it is not made.
pub(super) fn count(base: &Base, plan: &mut dyn PlanLines) -> Result<u64, EngineError> {
    let (mut named, mut flagged) = (ObjectSet::new(base), ObjectSet::new(base));
    let mut lines = plan.lines()?;
    while let Some(action) = lines.next_line()? {
        match &action {
            Action::Link(link) => named.insert(&link.object)?,
            Action::Flag(flag) => flagged.insert(&flag.object)?,
            Action::Reflink(_) | Action::Skip(_) => {}
        }
    }
    let mut count = 0;
    for object in named.all() {
        let object = object?;
        if !flagged.contains(&object)? && !is_protected(base, &object) {
            count += 1;
        }
    }
    Ok(count)
}

/// What cannot be opened is not known to be protected.
fn is_protected(base: &Base, object: &ObjectId) -> bool {
    let file = base.object(object).ok().flatten();
    file.is_some_and(|file| protect::on(&file).is_ok_and(|on| on.is_some()))
}
