//! Lines of a batch in flight, and what the receipt says of each.

use super::batch::Job;
use super::flight::Fate;
use crate::model::{Link, Making, Outcome, Time};

/// A line of the batch in hand whose job is in flight.
pub(super) struct Pending {
    pub link: Link,
    /// Set where the object is made from this file.
    pub made: Option<Making>,
    pub mtime: Option<Time>,
}

/// What became of each; `None` where the object is full and the next generation is to be tried.
pub(super) fn outcomes(jobs: &[Job], pending: &[Pending], fates: &[Fate]) -> Vec<Option<Outcome>> {
    let made = makers(jobs, pending, fates);
    let lines = jobs.iter().zip(pending).zip(fates).zip(made);
    let lines = lines.map(|(((job, pending), fate), made)| {
        (*fate != Fate::Full).then(|| outcome(job, pending, made, fate))
    });
    lines.collect()
}

/// Whose file an object was made from. Where that file was refused, the room that the object takes is given back by the
/// first of its twins that was not.
fn makers(jobs: &[Job], pending: &[Pending], fates: &[Fate]) -> Vec<Option<Making>> {
    let mut made: Vec<Option<Making>> = pending.iter().map(|line| line.made).collect();
    let ended = jobs.iter().zip(pending).zip(fates);
    let without = ended.filter(|((_, line), fate)| line.made.is_some() && !fate.is_done());
    for ((job, line), _) in without {
        let mut twins = jobs.iter().zip(fates).zip(&mut made);
        let heir = twins.find(|((twin, fate), _)| twin.object == job.object && fate.is_done());
        if let Some((_, heir)) = heir {
            *heir = line.made;
        }
    }
    made
}

fn outcome(job: &Job, pending: &Pending, made: Option<Making>, fate: &Fate) -> Outcome {
    fate.bad_outcome().unwrap_or(Outcome::Done {
        made,
        // The file that an object was made from takes its room with it, and one that is kept has it still.
        saved: if made.is_some() || *fate == Fate::DoneAndKept {
            0
        } else {
            job.state.allocated()
        },
        mtime: pending.mtime,
    })
}
