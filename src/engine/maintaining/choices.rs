//! By which choices a guest is planned again: those of the last plan that was applied to it together with others, else
//! to others. A clone is linked by a plan of its own, which says nothing of what people chose.

use crate::base::{Base, PLAN, ProtectionPaper};
use crate::engine::EngineError;
use crate::engine::plan_file::open_copy;
use crate::engine::records::History;
use crate::model::{Event, GuestName, Header, Observer, Policy, Protect, RunKind};
use crate::sys::SysResult;

/// What the plan is made by.
pub(super) struct RefreezeChoices {
    pub policy: Policy,
    pub protect: Protect,
}

impl RefreezeChoices {
    /// Those for this guest.
    pub fn of(
        base: &Base,
        history: &History,
        guest: &GuestName,
        observer: &dyn Observer,
    ) -> Result<RefreezeChoices, EngineError> {
        let header = last_plan(base, history, guest);
        if header.is_none() {
            observer.notice(&Event::Warning(
                "no plan that was applied is left in the base: it is planned as without any option",
            ));
        }
        let planned = header.as_ref().and_then(|header| header.target.as_ref());
        let planned = planned.and_then(crate::model::PlanTarget::protect);
        Ok(RefreezeChoices {
            protect: protect(base, planned)?,
            policy: header.map(|header| header.policy).unwrap_or_default(),
        })
    }
}

/// What protects the base now comes first: it may have been moved since.
fn protect(base: &Base, planned: Option<Protect>) -> SysResult<Protect> {
    let now = ProtectionPaper::read(base)?;
    Ok(match (now, planned) {
        (Some(now), _) => now,
        (None, Some(Protect::None)) => Protect::None,
        (None, Some(Protect::Guard)) => Protect::Immutable,
        (None, planned) => planned.unwrap_or(Protect::Auto),
    })
}

/// How much a plan says about what was chosen for the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PlanScope {
    /// It is about the guest alone.
    Alone,
    /// It is about others.
    Others,
    /// It is about the guest and others.
    Together,
}

fn last_plan(base: &Base, history: &History, guest: &GuestName) -> Option<Header> {
    let mut best: Option<(PlanScope, Header)> = None;
    for run in history
        .runs
        .iter()
        .rev()
        .filter(|run| run.what == RunKind::Apply)
    {
        // A plan that is gone, or that cannot be read, says nothing.
        let Ok(plan) = open_copy(&base.run_paper(&run.run, PLAN)) else {
            continue;
        };
        let names = plan.guests().iter();
        let says = match (
            plan.guests().len(),
            names.clone().any(|one| one.name == *guest),
        ) {
            (2.., true) => PlanScope::Together,
            (2.., false) => PlanScope::Others,
            (_, true) => PlanScope::Alone,
            (_, false) => continue,
        };
        if best.as_ref().is_none_or(|(before, _)| says > *before) {
            best = Some((says, plan.header().clone()));
        }
        if says == PlanScope::Together {
            break;
        }
    }
    best.map(|(_, header)| header)
}
