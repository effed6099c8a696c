//! `apply`: a plan that was checked, executed batch by batch.
//!
//! The plan is first copied into the base and checked whole, so that what is executed is what was checked. Only then,
//! and after a person or `--yes` agreed, the first name is touched.

use std::path::Path;

use super::apply_loop::ApplyLoop;
use super::history::History;
use super::journal_file::JournalFile;
use super::plan_file::{PlanFile, WholePlan, open_copy, whole};
use super::receipts::{ReceiptFile, RunResult};
use super::{EngineError, Guest, guests, protection, recover};
use crate::base::{Base, Run};
use crate::ledger::journal::Record;
use crate::ledger::{Closing, Edits};
use crate::model::{
    Digest, Event, FORMAT, Header, Observer, PlannedGuest, Receipt, ReceiptGuest, RunKind, Stage,
    Totals,
};
use crate::rules::totals::SummaryBuilder;
use crate::sys::hash::sha256;
use crate::sys::machine;
use crate::sys::papers::Lock;
use crate::sys::signals::Stop;

/// The name of the plan's copy among the papers of a run.
pub(super) const PLAN: &str = "plan";

/// What the user allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Execute lines that were changed or added by hand. They are proven like all others.
    pub accept_edits: bool,
    /// Execute only a plan with this content digest.
    pub approved: Option<Digest>,
}

/// A plan that was checked and can be executed once.
pub struct ReadyToApply {
    pub(super) base: Base,
    pub(super) run: Run,
    pub(super) header: Header,
    pub(super) guests: Vec<Guest>,
    digest: Digest,
    edits: Edits,
    totals: Totals,
    _lock: Lock,
}

impl ReadyToApply {
    /// Checks the plan whole, heals what an earlier run left, and tries what the plan relies on. Nothing in a guest is
    /// changed.
    pub fn check(
        plan: &mut PlanFile,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToApply, EngineError> {
        if !machine::is_root() {
            return Err(EngineError::CannotHere(
                "apply needs root: it sets owners and flags".into(),
            ));
        }
        let header = plan.reader()?.header().clone();
        same_host(&header)?;
        let base = Base::ensure(&header.base.path)?;
        let lock = base.lock(&holder("apply"))?;
        recover::heal(&base, observer)?;
        let run = base.begin_run()?;
        match Self::check_in(&base, &run, plan, options, observer) {
            Ok((guests, closing, totals)) => {
                let digest = closing.digest_now.content;
                Ok(ReadyToApply {
                    base,
                    run,
                    header,
                    guests,
                    digest,
                    edits: closing.edits,
                    totals,
                    _lock: lock,
                })
            }
            Err(error) => {
                base.forget_run(&run)?;
                Err(error)
            }
        }
    }

    fn check_in(
        base: &Base,
        run: &Run,
        plan: &mut PlanFile,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<(Vec<Guest>, Closing, Totals), EngineError> {
        let copy = run.papers.join(PLAN);
        plan.copy_to(&copy)?;
        let (plan, totals) = read_whole(&copy, observer)?;
        allowed(&plan.closing, options)?;
        protection::still_holds(&plan.header.protection, base.staging())?;
        Ok((open_guests(&plan.guests, base)?, plan.closing, totals))
    }

    /// What the plan would do now, after all edits.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What a reviewer did to it.
    pub fn edits(&self) -> &Edits {
        &self.edits
    }

    /// The plan's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Nobody agreed: leaves no trace of the run.
    pub fn cancel(self) -> Result<(), EngineError> {
        Ok(self.base.forget_run(&self.run)?)
    }

    /// Executes the plan. Consumes it: a plan is applied by checking it again.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        self.work(observer, stop)
            .map_err(|error| error.in_a_run(&self.base))
    }

    fn work(&self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        let receipt = self.receipt();
        let mut journal = JournalFile::create(&self.run.papers.join("journal"))?;
        journal.write_durably(&[Record::Begin {
            run: self.run.id.clone(),
            what: RunKind::Apply,
        }])?;
        let mut receipt =
            ReceiptFile::create(&self.run.papers.join("receipt.jsonl"), &receipt, observer)?;
        receipt.result.totals.held = self.edits.removed + self.edits.held;
        receipt.sync()?;
        let holders = History::read(&self.base)?.holders();
        observer.notice(&Event::Begin(Stage::Apply, Some(self.totals.links)));
        let max_links = machine::filesystem(self.base.dir())?.max_links;
        let mut work = ApplyLoop::new(self, &holders, max_links, &mut journal, &mut receipt);
        let mut plan = open_copy(&self.run.papers.join(PLAN))?;
        while let Some((_, line)) = plan.next_action()? {
            work.take(line.action, observer)?;
            if stop.asked() {
                work.interrupted();
                break;
            }
        }
        work.finish(observer)?;
        observer.notice(&Event::End(Stage::Apply));
        let result = receipt.finish()?;
        self.base.end_run(&self.run)?;
        Ok(result)
    }

    fn receipt(&self) -> Receipt {
        let guest = |guest: &Guest| ReceiptGuest {
            name: guest.name.clone(),
            root: guest.path.clone(),
        };
        Receipt {
            kind: "unify.receipt".into(),
            format: FORMAT.into(),
            run: self.run.id.clone(),
            what: RunKind::Apply,
            started: machine::now(),
            plan: Some(self.digest),
            undoes: None,
            guests: self.guests.iter().map(guest).collect(),
        }
    }
}

/// What stands in the lock file for whoever is kept out.
pub(super) fn holder(what: &str) -> String {
    format!(
        "unify {what}, process {}, since {}
",
        std::process::id(),
        machine::now()
    )
}

/// The digest of this host's identity, as it stands in plans.
pub(super) fn host() -> String {
    sha256(&[b"unify.host.1\0", machine::host_identity().as_slice()].concat()).to_string()
}

fn same_host(header: &Header) -> Result<(), EngineError> {
    if header.host == host() {
        Ok(())
    } else {
        Err(EngineError::PlanRefused(
            "it was made on another host".into(),
        ))
    }
}

/// Reads the whole plan, and counts what it would do.
fn read_whole(copy: &Path, observer: &dyn Observer) -> Result<(WholePlan, Totals), EngineError> {
    let mut plan = open_copy(copy)?;
    let mut sum = SummaryBuilder::new(Vec::new());
    observer.notice(&Event::Begin(Stage::ReadPlan, None));
    while let Some((_, line)) = plan.next_action()? {
        sum.action(&line.action);
    }
    observer.notice(&Event::End(Stage::ReadPlan));
    Ok((whole(plan)?, sum.finish().totals))
}

fn allowed(closing: &Closing, options: ApplyOptions) -> Result<(), EngineError> {
    let edits = &closing.edits;
    if edits.need_consent() && !options.accept_edits {
        return Err(EngineError::PlanRefused(describe(edits)));
    }
    match options.approved {
        Some(approved) if approved != closing.digest_now.content => {
            Err(EngineError::PlanRefused(format!(
                "its content digest is {}, and {approved} was approved",
                closing.digest_now.content
            )))
        }
        _ => Ok(()),
    }
}

/// The first lines that were changed by more than a deletion, a skip or a note.
fn describe(edits: &Edits) -> String {
    let changed = edits.changed.iter().map(|(line, fields)| {
        format!(
            "line {line}, changed by hand: field `{}`",
            fields.join("`, `")
        )
    });
    let added = edits
        .unsealed
        .iter()
        .map(|line| format!("line {line}, added by hand: field `seal` is missing"));
    let all: Vec<String> = changed.chain(added).collect();
    let more = (all.len().saturating_sub(10) as u64).saturating_add(edits.unlisted);
    let rest = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!(
        "{}{rest}; with --accept-edits such lines are proven anew and executed",
        all[..all.len().min(10)].join("; ")
    )
}

/// Opens the guests of a plan, and makes sure that each root is the directory that the plan saw.
fn open_guests(planned: &[PlannedGuest], base: &Base) -> Result<Vec<Guest>, EngineError> {
    let mut open = Vec::with_capacity(planned.len());
    for planned in planned {
        let guest = Guest::open(planned.name.clone(), &planned.root)?;
        if guest.id.dev.to_string() != planned.dev || guest.id.ino.to_string() != planned.ino {
            return Err(EngineError::PlanRefused(format!(
                "the root of {}, {}, is another directory than when the plan was made: make a new plan",
                planned.name,
                planned.root.display()
            )));
        }
        if guest.root.mount_id()? != base.dir().mount_id()? {
            return Err(EngineError::CannotHere(format!(
                "{} and the base are on different mounts: hard links cannot cross them",
                planned.root.display()
            )));
        }
        open.push(guest);
    }
    guests::apart(&open, base.path())?;
    Ok(open)
}
