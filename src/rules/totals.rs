//! The sums at the end of a plan, collected while its lines are made.
//!
//! Lines, files and objects are three things and are told apart: [`SummaryBuilder::action`] counts a line,
//! [`SummaryBuilder::skipped`] the files that are left alone (most of them have no line of their own),
//! [`SummaryBuilder::object`] which guests share what. Sums stay at the largest number instead of wrapping. The
//! same calls in any order give the same summary.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::{
    Action, Caveats, Count, GuestName, IdleChoice, NearMisses, Reflink, SameSecret, Shared,
    SkipReason, Summary, Totals, UnprotectedSharing,
};

/// A summary in the making.
#[derive(Debug)]
pub struct SummaryBuilder {
    guests: Vec<GuestName>,
    totals: Totals,
    skipped: BTreeMap<SkipReason, Count>,
    /// Keyed by set of guests, not by pair: there are few sets, and pairs grow with the square of the guests.
    shared: BTreeMap<Box<[u32]>, Count>,
    near_misses: NearMisses,
    unprotected: UnprotectedSharing,
    same_secrets: Vec<SameSecret>,
    more_same_secrets: u64,
    flags_lost: u64,
    without_effect: (Vec<IdleChoice>, u64),
    caveats: Caveats,
}

impl SummaryBuilder {
    /// An empty summary of a plan for these guests, in the plan's order.
    pub fn new(guests: Vec<GuestName>) -> SummaryBuilder {
        SummaryBuilder {
            guests,
            totals: Totals::default(),
            skipped: BTreeMap::new(),
            shared: BTreeMap::new(),
            near_misses: NearMisses::default(),
            unprotected: UnprotectedSharing::default(),
            same_secrets: Vec::new(),
            more_same_secrets: 0,
            flags_lost: 0,
            without_effect: (Vec::new(), 0),
            caveats: Caveats::default(),
        }
    }

    /// What was noticed beside the plan.
    pub fn noticed(
        &mut self,
        near_misses: NearMisses,
        (same_secrets, more): (Vec<SameSecret>, u64),
    ) {
        self.near_misses = near_misses;
        self.same_secrets = same_secrets;
        self.more_same_secrets = more;
    }

    /// What was noticed before files were matched: so many objects of the base lack their flag, and these choices
    /// change nothing, and so many more.
    pub fn noticed_before(&mut self, flags_lost: u64, without_effect: (Vec<IdleChoice>, u64)) {
        self.flags_lost = flags_lost;
        self.without_effect = without_effect;
    }

    /// What lines promise less surely than their numbers say.
    pub fn caveats(&mut self, caveats: Caveats) {
        self.caveats.add(caveats);
    }

    /// Files that are left alone are judged anew, and counted anew.
    pub fn forget_skipped(&mut self) {
        self.skipped.clear();
    }

    /// What guests share that nothing protects.
    pub fn shared_unprotected(&mut self, unprotected: UnprotectedSharing) {
        self.unprotected = unprotected;
    }

    /// Counts one line of the plan. A skip counts as a line only: see [`SummaryBuilder::skipped`].
    pub fn action(&mut self, action: &Action) {
        match action {
            Action::Link(link) => {
                self.links(1 + link.also.len() as u64, link.size, link.saves);
                self.totals.objects += u64::from(link.makes.is_some());
            }
            Action::Reflink(line) => self.reflink(line),
            Action::Flag(_) => self.totals.flags += 1,
            Action::Skip(_) => self.totals.skips += 1,
        }
    }

    /// Counts `files` files of together `bytes` bytes that are left alone, with a line or without.
    /// To be called once for each file (inode), under the first reason that was found.
    pub fn skipped(&mut self, reason: SkipReason, files: u64, bytes: u64) {
        self.skipped.entry(reason).or_default().add(files, bytes);
    }

    /// Counts an object of `size` bytes that names in these guests will refer to. `guests` are indices into the
    /// plan's guests, in any order and as often as they occur; an index beyond them counts for no guest.
    pub fn object(&mut self, guests: &[u32], size: u64) {
        let mut set = guests.to_vec();
        set.sort_unstable();
        set.dedup();
        if set.len() > 1 {
            self.shared.entry(set.into()).or_default().add(1, size);
        }
    }

    /// The summary: reasons by code, pairs in the order of the guests.
    pub fn finish(self) -> Summary {
        let (shared, more_shared) = self.pairs();
        let skipped = self.skipped.into_iter();
        Summary {
            totals: self.totals,
            skipped: skipped
                .map(|(r, count)| (r.code().to_owned(), count))
                .collect(),
            shared,
            more_shared,
            near_misses: self.near_misses,
            unprotected: self.unprotected,
            same_secrets: self.same_secrets,
            more_same_secrets: self.more_same_secrets,
            flags_lost: self.flags_lost,
            without_effect: self.without_effect.0,
            more_without_effect: self.without_effect.1,
            caveats: self.caveats,
        }
    }

    fn links(&mut self, names: u64, bytes: u64, saves: u64) {
        let totals = &mut self.totals;
        totals.links += 1;
        totals.names += names;
        totals.bytes = totals.bytes.saturating_add(bytes);
        totals.saves = totals.saves.saturating_add(saves);
    }

    fn reflink(&mut self, line: &Reflink) {
        let names = 1 + line.also.len() as u64;
        self.links(names, line.size, line.saves);
        let part = &mut self.totals.reflinks;
        part.links += 1;
        part.names += names;
        part.bytes = part.bytes.saturating_add(line.size);
        part.saves = part.saves.saturating_add(line.saves);
    }

    /// The pairs that share most, and how many more there are.
    fn pairs(&self) -> (Vec<Shared>, u64) {
        let mut pairs: BTreeMap<(u32, u32), Count> = BTreeMap::new();
        for (set, count) in &self.shared {
            for (first, second) in pairs_of(set) {
                let pair = pairs.entry((first, second)).or_default();
                pair.add(count.files, count.bytes);
            }
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        let more = pairs.len().saturating_sub(Summary::MOST_PAIRS);
        if more > 0 {
            pairs.sort_by_key(|(_, count)| Reverse(count.bytes));
            pairs.truncate(Summary::MOST_PAIRS);
            pairs.sort_by_key(|(pair, _)| *pair);
        }
        let name = |index: u32| self.guests.get(index as usize).cloned();
        let shared = pairs.into_iter().filter_map(|((a, b), count)| {
            Some(Shared {
                guests: (name(a)?, name(b)?),
                files: count.files,
                bytes: count.bytes,
            })
        });
        (shared.collect(), more as u64)
    }
}

/// All pairs of a sorted set, the smaller one first.
fn pairs_of(set: &[u32]) -> impl Iterator<Item = (u32, u32)> {
    let firsts = set.iter().zip(1..);
    firsts.flat_map(|(&first, behind)| set.iter().skip(behind).map(move |&second| (first, second)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Before, Digest, Flag, FlagReason, GuestPath, Link, LinkReason, Making, MetadataDigest,
        ObjectFlag, ObjectId, ReflinkTotals, Skip, Time,
    };

    const T: Time = Time { sec: 0, nsec: 0 };
    const OBJECT: ObjectId = ObjectId {
        content: Digest([1; 32]),
        metadata: MetadataDigest([2; 16]),
        generation: 0,
    };

    fn guest(name: &str) -> GuestName {
        GuestName::new(name).unwrap()
    }

    fn path(text: &str) -> GuestPath {
        GuestPath::new(text.as_bytes()).unwrap()
    }

    fn link(also: &[&str], makes: Option<Making>, saves: u64) -> Action {
        Action::Link(Link {
            guest: guest("a"),
            path: path("/x"),
            also: also.iter().map(|p| path(p)).collect(),
            object: OBJECT,
            makes,
            size: 100,
            saves,
            reason: LinkReason::Identical,
            owner: None,
            before: Some(Before {
                dev: 1,
                ino: 1,
                nlink: 1,
                mode: 0o644,
                uid: 0,
                gid: 0,
                size: 100,
                mtime: T,
                ctime: T,
            }),
            note: None,
        })
    }

    #[test]
    fn lines_are_counted_by_kind() {
        let mut sum = SummaryBuilder::new(vec![]);
        sum.action(&link(&[], Some(Making::Copy), 0));
        sum.action(&link(&["/y", "/z"], None, 4096));
        sum.action(&Action::Flag(Flag {
            object: OBJECT,
            set: vec![ObjectFlag::Immutable],
            names: 4,
            reason: FlagReason::ProtectShared,
            note: None,
        }));
        let (guest, path) = (GuestName::new("web1").unwrap(), GuestPath::root());
        sum.action(&Action::Skip(Skip::new(guest, path, SkipReason::Etc)));
        let want = Totals {
            links: 2,
            names: 4,
            bytes: 200,
            saves: 4096,
            objects: 1,
            flags: 1,
            skips: 1,
            reflinks: ReflinkTotals::default(),
        };
        let summary = sum.finish();
        assert_eq!(summary.totals, want);
        assert!(summary.skipped.is_empty(), "a skip line is not a file");
    }

    #[test]
    fn skipped_files_are_summed_by_code() {
        let mut sum = SummaryBuilder::new(vec![]);
        sum.skipped(SkipReason::Etc, 3, 30);
        sum.skipped(SkipReason::Unique, 1, u64::MAX);
        sum.skipped(SkipReason::Etc, 2, 20);
        sum.skipped(SkipReason::Unique, 1, 1);
        let skipped = sum.finish().skipped;
        let count = |files, bytes| Count { files, bytes };
        let want = [
            ("etc".to_owned(), count(5, 50)),
            ("unique".to_owned(), count(2, u64::MAX)),
        ];
        assert_eq!(skipped, BTreeMap::from(want));
    }

    #[test]
    fn objects_are_shared_by_pairs() {
        let mut sum = SummaryBuilder::new(vec![guest("a"), guest("b"), guest("c")]);
        sum.object(&[2, 0, 1, 0], 10);
        sum.object(&[0, 1], 5);
        sum.object(&[1, 1], 1000);
        sum.object(&[0, 7], 1000);
        let shared = |a, b, files, bytes| Shared {
            guests: (guest(a), guest(b)),
            files,
            bytes,
        };
        let want = [
            shared("a", "b", 2, 15),
            shared("a", "c", 1, 10),
            shared("b", "c", 1, 10),
        ];
        assert_eq!(sum.finish().shared, want);
    }

    #[test]
    fn of_very_many_pairs_the_largest_are_listed() {
        let guests = (0..200).map(|n| guest(&format!("g{n}"))).collect();
        let mut sum = SummaryBuilder::new(guests);
        let all: Vec<u32> = (0..200).collect();
        sum.object(&all, 10);
        sum.object(&[150, 199], 5);
        let summary = sum.finish();
        assert_eq!(summary.shared.len(), Summary::MOST_PAIRS);
        assert_eq!(summary.more_shared, 200 * 199 / 2 - 10_000);
        let largest = summary.shared.last().unwrap();
        assert_eq!(largest.guests, (guest("g150"), guest("g199")));
        assert_eq!((largest.files, largest.bytes), (2, 15));
    }
}
