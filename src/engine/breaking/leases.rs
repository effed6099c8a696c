//! A process may hold a write lease on an object. Whoever opens it then, be it for reading, is told to try again, until
//! the process lets go or the kernel takes the lease away. Who asks for such an object waits for that, and is denied
//! only where it lasts longer than the kernel lets it; all others are answered meanwhile.

use std::time::{Duration, Instant};

use super::line::message::WriteStep;
use super::line::queue::WriteQueue;
use super::line::waiting::WaitsFor;
use super::request::WriterAsked;
use super::tell::WriteTold;
use super::worker::{Answering, Worker};
use crate::base::{Base, BaseError};
use crate::engine::EngineError;
use crate::model::Recovered;
use crate::sys::guard::WriteAnswer;
use crate::sys::{Meaning, SysError, lease_break_time};

/// How long it is slept between two looks.
const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// The kernel counts from the first look, and is given a little more.
const BEYOND: Duration = Duration::from_secs(5);

const HELD: &str = "a process holds a lease on it, and does not let go";
const HELD_LEFT: &str =
    "a process holds a lease on what is to be healed first, and does not let go";

/// The leases that were met since the last look.
#[derive(Debug, Default)]
pub(super) struct LeasesMet {
    /// When what waits for them is looked at again.
    due: Option<Instant>,
    /// Is one in the way of a healing?
    of_healing: bool,
}

impl LeasesMet {
    /// Does anybody wait for one?
    pub fn are_awaited(&self) -> bool {
        self.due.is_some()
    }

    /// Has a healing met one? It is not tried for each who waits.
    pub fn keep_from_healing(&self) -> bool {
        self.of_healing
    }
}

impl Worker<'_> {
    /// What cannot be opened for a lease is tried again after a pause.
    pub(super) fn await_lease(&mut self, asked: &WriterAsked) -> WriteStep {
        if asked.since.elapsed() > patience() {
            let why = if self.leases.of_healing {
                HELD_LEFT
            } else {
                HELD
            };
            let object = self.knowledge.index.of_inode(asked.request.inode);
            let told = WriteTold::denied(object.map(|held| held.id), why);
            return WriteStep::Answered(WriteAnswer::Denied, told);
        }
        let due = || Instant::now() + LEASE_PAUSE;
        self.leases.due.get_or_insert_with(due);
        WriteStep::Wait(WaitsFor::Lease)
    }

    /// The same, where one keeps us from healing what must be healed before names are moved.
    pub(super) fn await_healing(&mut self, asked: &WriterAsked) -> WriteStep {
        self.leases.of_healing = true;
        self.await_lease(asked)
    }

    /// Looks at them again, where that is due.
    pub(super) fn look_at_leased(&mut self) {
        if self.leases.due.is_some_and(|due| due <= Instant::now()) {
            self.leases = LeasesMet::default();
            self.put_back(&WaitsFor::Lease);
        }
    }
}

/// Heals what an earlier process has left, as soon as no lease is in the way. Who has waited for that for too long is
/// denied, and the base is answered for nonetheless when it is done.
pub(super) fn healed_first(
    base: &Base,
    ground: &Answering<'_>,
    queue: &WriteQueue,
    pulse: &dyn Fn(),
    heal: &dyn Fn() -> Result<Recovered, EngineError>,
) -> Result<Recovered, EngineError> {
    let mut is_told = false;
    loop {
        let error = match heal() {
            Err(error) if is_busy(&error) && !queue.is_over() => error,
            healed => return healed,
        };
        if !std::mem::replace(&mut is_told, true) {
            let base = base.path().display();
            let why = format!("{base}: what was cut off is healed when nobody holds it: {error}");
            ground.tellers.say(&why);
        }
        pulse();
        refuse_late(ground, queue)?;
        std::thread::sleep(LEASE_PAUSE);
    }
}

fn refuse_late(ground: &Answering<'_>, queue: &WriteQueue) -> Result<(), EngineError> {
    let patience = patience();
    for asked in queue.take_late(patience) {
        if let Some(why) = asked.others.refuse(HELD_LEFT) {
            ground.desk.answer(&asked.request, WriteAnswer::Denied)?;
            ground.tellers.lone(&asked.request, asked.asker, &why);
        }
    }
    Ok(())
}

/// So long after it was asked no lease is in the way that was there.
fn patience() -> Duration {
    lease_break_time() + BEYOND
}

/// Has another process what is wanted?
pub(super) fn is_busy(error: &EngineError) -> bool {
    system_error(error).is_some_and(|error| error.meaning() == Meaning::Busy)
}

/// What the system said, where it was the system.
pub(super) fn system_error(error: &EngineError) -> Option<&SysError> {
    match error {
        EngineError::Sys(error) | EngineError::Base(BaseError::Sys(error)) => Some(error),
        _ => None,
    }
}
