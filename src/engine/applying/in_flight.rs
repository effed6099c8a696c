//! Lines of a batch in flight, and what the receipt says of each.

use crate::engine::exchange::job::Fate;
use crate::engine::exchange::job::Job;
use crate::engine::records::object_set::ObjectSet;
use crate::model::{Link, Making, Moved, ObjectId, Outcome, Time};
use crate::rules::precondition::moved;
use crate::sys::SysResult;
use crate::sys::guest::Sharing;

/// A line of the current batch whose job is in flight.
pub struct Pending {
    pub link: Link,
    /// Set where the object is made from this file.
    pub made: Option<Making>,
    pub mtime: Option<Time>,
}

/// Objects that take room beside the files which they were copied from: those files were refused in the end, or
/// are kept. The first file that is replaced by such an object gives back what the object took, and nothing is
/// saved by it.
pub struct Unpaid(pub ObjectSet);

impl Unpaid {
    /// Notes that the file which an object was made from keeps its room. An adopted one is the object.
    pub fn keeps_its_room(&mut self, object: &ObjectId, made: Option<Making>) -> SysResult<()> {
        if made == Some(Making::Copy) {
            self.0.insert(object)?;
        }
        Ok(())
    }
}

/// The outcome of each job; `None` where it is to be tried again.
pub fn outcomes(
    jobs: &[Job],
    pending: &[Pending],
    fates: &[Fate],
    unpaid: &mut Unpaid,
    sharing: &Sharing,
) -> SysResult<Vec<Option<Outcome>>> {
    let lines = || jobs.iter().zip(pending).zip(fates);
    for ((job, line), _) in lines().filter(|(_, fate)| **fate != Fate::Done) {
        unpaid.keeps_its_room(&job.object, line.made)?;
    }
    let lines = lines().map(|((job, line), fate)| {
        let again = matches!(fate, Fate::Full | Fate::Again);
        let outcome = (!again).then(|| outcome(job, line, fate, unpaid, sharing));
        outcome.transpose()
    });
    lines.collect()
}

fn outcome(
    job: &Job,
    line: &Pending,
    fate: &Fate,
    unpaid: &mut Unpaid,
    sharing: &Sharing,
) -> SysResult<Outcome> {
    if let Some(bad) = fate.bad_outcome() {
        return Ok(bad);
    }
    // The file that an object was made from takes its room with it, and one that is kept has it still.
    let frees = line.made.is_none() && *fate == Fate::Done;
    let saves = frees && !unpaid.0.remove(&job.object)?;
    Ok(Outcome::Done {
        made: line.made,
        saved: if saves { comes_back(job, sharing) } else { 0 },
        mtime: line.mtime,
    })
}

/// What the disk gets back when the old file goes, as far as it tells: files that share blocks, and go together, count
/// for nothing.
pub(super) fn comes_back(job: &Job, sharing: &Sharing) -> u64 {
    sharing.room(job.old.file(), job.state.allocated()).own
}

/// A line for the next batch, and the object to begin with. An exchange that was rolled back has changed the
/// file's ctime; where nothing else changed, that says nothing about its guest, and all else is proven once more.
pub(super) fn once_more(job: &Job, line: &Pending, fate: &Fate) -> SysResult<(Link, ObjectId)> {
    let mut link = line.link.clone();
    let now = job.old.file().state()?;
    let before = link.before.as_mut();
    if let Some(before) = before.filter(|before| moved(before, &now) == [Moved::Ctime]) {
        before.ctime = now.ctime;
    }
    let start = match fate {
        Fate::Full => job.object.next_generation(),
        _ => link.object,
    };
    Ok((link, start))
}
