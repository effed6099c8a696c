//! Private copies of what a spoiled object was.

use std::sync::Arc;

use crate::base::Base;
use crate::engine::exchange::job::New;
use crate::engine::proof::is_intact;
use crate::model::{Ignored, ObjectId, Time};
use crate::sys::{Dir, Regular, SysResult};

/// One copy that is proven and that nobody can reach, and as many more as are wanted.
pub(super) struct Copies<'a> {
    place: &'a Dir,
    intact: Regular,
}

impl<'a> Copies<'a> {
    /// Of the first of these files, or of the object's other generations, that is what the object's name says. The copy
    /// is proven and not the file, which a guest may be changing.
    pub fn of(base: &'a Base, id: &ObjectId, sources: &[Regular]) -> SysResult<Option<Copies<'a>>> {
        let place = base.dir();
        for source in sources {
            if let Some(intact) = intact_copy(place, source, id)? {
                return Ok(Some(Copies { place, intact }));
            }
        }
        let first = ObjectId {
            generation: 0,
            ..*id
        };
        let later = base.later_generations(&id.content)?;
        let same = |other: &ObjectId| {
            (other.content, other.metadata) == (id.content, id.metadata) && other != id
        };
        for other in [first].into_iter().chain(later).filter(same) {
            if let Some(other) = base.object(&other)?
                && let Some(intact) = intact_copy(place, &other, id)?
            {
                return Ok(Some(Copies { place, intact }));
            }
        }
        Ok(None)
    }

    /// One more, with a guest's own time where it had one.
    pub fn make(&self, mtime: Option<Time>) -> SysResult<New> {
        let metadata = self.intact.metadata(&[Ignored::Mtime])?;
        let fresh = self.place.nameless_like(&metadata)?;
        let state = self.intact.state()?;
        self.intact.copy_data_into(&fresh, state.size)?;
        fresh.set_metadata(&metadata, mtime.unwrap_or(state.mtime))?;
        let id = fresh.state()?.id;
        Ok(New {
            file: Arc::new(fresh),
            id,
        })
    }
}

fn intact_copy(place: &Dir, source: &Regular, id: &ObjectId) -> SysResult<Option<Regular>> {
    if !is_intact(source, None, id)? {
        return Ok(None);
    }
    let metadata = source.metadata(&[])?;
    let copy = place.nameless_like(&metadata)?;
    let state = source.state()?;
    source.copy_data_into(&copy, state.size)?;
    copy.set_metadata(&metadata, state.mtime)?;
    Ok(is_intact(&copy, None, id)?.then_some(copy))
}
