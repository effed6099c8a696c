//! What was seen now, and of what was not, the youngest memories: two streams in the order of the inodes become one.

use std::cmp::Reverse;
use std::iter::Peekable;

use super::paper::Paper;
use super::record::{DigestRecord, KnownContent, MOST};
use crate::model::FileState;

/// A file that so many plans in a row did not meet is forgotten.
pub(super) const FORGOTTEN: u8 = 16;

/// What will be remembered, each inode once.
pub(super) fn merged<S>(old: Option<&Paper>, seen: S) -> impl Iterator<Item = DigestRecord>
where
    S: Iterator<Item = (FileState, KnownContent)> + Clone,
{
    let all = move || Merge {
        old: old.into_iter().flat_map(Paper::records).peekable(),
        seen: seen
            .clone()
            .map(record as fn((FileState, KnownContent)) -> DigestRecord)
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

fn record((state, known): (FileState, KnownContent)) -> DigestRecord {
    DigestRecord {
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

fn oldest_kept(all: impl Iterator<Item = DigestRecord>) -> Oldest {
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

struct Merge<O: Iterator<Item = DigestRecord>, S: Iterator<Item = DigestRecord>> {
    old: Peekable<O>,
    seen: Peekable<S>,
}

impl<O: Iterator<Item = DigestRecord>, S: Iterator<Item = DigestRecord>> Iterator for Merge<O, S> {
    type Item = DigestRecord;

    fn next(&mut self) -> Option<DigestRecord> {
        let ino = |record: Option<&DigestRecord>| record.map(|record| record.key.ino);
        let (old, seen) = (ino(self.old.peek()), ino(self.seen.peek()));
        match (old, seen) {
            (Some(old), seen) if seen.is_none_or(|seen| old < seen) => {
                let record = self.old.next()?;
                Some(DigestRecord {
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

impl<O: Iterator<Item = DigestRecord>, S: Iterator<Item = DigestRecord>> Merge<O, S> {
    /// The record that says most of what was seen of one file; if several say as much, the first.
    fn best(&mut self, ino: u64) -> Option<DigestRecord> {
        let mut best = self.seen.next()?;
        while let Some(next) = self.seen.next_if(|next| next.key.ino == ino) {
            if Reverse(next.known.says()) < Reverse(best.known.says()) {
                best = next;
            }
        }
        Some(best)
    }
}
