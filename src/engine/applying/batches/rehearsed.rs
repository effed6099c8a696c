//! What is counted of a batch whose names are not exchanged.

use super::ApplyLoop;
use super::landing::AfterProof;
use crate::engine::EngineError;
use crate::engine::applying::in_flight::{Pending, outcomes};
use crate::engine::exchange::job::{Fate, Job};
use crate::engine::receipt_file::link_line;
use crate::engine::records::object_set::ObjectSet;
use crate::model::ObjectId;
use crate::sys::SysResult;

impl ApplyLoop<'_, '_> {
    /// Counts the lines as done. Objects that would be made are there for this batch alone: in the next, their twins
    /// are proven by the name of the object, and counted as what they are: names of an object that is there by then.
    pub(super) fn rehearse(
        &mut self,
        jobs: &[Job],
        pending: &[Pending],
    ) -> Result<Vec<ObjectId>, EngineError> {
        let AfterProof::Rehearse(made) = &mut self.landing else {
            return Ok(Vec::new());
        };
        let fates = vec![Fate::Done; jobs.len()];
        let lines = jobs.iter().zip(pending);
        let lines = lines.map(|(job, line)| as_counted(job, line, made));
        let lines: Vec<Pending> = lines.collect::<SysResult<_>>()?;
        let outcomes = outcomes(jobs, &lines, &fates, &mut self.unpaid, self.sharing)?;
        for ((job, line), outcome) in jobs.iter().zip(&lines).zip(outcomes) {
            if let Some(outcome) = outcome {
                self.receipt
                    .add(&link_line(&line.link, job.object, outcome))?;
            }
        }
        Ok(Vec::new())
    }
}

/// The line as the run would have it: an object is made once.
fn as_counted(job: &Job, line: &Pending, made: &mut ObjectSet) -> SysResult<Pending> {
    let makes = line.made.is_some() && !made.contains(&job.object)?;
    if makes {
        made.insert(&job.object)?;
    }
    Ok(Pending {
        link: line.link.clone(),
        made: line.made.filter(|_| makes),
        mtime: line.mtime,
    })
}
