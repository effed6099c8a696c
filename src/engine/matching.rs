//! From candidates to groups of equal files: by `stat` first, then by metadata and content. A file is read only if
//! something else looks like it so far.

use std::cmp::Ordering;
use std::collections::HashSet;

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::equal::{Buffers, Read, Reader, Told};
use super::fixed::take_out_fixed;
use super::probe::Dropped;
use crate::base::Index;
use crate::model::{Event, FileState, Ignored, Observer, Policy, Stage, Time};

/// A file of a guest, by indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Which {
    pub guest: u32,
    pub file: u32,
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
    reader: &'a Reader<'a>,
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
    pub fn new(reader: &'a Reader<'a>, index: &Index) -> Matcher<'a> {
        let objects = index.objects().iter();
        let objects = objects
            .map(|held| facts(&held.state, reader.policy))
            .collect();
        Matcher { reader, objects }
    }

    /// Finds all groups.
    pub fn run(&self, classified: &[Classified], observer: &dyn Observer) -> Matched {
        let mut matched = Matched {
            groups: Vec::new(),
            dropped: Vec::new(),
        };
        let likely = self.reader.crew.work(|| {
            let mut likely = self.likely(classified);
            take_out_fixed(self.reader.surveys, &mut likely, &mut matched.dropped);
            likely
        });
        let bytes = likely
            .iter()
            .map(|which| self.state(*which).size)
            .fold(0, u64::saturating_add);
        observer.notice(&Event::Begin(Stage::Hash, Some(bytes)));
        for told in self.reader.crew.read(|| self.tell_all(&likely, observer)) {
            matched.groups.extend(told.groups);
            matched.dropped.extend(told.dropped);
        }
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
        all.par_sort_by(|a, b| self.stat_order(*a, *b));
        let runs = all.chunk_by(|a, b| self.stat_order(*a, *b) == Ordering::Equal);
        runs.filter(|run| run.len() > 1 || self.is_known(run))
            .flatten()
            .copied()
            .collect()
    }

    /// Runs of files that look alike, each told apart.
    fn tell_all(&self, likely: &[Which], observer: &dyn Observer) -> Vec<Told> {
        let runs = likely.chunk_by(|a, b| self.stat_order(*a, *b) == Ordering::Equal);
        let mut runs: Vec<&[Which]> = runs.collect();
        let first = |run: &[Which]| run.first().copied();
        self.reader.sort(&mut runs, first);
        let tell = |buffers: &mut Buffers, runs: &&[&[Which]]| {
            let told = self.reader.tell(runs, |run| self.is_known(run), buffers);
            let files = runs.iter().copied().flatten();
            let bytes = files.map(|which| self.state(*which).size);
            observer.notice(&Event::Advance(
                Stage::Hash,
                bytes.fold(0, u64::saturating_add),
            ));
            told
        };
        let buffers = || Buffers::new(self.reader.crew.order);
        let batches = self.reader.batches(&runs);
        batches.par_iter().map_init(buffers, tell).collect()
    }

    /// Has the base an object that looks like these?
    fn is_known(&self, run: &[Which]) -> bool {
        let first = run.first();
        first.is_some_and(|which| {
            self.objects
                .contains(&facts(self.state(*which), self.reader.policy))
        })
    }

    fn state(&self, which: Which) -> &FileState {
        self.reader.state(which)
    }

    fn stat_order(&self, a: Which, b: Which) -> Ordering {
        let by_facts =
            facts(self.state(a), self.reader.policy).cmp(&facts(self.state(b), self.reader.policy));
        by_facts.then_with(|| {
            if self.reader.policy.same_path {
                self.names(a).cmp(&self.names(b))
            } else {
                Ordering::Equal
            }
        })
    }

    /// All names of a file; compared only with `--same-path`.
    fn names(&self, which: Which) -> Vec<Vec<u8>> {
        let tree = &self.reader.surveys[which.guest as usize].scan.tree;
        tree.names_of(which.file as usize)
            .map(|name| tree.path(name))
            .collect()
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
