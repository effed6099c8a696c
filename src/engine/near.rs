//! Near misses: files of equal content that only their metadata keeps apart. What the fleet's owner could gain by one
//! `chown` or one build setting is counted, and the largest are named. Nothing is decided here.
//!
//! Files that matched something were read already. Of the others, those are read whose size and beginning another
//! candidate has.

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use super::classify::{Classified, Decision};
use super::equal::Reader;
use super::matching::{Matched, Which};
use crate::model::{
    Count, Digest, FileState, Fingerprint, Ignored, MetadataDigest, Moved, NearMiss, NearMisses,
    Shift,
};

/// From this many files on, owners that differ by one constant are a shift of the whole guest.
const SHIFTED: u64 = 3;

/// Files with more holes than this are not looked at for near misses.
const MOST_HOLES: u64 = 1 << 20;

/// What a file holds.
#[derive(Debug, Clone, Copy)]
struct Known {
    which: Which,
    content: Digest,
    beginning: Fingerprint,
    metadata: MetadataDigest,
}

/// Finds near misses, by this reader.
pub(super) struct Near<'a>(pub &'a Reader<'a>);

/// A file that could share the inode of another, and what differs.
struct Miss {
    of: Which,
    with: Which,
    differs: Vec<Moved>,
    bytes: u64,
}

impl Near<'_> {
    /// Finds all near misses among the candidates.
    pub fn misses(&self, classified: &[Classified], matched: &Matched) -> NearMisses {
        let mut known = read_already(matched);
        let others = self
            .0
            .crew
            .read(|| self.read_others(classified, matched, &known));
        known.extend(others);
        known.sort_by_key(|known| (known.content.0, known.which));
        let equal = known.chunk_by(|a, b| a.content == b.content);
        let misses: Vec<Miss> = equal.flat_map(|files| self.of_content(files)).collect();
        self.sum(misses)
    }

    /// Files of which only the size was known to be that of another.
    fn read_others(
        &self,
        classified: &[Classified],
        matched: &Matched,
        known: &[Known],
    ) -> Vec<Known> {
        let done: HashMap<Which, Fingerprint> = known
            .iter()
            .map(|known| (known.which, known.beginning))
            .collect();
        let dropped: HashSet<Which> = matched.dropped.iter().map(|(which, _)| *which).collect();
        let mut all = candidates(classified);
        all.retain(|which| !dropped.contains(which) && !self.is_sparse(*which));
        all.sort_by_key(|which| self.state(*which).size);
        let runs = all.chunk_by(|a, b| self.state(*a).size == self.state(*b).size);
        let mut all: Vec<Which> = runs
            .filter(|run| run.len() > 1 && run.iter().any(|which| !done.contains_key(which)))
            .flatten()
            .copied()
            .collect();
        self.0.sort(&mut all, Some);
        let mut unread = self.with_twin_beginning(&all, &done);
        self.0.sort(&mut unread, Some);
        unread
            .par_iter()
            .filter_map(|which| self.read(*which))
            .collect()
    }

    /// Those not read so far that begin like another file of their size.
    fn with_twin_beginning(&self, all: &[Which], done: &HashMap<Which, Fingerprint>) -> Vec<Which> {
        let beginning = |which: &Which| match done.get(which) {
            Some(known) => Some(*known),
            None => self.0.beginning(*which).ok(),
        };
        let key = |which: &Which| Some((self.state(*which).size, beginning(which)?.0, *which));
        let mut begun: Vec<(u64, u128, Which)> = all.par_iter().filter_map(key).collect();
        begun.par_sort_unstable();
        let runs = begun.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
        let twins = runs.filter(|run| run.len() > 1).flatten();
        twins
            .map(|(_, _, which)| *which)
            .filter(|which| !done.contains_key(which))
            .collect()
    }

    /// Holes cost a guest nothing to make and us time to read, and hold nothing that could be saved.
    fn is_sparse(&self, which: Which) -> bool {
        let state = self.state(which);
        state.size.saturating_sub(state.allocated()) > MOST_HOLES
    }

    /// What cannot be read, or may not be shared after all, is nobody's near miss.
    fn read(&self, which: Which) -> Option<Known> {
        let read = self.0.whole(which).ok()?;
        Some(Known {
            which,
            content: read.content,
            beginning: read.beginning,
            metadata: read.probed.metadata,
        })
    }

    /// One miss for every kind of metadata but the commonest: the files of each kind share an inode anyway.
    fn of_content(&self, files: &[Known]) -> Vec<Miss> {
        let mut kinds: HashMap<MetadataDigest, (usize, Which)> = HashMap::new();
        for file in files {
            kinds.entry(file.metadata).or_insert((0, file.which)).0 += 1;
        }
        let mut kinds: Vec<(usize, Which)> = kinds.into_values().collect();
        kinds.sort_by_key(|(files, which)| (std::cmp::Reverse(*files), *which));
        let Some(((_, with), others)) = kinds.split_first() else {
            return Vec::new();
        };
        let miss = |(_, of): &(usize, Which)| Miss {
            of: *of,
            with: *with,
            differs: self.differs(*with, *of),
            bytes: self.state(*of).allocated(),
        };
        others.iter().map(miss).collect()
    }

    /// What `stat` does not show is an extended attribute.
    fn differs(&self, a: Which, b: Which) -> Vec<Moved> {
        let (a, b) = (self.state(a), self.state(b));
        let time = !self.0.policy.ignore.contains(&Ignored::Mtime);
        let facts = [
            (Moved::Mode, a.mode != b.mode),
            (Moved::Uid, a.uid != b.uid),
            (Moved::Gid, a.gid != b.gid),
            (Moved::Mtime, time && a.mtime != b.mtime),
        ];
        let differs: Vec<Moved> = facts
            .into_iter()
            .filter_map(|(fact, differs)| differs.then_some(fact))
            .collect();
        if differs.is_empty() {
            vec![Moved::Xattrs]
        } else {
            differs
        }
    }

    fn sum(&self, misses: Vec<Miss>) -> NearMisses {
        let mut sum = NearMisses::default();
        for miss in &misses {
            sum.all.add(1, miss.bytes);
            sum.by
                .entry(words(&miss.differs))
                .or_default()
                .add(1, miss.bytes);
        }
        let shifts = self.shifts(&misses);
        let is_shifted = |miss: &Miss| {
            self.shift(miss)
                .is_some_and(|key| shifts.contains_key(&key))
        };
        let mut single: Vec<Miss> = misses.into_iter().filter(|m| !is_shifted(m)).collect();
        single.sort_by_key(|miss| (std::cmp::Reverse(miss.bytes), miss.of));
        single.truncate(NearMisses::MOST_LISTED);
        sum.listed = single.iter().map(|miss| self.listed(miss)).collect();
        sum.shifted = shifts
            .into_iter()
            .map(|(key, count)| self.shifted(key, count))
            .collect();
        sum
    }

    fn shifts(&self, misses: &[Miss]) -> BTreeMap<ShiftKey, Count> {
        let mut all: BTreeMap<ShiftKey, Count> = BTreeMap::new();
        for miss in misses {
            if let Some(key) = self.shift(miss) {
                all.entry(key).or_default().add(1, miss.bytes);
            }
        }
        all.retain(|_, count| count.files >= SHIFTED);
        all
    }

    /// By how much the owners of the later guest's file differ, where nothing else does.
    fn shift(&self, miss: &Miss) -> Option<ShiftKey> {
        let owners = |moved: &Moved| matches!(moved, Moved::Uid | Moved::Gid);
        if miss.of.guest == miss.with.guest || !miss.differs.iter().all(owners) {
            return None;
        }
        let (a, b) = if miss.with.guest < miss.of.guest {
            (miss.with, miss.of)
        } else {
            (miss.of, miss.with)
        };
        let (from, to) = (self.state(a), self.state(b));
        Some(ShiftKey {
            guests: (a.guest, b.guest),
            uid: i64::from(to.uid) - i64::from(from.uid),
            gid: i64::from(to.gid) - i64::from(from.gid),
        })
    }

    fn shifted(&self, key: ShiftKey, count: Count) -> Shift {
        let name = |at: u32| self.0.surveys[at as usize].guest.name.clone();
        Shift {
            guests: (name(key.guests.0), name(key.guests.1)),
            uid: key.uid,
            gid: key.gid,
            count,
        }
    }

    fn listed(&self, miss: &Miss) -> NearMiss {
        NearMiss {
            files: (self.surveys_name(miss.with), self.surveys_name(miss.of)),
            differs: miss.differs.clone(),
            bytes: miss.bytes,
        }
    }

    fn surveys_name(&self, which: Which) -> String {
        self.0.surveys[which.guest as usize].shown(which.file as usize)
    }

    fn state(&self, which: Which) -> &FileState {
        self.0.state(which)
    }
}

/// Two guests, and the constant between their owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ShiftKey {
    guests: (u32, u32),
    uid: i64,
    gid: i64,
}

fn read_already(matched: &Matched) -> Vec<Known> {
    let files = matched.groups.iter().flatten();
    let known = files.map(|read| Known {
        which: read.which,
        content: read.content,
        beginning: read.beginning,
        metadata: read.probed.metadata,
    });
    known.collect()
}

fn candidates(classified: &[Classified]) -> Vec<Which> {
    let mut all = Vec::new();
    for (guest, judged) in (0u32..).zip(classified) {
        let files = (0u32..).zip(&judged.decisions);
        let open = files.filter(|(_, decision)| **decision == Decision::Candidate);
        all.extend(open.map(|(file, _)| Which { guest, file }));
    }
    all
}

fn words(differs: &[Moved]) -> String {
    let words: Vec<String> = differs.iter().map(ToString::to_string).collect();
    words.join(", ")
}
