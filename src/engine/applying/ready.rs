//! `apply`: a plan that was checked, executed batch by batch.
//!
//! The plan is first copied into the base and checked whole, so that what is executed is what was checked. Only then,
//! and after a person or `--yes` agreed, the first name is touched.

use std::ops::ControlFlow;
use std::path::Path;

use super::batches::ApplyLoop;
use super::path_order::by_path;
use crate::base::{Base, Run};
use crate::engine::activity::freeze::Still;
use crate::engine::exchange::journal::JournalFile;
use crate::engine::limits::{Limits, Pace};
use crate::engine::plan_file::{PlanFile, WholePlan, open_copy, whole};
use crate::engine::privileges::entitled;
use crate::engine::read_ahead;
use crate::engine::read_ahead::STRETCH;
use crate::engine::receipt_file::{ReceiptFile, RunResult};
use crate::engine::records::History;
use crate::engine::records::holders::Holding;
use crate::engine::records::rediscover::Teacher;
use crate::engine::{EngineError, Guest, guest, healing, protection};
use crate::ledger::journal::Record;
use crate::ledger::{Closing, Edits, Section};
use crate::model::{
    Action, Digest, Escaped, Event, FORMAT, Header, Observer, PlannedGuest, Receipt, RunKind,
    Stage, Totals,
};
use crate::rules::totals::SummaryBuilder;
use crate::sys::SysResult;
use crate::sys::hash::sha256;
use crate::sys::host::machine;
use crate::sys::host::signals::Stop;
use crate::sys::own::papers::Lock;

/// The name of the plan's copy among the papers of a run.
pub const PLAN: &str = "plan";

/// What the user allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Execute lines that were changed or added by hand. They are proven like all others.
    pub accept_edits: bool,
    /// Execute only a plan with this content digest.
    pub approved: Option<Digest>,
    /// Running guests may be frozen for moments.
    pub allow_running: bool,
    /// How far and how fast.
    pub limits: Limits,
}

/// A plan that was checked and can be executed once.
pub struct ReadyToApply {
    pub(super) base: Base,
    pub(super) run: Run,
    pub(super) header: Header,
    pub(super) checked: Checked,
    history: History,
    options: ApplyOptions,
    _lock: Lock,
}

/// What the check of the plan's copy found.
pub struct Checked {
    pub guests: Vec<Guest>,
    closing: Closing,
    sections: Vec<Section>,
    totals: Totals,
    /// Are there names that refer to objects already?
    shared: bool,
}

impl ReadyToApply {
    /// Checks the plan whole, heals what an earlier run left, and tries what the plan relies on. Nothing in a guest is
    /// changed.
    pub fn check(
        plan: &mut PlanFile,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToApply, EngineError> {
        entitled("apply", "it sets owners and flags")?;
        let path = plan.path().to_owned();
        Self::check_plan(plan, options, observer).map_err(|error| error.in_file(&path))
    }

    fn check_plan(
        plan: &mut PlanFile,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToApply, EngineError> {
        let reader = plan.reader()?;
        consented(reader.edits_so_far(), options)?;
        let header = reader.header().clone();
        same_host(&header)?;
        // Even an empty base that is taken away again would leave its mark in a guest.
        let guests = open_guests(reader.guests())?;
        guest::apart(&guests, &header.base.path)?;
        guest::apart(&guests, &guest::base_path(&header.base.path)?)?;
        drop((reader, guests));
        let base = Base::ensure(&header.base.path)?;
        let lock = base.lock(&holder("apply"))?;
        healing::heal_first(&base, options.allow_running, observer)?;
        let history = History::read(&base)?;
        let run = base.begin_run()?;
        match Self::check_in(&base, &run, &history, plan, options, observer) {
            Ok(checked) => Ok(ReadyToApply {
                base,
                run,
                header,
                history,
                checked,
                options,
                _lock: lock,
            }),
            Err(error) => {
                base.forget_run(&run)?;
                base.unmake_if_unused()?;
                Err(error)
            }
        }
    }

    fn check_in(
        base: &Base,
        run: &Run,
        history: &History,
        plan: &mut PlanFile,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<Checked, EngineError> {
        let copy = run.papers.join(PLAN);
        plan.copy_to(&copy)?;
        let (plan, totals, shared) = read_whole(&copy, observer)?;
        allowed(&plan.closing, options)?;
        protection::still_holds(&plan.header.protection, base.staging())?;
        let guests = open_guests(&plan.guests)?;
        one_mount(&guests, base)?;
        no_namesakes(&guests, history)?;
        Ok(Checked {
            guests,
            closing: plan.closing,
            sections: plan.sections,
            totals,
            shared,
        })
    }

    /// What the plan would do now, after all edits.
    pub fn totals(&self) -> &Totals {
        &self.checked.totals
    }

    /// What a reviewer did to it.
    pub fn edits(&self) -> &Edits {
        &self.checked.closing.edits
    }

    /// Objects that the plan as it was made would protect and that it does not any more.
    pub fn flags_removed(&self) -> u64 {
        let planned = self.checked.closing.summary.totals.flags;
        planned.saturating_sub(self.totals().flags)
    }

    /// The plan's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Nobody agreed: leaves no trace of the run.
    pub fn cancel(self) -> Result<(), EngineError> {
        self.base.forget_run(&self.run)?;
        Ok(self.base.unmake_if_unused()?)
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
        receipt.result.totals.held = self.edits().removed + self.edits().held;
        receipt.sync()?;
        let holders = self.history.holders(&self.checked.guests);
        let everybody = self.checked.guests.iter().chain(&holders).collect();
        let mut holding = Holding::new(everybody, &self.base, &self.history)?;
        self.teach(&mut holding, &mut receipt)?;
        observer.notice(&Event::Begin(Stage::Apply, Some(self.totals().links)));
        let max_links = machine::filesystem(self.base.dir())?.max_links;
        let still = Still::new(&self.base, self.options.allow_running, observer)?;
        let pace = Pace::new(self.options.limits);
        let mut work = ApplyLoop::new(
            self,
            holding,
            still,
            pace,
            max_links,
            &mut journal,
            &mut receipt,
        );
        let (copy, whole) = (self.run.papers.join(PLAN), self.flags_removed() == 0);
        let mut plan = by_path(&copy, &self.checked.sections, whole)?;
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
        observer.notice(&Event::End(Stage::Apply));
        let result = receipt.finish()?;
        self.base.end_run(&self.run)?;
        Ok(result)
    }

    /// First what the plan found shared: flags may come off only where all names are known.
    fn teach(
        &self,
        holding: &mut Holding<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<(), EngineError> {
        if !self.checked.shared {
            return Ok(());
        }
        let mut teacher = Teacher::new(&self.base, &self.history, holding)?;
        let mut plan = open_copy(&self.run.papers.join(PLAN))?;
        while let Some((_, line)) = plan.next_action()? {
            if let Action::Skip(skip) = &line.action {
                teacher.teach(skip, holding, receipt)?;
            }
        }
        Ok(receipt.sync()?)
    }

    fn receipt(&self) -> Receipt {
        Receipt {
            kind: "unify.receipt".into(),
            format: FORMAT.into(),
            run: self.run.id.clone(),
            what: RunKind::Apply,
            started: machine::now(),
            plan: Some(self.checked.closing.digest_now.content),
            undoes: None,
            protect: Some(self.header.protection.mode),
            guests: self.checked.guests.iter().map(Guest::for_receipt).collect(),
        }
    }
}

/// What stands in the lock file for whoever is kept out.
pub fn holder(what: &str) -> String {
    format!(
        "unify {what}, process {}, since {}
",
        std::process::id(),
        machine::now()
    )
}

/// The digest of this host's identity, as it stands in plans.
pub fn host() -> SysResult<String> {
    let identity = machine::host_identity()?;
    Ok(sha256(&[b"unify.host.1\0", identity.as_slice()].concat()).to_string())
}

fn same_host(header: &Header) -> Result<(), EngineError> {
    if header.host == host()? {
        Ok(())
    } else {
        Err(EngineError::PlanRefused(
            "it was made on another host".into(),
        ))
    }
}

/// Reads the whole plan, and counts what it would do.
fn read_whole(
    copy: &Path,
    observer: &dyn Observer,
) -> Result<(WholePlan, Totals, bool), EngineError> {
    let mut plan = open_copy(copy)?;
    let (mut sum, mut shared) = (SummaryBuilder::new(Vec::new()), false);
    observer.notice(&Event::Begin(Stage::ReadPlan, None));
    while let lines @ [_, ..] = &plan.next_actions(STRETCH)?[..] {
        for line in lines {
            sum.action(&line.action);
            shared |= matches!(&line.action, Action::Skip(skip) if skip.object.is_some());
        }
    }
    observer.notice(&Event::End(Stage::ReadPlan));
    Ok((whole(plan)?, sum.finish().totals, shared))
}

fn allowed(closing: &Closing, options: ApplyOptions) -> Result<(), EngineError> {
    consented(&closing.edits, options)?;
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

fn consented(edits: &Edits, options: ApplyOptions) -> Result<(), EngineError> {
    if edits.need_consent() && !options.accept_edits {
        return Err(EngineError::PlanRefused(describe(edits)));
    }
    Ok(())
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

/// A guest's name says who it is: the base must not take two for one.
fn no_namesakes(guests: &[Guest], history: &History) -> Result<(), EngineError> {
    for guest in guests {
        let Some(known) = history.guests.get(&guest.name) else {
            continue;
        };
        let other = known
            .open(&guest.name)
            .filter(|other| other.id != guest.id && history.has_files(known));
        if let Some(other) = other {
            return Err(EngineError::PlanRefused(format!(
                "the base knows another guest called {}, at {}: give this one another name with NAME=PATH",
                guest.name,
                Escaped::of(&other.path)
            )));
        }
    }
    Ok(())
}

/// Opens the guests of a plan, and makes sure that each root is the directory that the plan saw.
fn open_guests(planned: &[PlannedGuest]) -> Result<Vec<Guest>, EngineError> {
    let mut open = Vec::with_capacity(planned.len());
    for planned in planned {
        let guest = Guest::open(planned.name.clone(), &planned.root)?;
        if guest.id.dev.to_string() != planned.dev || guest.id.ino.to_string() != planned.ino {
            return Err(EngineError::PlanRefused(format!(
                "the root of {}, {}, is another directory than when the plan was made: make a new plan",
                planned.name,
                Escaped::of(&planned.root)
            )));
        }
        open.push(guest);
    }
    Ok(open)
}

/// Guests and base must be apart, and one mount must show them all.
fn one_mount(guests: &[Guest], base: &Base) -> Result<(), EngineError> {
    guest::apart(guests, base.path())?;
    for guest in guests {
        if guest.root.mount_id()? != base.dir().mount_id()? {
            return Err(EngineError::CannotHere(format!(
                "{} and the base are on different mounts: hard links cannot cross them",
                Escaped::of(&guest.path)
            )));
        }
    }
    Ok(())
}
