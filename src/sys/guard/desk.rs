//! Where a daemon meets those who wait: for several threads at once, be it the kernel that asks or, in tests, a script.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ability;
use super::requests::{Requests, WriteAnswer};
use super::writers::AnswersWriters;
use super::{Heart, InodeMark, Marks, WriteRequest};
use crate::model::{FileId, GuardLevel};
use crate::sys::SysResult;

/// Takes requests and hands out answers.
#[derive(Debug)]
pub struct Desk {
    /// One thread waits at this one, and answers go by the other.
    asking: Mutex<Requests>,
    answering: Mutex<Requests>,
    heart: Heart,
}

/// One daemon at a time sits at it: another would let go what this one holds.
const SEAT: &str = "/run/unify-guardd.lock";

impl Desk {
    /// What a daemon locks before it opens the desk.
    pub fn seat() -> PathBuf {
        #[cfg(feature = "faults")]
        if let Some(seat) = super::script::seat_of_environment() {
            return seat;
        }
        PathBuf::from(SEAT)
    }

    /// `None` where no guard is loaded that asks, or one that asks otherwise than this version knows.
    pub fn open() -> SysResult<Option<Box<dyn AnswersWriters + Send>>> {
        #[cfg(feature = "faults")]
        if let Some(script) = super::script::Script::of_environment()? {
            return Ok(Some(Box::new(script)));
        }
        let (asking, answering, heart) = (Requests::open()?, Requests::open()?, Heart::open()?);
        let (Some(asking), Some(answering), Some(heart)) = (asking, answering, heart) else {
            return Ok(None);
        };
        Ok(Some(Box::new(Desk {
            asking: Mutex::new(asking),
            answering: Mutex::new(answering),
            heart,
        })))
    }

    fn answering(&self) -> MutexGuard<'_, Requests> {
        self.answering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets go what a daemon that is gone has held of these inodes. Where no guard is loaded there is none.
pub fn let_go(inodes: &[FileId]) -> SysResult<()> {
    let Some(marks) = Marks::here().filter(|_| !inodes.is_empty()) else {
        return Ok(());
    };
    let held = marks.held()?;
    let mut due = held.iter().filter(|held| inodes.contains(&held.inode));
    due.try_for_each(|held| marks.unhold(held))
}

impl AnswersWriters for Desk {
    fn learn(&self) -> SysResult<Option<GuardLevel>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        ability::learn(&mut asking, false)
    }

    fn ability(&self) -> SysResult<GuardLevel> {
        self.answering().ability()
    }

    fn begin(&self, level: GuardLevel) -> SysResult<()> {
        let asking = self.asking.lock();
        asking.unwrap_or_else(PoisonError::into_inner).forget();
        self.heart.begin(level)
    }

    fn is_asked(&self) -> bool {
        self.heart.is_looked_at()
    }

    fn beat(&self) -> SysResult<()> {
        self.heart.beat()
    }

    fn rest(&self) -> SysResult<()> {
        self.heart.rest()
    }

    fn next(&self, patience: Duration) -> SysResult<Option<WriteRequest>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        asking.next(patience)
    }

    fn answer(&self, request: &WriteRequest, answer: WriteAnswer) -> SysResult<()> {
        self.answering().answer(request, answer)
    }

    fn hold(&self, mark: &InodeMark) -> SysResult<()> {
        self.answering().hold(mark)
    }

    fn unhold(&self, mark: &InodeMark) -> SysResult<()> {
        self.answering().unhold(mark)
    }

    fn own_directory(&self, mark: &InodeMark) -> SysResult<()> {
        self.answering().own_directory(mark)
    }

    fn disown_directory(&self, mark: &InodeMark) -> SysResult<()> {
        Marks::here().map_or(Ok(()), |marks| marks.remove(mark))
    }

    fn held(&self) -> SysResult<Vec<InodeMark>> {
        self.answering().held()
    }
}
