//! What a base's thread itself waits for: the turn, what it has read, and leases that others hold.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::asker::Asker;
use crate::model::ObjectId;
use crate::sys::Regular;
use crate::sys::own::turns::TurnLine;

/// So many guests are searched at once, one for each who asks. A search keeps names of shared files alone, and is given
/// up where these are too many (`names`).
const MOST_SEARCHES: usize = 4;

/// A place in the line for the turn, and when we took it.
pub(in crate::engine::breaking) struct TurnWanted {
    pub line: TurnLine,
    pub since: Instant,
}

/// What is being read.
#[derive(Default)]
pub(in crate::engine::breaking) struct BackgroundReading {
    pub is_known_anew: bool,
    /// How many searches were begun: each has its own number.
    pub begun: u64,
    pub searches: Vec<GuestSearch>,
}

pub(in crate::engine::breaking) struct GuestSearch {
    pub number: u64,
    /// The guest; `None` where it is not where it was any more, or the search has missed too much.
    pub guest: Option<usize>,
    /// Objects that are new since it began.
    pub unsought: Vec<Arc<HashSet<ObjectId>>>,
    pub by: Asker,
}

impl BackgroundReading {
    pub fn may_search(&self, guest: usize, by: Asker) -> bool {
        let mut searches = self.searches.iter();
        let same = |one: &GuestSearch| one.guest == Some(guest);
        by.may_begin(searches.clone().map(|one| one.by), MOST_SEARCHES) && !searches.any(same)
    }

    /// Begins one, and gives its number.
    pub fn begin_search(&mut self, guest: usize, by: Asker) -> u64 {
        self.begun += 1;
        self.searches.push(GuestSearch {
            number: self.begun,
            guest: Some(guest),
            unsought: Vec::new(),
            by,
        });
        self.begun
    }

    /// Takes out the one that is over.
    pub fn end_search(&mut self, number: u64) -> Option<GuestSearch> {
        let mut searches = self.searches.iter();
        let at = searches.position(|one| one.number == number)?;
        Some(self.searches.remove(at))
    }

    /// The base was read anew: guests have these numbers now, and these objects are new.
    pub fn renumber(
        &mut self,
        numbers: &HashMap<usize, usize>,
        added: Option<&Arc<HashSet<ObjectId>>>,
    ) {
        for one in &mut self.searches {
            let guest = one.guest.filter(|_| added.is_some());
            one.guest = guest.and_then(|guest| numbers.get(&guest).copied());
            one.unsought.extend(added.cloned());
        }
    }
}

/// The leases that were met since the last look.
#[derive(Debug, Default)]
pub(in crate::engine::breaking) struct LeasesMet {
    /// When what waits for them is looked at again.
    pub due: Option<Instant>,
    /// Is one in the way of a healing?
    pub of_healing: bool,
    pub opening: Vec<(ObjectId, Asker)>,
    /// Those on which no lease is granted before they are looked at.
    pub opened: VecDeque<(Instant, Regular)>,
}

impl LeasesMet {
    /// Does anybody wait for one?
    pub fn are_awaited(&self) -> bool {
        self.due.is_some()
    }

    /// Has a healing met one? It is not tried for each who waits.
    pub fn keep_from_healing(&self) -> bool {
        self.of_healing
    }
}
