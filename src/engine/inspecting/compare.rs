//! The files of one path in several guests, held against each other: what keeps them apart.

use crate::engine::{EngineError, Guest};
use crate::model::{Compared, GuestName, GuestPath, Moved, PlannedGuest, Policy};
use crate::rules::precondition::metadata_differs;
use crate::sys::{Regular, SysResult, View};

/// Compares as the plan's policy does.
pub(super) struct Comparer<'a> {
    policy: &'a Policy,
}

impl<'a> Comparer<'a> {
    pub fn new(policy: &'a Policy) -> Comparer<'a> {
        Comparer { policy }
    }

    /// The file of `path` in all other guests that have a regular file there and can be reached.
    pub fn compare(
        &self,
        guests: &[PlannedGuest],
        own: &GuestName,
        path: &GuestPath,
    ) -> Result<Vec<Compared>, EngineError> {
        let mine = guests.iter().find(|guest| guest.name == *own);
        let Some(mine) = mine.and_then(|guest| open(guest, path)) else {
            return Ok(Vec::new());
        };
        let mut all = Vec::new();
        for guest in guests.iter().filter(|guest| guest.name != *own) {
            let Some(other) = open(guest, path) else {
                continue;
            };
            all.push(Compared {
                guest: guest.name.clone(),
                differs: self.differs(&mine, &other)?,
            });
        }
        Ok(all)
    }

    /// Content is read only where the lengths are equal.
    fn differs(&self, a: &Regular, b: &Regular) -> SysResult<Vec<Moved>> {
        let ignore = &self.policy.ignore;
        let (size, other) = (a.state()?.size, b.state()?.size);
        let mut fields = metadata_differs(&a.metadata(ignore)?, &b.metadata(ignore)?, ignore);
        if size != other {
            fields.push(Moved::Size);
        } else if !a.same_content(b, size)? {
            fields.push(Moved::Content);
        }
        fields.sort();
        Ok(fields)
    }
}

/// `None` where there is no such regular file, or none that can be read.
fn open(planned: &PlannedGuest, path: &GuestPath) -> Option<Regular> {
    let guest = Guest::open(planned.name.clone(), &planned.root).ok()?;
    let view = View::of(&guest.root).ok()?;
    let file = view.open_regular(path.relative()).ok()??;
    Some(file)
}
