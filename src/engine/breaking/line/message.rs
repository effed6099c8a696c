//! What a base's thread is told, and what becomes of a request.

use std::time::Duration;

use super::waiting::WaitsFor;
use crate::base::Run;
use crate::engine::EngineError;
use crate::engine::breaking::knowledge::Knowledge;
use crate::engine::breaking::names::Searched;
use crate::engine::breaking::part::{CopyKey, NotParted, PrivateCopy};
use crate::engine::breaking::request::WriterAsked;
use crate::engine::breaking::tell::WriteTold;
use crate::model::{ObjectId, UsesMet};
use crate::sys::Regular;
use crate::sys::guard::WriteAnswer;

/// What a worker is told.
pub(in crate::engine::breaking) enum Message {
    Asked(WriterAsked),
    /// What was read in the background.
    Known(Result<Knowledge, EngineError>),
    Searched {
        /// Which search it was.
        number: u64,
        found: Searched,
    },
    /// What became of a long copy.
    Copied(CopyKey, Result<PrivateCopy, NotParted>),
    /// How long a look took, and who used files as their guests wrote to them.
    Used(Duration, Result<Vec<UsesMet>, EngineError>),
    /// An object on which a lease was; `None` where it could not be opened.
    Opened(ObjectId, Option<Regular>),
    /// A burst is closed, but for the end of its run, or could not be.
    Closed(Result<Run, EngineError>),
    /// No request comes any more.
    End,
}

/// What becomes of a request.
pub(in crate::engine::breaking) enum WriteStep {
    Answered(WriteAnswer, WriteTold),
    /// Another base may have it.
    NotMine,
    /// This is needed first.
    Wait(WaitsFor),
    /// The act was cut off in the midst: a name may be in flight.
    Broken(EngineError),
}
