//! Which candidates look alike by what `stat` tells of them: only those are read.
//!
//! They are sorted by a hash of it. What is told of two files stands far apart in memory, and is compared only where the
//! hashes are equal.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::equal::Reader;
use super::matching::Which;
use crate::model::{FileState, Ignored, Policy, Time};

/// Files that look alike, one run behind the other.
#[derive(Debug, Default)]
pub(super) struct Likely {
    pub files: Vec<Which>,
    /// How many files each run has.
    pub lengths: Vec<u32>,
    /// Files that are in no run for their directory: it is immutable or append-only, and no name in it can be exchanged.
    pub fixed: Vec<Which>,
}

/// The facts that equal files share and that cost nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Facts {
    size: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: Option<(i64, u32)>,
}

/// A file, behind the hash of its facts.
type Candidate = (u64, Which);

impl Likely {
    fn and(mut self, mut other: Likely) -> Likely {
        self.files.append(&mut other.files);
        self.lengths.append(&mut other.lengths);
        self.fixed.append(&mut other.fixed);
        self
    }
}

impl Reader<'_> {
    /// Candidates that look like another candidate, or that are `known` to look like an object of the base.
    pub fn likely(
        &self,
        classified: &[Classified],
        known: impl Fn(Which) -> bool + Sync,
    ) -> Likely {
        let mut all = candidates(classified);
        all.par_iter_mut()
            .for_each(|(hash, which)| *hash = self.hash(*which));
        all.par_sort_unstable();
        let alike = all.par_chunk_by_mut(|a, b| a.0 == b.0);
        let some = alike.fold(Likely::default, |likely, alike| {
            self.tell_facts(alike, &known, likely)
        });
        some.reduce(Likely::default, Likely::and)
    }

    /// Adds the runs among candidates of one hash, which is one run as good as always.
    fn tell_facts(
        &self,
        alike: &mut [Candidate],
        known: impl Fn(Which) -> bool,
        mut likely: Likely,
    ) -> Likely {
        let same = |a: &Candidate, b: &Candidate| self.stat_order(a.1, b.1) == Ordering::Equal;
        let mixed = alike.windows(2).any(|pair| !same(&pair[0], &pair[1]));
        if mixed {
            alike.sort_by(|a, b| self.stat_order(a.1, b.1).then(a.1.cmp(&b.1)));
        }
        for run in alike.chunk_by(|a, b| !mixed || same(a, b)) {
            if run.len() > 1 || known(run[0].1) {
                self.add_run(run, &mut likely);
            }
        }
        likely
    }

    fn add_run(&self, run: &[Candidate], likely: &mut Likely) {
        let before = likely.files.len();
        for (_, which) in run {
            if self.tree(*which).is_in_fixed(which.file as usize) {
                likely.fixed.push(*which);
            } else {
                likely.files.push(*which);
            }
        }
        let added = u32::try_from(likely.files.len() - before).ok();
        likely.lengths.extend(added.filter(|added| *added > 0));
    }

    fn hash(&self, which: Which) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.facts(which).hash(&mut hasher);
        hasher.finish()
    }

    fn stat_order(&self, a: Which, b: Which) -> Ordering {
        let by_facts = self.facts(a).cmp(&self.facts(b));
        by_facts.then_with(|| {
            if self.policy.same_path {
                self.names(a).cmp(&self.names(b))
            } else {
                Ordering::Equal
            }
        })
    }

    /// What the walk saw of a file, as far as it is compared.
    pub fn facts(&self, which: Which) -> Facts {
        facts(&self.state(which), self.policy)
    }

    /// All names of a file; compared only with `--same-path`.
    fn names(&self, which: Which) -> Vec<Vec<u8>> {
        let tree = self.tree(which);
        tree.names_of(which.file as usize)
            .map(|name| tree.path(name))
            .collect()
    }
}

/// All of them, without their hashes.
fn candidates(classified: &[Classified]) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (guest, judged) in (0u32..).zip(classified) {
        let files = (0u32..).zip(&judged.decisions);
        let open = files.filter(|(_, decision)| **decision == Decision::Candidate);
        all.extend(open.map(|(file, _)| (0, Which { guest, file })));
    }
    all
}

/// What is compared of a state.
pub(super) fn facts(state: &FileState, policy: &Policy) -> Facts {
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
