//! The act: one file of a guest gets a private copy of its object, under all its names. The copy is made first; one
//! that takes long is made by another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::decide::FileOnObject;
use crate::base::{Base, Run};
use crate::engine::Guest;
use crate::engine::exchange::job::{Fate, Job, New, Old};
use crate::engine::exchange::journal::JournalFile;
use crate::engine::exchange::parted::{PartingEnd, SingleParting};
use crate::model::{FileState, GuestName, GuestPath, Metadata, ObjectId, Time};
use crate::protect::{self, NameStep, Protector};
use crate::rules::precondition::metadata_differs;
use crate::sys::guard::{AnswersWriters, InodeMark};
use crate::sys::{Dir, Leased, Meaning, Regular, SysError, SysResult};

/// So often its names are looked at for one copy, and after so long each time.
const MOST_LOOKS: u32 = 4;
const BETWEEN_LOOKS: Duration = Duration::from_micros(300);

/// Why there is no copy, where that is no fault of the disk's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotParted {
    /// Somebody has moved a name, or opened the object for writing: it is to be looked at again.
    Moved,
    /// It cannot be done, for this reason.
    Cannot(String),
    /// There is no room for it.
    NoRoom { quota: bool },
}

impl NotParted {
    /// Is it for lack of room?
    pub fn is_for_room(&self) -> bool {
        matches!(self, NotParted::NoRoom { .. })
    }
}

/// Of what, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyKey {
    pub guest: GuestName,
    pub object: ObjectId,
    pub mtime: Option<Time>,
}

/// How far a copy has got, and whether it is wanted still.
#[derive(Debug, Default)]
pub(super) struct CopyProgress {
    pieces: AtomicU64,
    unwanted: AtomicBool,
}

impl CopyProgress {
    /// One piece more; false where it is to end.
    pub fn piece(&self) -> bool {
        self.pieces.fetch_add(1, Ordering::Relaxed);
        !self.unwanted.load(Ordering::Relaxed)
    }

    /// So many pieces so far.
    pub fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::Relaxed)
    }

    /// It is wanted no more.
    pub fn give_up(&self) {
        self.unwanted.store(true, Ordering::Relaxed);
    }
}

/// A copy, complete and durable, and what it takes the place of.
pub(super) struct PrivateCopy {
    old: Old,
    state: FileState,
    new: New,
}

/// One that has no content yet.
pub(super) struct UnfilledCopy {
    old: Old,
    state: FileState,
    metadata: Metadata,
    mtime: Time,
    fresh: Regular,
}

/// A copy that is begun.
pub(super) enum CopyBegun {
    Made(PrivateCopy),
    /// It takes long.
    Long(UnfilledCopy),
}

/// What came of an act.
pub(super) struct ActDone {
    pub parted: Result<(), NotParted>,
    /// So many files went into quarantine: they take room, though the guest may have parted nothing.
    pub kept: u64,
    /// The copy, where it may be put in place when its names are found.
    pub copy: Option<PrivateCopy>,
}

impl ActDone {
    /// Nothing was moved, and nothing is left of it.
    pub fn not(why: NotParted) -> ActDone {
        ActDone {
            parted: Err(why),
            kept: 0,
            copy: None,
        }
    }
}

/// Where names are moved.
pub(super) struct Hand<'a> {
    pub base: &'a Base,
    pub run: &'a Run,
    pub journal: &'a mut JournalFile,
    pub desk: &'a dyn AnswersWriters,
    /// Called for each name that gets on.
    pub pulse: &'a dyn Fn(),
    /// The directory in which a name was seen.
    pub seen: &'a dyn Fn(&GuestPath) -> Option<InodeMark>,
}

impl Hand<'_> {
    /// Puts the copy in place. An error leaves a name in a state that is not known.
    pub fn part(
        &mut self,
        guest: &Guest,
        id: &ObjectId,
        file: &FileOnObject,
        copy: PrivateCopy,
    ) -> SysResult<ActDone> {
        let job = match copy.job(id, file) {
            Ok(job) => job,
            Err(why) => return Ok(ActDone::not(why)),
        };
        let held = match job.new.as_ref().filter(|_| file.names.len() > 1) {
            None => None,
            Some(new) => match self.hold(new) {
                Ok(held) => Some(held),
                // The guard has no room for one more mark: that is no full disk.
                Err(error) => return Ok(ActDone::not(NotParted::Cannot(error.to_string()))),
            },
        };
        let parted = self.put(guest, &job);
        if let Some(held) = held {
            self.desk.unhold(&held)?;
        }
        let end = match parted {
            Ok(parted) => parted,
            // The journal is full: nothing was moved.
            Err(error) if error.meaning() == Meaning::NoSpace => {
                return Ok(ActDone::not(room_or(&error)));
            }
            Err(error) => return Err(error),
        };
        let parted = match end.fate {
            Fate::Done | Fate::DoneAndKept => Ok(()),
            Fate::Refused(_) | Fate::Again => Err(NotParted::Moved),
            Fate::Failed(why) => Err(NotParted::Cannot(why)),
            Fate::Full => Err(NotParted::Cannot("the copy has too many names".into())),
        };
        let is_left = end.is_copy_left && parted == Err(NotParted::Moved);
        Ok(ActDone {
            parted,
            kept: end.quarantined,
            copy: is_left.then(|| PrivateCopy::of(job)).flatten(),
        })
    }

    /// The names may move at this moment: they are looked at a few times, now that nothing takes long any more.
    fn put(&mut self, guest: &Guest, job: &Job) -> SysResult<PartingEnd> {
        let mut looks = 0;
        loop {
            looks += 1;
            let end = SingleParting {
                base: self.base,
                run: self.run,
                journal: self.journal,
                pulse: self.pulse,
                seen: self.seen,
            }
            .part(guest, job)?;
            let is_moved = matches!(end.fate, Fate::Refused(_)) && end.is_copy_left;
            if !is_moved || looks == MOST_LOOKS {
                return Ok(end);
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// Until all names lead to the copy nobody changes it: who writes by one of them would not find that by another.
    fn hold(&self, new: &New) -> SysResult<InodeMark> {
        let mark = InodeMark::of(&new.file)?;
        self.desk.hold(&mark)?;
        Ok(mark)
    }
}

/// Begins a copy of the object in the directory `place`, with this time of its own; one of more than `long` bytes that
/// share no blocks is not filled yet. `pulse` is called as it gets on.
pub(super) fn begin_copy(
    place: &Dir,
    object: &Regular,
    mtime: Option<Time>,
    long: u64,
    pulse: &dyn Fn(),
) -> Result<CopyBegun, NotParted> {
    let failed = |error: SysError| room_or(&error);
    let old = old_of(object)?;
    let state = object.state().map_err(failed)?;
    let metadata = object.metadata(&[]).map_err(failed)?;
    let fresh = place.nameless_like(&metadata).map_err(failed)?;
    let is_reflinked = object.reflink_into(&fresh).map_err(failed)?;
    let copy = UnfilledCopy {
        old,
        mtime: mtime.unwrap_or(state.mtime),
        state,
        metadata,
        fresh,
    };
    if !is_reflinked {
        if copy.state.allocated() > long {
            // Who has too little room for it would fill the disk each time.
            if !place.has_room(copy.state.allocated()).map_err(failed)? {
                return Err(NotParted::NoRoom { quota: false });
            }
            return Ok(CopyBegun::Long(copy));
        }
        copy.copy_data(&|| {
            pulse();
            true
        })?;
    }
    copy.complete().map(CopyBegun::Made)
}

impl UnfilledCopy {
    /// Copies the content, as long as it is wanted, and makes the copy durable.
    pub fn fill(self, progress: &CopyProgress) -> Result<PrivateCopy, NotParted> {
        self.copy_data(&|| progress.piece())?;
        self.complete()
    }

    fn copy_data(&self, goes_on: &dyn Fn() -> bool) -> Result<(), NotParted> {
        let (object, fresh) = (self.old.file(), &self.fresh);
        let mut watch = || match goes_on() {
            true => Ok(()),
            false => Err(SysError::busy("copy", object.path().to_owned())),
        };
        let copied = object.copy_data_watched(fresh, self.state.size, &mut watch);
        copied.map_err(|error| room_or(&error))
    }

    fn complete(self) -> Result<PrivateCopy, NotParted> {
        let failed = |error: SysError| room_or(&error);
        let fresh = self.fresh;
        fresh
            .set_metadata(&self.metadata, self.mtime)
            .map_err(failed)?;
        let kept = fresh.metadata(&[]).map_err(failed)?;
        let differs = metadata_differs(&self.metadata, &kept, &[crate::model::Ignored::Mtime]);
        if !differs.is_empty() {
            let differs: Vec<String> = differs.iter().map(ToString::to_string).collect();
            let why = format!("a copy does not keep the file's {}", differs.join(", "));
            return Err(NotParted::Cannot(why));
        }
        fresh.sync().map_err(failed)?;
        let id = fresh.state().map_err(failed)?.id;
        Ok(PrivateCopy {
            old: self.old,
            state: self.state,
            new: New {
                file: Arc::new(fresh),
                id,
            },
        })
    }
}

impl PrivateCopy {
    /// That of an exchange which has done nothing with it. One that a lease watches is made anew: a lease that was kept
    /// would hold up who opens the object.
    fn of(job: Job) -> Option<PrivateCopy> {
        let is_marked = matches!(job.old, Old::Marked(_));
        let (old, state) = (job.old, job.state);
        let new = job.new.filter(|_| is_marked)?;
        Some(PrivateCopy { old, state, new })
    }

    /// The exchange of these names. What protected the object as it was copied must do so still: that keeps the copy
    /// from being out of date.
    fn job(self, id: &ObjectId, file: &FileOnObject) -> Result<Job, NotParted> {
        let is_marked = matches!(self.old, Old::Marked(_));
        let on = protect::on(self.old.file()).map_err(|error| room_or(&error))?;
        if is_marked && !on.is_some_and(Protector::stays_on) {
            return Err(NotParted::Moved);
        }
        Ok(Job {
            guest: 0,
            names: file.names.clone(),
            object: *id,
            old: self.old,
            state: self.state,
            new: Some(self.new),
        })
    }
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

fn room_or(error: &SysError) -> NotParted {
    match error.meaning() {
        Meaning::NoSpace => NotParted::NoRoom {
            quota: error.is_over_quota(),
        },
        Meaning::Busy => NotParted::Moved,
        _ => NotParted::Cannot(error.to_string()),
    }
}
