//! A plan that may be applied.
//!
//! The plan is first copied into the base and checked whole, so that what is executed is what was checked. Only then,
//! and after a person or `--yes` agreed, the first name is touched.

mod guests_now;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::BufRead;

use super::plan_lines::{OwnCopy, PlanLines};
use super::unflagged;
use crate::base::{Base, MaintainedPaper, PLAN, Run};
use crate::engine::activity::base::must_be_ours;
use crate::engine::error::RefusedPlan;
use crate::engine::host::{host_digest, lock_note};
use crate::engine::limits::Limits;
use crate::engine::paths::selected::{known_guests, select};
use crate::engine::plan_file::{PlanFile, WholePlan, applicable, open_copy, whole};
use crate::engine::privileges::{entitled, must_see_all};
use crate::engine::read_ahead::STRETCH;
use crate::engine::records::{History, receipts};
use crate::engine::{EngineError, Guest, guest, healing, protection};
use crate::ledger::{Closing, Edits, PlanReader, Section};
use crate::model::{
    Action, Digest, DigestPrefix, Event, GuestName, Header, Observer, PlanDigest, PlanTarget,
    Recovered, Running, Stage, Totals, Unit,
};
use crate::rules::selectors::Selection;
use crate::rules::totals::SummaryBuilder;
use crate::sys::guest::Sharing;
use crate::sys::host::machine::{self, Filesystem};
use crate::sys::own::papers::Lock;
use guests_now::{can_share, no_namesakes, open_guests};

/// What the user allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct ApplyOptions {
    /// Execute lines that were changed or added by hand. They are proven like all others.
    pub accept_edits: bool,
    /// Execute only a plan with this digest, of its content or of its decision.
    pub approved: Option<DigestPrefix>,
    /// What is done about guests that run.
    pub running: Running,
    /// How far and how fast it may go.
    pub limits: Limits,
}

/// A plan that was checked and can be executed once.
pub struct ReadyToApply {
    pub(super) base: Base,
    pub(super) run: Run,
    pub(super) header: Header,
    pub(super) target: PlanTarget,
    pub(super) checked: Checked,
    pub(super) history: History,
    /// What was found of an interrupted run.
    pub(super) healed: Recovered,
    pub(super) options: ApplyOptions,
    /// The file system of the base before the run wrote anything.
    pub(super) disk: Filesystem,
    /// Can files there share blocks?
    pub(super) sharing: Sharing,
    _lock: Lock,
}

/// What the check of the plan's copy found.
pub struct Checked {
    pub guests: Vec<Guest>,
    /// Guests that are being maintained, unless the plan ends that.
    pub(super) maintained: BTreeSet<GuestName>,
    pub(super) closing: Closing,
    pub(super) sections: Vec<Section>,
    pub(super) totals: Totals,
    /// Are there names that refer to objects already?
    pub(super) shared: bool,
    /// Are there files with names in several guests?
    pub(super) names_elsewhere: bool,
    /// Objects that would not be protected, because their flag lines were taken out.
    pub(super) unflagged: u64,
    approved_by: Option<ApprovedBy>,
}

/// Which of a plan's digests was approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovedBy {
    /// What would be done here.
    Content(Digest),
    /// What was decided for guests like these anywhere.
    Decision(Digest),
}

impl ReadyToApply {
    /// Checks the plan whole, heals what an earlier run left, and tries what the plan relies on. Nothing in a guest is
    /// changed. Of a selection the narrower plan is checked, and executed.
    pub fn check(
        plan: &mut PlanFile,
        selection: &Selection,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToApply, EngineError> {
        let path = plan.path().to_owned();
        plan.must_be_applicable()
            .map_err(|error| error.in_file(&path))?;
        entitled("apply", "it sets owners and flags")?;
        must_see_all("apply")?;
        Self::check_plan(plan, selection, options, observer).map_err(|error| error.in_file(&path))
    }

    fn check_plan(
        plan: &mut PlanFile,
        selection: &Selection,
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToApply, EngineError> {
        let (header, target) = fits_here(plan, selection, options)?;
        let base = Base::ensure(&target.base.path)?;
        let lock = base.lock(&lock_note("apply"))?;
        let disk = must_be_ours(&base).and_then(|()| Ok(machine::filesystem(base.dir())?));
        let disk = match disk {
            Ok(disk) => disk,
            Err(error) => {
                base.unmake_if_unused()?;
                return Err(error);
            }
        };
        let healed = healing::heal_first(&base, options.running, observer)?;
        let history = History::read(&base)?;
        receipts::tell(&history.damaged, &base, observer);
        let run = base.begin_run()?;
        let plan = (plan, selection, &header);
        match Self::check_in(&base, &run, &history, plan, options, observer) {
            Ok(checked) => Ok(ReadyToApply {
                base,
                run,
                header,
                target,
                history,
                healed,
                checked,
                options,
                disk,
                sharing: Sharing::default(),
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
        (plan, selection, header): (&mut PlanFile, &Selection, &Header),
        options: ApplyOptions,
        observer: &dyn Observer,
    ) -> Result<Checked, EngineError> {
        let copy = run.papers.join(PLAN);
        if selection.is_all() {
            plan.copy_to(&copy)?;
        } else {
            let lines = select(plan, selection)?;
            plan.copy_selected_to(&copy, &lines)?;
        }
        let (plan, found) = read_whole(open_copy(&copy)?, &|_| true, observer)?;
        // What is executed is the copy, by the header that was judged.
        if plan.header != *header {
            return Err(RefusedPlan::Rewritten.into());
        }
        let approved_by = allowed(&plan.closing, options)?;
        let target = applicable(&plan.header)?;
        if let Some(protection) = &target.protection {
            protection::still_holds(protection, base)?;
            protection::write_down(base, protection.mode)?;
        }
        if found.totals.reflinks.links > 0 {
            protection::blocks_can_be_shared(base)?;
        }
        let lines = &mut OwnCopy(&copy);
        Checked::of(base, history, plan, &found, lines, approved_by)
    }

    /// The plan ends the maintenance of this guest. Names of others that are being maintained stay as they are.
    pub(in crate::engine) fn ends_maintenance_of(&mut self, guest: &GuestName) {
        self.checked.maintained.remove(guest);
    }

    /// What the plan would do now, after all edits.
    pub fn totals(&self) -> &Totals {
        &self.checked.totals
    }

    /// What a reviewer did to it.
    pub fn edits(&self) -> &Edits {
        &self.checked.closing.edits
    }

    /// Objects that the plan would not protect, because their flag lines were taken out.
    pub fn unflagged(&self) -> u64 {
        self.checked.unflagged
    }

    /// What it is executed on.
    pub fn target(&self) -> &PlanTarget {
        &self.target
    }

    /// Which of its digests was approved, if one was asked for.
    pub fn approved_by(&self) -> Option<ApprovedBy> {
        self.checked.approved_by
    }

    /// Its guests, as a plan is told of them: `NAME=PATH`.
    pub fn guest_words(&self) -> Vec<OsString> {
        let word = |guest: &Guest| {
            let mut word = OsString::from(format!("{}=", guest.name));
            word.push(&guest.path);
            word
        };
        self.checked.guests.iter().map(word).collect()
    }

    /// The user did not agree: leaves no trace of the run.
    pub fn cancel(self) -> Result<(), EngineError> {
        self.base.forget_run(&self.run)?;
        Ok(self.base.unmake_if_unused()?)
    }
}

impl Checked {
    /// What was found in the plan, and its guests: their roots are what they were, and none is in other hands.
    pub(super) fn of(
        base: &Base,
        history: &History,
        plan: WholePlan,
        found: &PlanContents,
        lines: &mut dyn PlanLines,
        approved_by: Option<ApprovedBy>,
    ) -> Result<Checked, EngineError> {
        let guests = open_guests(&plan.guests)?;
        can_share(&guests, base, applicable(&plan.header)?.mode())?;
        guest::hold(&guests)?;
        no_namesakes(&guests, history)?;
        let unflagged = match found.totals.flags < plan.closing.summary.totals.flags {
            true => unflagged::count(base, lines)?,
            false => 0,
        };
        let maintained = MaintainedPaper::read(base)?.into_iter();
        Ok(Checked {
            guests,
            maintained: maintained.map(|one| one.name).collect(),
            closing: plan.closing,
            sections: plan.sections,
            totals: found.totals,
            shared: found.shared,
            names_elsewhere: found.names_elsewhere,
            unflagged,
            approved_by,
        })
    }
}

impl Checked {
    /// Are there hard links and reflinks?
    pub(super) fn has_both_methods(&self) -> bool {
        let reflinks = self.totals.reflinks.links;
        reflinks > 0 && reflinks < self.totals.links
    }
}

/// Is the plan one of this host, for guests that are here? Nothing is made before that is known: even an empty base
/// that is removed again would leave its mark in a guest.
pub(super) fn fits_here(
    plan: &mut PlanFile,
    selection: &Selection,
    options: ApplyOptions,
) -> Result<(Header, PlanTarget), EngineError> {
    let reader = plan.reader()?;
    consented(reader.edits_so_far(), options)?;
    let header = reader.header().clone();
    let target = applicable(&header)?.clone();
    same_host(&target)?;
    known_guests(selection, reader.guests())?;
    let guests = open_guests(reader.guests())?;
    guest::apart(&guests, &target.base.path)?;
    guest::apart(&guests, &guest::base_path(&target.base.path)?)?;
    Ok((header, target))
}

fn same_host(target: &PlanTarget) -> Result<(), EngineError> {
    if target.host == host_digest()? {
        Ok(())
    } else {
        Err(RefusedPlan::OtherHost.into())
    }
}

/// What all lines of a plan come to.
#[derive(Default)]
pub(super) struct PlanContents {
    pub totals: Totals,
    shared: bool,
    names_elsewhere: bool,
}

/// Reads the whole plan, and counts what the lines that are kept would do.
pub(super) fn read_whole(
    mut plan: PlanReader<impl BufRead>,
    keep: &dyn Fn(&Action) -> bool,
    observer: &dyn Observer,
) -> Result<(WholePlan, PlanContents), EngineError> {
    let (mut sum, mut found) = (SummaryBuilder::new(Vec::new()), PlanContents::default());
    observer.notice(&Event::Begin(Stage::ReadPlan, Unit::Nothing, None));
    while let lines @ [_, ..] = &plan.next_actions(STRETCH)?[..] {
        for line in lines.iter().filter(|line| keep(&line.action)) {
            sum.action(&line.action);
            match &line.action {
                Action::Skip(skip) => found.shared |= skip.object().is_some(),
                Action::Link(link) => found.names_elsewhere |= link.has_names_elsewhere(),
                Action::Reflink(_) | Action::Flag(_) => {}
            }
        }
    }
    observer.notice(&Event::End);
    found.totals = sum.finish().totals;
    Ok((whole(plan)?, found))
}

pub(super) fn allowed(
    closing: &Closing,
    options: ApplyOptions,
) -> Result<Option<ApprovedBy>, EngineError> {
    consented(&closing.edits, options)?;
    let found = closing.digest_now;
    Ok(options
        .approved
        .map(|approved| by(approved, found))
        .transpose()?)
}

/// Which digest of the lines that are there now was approved.
fn by(approved: DigestPrefix, found: PlanDigest) -> Result<ApprovedBy, RefusedPlan> {
    let content = Some(found.content).filter(|digest| approved.begins(digest));
    let decision = found.decision.filter(|digest| approved.begins(digest));
    match (content, decision) {
        (Some(content), None) => Ok(ApprovedBy::Content(content)),
        (None, Some(decision)) => Ok(ApprovedBy::Decision(decision)),
        (Some(_), Some(_)) => Err(RefusedPlan::Ambiguous(approved)),
        (None, None) => Err(RefusedPlan::NotApproved {
            found: Box::new(found),
            approved,
        }),
    }
}

fn consented(edits: &Edits, options: ApplyOptions) -> Result<(), EngineError> {
    if edits.need_consent() && !options.accept_edits {
        return Err(describe(edits).into());
    }
    let told = edits.changed.iter().find_map(|(line, fields)| {
        let field = fields.iter().find(|field| TOLD.contains(&field.as_str()))?;
        Some((*line, field.clone()))
    });
    match told {
        Some((line, field)) => Err(RefusedPlan::NotProvable { line, field }.into()),
        None => Ok(()),
    }
}

/// Fields of link lines that other commands tell again, and that the disk does not show.
const TOLD: &[&str] = &["package", "reason"];

/// The first lines that were changed by more than a deletion, a skip or a note.
fn describe(edits: &Edits) -> RefusedPlan {
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
    RefusedPlan::Edited {
        first: all[..all.len().min(10)].join("; "),
        more,
    }
}
