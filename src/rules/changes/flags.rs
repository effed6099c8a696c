//! Lines without a place: flags, and flags that a reviewer turned into skips.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use crate::model::{Action, Left, SideOf};

/// Those that only one plan has so far, small: a hash and a number each. Lines that both have leave nothing.
#[derive(Debug, Default)]
pub struct LooseLines {
    /// How many more the new plan has than the old one.
    left: HashMap<u64, i32>,
    hasher: RandomState,
}

impl LooseLines {
    /// One more line of a plan.
    pub fn add(&mut self, side: SideOf, line: &Action, with_generation: bool) {
        let key = self.key(line, with_generation);
        let more = match side {
            SideOf::Old => -1,
            SideOf::New => 1,
        };
        let count = self.left.entry(key).or_insert(0);
        *count = count.saturating_add(more);
        if *count == 0 {
            self.left.remove(&key);
        }
    }

    /// How many lines only this plan has, once all were added.
    pub fn only_in(&self, side: SideOf) -> u64 {
        let count = |count: &i32| match side {
            SideOf::Old => count.min(&0).unsigned_abs(),
            SideOf::New => (*count).max(0).unsigned_abs(),
        };
        self.left.values().map(|one| u64::from(count(one))).sum()
    }

    /// Has only this plan the line? Asked once for each line of a second reading.
    pub fn take(&mut self, side: SideOf, line: &Action, with_generation: bool) -> bool {
        let key = self.key(line, with_generation);
        let Some(count) = self.left.get_mut(&key) else {
            return false;
        };
        let is_there = match side {
            SideOf::Old => *count < 0,
            SideOf::New => *count > 0,
        };
        *count -= if is_there { count.signum() } else { 0 };
        is_there
    }

    fn key(&self, line: &Action, with_generation: bool) -> u64 {
        let mut object = match line {
            Action::Flag(flag) => Some(flag.object),
            Action::Skip(skip) => skip.object().copied(),
            Action::Link(_) | Action::Reflink(_) => None,
        };
        if let Some(object) = &mut object {
            object.generation = if with_generation {
                object.generation
            } else {
                0
            };
        }
        let set = match line {
            Action::Flag(flag) => Some(&flag.set),
            _ => None,
        };
        let held = matches!(line, Action::Skip(skip) if matches!(skip.left, Left::Flag { .. }));
        self.hasher.hash_one((object, set, held))
    }
}
