//! What the base's copies of executed plans say of guests and of the packages that files belonged to. A copy that is
//! not there, or is no plan, says nothing but why.

use std::collections::HashMap;
use std::io::BufRead;

use crate::base::{Base, PLAN};
use crate::engine::EngineError;
use crate::engine::plan_file::open_copy;
use crate::ledger::PlanReader;
use crate::model::{
    Action, Before, FileId, GuestName, Link, ObjectId, PlannedGuest, RunId, RunKind, RunStatus,
};
use crate::sys::Meaning;

/// Plans by the runs that executed them; of each, the guests are read once.
pub(super) struct ExecutedPlans<'a> {
    base: &'a Base,
    /// Those that may have linked something, the last first.
    runs: Vec<RunId>,
    guests: HashMap<RunId, Result<Vec<PlannedGuest>, NotKnown>>,
}

/// Why something is not known.
#[derive(Debug, Clone)]
pub(super) struct NotKnown {
    pub why: String,
    /// Is it there, and could not be read? What was learned from the disk never had a plan.
    pub unread: bool,
}

/// A guest as it is known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub name: GuestName,
    /// Its root.
    pub id: FileId,
}

impl Who {
    /// Is it this guest of a plan? One that was renamed or moved has its root, one that was restored its name.
    pub fn is(&self, planned: &PlannedGuest) -> bool {
        self.has_root_of(planned) || planned.name == self.name
    }

    pub fn has_root_of(&self, planned: &PlannedGuest) -> bool {
        root_of(planned) == self.id
    }
}

pub(super) fn root_of(planned: &PlannedGuest) -> FileId {
    FileId {
        dev: planned.dev,
        ino: planned.ino,
    }
}

impl<'a> ExecutedPlans<'a> {
    /// Nothing is read yet.
    pub fn of(base: &'a Base, runs: &[RunStatus]) -> ExecutedPlans<'a> {
        let has_linked = |run: &&RunStatus| {
            let totals = run.totals.as_ref();
            run.what == RunKind::Apply && totals.is_none_or(|totals| totals.done > 0)
        };
        let runs = runs.iter().rev().filter(has_linked);
        ExecutedPlans {
            base,
            runs: runs.map(|run| run.run.clone()).collect(),
            guests: HashMap::new(),
        }
    }

    /// The runs that may have linked something, the last first.
    pub fn runs(&self) -> Vec<RunId> {
        self.runs.clone()
    }

    /// The guests of the plan, or why they are not known.
    pub fn guests(&mut self, run: &RunId) -> Result<&[PlannedGuest], &NotKnown> {
        if !self.guests.contains_key(run) {
            let guests = self.open(run).map(|plan| plan.guests().to_vec());
            let guests = guests.map_err(|error| no_plan(run, &error));
            self.guests.insert(run.clone(), guests);
        }
        match self.guests.get(run) {
            Some(Ok(guests)) => Ok(guests),
            Some(Err(why)) => Err(why),
            None => Ok(&[]),
        }
    }

    /// Hands out the link lines of a plan. What is no plan further down is an error: nothing of it is believed then.
    pub fn links(&self, run: &RunId, mut each: impl FnMut(&Link)) -> Result<(), NotKnown> {
        let mut read = || {
            let mut plan = self.open(run)?;
            while let Some((_, line)) = plan.next_action()? {
                if let Action::Link(link) = &line.action {
                    each(link);
                }
            }
            plan.finish()?;
            Ok(())
        };
        read().map_err(|error: EngineError| no_plan(run, &error))
    }

    /// What link lines say of files that objects have the metadata of; nothing where the paper is not there.
    pub fn evidence(
        &self,
        run: &RunId,
        wanted: impl Fn(&ObjectId) -> bool,
    ) -> Vec<(ObjectId, Before)> {
        let mut told = Vec::new();
        let read = self.links(run, |link| {
            let before = link.before.filter(|_| wanted(&link.object));
            told.extend(before.map(|before| (link.object, before)));
        });
        read.map_or_else(|_| Vec::new(), |()| told)
    }

    fn open(&self, run: &RunId) -> Result<PlanReader<impl BufRead + use<>>, EngineError> {
        open_copy(&self.base.run_paper(run, PLAN))
    }
}

fn no_plan(run: &RunId, error: &EngineError) -> NotKnown {
    let is_absent = match error {
        EngineError::Sys(error) => error.meaning() == Meaning::Gone,
        _ => false,
    };
    NotKnown {
        why: format!("the plan of run {run} cannot be read: {error}"),
        unread: !is_absent,
    }
}
