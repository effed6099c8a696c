//! Inodes that guests of the plan share and that are no objects of its base: the base was lost, or another program has
//! linked the guests' files. What one guest writes to such a file the others read.
//!
//! Where all names of such an inode are names of guests of this plan, it may become an object itself: its first file
//! stands for it while files are matched, and the others follow. All others are left alone, and the alarm counts them,
//! also those of guests that are left out of the plan.
//!
//! Memory: only files with names elsewhere are kept, with 8 bytes each, and some 50 for each inode.

mod alarm;
pub(super) mod other_bases;
mod standing;

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::matching::file::FileRef;
use super::survey::Survey;
use crate::base::Index;
use crate::model::{FileId, SkipReason};
use crate::rules::totals::SummaryBuilder;
pub(super) use standing::Adoption;
use standing::{Standing, look};

/// All of them.
#[derive(Debug, Default)]
pub struct SharedInodes {
    /// The files of each, in the order of the guests, after those of the one before.
    files: Vec<FileRef>,
    inodes: Vec<TiedInode>,
    /// The first file of each that may become an object, in order, and its number.
    leaders: Vec<(FileRef, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct TiedInode {
    /// Where its files end.
    end: u32,
    standing: Standing,
}

impl SharedInodes {
    /// Finds them among the files that have names elsewhere, and says of each file what is to become of it. `objects`
    /// are those of the base now; `None` where there is a base that may not be read.
    pub fn find(
        surveys: &[Survey],
        classified: &mut [Classified],
        adoption: Adoption,
        objects: Option<&Index>,
    ) -> SharedInodes {
        let mut found = SharedInodes::default();
        let tied = tied(surveys, classified);
        let runs: Vec<&[(FileId, FileRef)]> = tied.chunk_by(|a, b| a.0 == b.0).collect();
        let standings: Vec<Option<Standing>> = {
            let classified = &*classified;
            let look = |run: &&[(FileId, FileRef)]| {
                let files: Vec<FileRef> = run.iter().map(|(_, which)| *which).collect();
                let first = files.first().filter(|_| run.len() > 1)?;
                let tree = &surveys[first.guest as usize].scan.tree;
                let inode = tree.state(first.file as usize).id;
                // A run at work has made it an object since the plan began.
                let is_object = |index: &Index| index.number_of_inode(inode).is_some();
                if objects.is_some_and(is_object) {
                    return None;
                }
                let standing = look(&files, surveys, classified, adoption);
                // Where the base may not be read, it may be an object.
                (objects.is_some() || standing != Standing::Immutable).then_some(standing)
            };
            runs.par_iter().map(look).collect()
        };
        for (run, standing) in runs.into_iter().zip(standings) {
            let files = run.iter().map(|(_, which)| *which);
            match standing {
                Some(standing) => found.take(files, standing, surveys, classified),
                None => files.for_each(|which| {
                    leave(which, SkipReason::NamesOutside, None, surveys, classified);
                }),
            }
        }
        found.leaders.sort_unstable();
        found
    }

    /// One more inode.
    fn take(
        &mut self,
        files: impl Iterator<Item = FileRef> + Clone,
        standing: Standing,
        surveys: &[Survey],
        classified: &mut [Classified],
    ) {
        let Some(leader) = files.clone().next() else {
            return;
        };
        if standing == Standing::Accounted {
            let number = u32::try_from(self.inodes.len()).unwrap_or(u32::MAX);
            self.leaders.push((leader, number));
            classified[leader.guest as usize].decisions[leader.file as usize] = Decision::Candidate;
        } else {
            let all: Vec<FileRef> = files.clone().collect();
            let note = standing.note(&all, surveys, classified);
            let reason = standing.reason();
            all.into_iter()
                .for_each(|which| leave(which, reason, note.as_deref(), surveys, classified));
        }
        self.files.extend(files);
        let end = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.inodes.push(TiedInode { end, standing });
    }

    /// Does this file stand for all files of its inode?
    pub fn is_leader(&self, which: FileRef) -> bool {
        self.number(which).is_some()
    }

    /// The files of the inode that this one stands for; nothing where it stands for none.
    pub fn files_with(&self, leader: FileRef) -> &[FileRef] {
        self.number(leader)
            .map_or(&[], |number| self.files_of(number))
    }

    fn number(&self, leader: FileRef) -> Option<usize> {
        let key = |(which, _): &(FileRef, u32)| *which;
        let at = self.leaders.binary_search_by_key(&leader, key).ok()?;
        Some(self.leaders[at].1 as usize)
    }

    fn files_of(&self, number: usize) -> &[FileRef] {
        let from = number
            .checked_sub(1)
            .map_or(0, |before| self.inodes[before].end);
        &self.files[from as usize..self.inodes[number].end as usize]
    }

    /// Once objects are chosen: each file goes the way of the one that stands for its inode. Where that gets no object,
    /// all are left alone.
    pub(super) fn follow(
        &self,
        surveys: &[Survey],
        classified: &mut [Classified],
        sum: &mut SummaryBuilder,
    ) {
        for (leader, number) in &self.leaders {
            let files = self.files_of(*number as usize);
            match classified[leader.guest as usize].decisions[leader.file as usize] {
                Decision::Linked {
                    group, generation, ..
                } => {
                    let makes = None;
                    for which in files.iter().filter(|which| *which != leader) {
                        classified[which.guest as usize].decisions[which.file as usize] =
                            Decision::Linked {
                                group,
                                generation,
                                makes,
                            };
                    }
                }
                Decision::Listed => {
                    let (reason, note) = why_dropped(*leader, surveys, classified);
                    let others = files.iter().filter(|which| *which != leader);
                    leave_counted(others, reason, note.as_deref(), surveys, classified, sum);
                }
                _ => {
                    let (reason, note) = (SkipReason::SharedUnprotected, standing::NOT_CHOSEN);
                    leave_counted(files.iter(), reason, Some(note), surveys, classified, sum);
                }
            }
        }
    }
}

/// Inodes and files that have names elsewhere, sorted by inode. Its number means nothing on another device.
fn tied(surveys: &[Survey], classified: &mut [Classified]) -> Vec<(FileId, FileRef)> {
    let mut tied = Vec::new();
    for ((guest, survey), judged) in (0u32..).zip(surveys).zip(classified) {
        let files = std::mem::take(&mut judged.tied).into_iter();
        tied.extend(files.map(|file| {
            let which = FileRef { guest, file };
            (survey.scan.tree.state(file as usize).id, which)
        }));
    }
    tied.par_sort_unstable();
    tied
}

/// Leaves a file alone that was not decided yet.
fn leave(
    which: FileRef,
    reason: SkipReason,
    note: Option<&str>,
    surveys: &[Survey],
    classified: &mut [Classified],
) {
    let (survey, file) = (&surveys[which.guest as usize], which.file as usize);
    let judged = &mut classified[which.guest as usize];
    if judged.decision(which.file) == Some(Decision::Tied) {
        judged.count(reason, survey.scan.tree.size(file));
        judged.leave(survey, file, reason, note);
    }
}

/// The same when the counts of the guests are summed up already.
fn leave_counted<'f>(
    files: impl Iterator<Item = &'f FileRef>,
    reason: SkipReason,
    note: Option<&str>,
    surveys: &[Survey],
    classified: &mut [Classified],
    sum: &mut SummaryBuilder,
) {
    for which in files {
        let (survey, file) = (&surveys[which.guest as usize], which.file as usize);
        sum.skipped(reason, 1, survey.scan.tree.size(file));
        classified[which.guest as usize].leave(survey, file, reason, note);
    }
}

/// What the line of a file says that dropped out while it was read.
fn why_dropped(
    which: FileRef,
    surveys: &[Survey],
    classified: &[Classified],
) -> (SkipReason, Option<String>) {
    let tree = &surveys[which.guest as usize].scan.tree;
    let mut names = tree.names_of(which.file as usize);
    let lines = &classified[which.guest as usize].lines;
    let line = names.find_map(|name| lines.get(&name));
    line.map_or((SkipReason::SharedUnprotected, None), |line| {
        (line.reason, line.note.clone())
    })
}
