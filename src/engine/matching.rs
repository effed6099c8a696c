//! From candidates to groups of equal files: by `stat` first, then by metadata and beginning, then by whole content.
//! A file is read only if something else looks like it so far.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::fixed::FixedDirectories;
use super::probe::{Content, Dropped, Probed, first_look, whole};
use super::survey::Survey;
use crate::base::Index;
use crate::model::{Event, FileState, Ignored, Observer, Policy, Stage, Time};
use crate::rules::care::Care;

/// A file of a guest, by indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Which {
    pub guest: u32,
    pub file: u32,
}

/// A file that was read far enough.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read {
    pub which: Which,
    pub probed: Probed,
}

/// What is said of every file that was looked at.
pub(super) struct Matched {
    /// Files with the same content and metadata, each group in the order of the plan. Some have one member, where the
    /// base may have its object.
    pub groups: Vec<Vec<Read>>,
    /// Files that dropped out while they were read.
    pub dropped: Vec<(Which, Dropped)>,
}

/// What `stat` compares, and what may be ignored in it.
pub(super) struct Matcher<'a> {
    pub surveys: &'a [Survey],
    pub care: &'a Care,
    pub policy: &'a Policy,
    /// Stat facts of the objects in the base.
    objects: HashSet<Facts>,
}

/// The facts that equal files share and that cost nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Facts {
    size: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: Option<(i64, u32)>,
}

impl<'a> Matcher<'a> {
    pub fn new(
        surveys: &'a [Survey],
        care: &'a Care,
        policy: &'a Policy,
        index: &Index,
    ) -> Matcher<'a> {
        let objects = index
            .objects()
            .iter()
            .map(|held| facts(&held.state, policy))
            .collect();
        Matcher {
            surveys,
            care,
            policy,
            objects,
        }
    }

    /// Finds all groups.
    pub fn run(&self, classified: &[Classified], observer: &dyn Observer) -> Matched {
        let mut matched = Matched {
            groups: Vec::new(),
            dropped: Vec::new(),
        };
        let mut likely = self.likely(classified);
        FixedDirectories::new(self.surveys).take_out(&mut likely, &mut matched.dropped);
        let bytes = likely
            .iter()
            .map(|which| self.state(*which).size)
            .fold(0, u64::saturating_add);
        observer.notice(&Event::Begin(Stage::Hash, Some(bytes)));
        let mut read = self.read_beginnings(&likely, observer, &mut matched.dropped);
        read.sort_by(|a, b| self.order(a, b));
        self.read_wholes(&mut read, &mut matched.dropped);
        read.sort_by(|a, b| self.order(a, b));
        matched.groups = read
            .chunk_by(|a, b| self.same(a, b))
            .map(<[Read]>::to_vec)
            .collect();
        matched
            .groups
            .iter_mut()
            .for_each(|group| group.sort_by_key(|read| read.which));
        matched
            .groups
            .sort_by_key(|group| group.first().map(|read| read.which));
        observer.notice(&Event::End(Stage::Hash));
        matched
    }

    /// Candidates whose `stat` another candidate or an object of the base has too.
    fn likely(&self, classified: &[Classified]) -> Vec<Which> {
        let mut all = Vec::new();
        for (guest, judged) in (0u32..).zip(classified) {
            let files = (0u32..).zip(&judged.decisions);
            all.extend(
                files
                    .filter(|(_, d)| **d == Decision::Candidate)
                    .map(|(file, _)| Which { guest, file }),
            );
        }
        all.sort_by(|a, b| self.stat_order(*a, *b));
        let runs = all.chunk_by(|a, b| self.stat_order(*a, *b) == Ordering::Equal);
        let known = |run: &[Which]| {
            run.first().is_some_and(|which| {
                self.objects
                    .contains(&facts(self.state(*which), self.policy))
            })
        };
        runs.filter(|run| run.len() > 1 || known(run))
            .flatten()
            .copied()
            .collect()
    }

    fn read_beginnings(
        &self,
        likely: &[Which],
        observer: &dyn Observer,
        dropped: &mut Vec<(Which, Dropped)>,
    ) -> Vec<Read> {
        let look = |which: &Which| {
            let survey = &self.surveys[which.guest as usize];
            let result = first_look(survey, which.file as usize, self.care, &self.policy.ignore);
            observer.notice(&Event::Advance(Stage::Hash, self.state(*which).size));
            (*which, result)
        };
        let mut by_disk = likely.to_vec();
        // Inode order is near to disk order on most file systems.
        by_disk.sort_by_key(|which| self.state(*which).id.ino);
        let results: Vec<_> = by_disk.par_iter().map(look).collect();
        let mut read = Vec::with_capacity(results.len());
        for (which, result) in results {
            match result {
                Ok(probed) => read.push(Read { which, probed }),
                Err(why) => dropped.push((which, why)),
            }
        }
        read
    }

    /// Reads to the end what has a twin so far.
    fn read_wholes(&self, read: &mut Vec<Read>, dropped: &mut Vec<(Which, Dropped)>) {
        let runs = read.chunk_by(|a, b| self.same(a, b));
        let known = |run: &[Read]| {
            run.first().is_some_and(|r| {
                self.objects
                    .contains(&facts(self.state(r.which), self.policy))
            })
        };
        let twins: HashSet<Which> = runs
            .filter(|run| run.len() > 1 || known(run))
            .flatten()
            .map(|r| r.which)
            .collect();
        let unfinished = read.iter().filter(|r| {
            matches!(r.probed.content, Content::Beginning(_)) && twins.contains(&r.which)
        });
        let unfinished: Vec<Which> = unfinished.map(|r| r.which).collect();
        let results: HashMap<Which, Result<_, Dropped>> = unfinished
            .par_iter()
            .map(|which| {
                (
                    *which,
                    whole(&self.surveys[which.guest as usize], which.file as usize),
                )
            })
            .collect();
        read.retain_mut(|file| match results.get(&file.which) {
            None => true,
            Some(Ok(digest)) => {
                file.probed.content = Content::Whole(*digest);
                true
            }
            Some(Err(why)) => {
                dropped.push((file.which, why.clone()));
                false
            }
        });
        // Only files that were read whole can be equal.
        read.retain(|file| matches!(file.probed.content, Content::Whole(_)));
    }

    fn state(&self, which: Which) -> &FileState {
        self.surveys[which.guest as usize]
            .scan
            .tree
            .state(which.file as usize)
    }

    fn stat_order(&self, a: Which, b: Which) -> Ordering {
        let by_facts = facts(self.state(a), self.policy).cmp(&facts(self.state(b), self.policy));
        by_facts.then_with(|| {
            if self.policy.same_path {
                self.names(a).cmp(&self.names(b))
            } else {
                Ordering::Equal
            }
        })
    }

    /// All names of a file; compared only with `--same-path`.
    fn names(&self, which: Which) -> Vec<Vec<u8>> {
        let tree = &self.surveys[which.guest as usize].scan.tree;
        tree.names_of(which.file as usize)
            .map(|name| tree.path(name))
            .collect()
    }

    fn order(&self, a: &Read, b: &Read) -> Ordering {
        let by_stat = self.stat_order(a.which, b.which);
        by_stat.then_with(|| {
            (a.probed.metadata.0, a.probed.content).cmp(&(b.probed.metadata.0, b.probed.content))
        })
    }

    fn same(&self, a: &Read, b: &Read) -> bool {
        self.order(a, b) == Ordering::Equal
    }
}

fn facts(state: &FileState, policy: &Policy) -> Facts {
    let Time { sec, nsec } = state.mtime;
    let mtime = (!policy.ignore.contains(&Ignored::Mtime)).then_some((sec, nsec));
    Facts {
        size: state.size,
        mode: state.mode,
        uid: state.uid,
        gid: state.gid,
        mtime,
    }
}
