//! `apply`: a plan that was checked, executed batch by batch.
//!
//! [`ready`] checks the plan's own copy, `path_order` says in which order its lines are taken, [`batches`]
//! gathers them, [`prepare`] proves each anew, `objects` makes or proves the object, `in_flight` says what became
//! of the lines, and `release` drops the old inodes while the next batch is prepared.

mod batches;
mod generations;
mod giving_back;
mod in_flight;
mod objects;
mod path_order;
pub(super) mod prepare;
pub(super) mod ready;
mod release;
mod shared_files;
mod shared_pass;

use std::ops::ControlFlow;

use super::activity::freeze::Freeze;
use super::exchange::journal::JournalFile;
use super::host::disk_change;
use super::limits::Pace;
use super::plan_file::open_copy;
use super::receipt_file::{ReceiptFile, RunResult, receipt_head};
use super::records::holders::Holding;
use super::records::rediscover::Rediscovery;
use super::{EngineError, Guest, read_ahead};
use crate::base::{PLAN, RECEIPT};
use crate::model::{Action, Event, Observer, Receipt, RunKind, Stage, Unit};
use crate::sys::host::signals::Stop;
use batches::ApplyLoop;
use path_order::{FlagLines, by_path};
use ready::ReadyToApply;

impl ReadyToApply {
    /// Executes the plan. Consumes it: a plan is applied by checking it again.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        self.work(observer, stop)
            .map_err(|error| error.in_a_run(&self.base))
    }

    fn work(&self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        let receipt = self.receipt();
        let mut journal = JournalFile::begin(&self.run, RunKind::Apply)?;
        let mut receipt = ReceiptFile::create(&self.run.papers.join(RECEIPT), &receipt, observer)?;
        receipt.result.spoiled.clone_from(&self.healed.spoiled);
        receipt.result.totals.held = self.edits().removed + self.edits().held;
        receipt.sync()?;
        let holders = self.history.holders(&self.checked.guests);
        let everybody = self.checked.guests.iter().chain(&holders).collect();
        let mut holding = Holding::new(everybody, &self.base, &self.history)?;
        self.teach(&mut holding, &mut receipt)?;
        observer.notice(&Event::Begin(
            Stage::Apply,
            Unit::Actions,
            Some(self.totals().links),
        ));
        let still = Freeze::new(&self.base, self.options.running, observer)?;
        let pace = Pace::new(self.options.limits);
        let mut work = ApplyLoop::new(
            self,
            holding,
            still,
            pace,
            self.disk.max_links,
            &mut journal,
            &mut receipt,
        );
        let copy = self.run.papers.join(PLAN);
        if self.checked.names_elsewhere {
            work.take_in_shared(&copy, stop, observer)?;
        }
        let flag_lines = match self.flags_removed() {
            0 => FlagLines::All,
            _ => FlagLines::SomeRemoved,
        };
        let mut plan = by_path(&copy, &self.checked.sections, flag_lines)?;
        read_ahead::stretches(&mut *plan, &mut |lines| {
            for action in lines {
                work.take(action, stop, observer)?;
                if work.is_over(stop) {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        work.finish(stop, observer)?;
        observer.notice(&Event::End);
        let result = receipt.finish()?;
        self.base.end_run(&self.run)?;
        let frees_later = !self.sharing.is_ruled_out();
        Ok(RunResult {
            disk: disk_change(&self.disk, self.base.dir(), frees_later),
            ..result
        })
    }

    /// Teaches the base first what the plan found shared: flags may come off only where all names are known.
    fn teach(
        &self,
        holding: &mut Holding<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<(), EngineError> {
        if !self.checked.shared {
            return Ok(());
        }
        let mut rediscovery = Rediscovery::new(&self.base, &self.history, holding)?;
        let mut plan = open_copy(&self.run.papers.join(PLAN))?;
        while let Some((_, line)) = plan.next_action()? {
            if let Action::Skip(skip) = &line.action {
                rediscovery.teach(skip, holding, receipt)?;
            }
        }
        Ok(receipt.sync()?)
    }

    fn receipt(&self) -> Receipt {
        let guests = self.checked.guests.iter().map(Guest::for_receipt);
        Receipt {
            plan: Some(self.checked.closing.digest_now.content),
            protect: Some(self.target.protection.mode),
            ..receipt_head(&self.run.id, RunKind::Apply, guests.collect())
        }
    }
}
