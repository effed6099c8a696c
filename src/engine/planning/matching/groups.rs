//! Equal files that were found, small in memory: a group takes 68 bytes, and 8 for each member. A plan holds them
//! until every file has its decision, and then their names only. Their beginnings go before.

use std::ops::Range;

use super::file::FileRef;
use super::file::ReadFile;
use super::inode_attributes::Plains;
use super::probe::Plain;
use crate::base::KnownContent;
use crate::model::{Digest, Fingerprint, MetadataDigest, ObjectId};

/// All groups, by numbers that mean nothing.
#[derive(Debug, Default)]
pub struct Groups {
    names: Vec<(Digest, MetadataDigest)>,
    beginnings: Vec<[u8; 16]>,
    /// The end of the members of each group, which stand after those of the group before.
    ends: Vec<u32>,
    members: Vec<PackedFile>,
    /// How many files the guests before each have.
    before: Vec<u64>,
    plains: Plains,
}

/// A file of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equal {
    pub which: FileRef,
    /// Its extents, where they matter and the file system reports them.
    pub extents: Option<u32>,
    pub plain: Plain,
}

#[derive(Debug, Clone, Copy)]
struct PackedFile {
    /// Its number among the files of all guests.
    file: u32,
    /// From the lowest bit on: extents, and the number of the flags.
    facts: u32,
}

const EXTENTS: u32 = 20;
/// As many extents, or more, are one and the same; this one says that they are not known.
const NO_EXTENTS: u32 = (1 << EXTENTS) - 1;
const PLAIN: u32 = EXTENTS;
const _: () = assert!(Plains::MOST < 1 << (32 - PLAIN));

impl Groups {
    /// None so far, of guests with so many files each.
    pub fn of(guests: impl Iterator<Item = usize>) -> Groups {
        let sums = guests.scan(0, |sum, files| {
            let before = *sum;
            *sum += files as u64;
            Some(before)
        });
        Groups {
            before: sums.collect(),
            ..Groups::default()
        }
    }

    /// One more group. What 32 bits cannot count, which is more files than the memory of most hosts holds, stays
    /// unshared.
    pub fn take(&mut self, files: &[ReadFile]) {
        let Some(first) = files.first() else { return };
        let members = files.iter().filter_map(|file| self.pack(file)).collect();
        let name = (first.content, first.probed.metadata);
        self.push(name, first.beginning.0.to_le_bytes(), members);
    }

    fn pack(&mut self, file: &ReadFile) -> Option<PackedFile> {
        let FileRef {
            guest,
            file: number,
        } = file.which;
        let before = self.before.get(guest as usize)?;
        let extents = file
            .extents
            .map_or(NO_EXTENTS, |known| known.min(NO_EXTENTS - 1));
        let plain = self.plains.number(file.probed.plain);
        Some(PackedFile {
            file: u32::try_from(before + u64::from(number)).ok()?,
            facts: extents | plain << PLAIN,
        })
    }

    /// Makes one group of all files that get one object: with `--same-path` files that have no path in common are
    /// separated before.
    pub fn merge(&mut self) {
        let mut old = std::mem::take(self);
        self.before.clone_from(&old.before);
        self.plains = std::mem::take(&mut old.plains);
        let mut order: Vec<usize> = (0..old.names.len()).collect();
        order.sort_unstable_by_key(|group| old.names[*group]);
        for equal in order.chunk_by(|a, b| old.names[*a] == old.names[*b]) {
            let mut members = Vec::new();
            for group in equal {
                members.extend_from_slice(&old.members[old.range(*group)]);
            }
            let first = equal[0];
            self.push(old.names[first], old.beginnings[first], members);
        }
    }

    fn push(
        &mut self,
        name: (Digest, MetadataDigest),
        beginning: [u8; 16],
        mut members: Vec<PackedFile>,
    ) {
        let Ok(to) = u32::try_from(self.members.len() + members.len()) else {
            return;
        };
        if members.is_empty() {
            return;
        }
        members.sort_unstable_by_key(|member| member.file);
        self.members.append(&mut members);
        self.names.push(name);
        self.beginnings.push(beginning);
        self.ends.push(to);
    }

    fn range(&self, group: usize) -> Range<usize> {
        let from = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        from as usize..self.ends[group] as usize
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The end of the groups that have about `most` files together, of which this is the first.
    pub fn behind(&self, first: usize, most: usize) -> usize {
        let mut files = 0;
        let last = (first..self.len()).find(|group| {
            files += self.members(*group).len();
            files >= most
        });
        last.map_or(self.len(), |last| last + 1)
    }

    /// Content and metadata, without a generation.
    pub fn id(&self, group: usize) -> Option<ObjectId> {
        let (content, metadata) = *self.names.get(group)?;
        Some(ObjectId {
            content,
            metadata,
            generation: 0,
        })
    }

    /// The fast hash of the beginning of each of its files, until [`Groups::forget_beginnings`].
    pub fn beginning(&self, group: usize) -> Fingerprint {
        Fingerprint(u128::from_le_bytes(self.beginnings[group]))
    }

    /// Its files, in the order of the plan's lines.
    pub fn members(&self, group: usize) -> impl ExactSizeIterator<Item = Equal> + '_ {
        self.range(group).map(|at| self.unpack(at))
    }

    /// The first of them.
    pub fn first(&self, group: usize) -> FileRef {
        self.unpack(self.range(group).start).which
    }

    /// One of its files.
    pub fn member(&self, group: usize, nth: u32) -> Equal {
        self.unpack(self.range(group).start + nth as usize)
    }

    /// What is known of one of its files.
    pub fn known(&self, group: usize, nth: u32) -> KnownContent {
        let member = self.member(group, nth);
        KnownContent {
            beginning: self.beginning(group),
            plain: member.plain,
            content: self.id(group).map(|id| id.content),
            extents: member.extents,
        }
    }

    fn unpack(&self, at: usize) -> Equal {
        let PackedFile { file, facts } = self.members[at];
        let file = u64::from(file);
        let guest = self.before.partition_point(|before| *before <= file) - 1;
        let number = |number| u32::try_from(number).unwrap_or(u32::MAX);
        let which = FileRef {
            guest: number(guest as u64),
            file: number(file - self.before[guest]),
        };
        let extents = facts & NO_EXTENTS;
        Equal {
            which,
            extents: (extents != NO_EXTENTS).then_some(extents),
            plain: self.plains.get(facts >> PLAIN),
        }
    }

    /// Number of files in all groups.
    pub fn files(&self) -> usize {
        self.members.len()
    }

    /// All files of all groups, each with the number of its group and its place there.
    pub fn all(&self) -> impl Iterator<Item = (u32, u32, Equal)> + '_ {
        (0u32..).take(self.len()).flat_map(|group| {
            let members = (0u32..).zip(self.members(group as usize));
            members.map(move |(nth, member)| (group, nth, member))
        })
    }

    /// Beginnings are only for what the base shall remember.
    pub fn forget_beginnings(&mut self) {
        self.beginnings = Vec::new();
    }

    /// Once every file has its decision, only the names of the groups are needed.
    pub fn forget_members(&mut self) {
        (self.members, self.ends) = (Vec::new(), Vec::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::planning::matching::probe::Probed;

    fn read(guest: u32, file: u32, extents: Option<u32>, plain: Option<(u32, u32)>) -> ReadFile {
        ReadFile {
            which: FileRef { guest, file },
            probed: Probed {
                metadata: MetadataDigest([file as u8; 16]),
                plain,
            },
            content: Digest([7; 32]),
            beginning: Fingerprint(u128::MAX - u128::from(file)),
            extents,
        }
    }

    #[test]
    fn files_come_back_as_they_went_in() {
        let mut groups = Groups::of([10, 0, 10].into_iter());
        groups.take(&[]);
        groups.take(&[read(2, 9, Some(3), Some((16, 5))), read(0, 9, None, None)]);
        groups.take(&[read(0, 4, Some(u32::MAX), Some((0, 0)))]);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups.id(1).unwrap().metadata, MetadataDigest([4; 16]));
        assert_eq!(groups.beginning(0), Fingerprint(u128::MAX - 9));
        assert_eq!(groups.first(0), FileRef { guest: 0, file: 9 });
        let equal = |read: ReadFile, extents| Equal {
            which: read.which,
            extents,
            plain: read.probed.plain,
        };
        let all: Vec<_> = groups.all().collect();
        assert_eq!(
            all,
            [
                (0, 0, equal(read(0, 9, None, None), None)),
                (0, 1, equal(read(2, 9, None, Some((16, 5))), Some(3))),
                (
                    1,
                    0,
                    equal(read(0, 4, None, Some((0, 0))), Some(NO_EXTENTS - 1))
                ),
            ]
        );
    }

    #[test]
    fn groups_of_one_object_become_one() {
        let mut groups = Groups::of([6, 6, 4].into_iter());
        let with = |guest, file| ReadFile {
            probed: read(0, 1, None, None).probed,
            ..read(guest, file, None, None)
        };
        groups.take(&[with(0, 5), with(1, 5)]);
        groups.take(&[read(0, 2, None, None)]);
        groups.take(&[with(0, 3), with(2, 3)]);
        groups.merge();
        let files = groups
            .all()
            .map(|(group, _, m)| (group, m.which.guest, m.which.file));
        let want = [(0, 0, 3), (0, 0, 5), (0, 1, 5), (0, 2, 3), (1, 0, 2)];
        assert_eq!(files.collect::<Vec<_>>(), want);
    }

    #[test]
    fn they_are_small() {
        let name = size_of::<(Digest, MetadataDigest)>();
        let rest = size_of::<[u8; 16]>() + size_of::<u32>();
        assert_eq!((name + rest, size_of::<PackedFile>()), (68, 8));
    }
}
