//! A process may hold a write lease on an object. Whoever opens it then, be it for reading, is told to try again, until
//! the process lets go or the kernel takes the lease away. Who asks for such an object waits for that, and is denied
//! only where it lasts longer than the kernel lets it; all others are answered meanwhile.
//!
//! Who gives a lease up whenever it is wanted, and takes it anew at once, has it at every look. So a thread opens the
//! object and waits: as long as it does, nobody is granted a lease.

use std::time::{Duration, Instant};

use super::background::BackgroundJob;
use super::line::message::WriteStep;
use super::line::waiting::WaitsFor;
use super::request::WriterAsked;
use super::tell::WriteTold;
use super::worker::Worker;
use crate::model::ObjectId;
use crate::sys::guard::WriteAnswer;
use crate::sys::{Regular, lease_break_time};

/// How long it is slept between two looks.
pub(super) const LEASE_PAUSE: Duration = Duration::from_millis(200);

/// So many objects are waited for in threads at once, one for each who asks, and are kept open for so long.
const MOST_OPENING: usize = 8;
const KEPT: Duration = Duration::from_secs(2);
const MOST_KEPT: usize = 64;

/// The kernel counts from the first look, and is given a little more.
const BEYOND: Duration = Duration::from_secs(5);

const HELD: &str = "a process holds a lease on it, and does not let go";
pub(super) const HELD_LEFT: &str =
    "a process holds a lease on what is to be healed first, and does not let go";

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

    /// The same, for the object of the request.
    pub(super) fn open_leased(&mut self, asked: &WriterAsked) -> WriteStep {
        let opening = &mut self.leases.opening;
        let by = opening.iter().map(|(_, by)| *by);
        let may = asked.asker.may_begin(by, MOST_OPENING);
        if let Some(held) = self.knowledge.index.of_inode(asked.request.inode)
            && may
            && opening.iter().all(|(id, _)| *id != held.id)
        {
            opening.push((held.id, asked.asker));
            let base = self.base.path().to_owned();
            self.jobs.push(BackgroundJob::Open(base, held.id));
        }
        self.await_lease(asked)
    }

    /// It is open. Where that failed it is tried again.
    pub(super) fn opened(&mut self, id: &ObjectId, file: Option<Regular>) {
        self.leases.opening.retain(|(other, _)| other != id);
        let Some(file) = file else {
            return;
        };
        self.leases.opened.push_back((Instant::now(), file));
        if self.leases.opened.len() > MOST_KEPT {
            self.leases.opened.pop_front();
        }
        self.put_back(&WaitsFor::Lease);
    }

    /// The same, where one keeps us from healing what must be healed before names are moved.
    pub(super) fn await_healing(&mut self, asked: &WriterAsked) -> WriteStep {
        self.leases.of_healing = true;
        self.await_lease(asked)
    }

    /// Looks at them again, where that is due.
    pub(super) fn look_at_leased(&mut self) {
        self.leases
            .opened
            .retain(|(since, _)| since.elapsed() < KEPT);
        if self.leases.due.is_some_and(|due| due <= Instant::now()) {
            self.leases.due = None;
            self.leases.of_healing = false;
            self.put_back(&WaitsFor::Lease);
        }
    }
}

/// So long after it was asked no lease is in the way that was there.
pub(super) fn patience() -> Duration {
    lease_break_time() + BEYOND
}
