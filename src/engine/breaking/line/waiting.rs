//! Requests that wait for something: for names to be found, for a copy, for the turn.

use std::collections::HashMap;

use super::asker::{AskedBy, Asker};
use super::shares::{MOST, MOST_OF_ONE};
use crate::engine::breaking::part::CopyKey;
use crate::engine::breaking::request::WriterAsked;

/// What a request waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine::breaking) enum WaitsFor {
    /// What the base says of itself is to be read again.
    Knowledge,
    /// This guest is to be searched.
    Guest(usize),
    /// A long copy.
    Copy(CopyKey),
    /// Another process moves names.
    Turn,
    /// A process holds a lease, which keeps everybody from opening the object.
    Lease,
}

/// All of them, the oldest first.
#[derive(Default)]
pub(in crate::engine::breaking) struct Waiting {
    waiting: Vec<(WaitsFor, WriterAsked)>,
    /// When each was given something last, and each of its parts: by a count of these.
    served: HashMap<AskedBy, u64>,
    served_parts: HashMap<Asker, u64>,
    count: u64,
}

impl Waiting {
    /// Lets one wait. Returns the one that has no place then: this one, or where there are too many in all the newest
    /// of who has most, of its longest part.
    pub fn put(&mut self, what: WaitsFor, asked: WriterAsked) -> Option<WriterAsked> {
        if self.waiting.iter().any(|(_, other)| other.is_same(&asked)) {
            return None;
        }
        let (asker, by) = (asked.asker, asked.asker.by);
        let own = self.count(|one| *one == asker);
        if own >= MOST_OF_ONE {
            return Some(asked);
        }
        let mut refused = None;
        if self.waiting.len() >= MOST {
            let longest = self.longest()?;
            let is_most = match by == longest.by {
                true => own >= self.count(|one| *one == longest),
                false => self.count(|one| one.by == by) >= self.count(|one| one.by == longest.by),
            };
            if is_most {
                return Some(asked);
            }
            let mut newest = self.waiting.iter();
            let newest = newest.rposition(|(_, one)| one.asker == longest)?;
            refused = Some(self.waiting.remove(newest).1);
        }
        self.waiting.push((what, asked));
        refused
    }

    /// Takes out all that wait for this.
    pub fn take(&mut self, what: &WaitsFor) -> Vec<WriterAsked> {
        let mut due = Vec::new();
        let mut rest = Vec::new();
        for (other, asked) in std::mem::take(&mut self.waiting) {
            match other == *what {
                true => due.push(asked),
                false => rest.push((other, asked)),
            }
        }
        self.waiting = rest;
        due
    }

    /// Takes out all of them.
    pub fn take_all(&mut self) -> Vec<WriterAsked> {
        let all = std::mem::take(&mut self.waiting).into_iter();
        all.map(|(_, asked)| asked).collect()
    }

    /// Does any wait for this?
    pub fn has(&self, what: &WaitsFor) -> bool {
        self.waiting.iter().any(|(other, _)| other == what)
    }

    /// What is to be given next, of what `may` be given: who was given nothing for longest comes first.
    pub fn next(
        &mut self,
        may: impl Fn(&WaitsFor, Asker) -> bool,
    ) -> Option<(WaitsFor, WriterAsked)> {
        let may = self
            .waiting
            .iter()
            .filter(|(what, one)| may(what, one.asker));
        let last = |(_, one): &&(WaitsFor, WriterAsked)| {
            let by = self.served.get(&one.asker.by).copied();
            let part = self.served_parts.get(&one.asker).copied();
            (by.unwrap_or(0), part.unwrap_or(0))
        };
        let (what, asked) = may.min_by_key(last).cloned()?;
        self.count += 1;
        self.served.insert(asked.asker.by, self.count);
        self.served_parts.insert(asked.asker, self.count);
        self.forget();
        Some((what, asked))
    }

    /// Of those that wait for nothing, too many are not remembered.
    fn forget(&mut self) {
        let waiting = || self.waiting.iter().map(|(_, one)| one.asker);
        if self.served.len() > MOST {
            self.served
                .retain(|by, _| waiting().any(|one| one.by == *by));
        }
        if self.served_parts.len() > MOST {
            self.served_parts
                .retain(|part, _| waiting().any(|one| one == *part));
        }
    }

    /// Takes this one out.
    pub fn take_one(&mut self, asked: &WriterAsked) -> Option<WriterAsked> {
        let mut waiting = self.waiting.iter();
        let at = waiting.position(|(_, other)| other.is_same(asked))?;
        Some(self.waiting.remove(at).1)
    }

    fn count(&self, is_one: impl Fn(&Asker) -> bool) -> usize {
        let waiting = self.waiting.iter();
        waiting.filter(|(_, one)| is_one(&one.asker)).count()
    }

    /// The longest part of who has most.
    fn longest(&self) -> Option<Asker> {
        let mut counts: HashMap<AskedBy, usize> = HashMap::new();
        let mut parts: HashMap<Asker, usize> = HashMap::new();
        for (_, one) in &self.waiting {
            *counts.entry(one.asker.by).or_default() += 1;
            *parts.entry(one.asker).or_default() += 1;
        }
        let (by, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        let parts = parts.into_iter().filter(|(one, _)| one.by == by);
        Some(parts.max_by_key(|(_, count)| *count)?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::breaking::line::asker::Asker;
    use crate::engine::breaking::request::tests::asked;

    fn of(guest: u64, thread: u32) -> WriterAsked {
        let by = AskedBy::Cgroup(guest);
        let asker = Asker { by, part: 0 };
        WriterAsked {
            asker,
            ..asked(thread)
        }
    }

    #[test]
    fn each_is_given_something_in_turn() {
        let mut waiting = Waiting::default();
        for (guest, thread, what) in [(1, 1, 10), (1, 2, 11), (1, 3, 12), (2, 4, 20)] {
            assert!(
                waiting
                    .put(WaitsFor::Guest(what), of(guest, thread))
                    .is_none()
            );
        }
        assert!(waiting.put(WaitsFor::Turn, of(1, 1)).is_none(), "the same");
        let mut order = Vec::new();
        while let Some((what, _)) = waiting.next(|_, _| true) {
            order.push(what.clone());
            assert_eq!(waiting.take(&what).len(), 1);
        }
        let order: Vec<_> = order
            .into_iter()
            .map(|what| match what {
                WaitsFor::Guest(at) => at,
                _ => 0,
            })
            .collect();
        assert_eq!(order, [10, 20, 11, 12]);
    }

    #[test]
    fn who_makes_many_parts_is_given_no_more() {
        let mut waiting = Waiting::default();
        for thread in 1..=3 {
            let mut asked = of(1, thread);
            asked.asker.part = thread.into();
            assert!(waiting.put(WaitsFor::Guest(1), asked).is_none());
            assert!(
                waiting
                    .put(WaitsFor::Guest(2), of(2, 10 + thread))
                    .is_none()
            );
        }
        let mut given = Vec::new();
        while let Some((_, asked)) = waiting.next(|_, _| true) {
            given.push(asked.asker.by);
            assert!(waiting.take_one(&asked).is_some());
        }
        let [one, two] = [1, 2].map(AskedBy::Cgroup);
        assert_eq!(given, [one, two, one, two, one, two]);
    }

    #[test]
    fn parts_of_one_are_counted_apart() {
        let mut waiting = Waiting::default();
        let part = |part, thread| {
            let mut asked = of(1, part as u32 * 10_000 + thread);
            asked.asker.part = part;
            asked
        };
        for thread in 1..=MOST_OF_ONE as u32 {
            assert!(waiting.put(WaitsFor::Turn, part(1, thread)).is_none());
        }
        assert!(waiting.put(WaitsFor::Turn, part(1, 999)).is_some());
        assert!(waiting.put(WaitsFor::Turn, part(2, 999)).is_none());
        let given = [(); 2].map(|()| waiting.next(|_, _| true).map(|(_, one)| one.asker.part));
        assert_eq!(given, [Some(1), Some(2)]);
        // Where there is no room at all, the part that has most gives way.
        for at in 3..=(MOST / MOST_OF_ONE) as u64 {
            for thread in 1..=MOST_OF_ONE as u32 {
                waiting.put(WaitsFor::Turn, part(at, thread));
            }
        }
        for thread in 2..MOST_OF_ONE as u32 {
            assert!(waiting.put(WaitsFor::Turn, part(99, thread)).is_none());
        }
        assert!(waiting.put(WaitsFor::Turn, part(99, 1)).is_none());
        let gave_way = waiting.put(WaitsFor::Turn, part(98, 1));
        assert!(gave_way.is_some_and(|one| one.asker.part != 98));
    }

    #[test]
    fn who_waits_for_too_much_is_told_so_himself() {
        let mut waiting = Waiting::default();
        for thread in 1..=MOST_OF_ONE as u32 {
            assert!(waiting.put(WaitsFor::Turn, of(1, thread)).is_none());
        }
        let refused = waiting.put(WaitsFor::Turn, of(1, 9999));
        assert_eq!(refused.map(|one| one.request.thread), Some(9999));
        assert!(waiting.put(WaitsFor::Turn, of(2, 10_000)).is_none());
        assert_eq!(waiting.take(&WaitsFor::Turn).len(), MOST_OF_ONE + 1);
    }
}
