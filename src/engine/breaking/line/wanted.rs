//! What a base's thread itself waits for: the turn, what it has read, and leases that others hold.

use std::collections::VecDeque;
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
    /// How often the base was read: guests have other numbers each time.
    pub number: u64,
    pub is_known_anew: bool,
    pub searches: Vec<GuestSearch>,
}

pub(in crate::engine::breaking) struct GuestSearch {
    pub knowledge: u64,
    pub guest: usize,
    pub by: Asker,
}

impl BackgroundReading {
    pub fn may_search(&self, guest: usize, by: Asker) -> bool {
        let mut searches = self.searches.iter();
        let same = |one: &GuestSearch| (one.guest, one.knowledge) == (guest, self.number);
        by.may_begin(searches.clone().map(|one| one.by), MOST_SEARCHES) && !searches.any(same)
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
