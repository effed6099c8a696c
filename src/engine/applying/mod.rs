//! `apply`: a plan that was checked, executed batch by batch.
//!
//! [`ready`] checks the plan's own copy, `path_order` says in which order its lines are taken, [`batches`]
//! gathers them, [`prepare`] proves each anew, `objects` makes or proves the object, `in_flight` says what became of
//! the lines, and `release` drops the old inodes while the next batch is prepared. Lines of reflinks are steps of a
//! second kind: `dedupe` proves one and lets the kernel do it, and nobody has to stand still. [`rehearsal`] goes the
//! same way up to the first change, and makes none.

mod batches;
mod dedupe;
mod generations;
mod giving_back;
mod in_flight;
mod objects;
mod path_order;
mod plan_lines;
pub(super) mod prepare;
pub(super) mod ready;
pub(super) mod rehearsal;
mod release;
mod shared_files;
mod shared_pass;
mod unflagged;

use std::ops::ControlFlow;

use super::activity::freeze::Freeze;
use super::exchange::journal::JournalFile;
use super::host::disk_change;
use super::limits::Pace;
use super::receipt_file::{ReceiptFile, RunResult, receipt_head};
use super::records::History;
use super::records::holders::Holding;
use super::records::rediscover::Rediscovery;
use super::{EngineError, Guest, read_ahead};
use crate::base::{Base, PLAN, RECEIPT};
use crate::model::{
    Action, Event, Header, Observer, PlanTarget, Protect, Receipt, RunKind, Stage, Unit,
};
use crate::protect;
use crate::sys::SysResult;
use crate::sys::guest::Sharing;
use crate::sys::host::machine;
use crate::sys::host::signals::Stop;
use batches::{AfterProof, ApplyLoop, LoopWorld};
use path_order::{FlagLines, by_path};
use plan_lines::{OwnCopy, PlanLines};
use ready::{Checked, ReadyToApply};

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
        let copy = self.run.papers.join(PLAN);
        if self.checked.shared {
            let plan = &mut OwnCopy(&copy);
            teach(&self.base, &self.history, plan, &mut holding, &mut receipt)?;
        }
        let links = Some(self.totals().links);
        observer.notice(&Event::Begin(Stage::Apply, Unit::Actions, links));
        let world = LoopWorld::of(
            &self.base,
            (&self.header, &self.target),
            &self.checked,
            &self.sharing,
        )?;
        let still = Freeze::new(&self.base, self.options.running, observer)?;
        let pace = Pace::new(self.options.limits);
        let landing = AfterProof::Execute {
            run: &self.run,
            journal: &mut journal,
        };
        let mut work = ApplyLoop::new(&world, holding, still, pace, landing, &mut receipt);
        if self.checked.has_both_methods() {
            work.take_blocks_first(&mut OwnCopy(&copy), stop, observer)?;
        }
        if self.checked.names_elsewhere {
            work.take_in_shared(&mut OwnCopy(&copy), stop, observer)?;
        }
        let flag_lines = match self.checked.unflagged {
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

    fn receipt(&self) -> Receipt {
        let guests = self.checked.guests.iter().map(Guest::for_receipt);
        Receipt {
            plan: Some(self.checked.closing.digest_now.content),
            protect: self.target.protect(),
            ..receipt_head(&self.run.id, RunKind::Apply, guests.collect())
        }
    }
}

impl<'a> LoopWorld<'a> {
    fn of(
        base: &'a Base,
        (header, target): (&'a Header, &'a PlanTarget),
        checked: &'a Checked,
        sharing: &'a Sharing,
    ) -> SysResult<LoopWorld<'a>> {
        // Where nothing protects, no line makes an object.
        let mode = target.protect().unwrap_or(Protect::Immutable);
        Ok(LoopWorld {
            sharing,
            base,
            header,
            mode,
            guests: &checked.guests,
            maintained: &checked.maintained,
            max_links: machine::filesystem(base.dir())?.max_links,
            protects_all: protect::by(mode).protects() && checked.unflagged == 0,
            is_edited: checked.closing.edits.need_consent(),
        })
    }
}

/// Teaches the base first what the plan found shared: flags may come off only where all names are known.
fn teach(
    base: &Base,
    history: &History,
    plan: &mut dyn PlanLines,
    holding: &mut Holding<'_>,
    receipt: &mut ReceiptFile<'_>,
) -> Result<(), EngineError> {
    let mut rediscovery = Rediscovery::new(base, history, holding)?;
    let mut lines = plan.lines()?;
    while let Some(action) = lines.next_line()? {
        if let Action::Skip(skip) = &action {
            rediscovery.teach(skip, holding, receipt)?;
        }
    }
    Ok(receipt.sync()?)
}
