//! Names of objects that a search through a whole guest found. It is made in the background, and what it found is
//! confirmed by the disk when it is used.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use crate::base::Index;
use crate::engine::Guest;
use crate::engine::breaking::decide::MOST_NAMES;
use crate::model::{FileId, GuestPath, ObjectId, Time};
use crate::scan::{Sought, seek};
use crate::sys::host::machine;
use crate::sys::{SysResult, View};

/// So many bytes a search may keep: more than half a million names.
const MOST_BYTES: usize = 96 << 20;

/// What a name takes beside its bytes.
const OF_NAME: usize = 80;

/// So many bytes all searches of a base may keep.
const MOST_KEPT: usize = 4 * MOST_BYTES;

/// So often may the base have been read anew since a search.
const MOST_READINGS: usize = 16;

/// So many seconds is a change of a file dated back at most, and so many may the clocks drift apart: when a file was
/// changed is told by a coarse clock.
const COARSE: i64 = 2;

/// What a search found: all names of objects that the guest had when it began.
pub(in crate::engine::breaking) struct Searched {
    since: Instant,
    /// The same by the clock of the files.
    since_second: i64,
    names: BTreeMap<ObjectId, Vec<GuestPath>>,
    bytes: usize,
    /// Why there are none, if so.
    failed: Option<String>,
    /// Objects that were not known when it began, and were not looked for.
    unsought: Vec<Arc<HashSet<ObjectId>>>,
}

impl Searched {
    /// Searches the guest, as long as `goes_on` says so. One that fails has found nothing.
    pub fn search(guest: SysResult<Guest>, index: &Index, goes_on: &dyn Fn() -> bool) -> Searched {
        let mut search = NameSearch {
            found: Searched {
                since: Instant::now(),
                since_second: machine::seconds(),
                names: BTreeMap::new(),
                bytes: 0,
                failed: None,
                unsought: Vec::new(),
            },
            index,
            goes_on,
        };
        let sought = guest.and_then(|guest| seek(&View::of(&guest.root)?, &mut search));
        let mut found = search.found;
        let failed = match sought {
            Ok(true) => None,
            Ok(false) => Some("it has too many names of shared files".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if failed.is_some() {
            found.names.clear();
            found.bytes = 0;
        }
        Searched { failed, ..found }
    }

    pub fn names(&self, object: &ObjectId) -> impl Iterator<Item = &GuestPath> {
        self.names.get(object).into_iter().flatten()
    }

    /// Why it has found nothing, where it failed.
    pub fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Was this object looked for?
    pub fn is_of(&self, object: &ObjectId) -> bool {
        !self.unsought.iter().any(|some| some.contains(object))
    }

    /// These were not looked for.
    pub fn lacks(&mut self, unsought: Vec<Arc<HashSet<ObjectId>>>) {
        self.unsought.extend(unsought);
    }

    /// Did it begin after this?
    pub fn is_since(&self, request: Instant) -> bool {
        self.since >= request
    }

    /// Can an inode have got no name since it began that was changed last at this time? A new name dates it. `now` is
    /// the second of now by the clock of the files, which may have been set since: then nobody can tell.
    pub fn is_of_now(&self, changed: Time, now: i64) -> bool {
        let passed = i64::try_from(self.since.elapsed().as_secs()).unwrap_or(i64::MAX);
        let by_files = now.saturating_sub(self.since_second);
        let is_steady = by_files.saturating_sub(passed).abs() < COARSE;
        let is_older = changed.sec.saturating_add(COARSE) < self.since_second;
        self.failed.is_none() && is_steady && is_older
    }

    /// Of an object that has too many names all the same, not all are kept: each is asked for while a writer waits.
    fn add(&mut self, object: ObjectId, name: GuestPath) -> bool {
        let names = self.names.entry(object).or_default();
        if names.len() <= MOST_NAMES {
            self.bytes += name.as_bytes().len() + OF_NAME;
            names.push(name);
        }
        self.bytes <= MOST_BYTES
    }
}

/// What was found by the number of the guest, the latest of each. What was found first goes where it takes too much.
pub(in crate::engine::breaking) fn keep(
    all: &mut HashMap<usize, Searched>,
    guest: usize,
    found: Searched,
) {
    all.insert(guest, found);
    while all.values().map(|one| one.bytes).sum::<usize>() > MOST_KEPT {
        let oldest = all.iter().filter(|(at, _)| **at != guest);
        let oldest = oldest.min_by_key(|(_, one)| one.since).map(|(at, _)| *at);
        let Some(oldest) = oldest else { break };
        all.remove(&oldest);
    }
}

/// The same once the base was read anew: where guests have other numbers, and objects were `added`. What was found in a
/// guest that is not where it was counts no more, nor does anything where too much is new.
pub(in crate::engine::breaking) fn renumber(
    all: HashMap<usize, Searched>,
    numbers: &HashMap<usize, usize>,
    added: Option<&Arc<HashSet<ObjectId>>>,
) -> HashMap<usize, Searched> {
    let kept = all.into_iter().filter_map(|(at, mut found)| {
        let number = *numbers.get(&at)?;
        found.lacks(vec![Arc::clone(added?)]);
        Some((number, found))
    });
    kept.filter(|(_, found)| found.unsought.len() <= MOST_READINGS)
        .collect()
}

struct NameSearch<'a> {
    found: Searched,
    index: &'a Index,
    goes_on: &'a dyn Fn() -> bool,
}

impl Sought for NameSearch<'_> {
    fn goes_on(&self) -> bool {
        (self.goes_on)()
    }

    fn is_wanted(&self, inode: FileId) -> bool {
        self.index.of_inode(inode).is_some()
    }

    fn found(&mut self, inode: FileId, name: GuestPath) -> bool {
        let held = self.index.of_inode(inode);
        held.is_none_or(|held| self.found.add(held.id, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, MetadataDigest};

    fn searched(bytes: usize) -> Searched {
        Searched {
            since: Instant::now(),
            since_second: machine::seconds(),
            names: BTreeMap::new(),
            bytes,
            failed: None,
            unsought: Vec::new(),
        }
    }

    #[test]
    fn a_search_is_new_enough_for_what_was_changed_before_it() {
        let mut found = searched(0);
        let now = found.since_second;
        let is_of_now = |found: &Searched, changed, now| {
            let changed = Time {
                sec: changed,
                nsec: 0,
            };
            found.is_of_now(changed, now)
        };
        assert!(is_of_now(&found, now - 9, now));
        // A coarse clock may have told it a moment late.
        for changed in [now - 1, now, now + 9] {
            assert!(!is_of_now(&found, changed, now));
        }
        // The clock was set.
        for now in [now - 60, now + 60] {
            assert!(!is_of_now(&found, found.since_second - 99, now));
        }
        found.failed = Some(String::new());
        assert!(!is_of_now(&found, now - 9, now));
    }

    #[test]
    fn a_search_counts_for_what_it_looked_for_where_its_guest_is() {
        let object = |content| ObjectId {
            content: Digest([content; 32]),
            metadata: MetadataDigest([0; 16]),
            generation: 0,
        };
        let all = || HashMap::from([(0, searched(0)), (1, searched(0))]);
        let numbers = HashMap::from([(1, 3)]);
        let added = Arc::new(HashSet::from([object(7)]));
        let kept = renumber(all(), &numbers, Some(&added));
        assert_eq!(kept.keys().collect::<Vec<_>>(), [&3]);
        assert!(kept[&3].is_of(&object(1)) && !kept[&3].is_of(&object(7)));
        assert!(renumber(all(), &numbers, None).is_empty());
    }

    #[test]
    fn what_was_found_first_goes_where_it_takes_too_much() {
        let mut all = HashMap::new();
        for guest in 0..6 {
            keep(&mut all, guest, searched(MOST_BYTES));
        }
        let mut kept: Vec<usize> = all.into_keys().collect();
        kept.sort_unstable();
        assert_eq!(kept, [2, 3, 4, 5]);
    }
}
