//! What was seen now, and of what was not, the youngest memories: two streams in the order of the inodes become one.

use std::cmp::Reverse;
use std::iter::Peekable;

use super::paper::Paper;
use super::record::{Known, MOST, Record};
use crate::model::FileState;

/// A file that so many plans in a row did not meet is forgotten.
pub(super) const FORGOTTEN: u8 = 16;

/// What will be remembered, each inode once.
pub(super) fn merged<S>(old: Option<&Paper>, seen: S) -> impl Iterator<Item = Record>
where
    S: Iterator<Item = (FileState, Known)> + Clone,
{
    let all = move || Merge {
        old: old.into_iter().flat_map(Paper::records).peekable(),
        seen: seen
            .clone()
            .map(record as fn((FileState, Known)) -> Record)
            .peekable(),
    };
    let oldest = oldest_kept(all());
    let mut room = oldest.room;
    all().filter(move |record| {
        let last = record.unseen == oldest.age;
        let fits = record.unseen < oldest.age || (last && room > 0);
        room -= usize::from(last && fits);
        fits
    })
}

fn record((state, known): (FileState, Known)) -> Record {
    Record {
        key: (&state).into(),
        known,
        unseen: 0,
    }
}

/// Up to which age there is room for all, and for how many of the next.
struct Oldest {
    age: u8,
    room: usize,
}

fn oldest_kept(all: impl Iterator<Item = Record>) -> Oldest {
    let mut ages = [0; FORGOTTEN as usize];
    for record in all {
        if let Some(count) = ages.get_mut(usize::from(record.unseen)) {
            *count += 1;
        }
    }
    let mut room = MOST;
    for (age, count) in (0..FORGOTTEN).zip(ages) {
        if count > room {
            return Oldest { age, room };
        }
        room -= count;
    }
    Oldest {
        age: FORGOTTEN,
        room: 0,
    }
}

struct Merge<O: Iterator<Item = Record>, S: Iterator<Item = Record>> {
    old: Peekable<O>,
    seen: Peekable<S>,
}

impl<O: Iterator<Item = Record>, S: Iterator<Item = Record>> Iterator for Merge<O, S> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let ino = |record: Option<&Record>| record.map(|record| record.key.ino);
        let (old, seen) = (ino(self.old.peek()), ino(self.seen.peek()));
        match (old, seen) {
            (Some(old), seen) if seen.is_none_or(|seen| old < seen) => {
                let record = self.old.next()?;
                Some(Record {
                    unseen: record.unseen.saturating_add(1),
                    ..record
                })
            }
            (old, Some(seen)) => {
                if old == Some(seen) {
                    self.old.next();
                }
                self.best(seen)
            }
            _ => None,
        }
    }
}

impl<O: Iterator<Item = Record>, S: Iterator<Item = Record>> Merge<O, S> {
    /// Of what was seen of one file, that which says most; of as much, the first.
    fn best(&mut self, ino: u64) -> Option<Record> {
        let mut best = self.seen.next()?;
        while let Some(next) = self.seen.next_if(|next| next.key.ino == ino) {
            if Reverse(next.known.says()) < Reverse(best.known.says()) {
                best = next;
            }
        }
        Some(best)
    }
}
