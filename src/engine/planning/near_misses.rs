//! Near misses: files of equal content that only their metadata keeps apart. What the fleet's owner could gain by one
//! `chown` or one build setting is counted, and the largest are named. Nothing is decided here.
//!
//! Files that matched something were read already. Of the others, those are read whose size and beginning another
//! candidate has.

mod too_fine;

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::classify::Classified;
use super::matching::Matched;
use super::matching::candidates::candidates;
use super::matching::compare::Reader;
use super::matching::file::FileRef;
use super::matching::groups::Groups;
use crate::model::{
    Count, Digest, FileState, Fingerprint, Ignored, MetadataDigest, Moved, NearMiss, NearMisses,
    Shift, Summary,
};
use crate::sys::guest::Precision;
use too_fine::is_too_fine;

/// From this many files on, owners that differ by one constant are a shift of the whole guest.
const SHIFTED: u64 = 3;

/// Files with more holes than this are not looked at for near misses.
const SPARSE: u64 = 1 << 20;

/// Files of one content and one kind of metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LikeFiles {
    content: Digest,
    metadata: MetadataDigest,
    /// The first of them.
    which: FileRef,
    files: u32,
}

/// Finds near misses, by this reader.
pub struct Near<'a>(pub &'a Reader<'a>);

/// A file that could share the inode of another, and what differs.
#[derive(Debug, Clone)]
pub struct Miss {
    pub of: FileRef,
    pub with: FileRef,
    pub differs: Vec<Moved>,
    /// Allocated bytes that could come back.
    pub bytes: u64,
}

impl Near<'_> {
    /// Finds all near misses among the candidates, and how many pairs differ only in what the form of a guest cannot
    /// hold.
    pub fn find(&self, classified: &[Classified], matched: &Matched) -> (Vec<Miss>, u64) {
        let kinds = self.0.threads.read(|| {
            let mut kinds = self.others(classified, matched);
            kinds.extend(groups_with_twin(&matched.groups, &kinds));
            kinds.par_sort_unstable();
            kinds
        });
        let equal = kinds.chunk_by(|a, b| a.content == b.content);
        let misses: Vec<Miss> = equal.flat_map(|kinds| self.of_content(kinds)).collect();
        let (lost, misses): (Vec<Miss>, Vec<Miss>) = self.by_form(misses);
        (misses, lost.len() as u64)
    }

    /// Those that differ only in what a form cannot hold, and the others.
    fn by_form(&self, misses: Vec<Miss>) -> (Vec<Miss>, Vec<Miss>) {
        let guests = self.0.surveys.iter();
        let forms: Vec<Precision> = guests.map(|survey| survey.files.precision()).collect();
        if forms.iter().all(|form| *form == Precision::DISK) {
            return (Vec::new(), misses);
        }
        misses.into_iter().partition(|miss| {
            let (one, other) = (self.state(miss.with), self.state(miss.of));
            let form = |which: FileRef| forms[which.guest as usize];
            let (one, other) = ((&one, form(miss.with)), (&other, form(miss.of)));
            is_too_fine(&miss.differs, one, other)
        })
    }

    /// Files that matched nothing, and of which another has the size and the beginning.
    fn others(&self, classified: &[Classified], matched: &Matched) -> Vec<LikeFiles> {
        let all = unmatched(classified, matched).into_iter();
        let full = all.filter(|which| !self.is_sparse(*which));
        let mut all: Vec<(u64, FileRef)> = full.map(|which| (self.0.size(which), which)).collect();
        all.par_sort_unstable();
        let groups = self.groups_of_size(&all, &matched.groups);
        let known = |size| {
            groups
                .binary_search_by_key(&size, |(size, _)| *size)
                .is_ok()
        };
        let runs = all.chunk_by(|a, b| a.0 == b.0);
        let with_twin = runs.filter(|run| run.len() > 1 || known(run[0].0));
        let mut all: Vec<FileRef> = with_twin.flatten().map(|(_, which)| *which).collect();
        self.0.sort(&mut all, Some);
        let mut unread = self.with_twin_beginning(&all, &groups);
        self.0.sort(&mut unread, Some);
        unread
            .par_iter()
            .filter_map(|which| self.read(*which))
            .collect()
    }

    /// Sizes and beginnings of groups, of the sizes that these files have; sorted.
    fn groups_of_size(&self, files: &[(u64, FileRef)], groups: &Groups) -> Vec<(u64, Fingerprint)> {
        let size = |group: usize| self.0.size(groups.first(group));
        let has = |size: &u64| files.binary_search_by_key(size, |(size, _)| *size).is_ok();
        let all = (0..groups.len()).filter(|group| has(&size(*group)));
        let mut all: Vec<_> = all
            .map(|group| (size(group), groups.beginning(group)))
            .collect();
        all.sort_unstable();
        all
    }

    /// Those of these files that begin like another of their size, or like a group.
    fn with_twin_beginning(
        &self,
        files: &[FileRef],
        groups: &[(u64, Fingerprint)],
    ) -> Vec<FileRef> {
        let begin = |which: &FileRef| {
            let beginning = self.0.beginning(*which).ok()?;
            Some(((self.0.size(*which), beginning), *which))
        };
        let mut begun: Vec<_> = files.par_iter().filter_map(begin).collect();
        begun.par_sort_unstable();
        let runs = begun.chunk_by(|a, b| a.0 == b.0);
        let twins = runs.filter(|run| run.len() > 1 || groups.binary_search(&run[0].0).is_ok());
        twins.flatten().map(|(_, which)| *which).collect()
    }

    /// Holes cost a guest nothing to make and us time to read, and hold nothing that could be saved.
    fn is_sparse(&self, which: FileRef) -> bool {
        self.state(which).holes() > SPARSE
    }

    /// Reads a file. One that cannot be read, or may not be shared after all, is no near miss.
    fn read(&self, which: FileRef) -> Option<LikeFiles> {
        let read = self.0.whole(which).ok()?;
        self.0.remember(&read);
        Some(LikeFiles {
            content: read.content,
            metadata: read.probed.metadata,
            which,
            files: 1,
        })
    }

    /// One miss for every kind of metadata but the commonest: the files of each kind share an inode anyway.
    fn of_content(&self, kinds: &[LikeFiles]) -> Vec<Miss> {
        let same = kinds.chunk_by(|a, b| a.metadata == b.metadata);
        let kinds = same.filter_map(|kinds| {
            let files: u64 = kinds.iter().map(|kind| u64::from(kind.files)).sum();
            Some((files, kinds.first()?.which))
        });
        let mut kinds: Vec<(u64, FileRef)> = kinds.collect();
        kinds.sort_by_key(|(files, which)| (std::cmp::Reverse(*files), *which));
        let Some(((_, with), others)) = kinds.split_first() else {
            return Vec::new();
        };
        let miss = |(_, of): &(u64, FileRef)| Miss {
            of: *of,
            with: *with,
            differs: self.differs(*with, *of),
            bytes: self.state(*of).allocated(),
        };
        others.iter().map(miss).collect()
    }

    /// What `stat` does not show is looked for in the files.
    fn differs(&self, first: FileRef, other: FileRef) -> Vec<Moved> {
        let (a, b) = (self.state(first), self.state(other));
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
            self.differs_in_files(first, other)
        } else {
            differs
        }
    }

    fn differs_in_files(&self, first: FileRef, other: FileRef) -> Vec<Moved> {
        let ignore = &self.0.policy.ignore;
        let metadata = |which| self.0.metadata(which).ok();
        let both = metadata(first).zip(metadata(other));
        let differs = both.map_or(Vec::new(), |(a, b)| a.differs(&b, ignore));
        match differs.is_empty() {
            true => vec![Moved::Metadata],
            false => differs,
        }
    }

    /// What they come to, and the largest ones by name.
    pub fn sum(&self, misses: &[Miss]) -> NearMisses {
        let mut sum = NearMisses::default();
        for miss in misses {
            sum.all.add(1, miss.bytes);
            sum.by
                .entry(words(&miss.differs))
                .or_default()
                .add(1, miss.bytes);
        }
        let shifts = self.shifts(misses);
        let is_shifted = |miss: &Miss| {
            self.shift(miss)
                .is_some_and(|key| shifts.contains_key(&key))
        };
        let mut single: Vec<&Miss> = misses.iter().filter(|m| !is_shifted(m)).collect();
        single.sort_by_key(|miss| (std::cmp::Reverse(miss.bytes), miss.of));
        let mut room = Summary::MOST_TEXT;
        let listed = single.iter().map(|miss| self.listed(miss));
        let fits = |miss: &NearMiss| {
            let left = room.checked_sub(miss.files.0.len() + miss.files.1.len());
            left.map(|left| room = left).is_some()
        };
        sum.listed = listed
            .take(NearMisses::MOST_LISTED)
            .take_while(fits)
            .collect();
        sum.shifted = largest(shifts)
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

    fn surveys_name(&self, which: FileRef) -> String {
        self.0.surveys[which.guest as usize].shown(which.file as usize)
    }

    fn state(&self, which: FileRef) -> FileState {
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

/// Groups of contents that another group, or one of these files, has as well.
fn groups_with_twin(groups: &Groups, others: &[LikeFiles]) -> Vec<LikeFiles> {
    let content = |group: u32| groups.id(group as usize).map(|id| id.content);
    let mut contents: Vec<Digest> = others.iter().map(|kind| kind.content).collect();
    contents.par_sort_unstable();
    let mut numbers: Vec<u32> = (0..).take(groups.len()).collect();
    numbers.par_sort_unstable_by_key(|group| content(*group));
    let runs = numbers.chunk_by(|a, b| content(*a) == content(*b));
    let read = |group: u32| content(group).is_some_and(|one| contents.binary_search(&one).is_ok());
    runs.filter(|run| run.len() > 1 || read(run[0]))
        .flatten()
        .filter_map(|group| kind(groups, *group as usize))
        .collect()
}

fn kind(groups: &Groups, group: usize) -> Option<LikeFiles> {
    let id = groups.id(group)?;
    Some(LikeFiles {
        content: id.content,
        metadata: id.metadata,
        which: groups.first(group),
        files: u32::try_from(groups.members(group).len()).unwrap_or(u32::MAX),
    })
}

/// Those of most files, in their order.
fn largest(shifts: BTreeMap<ShiftKey, Count>) -> Vec<(ShiftKey, Count)> {
    let mut all: Vec<(ShiftKey, Count)> = shifts.into_iter().collect();
    all.sort_by_key(|(key, count)| (std::cmp::Reverse(count.files), *key));
    all.truncate(NearMisses::MOST_LISTED);
    all.sort_by_key(|(key, _)| *key);
    all
}

/// Candidates that are in no group, and did not drop out.
fn unmatched(classified: &[Classified], matched: &Matched) -> Vec<FileRef> {
    let mut seen: Vec<Vec<bool>> = classified
        .iter()
        .map(|judged| vec![false; judged.decisions.len()])
        .collect();
    let grouped = matched.groups.all().map(|(_, _, member)| member.which);
    let dropped = matched.dropped.iter().map(|(which, _)| *which);
    for which in grouped.chain(dropped) {
        seen[which.guest as usize][which.file as usize] = true;
    }
    candidates(classified)
        .filter(|which| !seen[which.guest as usize][which.file as usize])
        .collect()
}

fn words(differs: &[Moved]) -> String {
    let words: Vec<String> = differs.iter().map(ToString::to_string).collect();
    words.join(", ")
}
