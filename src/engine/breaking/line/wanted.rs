//! What a base's thread itself waits for: the turn, and what it has read.

use std::time::Instant;

use super::asker::AskedBy;
use crate::sys::own::turns::TurnLine;

/// So many guests are searched at once, one for each who asks.
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
    pub by: AskedBy,
}

impl BackgroundReading {
    pub fn may_search(&self, guest: usize, by: AskedBy) -> bool {
        let mut searches = self.searches.iter();
        let is_in_the_way = |one: &GuestSearch| {
            one.by == by || (one.guest == guest && one.knowledge == self.number)
        };
        self.searches.len() < MOST_SEARCHES && !searches.any(is_in_the_way)
    }
}
