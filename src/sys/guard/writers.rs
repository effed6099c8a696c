//! What a daemon needs of those who wait, whoever they are.

use std::time::Duration;

use super::requests::WriteAnswer;
use super::{InodeMark, WriteRequest};
use crate::model::GuardLevel;
use crate::sys::SysResult;

/// What a daemon is told and tells.
pub trait AnswersWriters: Sync {
    /// Tries what can be done here, where that is not known: the most that was found, or `None` where it is. Before
    /// anybody asks.
    fn learn(&self) -> SysResult<Option<GuardLevel>>;
    /// The most that can be done here.
    fn ability(&self) -> SysResult<GuardLevel>;
    /// From here on writers ask, and where it can be they wait.
    fn begin(&self, level: GuardLevel) -> SysResult<()>;
    /// Is it still here that writers ask? Not where another guard was loaded since.
    fn is_asked(&self) -> bool;
    /// A sign of life.
    fn beat(&self) -> SysResult<()>;
    /// Nobody will answer any more: who waits is denied at once.
    fn rest(&self) -> SysResult<()>;
    /// The next request; `None` where none has come in this time. For one thread.
    fn next(&self, patience: Duration) -> SysResult<Option<WriteRequest>>;
    /// Tells a writer that waits.
    fn answer(&self, request: &WriteRequest, answer: WriteAnswer) -> SysResult<()>;
    /// Whoever is about to change it waits until it is held no more.
    fn hold(&self, mark: &InodeMark) -> SysResult<()>;
    /// It is its guest's own.
    fn unhold(&self, mark: &InodeMark) -> SysResult<()>;
    /// A directory of ours: what a writer holds from there is no name of a guest's.
    fn own_directory(&self, mark: &InodeMark) -> SysResult<()>;
    /// It goes.
    fn disown_directory(&self, mark: &InodeMark) -> SysResult<()>;
    /// What an earlier process has held, and left so.
    fn held(&self) -> SysResult<Vec<InodeMark>>;
}
