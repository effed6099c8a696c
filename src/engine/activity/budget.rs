//! How much a batch may hold while guests wait for it: so much that they stand still no longer than the user allows, on
//! this disk and this host.
//!
//! Every freeze is measured. The first batch is small; one that took too long makes the next ones small at once, and
//! those that were quick let them grow slowly. Part of a freeze does not depend on the batch: to find all processes,
//! and to sync. Where that alone takes longer than allowed, many tiny batches would keep guests waiting longest of
//! all: a batch may then take three times what the smallest take.

use std::time::Duration;

/// Names, and bytes of their files, that a batch may hold. It may always hold one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct Room {
    pub names: usize,
    pub bytes: u64,
}

impl Room {
    /// The first batch, before anything is known.
    const FIRST: Room = Room {
        names: 16,
        bytes: 4 << 20,
    };

    /// No batch needs to be smaller to know what does not depend on it.
    const TINY: Room = Room {
        names: 4,
        bytes: 1 << 20,
    };

    /// No batch is larger while guests may wait for it.
    pub const MOST: Room = Room {
        names: 256,
        bytes: 128 << 20,
    };

    /// As much of it as there is in the other.
    pub fn within(self, other: Room) -> Room {
        Room {
            names: self.names.min(other.names),
            bytes: self.bytes.min(other.bytes),
        }
    }

    fn is_in(self, other: Room) -> bool {
        self.names <= other.names && self.bytes <= other.bytes
    }

    /// How much of `whole` this is; more than 1 for a file that is larger.
    fn share_of(self, whole: Room) -> f64 {
        let names = ratio(self.names as u64, whole.names as u64);
        names.max(ratio(self.bytes, whole.bytes))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a measure, and never a small or negative one"
    )]
    fn times(self, factor: f64) -> Room {
        let names = (self.names as f64 * factor).round() as usize;
        let bytes = (self.bytes as f64 * factor).round() as u64;
        Room {
            names: names.clamp(1, Room::MOST.names),
            bytes: bytes.clamp(64 << 10, Room::MOST.bytes),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a measure")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A file up to this size may keep guests waiting alone, for every 100 ms of the budget: about what is read and
/// compared in that time.
const ALONE: u64 = 256 << 20;

/// The largest file that is changed while guests wait for it. More is not frozen for: nobody who allows a tenth of a
/// second means the time that a file of many gigabytes takes.
pub(in crate::engine) fn largest_alone(at_most: Duration) -> u64 {
    let ms = u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX);
    (ALONE / 100).saturating_mul(ms.max(1))
}

/// The size of batches, as the freezes so far have shown it.
#[derive(Debug)]
pub(super) struct FreezeBudget {
    at_most: Duration,
    room: Room,
    /// The shortest freeze of a tiny batch: what does not depend on the batch.
    fixed: Option<Duration>,
}

impl FreezeBudget {
    pub fn new(at_most: Duration) -> FreezeBudget {
        FreezeBudget {
            at_most,
            room: Room::FIRST,
            fixed: None,
        }
    }

    /// What the next batch may hold.
    pub fn room(&self) -> Room {
        self.room
    }

    /// A batch that held so much kept guests waiting so long, or would have, had any to wait: then it says nothing of
    /// what a freeze takes in any case.
    pub fn learn(&mut self, held: Room, took: Duration, was_frozen: bool) {
        if was_frozen && held.is_in(Room::TINY) {
            self.fixed = Some(self.fixed.map_or(took, |known| known.min(took)));
        }
        let hopeless = self.fixed.filter(|fixed| *fixed > self.at_most);
        let allowed = hopeless.map_or(self.at_most, |fixed| 3 * fixed);
        let full = held.share_of(self.room);
        let used = took.as_secs_f64() / allowed.as_secs_f64().max(1e-6);
        if used > 0.8 {
            // At once to where it should fit. A file that is larger than a batch says nothing about smaller ones.
            self.room = self.room.times(full.min(1.0) * (0.6 / used).max(0.05));
        } else if used < 0.4 && full > 0.5 {
            self.room = self.room.times(1.5);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches that are as large as may be, on a host where each takes this long, until nothing changes any more.
    fn settled(at_most: u64, took: impl Fn(Room) -> f64) -> (Vec<f64>, Room) {
        let mut budget = FreezeBudget::new(Duration::from_millis(at_most));
        let mut all = Vec::new();
        for _ in 0..60 {
            let room = budget.room();
            let ms = took(room);
            budget.learn(room, Duration::from_secs_f64(ms / 1e3), true);
            all.push(ms);
        }
        (all, budget.room())
    }

    fn names(room: Room) -> f64 {
        f64::from(u32::try_from(room.names).unwrap())
    }

    #[test]
    fn batches_grow_as_far_as_they_may() {
        let (took, room) = settled(100, |room| 2.0 + names(room) * 0.05);
        assert_eq!(room, Room::MOST);
        assert!(took.iter().all(|ms| *ms < 100.0), "{took:?}");
    }

    #[test]
    fn slow_ones_shrink_at_once() {
        let (took, room) = settled(100, |room| 10.0 + names(room) * 20.0);
        assert!(took[0] > 100.0, "the first is not known to be slow");
        assert!(took[1..].iter().all(|ms| *ms <= 100.0), "{took:?}");
        assert!(room.names >= 2, "{room:?}");
    }

    #[test]
    fn slow_bytes_shrink_too() {
        let ms = |room: Room| 5.0 + f64::from(u32::try_from(room.bytes >> 10).unwrap()) * 0.1;
        let (took, _) = settled(100, ms);
        assert!(took[2..].iter().all(|ms| *ms <= 100.0), "{took:?}");
    }

    /// One file a batch would not be quicker, and there would be many more of them.
    #[test]
    fn what_no_batch_can_help_makes_no_crumbs() {
        let (took, room) = settled(100, |room| 300.0 + names(room));
        assert!(room.names >= 40, "{room:?}");
        assert!(took.iter().all(|ms| *ms < 900.0), "{took:?}");
    }

    /// A file that is larger than a batch, and the last few lines, change little.
    #[test]
    fn odd_batches_teach_little() {
        let mut budget = FreezeBudget::new(Duration::from_millis(100));
        let before = budget.room();
        let few = Room {
            names: 1,
            bytes: 10,
        };
        budget.learn(few, Duration::from_millis(1), true);
        assert_eq!(budget.room(), before);
        let large = Room {
            names: 1,
            bytes: 200 << 20,
        };
        budget.learn(large, Duration::from_millis(150), true);
        assert!(budget.room().names >= 6, "{:?}", budget.room());
    }

    #[test]
    fn a_longer_budget_allows_larger_files() {
        let most = |ms| largest_alone(Duration::from_millis(ms));
        assert!(most(100) <= 256 << 20 && most(100) > 255 << 20);
        assert_eq!(most(1000), 10 * most(100));
        assert!(most(0) > 0);
        assert_eq!(most(u64::MAX), u64::MAX);
    }
}
