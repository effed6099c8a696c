//! The jobs of a batch whose inodes become objects. An inode that guests share has a job for each of them.

use std::collections::HashMap;

use super::job::{Fate, Job};
use super::names::FileChange;
use crate::model::ObjectId;

/// The jobs whose inodes become objects, by number: there are as many flags as jobs to look them up for.
pub fn makers(jobs: &[Job]) -> HashMap<ObjectId, Vec<usize>> {
    let numbered = jobs.iter().enumerate();
    let adopted = numbered.filter(|(_, job)| job.new.is_none());
    let mut makers: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    adopted.for_each(|(at, job)| makers.entry(job.object).or_default().push(at));
    makers
}

/// How the jobs whose inode becomes this object ended, where one of them did not end well.
pub fn how_its_maker_ended(
    object: &ObjectId,
    makers: &HashMap<ObjectId, Vec<usize>>,
    changes: &[FileChange],
) -> Option<Fate> {
    let own = makers.get(object)?.iter();
    let mut fates = own.filter_map(|at| Some(&changes.get(*at)?.fate));
    fates.find(|fate| **fate != Fate::Done).cloned()
}
