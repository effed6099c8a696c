//! Which candidates look alike by what `stat` shows of them: only those are read.
//!
//! They are sorted by a hash of it. What is known of two files stands far apart in memory, and is compared only
//! where the hashes are equal.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use rayon::prelude::*;

use super::compare::Reader;
use super::file::FileRef;
use crate::engine::planning::classify::{Classified, Decision};
use crate::model::{FileState, Ignored, Policy, Time};

/// Files that look alike, one run after the other.
#[derive(Debug, Default)]
pub struct Likely {
    pub files: Vec<FileRef>,
    /// How many files each run has.
    pub lengths: Vec<u32>,
    /// Files that are in no run because of their directory: it is immutable or append-only, and no name in it can
    /// be exchanged.
    pub fixed: Vec<FileRef>,
}

/// The facts that equal files share and that cost nothing to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    size: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: Option<(i64, u32)>,
}

impl Facts {
    /// Where nothing but the content counts.
    fn of_content(size: u64) -> Facts {
        Facts {
            size,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: None,
        }
    }
}

/// The hash of a file's facts, and the file.
type Candidate = (u64, FileRef);

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
        known: impl Fn(FileRef) -> bool + Sync,
    ) -> Likely {
        let mut all: Vec<Candidate> = candidates(classified).map(|which| (0, which)).collect();
        all.par_iter_mut()
            .for_each(|(hash, which)| *hash = self.hash(*which));
        all.par_sort_unstable();
        let alike = all.par_chunk_by_mut(|a, b| a.0 == b.0);
        let some = alike.fold(Likely::default, |likely, alike| {
            self.tell_facts(alike, &known, likely)
        });
        some.reduce(Likely::default, Likely::and)
    }

    /// Adds the runs among candidates of one hash.
    fn tell_facts(
        &self,
        alike: &mut [Candidate],
        known: impl Fn(FileRef) -> bool,
        mut likely: Likely,
    ) -> Likely {
        for run in runs(alike, |a, b| self.stat_order(a.1, b.1)) {
            if run.len() > 1 || known(run[0].1) {
                self.add_run(run, &mut likely);
            }
        }
        likely
    }

    fn add_run(&self, run: &[Candidate], likely: &mut Likely) {
        let before = likely.files.len();
        for (_, which) in run {
            if !self.only_content() && self.tree(*which).is_in_fixed(which.file as usize) {
                likely.fixed.push(*which);
            } else {
                likely.files.push(*which);
            }
        }
        let added = u32::try_from(likely.files.len() - before).ok();
        likely.lengths.extend(added.filter(|added| *added > 0));
    }

    fn hash(&self, which: FileRef) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.facts(which).hash(&mut hasher);
        hasher.finish()
    }

    fn stat_order(&self, a: FileRef, b: FileRef) -> Ordering {
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
    pub fn facts(&self, which: FileRef) -> Facts {
        match self.only_content() {
            true => Facts::of_content(self.size(which)),
            false => facts(&self.state(which), self.policy),
        }
    }

    /// All names of a file; compared only with `--same-path`.
    fn names(&self, which: FileRef) -> Vec<Vec<u8>> {
        let tree = self.tree(which);
        tree.names_of(which.file as usize)
            .map(|name| tree.path(name))
            .collect()
    }
}

/// Splits what has one hash into runs that look alike. Nearly always all of it looks alike, and then nothing is
/// sorted.
fn runs<'t, T: Ord>(
    one_hash: &'t mut [T],
    order: impl Fn(&T, &T) -> Ordering + 't,
) -> impl Iterator<Item = &'t [T]> {
    let mut pairs = one_hash.windows(2);
    let mixed = pairs.any(|pair| order(&pair[0], &pair[1]) != Ordering::Equal);
    if mixed {
        one_hash.sort_unstable_by(|a, b| order(a, b).then_with(|| a.cmp(b)));
    }
    let sorted: &[T] = one_hash;
    sorted.chunk_by(move |a, b| !mixed || order(a, b) == Ordering::Equal)
}

/// All files that may have twins, guest by guest.
pub fn candidates(classified: &[Classified]) -> impl Iterator<Item = FileRef> {
    (0u32..).zip(classified).flat_map(|(guest, judged)| {
        let files = (0u32..).zip(&judged.decisions);
        let open = files.filter(|(_, decision)| **decision == Decision::Candidate);
        open.map(move |(file, _)| FileRef { guest, file })
    })
}

/// What is compared of a state.
pub fn facts(state: &FileState, policy: &Policy) -> Facts {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes of different facts may be equal: such files are distinguished nevertheless.
    #[test]
    fn one_hash_may_have_several_runs() {
        let runs_of = |files: &[(u8, u8)]| {
            let mut files = files.to_vec();
            let runs = runs(&mut files, |a, b| a.0.cmp(&b.0));
            runs.map(<[_]>::to_vec).collect::<Vec<_>>()
        };
        assert_eq!(
            runs_of(&[(3, 0), (1, 1), (3, 2), (1, 3), (2, 4)]),
            [vec![(1, 1), (1, 3)], vec![(2, 4)], vec![(3, 0), (3, 2)]]
        );
        assert_eq!(runs_of(&[(7, 0), (7, 1)]), [[(7, 0), (7, 1)]]);
        assert_eq!(runs_of(&[(7, 0)]), [[(7, 0)]]);
        assert!(runs_of(&[]).is_empty());
    }
}
