//! The jobs of a batch whose inodes become objects.

use std::collections::HashMap;

use super::job::{Fate, Job};
use super::names::FileChange;
use crate::model::ObjectId;

/// The jobs whose inodes become objects, by number: there are as many flags as jobs to look them up for.
pub fn makers(jobs: &[Job]) -> HashMap<ObjectId, usize> {
    let numbered = jobs.iter().enumerate();
    let adopted = numbered.filter(|(_, job)| job.new.is_none());
    adopted.map(|(at, job)| (job.object, at)).collect()
}

/// How the job whose inode becomes this object ended, where it did not end well.
pub fn how_its_maker_ended(
    object: &ObjectId,
    makers: &HashMap<ObjectId, usize>,
    changes: &[FileChange],
) -> Option<Fate> {
    let own = changes.get(*makers.get(object)?)?;
    Some(own.fate.clone()).filter(|fate| *fate != Fate::Done)
}
