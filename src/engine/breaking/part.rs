//! The act: one file of a guest gets a private copy of its object, under all its names.

use std::sync::Arc;

use super::decide::FileOnObject;
use crate::base::{Base, Run};
use crate::engine::Guest;
use crate::engine::exchange::job::{Fate, Job, New, Old};
use crate::engine::exchange::journal::JournalFile;
use crate::engine::exchange::parted::SingleParting;
use crate::model::{FileState, ObjectId, Time};
use crate::protect::{self, NameStep, Protector};
use crate::rules::precondition::metadata_differs;
use crate::sys::guard::{AnswersWriters, InodeMark};
use crate::sys::{Dir, Leased, Meaning, Regular, SysError, SysResult};

/// Why there is no copy, where that is no fault of the disk's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotParted {
    /// Somebody has moved a name, or opened the object for writing: it is to be looked at again.
    Moved,
    /// It cannot be done, for this reason.
    Cannot(String),
    /// There is no room for it.
    NoRoom { quota: bool },
}

/// Where names are moved.
pub(super) struct Hand<'a> {
    pub base: &'a Base,
    pub run: &'a Run,
    pub journal: &'a mut JournalFile,
    pub desk: &'a dyn AnswersWriters,
}

impl Hand<'_> {
    /// An error leaves a name in a state that is not known.
    pub fn part(
        &mut self,
        guest: &Guest,
        id: &ObjectId,
        object: &Regular,
        file: &FileOnObject,
    ) -> SysResult<Result<(), NotParted>> {
        let job = match prepared(self.base.dir(), id, object, file) {
            Ok(job) => job,
            Err(why) => return Ok(Err(why)),
        };
        let held = match job.new.as_ref().filter(|_| file.names.len() > 1) {
            None => None,
            Some(new) => match self.hold(new) {
                Ok(held) => Some(held),
                // The guard has no room for one more mark: that is no full disk.
                Err(error) => return Ok(Err(NotParted::Cannot(error.to_string()))),
            },
        };
        let parted = SingleParting {
            base: self.base,
            run: self.run,
            journal: self.journal,
        }
        .part(guest, &job);
        if let Some(held) = held {
            self.desk.unhold(&held)?;
        }
        let (fate, _) = match parted {
            Ok(parted) => parted,
            // The journal is full: nothing was moved.
            Err(error) if error.meaning() == Meaning::NoSpace => return Ok(Err(room_or(&error))),
            Err(error) => return Err(error),
        };
        Ok(match fate {
            Fate::Done | Fate::DoneAndKept => Ok(()),
            Fate::Refused(_) | Fate::Again => Err(NotParted::Moved),
            Fate::Failed(why) => Err(NotParted::Cannot(why)),
            Fate::Full => Err(NotParted::Cannot("the copy has too many names".into())),
        })
    }

    /// Until all names lead to the copy nobody changes it: who writes by one of them would not find that by another.
    fn hold(&self, new: &New) -> SysResult<InodeMark> {
        let mark = InodeMark::of(&new.file)?;
        self.desk.hold(&mark)?;
        Ok(mark)
    }
}

/// The copy, complete and durable, and what it takes the place of.
fn prepared(
    place: &Dir,
    id: &ObjectId,
    object: &Regular,
    file: &FileOnObject,
) -> Result<Job, NotParted> {
    let failed = |error: SysError| room_or(&error);
    let old = old_of(object)?;
    let state = object.state().map_err(failed)?;
    let new = copy_of(place, object, &state, file.mtime)?;
    Ok(Job {
        guest: 0,
        names: file.names.clone(),
        object: *id,
        old,
        state,
        new: Some(new),
    })
}

/// One that is marked nobody can change. Of one that nothing protects a lease shows that nobody does; one that is to be
/// lifted for its names is not parted while others run.
fn old_of(object: &Regular) -> Result<Old, NotParted> {
    let failed = |error: SysError| room_or(&error);
    if protect::in_the_way(object, &[NameStep::Unlink])
        .map_err(failed)?
        .is_some()
    {
        let why = "its protection must be lifted first: `unify undo` gives it a file of its own";
        return Err(NotParted::Cannot(why.into()));
    }
    let on = protect::on(object).map_err(failed)?;
    let own = object.reopen().map_err(failed)?;
    if on.is_some_and(Protector::stays_on) {
        return Ok(Old::Marked(Arc::new(own)));
    }
    let leased = Leased::take(own).map_err(failed)?;
    leased.map(Old::Leased).map_err(|_| NotParted::Moved)
}

fn copy_of(
    place: &Dir,
    object: &Regular,
    state: &FileState,
    mtime: Option<Time>,
) -> Result<New, NotParted> {
    let failed = |error: SysError| room_or(&error);
    let metadata = object.metadata(&[]).map_err(failed)?;
    let fresh = place.nameless_like(&metadata).map_err(failed)?;
    if !object.reflink_into(&fresh).map_err(failed)? {
        object.copy_data_into(&fresh, state.size).map_err(failed)?;
    }
    fresh
        .set_metadata(&metadata, mtime.unwrap_or(state.mtime))
        .map_err(failed)?;
    let kept = fresh.metadata(&[]).map_err(failed)?;
    let differs = metadata_differs(&metadata, &kept, &[crate::model::Ignored::Mtime]);
    if !differs.is_empty() {
        let differs: Vec<String> = differs.iter().map(ToString::to_string).collect();
        let why = format!("a copy does not keep the file's {}", differs.join(", "));
        return Err(NotParted::Cannot(why));
    }
    fresh.sync().map_err(failed)?;
    let id = fresh.state().map_err(failed)?.id;
    Ok(New {
        file: Arc::new(fresh),
        id,
    })
}

fn room_or(error: &SysError) -> NotParted {
    match error.meaning() {
        Meaning::NoSpace => NotParted::NoRoom {
            quota: error.is_over_quota(),
        },
        Meaning::Busy => NotParted::Moved,
        _ => NotParted::Cannot(error.to_string()),
    }
}
