//! From candidates to groups of equal files: by `stat` first, then by metadata and content. A file is read only if
//! something else looks like it so far.

use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::equal::{Buffers, Reader, Told};
use super::fixed::take_out_fixed;
use super::groups::Groups;
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
    /// Files with the same content and metadata. Some groups have one member, where the base may have its object.
    pub groups: Groups,
    /// Files that dropped out while they were read.
    pub dropped: Vec<(Which, Dropped)>,
}

/// What `stat` compares, and what may be ignored in it.
pub(super) struct Matcher<'a> {
    reader: &'a Reader<'a>,
    index: &'a Index,
    /// Numbers of the base's objects, in the order of their facts.
    by_facts: Vec<u32>,
}

/// Files that look alike: where they are among all such files.
#[derive(Clone, Copy)]
struct Run {
    from: u32,
    length: u32,
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
    pub fn new(reader: &'a Reader<'a>, index: &'a Index) -> Matcher<'a> {
        let mut by_facts: Vec<u32> = (0..).take(index.len()).collect();
        let key = |at: &u32| facts(&index.get(*at as usize).state, reader.policy);
        by_facts.par_sort_unstable_by_key(key);
        Matcher {
            reader,
            index,
            by_facts,
        }
    }

    /// Finds all groups.
    pub fn run(&self, classified: &[Classified], observer: &dyn Observer) -> Matched {
        let files = self.reader.surveys.iter().map(|one| one.scan.tree.files());
        let mut matched = Matched {
            groups: Groups::of(files),
            dropped: Vec::new(),
        };
        let likely = self.reader.crew.work(|| {
            let mut likely = self.likely(classified);
            take_out_fixed(self.reader.surveys, &mut likely, &mut matched.dropped);
            likely
        });
        self.reader.prepare(&likely);
        let sizes = likely.iter().map(|which| self.reader.size(*which));
        let bytes = sizes.fold(0, u64::saturating_add);
        observer.notice(&Event::Begin(Stage::Hash, Some(bytes)));
        let matched = Mutex::new(matched);
        self.reader
            .crew
            .read(|| self.tell_all(&likely, &matched, observer));
        let mut matched = matched.into_inner().unwrap_or_else(PoisonError::into_inner);
        if self.reader.policy.same_path {
            matched.groups.merge();
        }
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
        all.par_sort_unstable_by(|a, b| self.stat_order(*a, *b).then(a.cmp(b)));
        let mut kept = 0;
        let mut at = 0;
        // In place: there is one for every file.
        while let Some(run) = self.first_run(&all[at..]) {
            if run > 1 || self.is_known(&all[at..at + run]) {
                all.copy_within(at..at + run, kept);
                kept += run;
            }
            at += run;
        }
        all.truncate(kept);
        all.shrink_to_fit();
        all
    }

    /// How many of the first look alike; `None` where there are none.
    fn first_run(&self, files: &[Which]) -> Option<usize> {
        let mut runs = files.chunk_by(|a, b| self.stat_order(*a, *b) == Ordering::Equal);
        runs.next().map(<[Which]>::len)
    }

    /// Files that look alike, one run behind the other. What 32 bits cannot count stays unread.
    fn runs(&self, likely: &[Which]) -> Vec<Run> {
        let runs = likely.chunk_by(|a, b| self.stat_order(*a, *b) == Ordering::Equal);
        let mut at = 0;
        let runs = runs.map_while(|run| {
            let from = u32::try_from(at).ok()?;
            at += run.len();
            let length = u32::try_from(run.len()).ok()?;
            Some(Run { from, length })
        });
        runs.collect()
    }

    /// Tells the files of runs that look alike apart.
    fn tell_all(&self, likely: &[Which], matched: &Mutex<Matched>, observer: &dyn Observer) {
        let mut runs = self.runs(likely);
        let files = |run: Run| &likely[run.from as usize..][..run.length as usize];
        self.reader
            .sort(&mut runs, |run| files(run).first().copied());
        let take = |told: Told| {
            let mut matched = matched.lock().unwrap_or_else(PoisonError::into_inner);
            let groups = told.groups.iter();
            groups.for_each(|group| matched.groups.take(group));
            matched.dropped.extend(told.dropped);
        };
        let tell = |buffers: &mut Buffers, runs: &&[Run]| {
            let runs: Vec<&[Which]> = runs.iter().map(|run| files(*run)).collect();
            let known = |run: &[Which]| self.is_known(run);
            let tell = || self.reader.tell(&runs, known, buffers, &take);
            self.reader.crew.learning(tell);
            let files = runs.iter().copied().flatten();
            let bytes = files.map(|which| self.reader.size(*which));
            observer.notice(&Event::Advance(
                Stage::Hash,
                bytes.fold(0, u64::saturating_add),
            ));
        };
        let buffers = || Buffers::new(self.reader.crew.order);
        let batches = self.reader.batches(&runs, files);
        // One at a time: what some hold takes far longer than what others do.
        batches
            .par_iter()
            .with_max_len(1)
            .for_each_init(buffers, tell);
    }

    /// Has the base an object that looks like these?
    fn is_known(&self, run: &[Which]) -> bool {
        let policy = self.reader.policy;
        let key = |at: &u32| facts(&self.index.get(*at as usize).state, policy);
        run.first().is_some_and(|which| {
            let wanted = facts(&self.reader.state(*which), policy);
            self.by_facts.binary_search_by_key(&wanted, key).is_ok()
        })
    }

    fn stat_order(&self, a: Which, b: Which) -> Ordering {
        let (reader, policy) = (self.reader, self.reader.policy);
        // Most differ in their sizes already.
        let by_size = reader.size(a).cmp(&reader.size(b));
        by_size
            .then_with(|| {
                let (a, b) = (reader.state(a), reader.state(b));
                facts(&a, policy).cmp(&facts(&b, policy))
            })
            .then_with(|| {
                if policy.same_path {
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
