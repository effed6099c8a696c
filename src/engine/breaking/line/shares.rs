//! Requests in shares: the next is one of who had the least of the daemon's time, and who has too many waiting is told
//! so himself.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::asker::{AskedBy, Asker};
use crate::engine::breaking::request::WriterAsked;

/// So many requests of one part of an asker wait at most.
pub(super) const MOST_OF_ONE: usize = 256;

/// So many wait in all.
pub(super) const MOST: usize = 4096;

/// Requests by who asks.
#[derive(Default)]
pub(super) struct AskerShares {
    shares: HashMap<AskedBy, Share>,
    /// What the one had used that was taken last: who comes new has used as much.
    floor: Duration,
    held: usize,
}

#[derive(Default)]
struct Share {
    used: Duration,
    /// By part, each with its turn.
    parts: VecDeque<(u64, VecDeque<WriterAsked>)>,
}

impl Share {
    fn len(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }

    fn part(&mut self, part: u64) -> Option<&mut VecDeque<WriterAsked>> {
        let at = self.parts.iter().position(|(id, _)| *id == part);
        let at = at.unwrap_or_else(|| {
            self.parts.push_back((part, VecDeque::new()));
            self.parts.len() - 1
        });
        self.parts.get_mut(at).map(|(_, part)| part)
    }

    fn take(&mut self) -> Option<WriterAsked> {
        loop {
            let (id, mut part) = self.parts.pop_front()?;
            let Some(first) = part.pop_front() else {
                continue;
            };
            if !part.is_empty() {
                self.parts.push_back((id, part));
            }
            return Some(first);
        }
    }

    fn longest_part(&self) -> usize {
        let lengths = self.parts.iter().map(|(_, part)| part.len());
        lengths.max().unwrap_or(0)
    }

    /// The newest of the longest part.
    fn give_up(&mut self) -> Option<WriterAsked> {
        let longest = self.parts.iter_mut().max_by_key(|(_, part)| part.len())?;
        let newest = longest.1.pop_back();
        self.parts.retain(|(_, part)| !part.is_empty());
        newest
    }
}

impl AskerShares {
    /// Puts one behind the others of its asker. Returns the one that has no place then: this one, or where there are
    /// too many in all the newest of who has most, of its longest part.
    pub fn put(&mut self, asked: WriterAsked) -> Option<WriterAsked> {
        let Asker { by, part } = asked.asker;
        let mut refused = None;
        let share = self.share(by);
        let own = share.len();
        let same = share.part(part)?;
        if same.iter().any(|other| other.is_same(&asked)) {
            return None;
        }
        let of_part = same.len();
        if of_part >= MOST_OF_ONE {
            return Some(asked);
        }
        if self.held >= MOST {
            let (longest, most) = self.longest()?;
            let is_most = match by == longest {
                true => of_part >= self.share(by).longest_part(),
                false => own >= most,
            };
            if is_most {
                return Some(asked);
            }
            refused = self.shares.get_mut(&longest).and_then(Share::give_up);
            self.held -= usize::from(refused.is_some());
        }
        self.share(by).part(part)?.push_back(asked);
        self.held += 1;
        refused
    }

    /// Puts one that was taken before the others of its asker.
    pub fn put_back(&mut self, asked: WriterAsked) {
        let Asker { by, part } = asked.asker;
        if let Some(part) = self.share(by).part(part) {
            part.push_front(asked);
            self.held += 1;
        }
    }

    /// The next one.
    pub fn take(&mut self) -> Option<WriterAsked> {
        let asking = self.shares.iter_mut().filter(|(_, share)| share.len() > 0);
        let (_, next) = asking.min_by_key(|(by, share)| (share.used, **by))?;
        self.floor = next.used;
        let taken = next.take();
        self.held -= usize::from(taken.is_some());
        taken
    }

    /// Takes out all that were asked longer ago than this.
    pub fn take_late(&mut self, patience: Duration) -> Vec<WriterAsked> {
        let mut late = Vec::new();
        for share in self.shares.values_mut() {
            for (_, part) in &mut share.parts {
                let is_late = |one: &WriterAsked| one.since.elapsed() > patience;
                let (its, rest) = std::mem::take(part).into_iter().partition(is_late);
                late.extend::<Vec<WriterAsked>>(its);
                part.extend::<Vec<WriterAsked>>(rest);
            }
            share.parts.retain(|(_, part)| !part.is_empty());
        }
        self.held -= late.len();
        late
    }

    /// It has used so much of our time.
    pub fn charge(&mut self, by: AskedBy, took: Duration) {
        self.share(by).used += took;
        // Who asks for nothing and has used no more than who comes new is as one who comes new.
        let floor = self.floor;
        self.shares
            .retain(|_, share| share.len() > 0 || share.used > floor);
    }

    fn share(&mut self, by: AskedBy) -> &mut Share {
        let floor = self.floor;
        let share = self.shares.entry(by).or_default();
        if share.len() == 0 {
            share.used = share.used.max(floor);
        }
        share
    }

    fn longest(&self) -> Option<(AskedBy, usize)> {
        let lengths = self.shares.iter().map(|(by, share)| (*by, share.len()));
        lengths.max_by_key(|(_, length)| *length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::breaking::request::tests::asked;

    fn of(guest: u64, thread: u32) -> WriterAsked {
        let mut asked = asked(thread);
        asked.asker = Asker {
            by: AskedBy::Cgroup(guest),
            part: 0,
        };
        asked
    }

    fn taken(shares: &mut AskerShares) -> u32 {
        shares.take().map_or(0, |asked| asked.request.thread)
    }

    #[test]
    fn who_asks_much_stands_before_nobody() {
        let mut shares = AskerShares::default();
        for thread in 1..=3 {
            assert!(shares.put(of(1, thread)).is_none());
        }
        assert_eq!(taken(&mut shares), 1);
        shares.charge(AskedBy::Cgroup(1), Duration::from_secs(2));
        assert!(shares.put(of(2, 11)).is_none());
        assert!(shares.put(of(2, 12)).is_none());
        // One that took long is paid for by many short ones of others.
        for thread in [11, 12] {
            assert_eq!(taken(&mut shares), thread);
            shares.charge(AskedBy::Cgroup(2), Duration::from_millis(1));
        }
        assert_eq!([taken(&mut shares), taken(&mut shares)], [2, 3]);
        assert!(shares.take().is_none());
    }

    #[test]
    fn who_is_late_is_taken_out() {
        let mut shares = AskerShares::default();
        let [mut late, soon] = [of(1, 1), of(1, 2)];
        late.since -= Duration::from_secs(9);
        shares.put(late);
        shares.put(soon);
        let taken_out = shares.take_late(Duration::from_secs(5));
        let threads: Vec<u32> = taken_out.iter().map(|one| one.request.thread).collect();
        assert_eq!((threads, shares.held), (vec![1], 1));
        assert_eq!([taken(&mut shares), taken(&mut shares)], [2, 0]);
    }

    #[test]
    fn nobody_saves_up_time() {
        let mut shares = AskerShares::default();
        for thread in 1..=4 {
            shares.put(of(1, thread));
        }
        for thread in 1..=3 {
            assert_eq!(taken(&mut shares), thread);
            shares.charge(AskedBy::Cgroup(1), Duration::from_secs(1));
        }
        shares.put(of(2, 11));
        shares.put(of(2, 12));
        assert_eq!(taken(&mut shares), 11);
        shares.charge(AskedBy::Cgroup(2), Duration::from_secs(2));
        assert_eq!(taken(&mut shares), 4, "it has waited long enough");
    }

    #[test]
    fn who_has_too_many_is_told_so_himself() {
        let mut shares = AskerShares::default();
        let mut refused = Vec::new();
        for thread in 1..=MOST_OF_ONE as u32 + 1 {
            refused.extend(shares.put(of(1, thread)));
        }
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].request.thread, MOST_OF_ONE as u32 + 1);
        // The same again is no more.
        assert!(shares.put(of(1, 1)).is_none());
        // Where there is no room at all, who has most gives way.
        for guest in 2..=(MOST / MOST_OF_ONE) as u64 {
            for thread in 1..=MOST_OF_ONE as u32 {
                assert!(shares.put(of(guest, thread)).is_none());
            }
        }
        let gave_way = shares.put(of(99, 7)).expect("one that has no place");
        assert!(gave_way.asker.by != AskedBy::Cgroup(99));
        assert_eq!(shares.held, MOST);
    }

    #[test]
    fn the_parts_of_one_have_turns() {
        let mut shares = AskerShares::default();
        for (part, thread) in [(1, 1), (1, 2), (2, 21), (1, 3), (2, 22)] {
            let mut asked = of(1, thread);
            asked.asker.part = part;
            assert!(shares.put(asked).is_none());
        }
        let order = [(); 5].map(|()| taken(&mut shares));
        assert_eq!(order, [1, 21, 2, 22, 3]);
    }

    #[test]
    fn a_part_that_asks_little_keeps_its_place() {
        let mut shares = AskerShares::default();
        let part = |part, thread| {
            let mut asked = of(1, thread);
            asked.asker.part = part;
            asked
        };
        for at in 0..(MOST / MOST_OF_ONE) as u64 {
            for thread in 1..=MOST_OF_ONE as u32 {
                assert!(shares.put(part(at, thread)).is_none());
            }
        }
        let gave_way = shares.put(part(99, 7)).expect("one that has no place");
        assert!(gave_way.asker.part != 99);
    }
}
