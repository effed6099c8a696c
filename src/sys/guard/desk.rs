//! Where a daemon meets those who wait: for several threads at once, be it the kernel that asks or, in tests, a script.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::requests::{Requests, WriteAnswer};
use super::writers::AnswersWriters;
use super::{Heart, InodeMark, Marks, WriteRequest};
use crate::model::GuardLevel;
use crate::sys::SysResult;

/// Takes requests and hands out answers.
#[derive(Debug)]
pub struct Desk {
    /// One thread waits at this one, and answers go by the other.
    asking: Mutex<Requests>,
    answering: Mutex<Requests>,
    heart: Heart,
}

impl Desk {
    /// `None` where no guard is loaded that asks.
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

impl AnswersWriters for Desk {
    fn ability(&self) -> SysResult<GuardLevel> {
        self.answering().ability()
    }

    fn begin(&self, level: GuardLevel) -> SysResult<()> {
        self.heart.begin(level)
    }

    fn beat(&self) -> SysResult<()> {
        self.heart.beat()
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
