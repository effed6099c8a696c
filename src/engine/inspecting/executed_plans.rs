//! What the base's copies of executed plans say of guests and of the packages that files belonged to. A copy that is
//! not there, or is no plan, says nothing but why.

use std::collections::HashMap;
use std::io::BufRead;

use crate::base::{Base, PLAN};
use crate::engine::EngineError;
use crate::engine::plan_file::open_copy;
use crate::ledger::PlanReader;
use crate::model::{Action, GuestName, GuestPath, Owner, PlannedGuest, RunId};

/// The first name of a file in a guest.
pub(super) type FirstName = (GuestName, GuestPath);

/// Plans by the runs that executed them; of each, the guests are read once.
pub(super) struct ExecutedPlans<'a> {
    base: &'a Base,
    guests: HashMap<RunId, Result<Vec<PlannedGuest>, String>>,
}

impl<'a> ExecutedPlans<'a> {
    /// Nothing is read yet.
    pub fn of(base: &'a Base) -> ExecutedPlans<'a> {
        ExecutedPlans {
            base,
            guests: HashMap::new(),
        }
    }

    /// The guests of the plan, or why they are not known.
    pub fn guests(&mut self, run: &RunId) -> Result<&[PlannedGuest], &str> {
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

    /// The packages that the files of these first names belonged to, as the link lines say.
    pub fn owners(
        &self,
        run: &RunId,
        wanted: impl Fn(&FirstName) -> bool,
    ) -> Result<Vec<(FirstName, Owner)>, String> {
        let read = || {
            let mut plan = self.open(run)?;
            let mut owners = Vec::new();
            while let Some((_, line)) = plan.next_action()? {
                if let Action::Link(link) = line.action {
                    let file = (link.guest, link.path);
                    let owner = link.owner.filter(|_| wanted(&file));
                    owners.extend(owner.map(|owner| (file, owner)));
                }
            }
            // What is no plan further down is believed in nothing.
            plan.finish()?;
            Ok(owners)
        };
        read().map_err(|error: EngineError| no_plan(run, &error))
    }

    fn open(&self, run: &RunId) -> Result<PlanReader<impl BufRead + use<>>, EngineError> {
        open_copy(&self.base.run_paper(run, PLAN))
    }
}

fn no_plan(run: &RunId, error: &EngineError) -> String {
    format!("the plan of run {run} cannot be read: {error}")
}
