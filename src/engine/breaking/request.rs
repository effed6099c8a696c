//! A request on its way through the daemon.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use super::knowledge::{Knowledge, Searched};
use super::tell::WriteTold;
use crate::engine::EngineError;
use crate::sys::guard::{WriteAnswer, WriteRequest};

/// A request as it is handed to the bases on its file system.
#[derive(Debug, Clone)]
pub(super) struct WriterAsked {
    pub request: WriteRequest,
    pub since: Instant,
    /// How many bases have not said yet that it is not theirs: the last one answers.
    pub others: Arc<AtomicUsize>,
}

/// What a worker is told.
pub(super) enum Message {
    Asked(WriterAsked),
    /// What was read in the background.
    Known(Result<Knowledge, EngineError>),
    Searched(usize, Result<Searched, EngineError>),
    /// No request comes any more.
    End,
}

/// What is read in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ToRead {
    Knowledge,
    Guest(usize),
}

/// What becomes of a request.
pub(super) enum WriteStep {
    Answered(WriteAnswer, WriteTold),
    /// Another base may have it.
    NotMine,
    /// This is to be read first.
    Wait(ToRead),
}
