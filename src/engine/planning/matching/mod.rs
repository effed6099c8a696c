//! From candidates to groups of equal files: by `stat` first, then by metadata and content. A file is read only if
//! something else looks like it so far.

pub mod by_hash;
pub mod candidates;
pub mod compare;
pub mod digest_cache;
mod equal_so_far;
pub mod file;
pub mod groups;
pub mod inode_attributes;
pub mod probe;
pub mod read_order;
mod same_extents;

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::classify::Classified;
use crate::base::Index;
use crate::model::{Event, Observer, SkipReason, Stage, Unit};
use candidates::facts;
use compare::{Reader, SplitFiles};
use equal_so_far::Buffers;
use file::{FileRef, Singles};
use groups::Groups;
use probe::Dropped;

/// What is said of every file that was looked at.
pub struct Matched {
    /// Files with the same content and metadata. Some groups have one member, where the base may have its object.
    pub groups: Groups,
    /// Files that dropped out while they were read.
    pub dropped: Vec<(FileRef, Dropped)>,
}

/// What `stat` compares, and what may be ignored in it.
pub struct Matcher<'a> {
    reader: &'a Reader<'a>,
    index: &'a Index,
    /// Numbers of the base's objects, in the order of their facts.
    by_facts: Vec<u32>,
}

/// Files that look alike: where they are among all such files.
#[derive(Clone, Copy)]
struct LikeRun {
    from: u32,
    length: u32,
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
        let known = |which| self.is_known(which) || self.reader.shared.is_leader(which);
        let threads = self.reader.threads;
        let likely = threads.work(|| self.reader.likely(classified, known));
        matched.dropped.extend(likely.fixed.iter().map(fixed));
        let runs = runs(&likely.lengths);
        let files = runs.iter().map(|run| run.of(&likely.files));
        self.reader.prepare(files.clone());
        let bytes = files.map(|run| self.reader.bytes(run));
        let bytes = bytes.fold(0, u64::saturating_add);
        observer.notice(&Event::Begin(Stage::Hash, Unit::Bytes, Some(bytes)));
        let matched = Mutex::new(matched);
        self.reader
            .threads
            .read(|| self.tell_all(runs, &likely.files, &matched, observer));
        let mut matched = matched.into_inner().unwrap_or_else(PoisonError::into_inner);
        if self.reader.policy.same_path {
            matched.groups.merge();
        }
        observer.notice(&Event::End);
        matched
    }

    /// Distinguishes the files of runs that look alike.
    fn tell_all(
        &self,
        mut runs: Vec<LikeRun>,
        likely: &[FileRef],
        matched: &Mutex<Matched>,
        observer: &dyn Observer,
    ) {
        let files = |run: LikeRun| run.of(likely);
        self.reader
            .sort(&mut runs, |run| files(run).first().copied());
        let take = |told: SplitFiles| {
            let mut matched = matched.lock().unwrap_or_else(PoisonError::into_inner);
            let groups = told.groups.iter();
            groups.for_each(|group| matched.groups.take(group));
            matched.dropped.extend(told.dropped);
        };
        let split_runs = |buffers: &mut Buffers, runs: &&[LikeRun]| {
            let runs: Vec<&[FileRef]> = runs.iter().map(|run| files(*run)).collect();
            let shared = |run: &[FileRef]| run.iter().any(|one| self.reader.shared.is_leader(*one));
            let singles = |run: &[FileRef]| match run.first() {
                Some(first) if self.is_known(*first) || shared(run) => Singles::Keep,
                _ => Singles::Leave,
            };
            let split = || self.reader.split_equal(&runs, singles, buffers, &take);
            self.reader.threads.learning(split);
            let bytes = runs.iter().map(|run| self.reader.bytes(run));
            observer.notice(&Event::Advance(bytes.fold(0, u64::saturating_add)));
        };
        let buffers = || Buffers::new(self.reader.threads.order);
        let batches = self.reader.batches(&runs, files);
        // Each batch is handed out by itself: what some hold takes far longer than what others do.
        batches
            .par_iter()
            .with_max_len(1)
            .for_each_init(buffers, split_runs);
    }

    /// Has the base an object that looks like this file?
    fn is_known(&self, which: FileRef) -> bool {
        let policy = self.reader.policy;
        let key = |at: &u32| facts(&self.index.get(*at as usize).state, policy);
        !self.by_facts.is_empty() && !self.reader.only_content() && {
            let wanted = self.reader.facts(which);
            self.by_facts.binary_search_by_key(&wanted, key).is_ok()
        }
    }
}

impl LikeRun {
    /// Its files, of all that look alike.
    fn of(self, likely: &[FileRef]) -> &[FileRef] {
        &likely[self.from as usize..][..self.length as usize]
    }
}

/// Where the runs are. What 32 bits cannot count stays unread.
fn runs(lengths: &[u32]) -> Vec<LikeRun> {
    let mut from = 0u32;
    let runs = lengths.iter().map_while(|&length| {
        let run = LikeRun { from, length };
        from = from.checked_add(length)?;
        Some(run)
    });
    runs.collect()
}

fn fixed(which: &FileRef) -> (FileRef, Dropped) {
    let (reason, note) = (SkipReason::FixedDirectory, None);
    (*which, Dropped { reason, note })
}
