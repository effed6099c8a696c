//! How much a look may take where nobody needs it whole. Guests decide how many descriptors there are and how long
//! their paths; who looks again and again, and lives on, must not pay for that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Bytes that a bounded look remembers.
const MOST_BYTES: u64 = 32 << 20;

/// What is left of the time and the memory of a look; `None`: as much as it needs.
pub struct LookLimit(Option<(Instant, AtomicU64)>);

impl LookLimit {
    /// For so long, and [`MOST_BYTES`].
    pub fn of(time: Option<Duration>) -> LookLimit {
        LookLimit(time.map(|time| (Instant::now() + time, AtomicU64::new(MOST_BYTES))))
    }

    /// So much is remembered.
    pub fn takes(&self, bytes: usize) {
        if let Some((_, room)) = &self.0 {
            let taken = u64::try_from(bytes).unwrap_or(u64::MAX);
            let less = |room: u64| Some(room.saturating_sub(taken));
            let _ = room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Is nothing left?
    pub fn is_over(&self) -> bool {
        let over = |(until, room): &(Instant, AtomicU64)| {
            room.load(Ordering::Relaxed) == 0 || Instant::now() > *until
        };
        self.0.as_ref().is_some_and(over)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_by_time_and_by_memory() {
        let limit = LookLimit::of(None);
        limit.takes(usize::MAX);
        assert!(!limit.is_over());
        assert!(LookLimit::of(Some(Duration::ZERO)).is_over());
        let limit = LookLimit::of(Some(Duration::from_secs(3600)));
        limit.takes(1 << 20);
        assert!(!limit.is_over());
        limit.takes(usize::MAX);
        assert!(limit.is_over());
    }
}
