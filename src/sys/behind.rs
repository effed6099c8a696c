//! Drop-behind: a large file that is read once leaves the page cache as it was, so that one reading of all guests does
//! not push out what the host has in use.
//!
//! What is in the cache is asked once, before the file is read (`cachestat(2)`); what was not, is dropped behind the
//! reader (`POSIX_FADV_DONTNEED`). What was there stays, and so does what a process has mapped by then. Where the kernel
//! does not answer, nothing is dropped: before Linux 6.5, and since 2025 where files are another user's, unless this
//! process may write them or has `CAP_FOWNER`, which a confined `plan` has not. `RWF_DONTCACHE` (6.14) would need no
//! answer, but drops a whole folio when a part of it was read: on ext4 that read the disk 1.2 to 1.5 times.

use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Advice, fadvise};

use super::ffi;

/// What becomes of pages that a reader brought into the page cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PageCache {
    /// Those of large files leave it again.
    #[default]
    AsItWas,
    /// They stay.
    Keep,
}

/// Smaller files are left to the kernel, which drops first what was used once.
const LARGE: u64 = 1 << 20;

/// Is a stretch in the cache in parts, it is looked at in halves, down to this.
const GRAIN: u64 = 64 * 1024;

/// Pages are dropped whenever so much was read.
const STEP: u64 = 8 << 20;

/// No folio is larger; one that a step cut through is dropped by the next.
const FOLIO: u64 = 4 << 20;

/// What is dropped of one file while it is read.
#[derive(Debug)]
pub(super) struct Behind {
    /// What was not in the cache.
    cold: Vec<Range<u64>>,
    dropped: AtomicU64,
}

impl Behind {
    /// `None` where nothing is to be dropped.
    pub fn of(file: impl AsFd, size: u64, wish: PageCache) -> Option<Behind> {
        if wish == PageCache::Keep || size < LARGE {
            return None;
        }
        let mut cold = Vec::new();
        find_cold(&file, 0..size, &mut cold)?;
        let dropped = AtomicU64::new(0);
        (!cold.is_empty()).then_some(Behind { cold, dropped })
    }

    /// The file was read to `at`.
    pub fn passed(&self, file: impl AsFd, at: u64) {
        if at >= self.dropped.load(Ordering::Relaxed).saturating_add(STEP) {
            self.drop_to(file, at);
        }
    }

    /// The file is read no further.
    pub fn done(&self, file: impl AsFd) {
        self.drop_to(file, u64::MAX);
    }

    fn drop_to(&self, file: impl AsFd, at: u64) {
        let from = self
            .dropped
            .swap(at, Ordering::Relaxed)
            .saturating_sub(FOLIO);
        for range in &self.cold {
            let (start, end) = (range.start.max(from), range.end.min(at));
            if let Some(length) = end.checked_sub(start).and_then(std::num::NonZeroU64::new) {
                // Advice only.
                let _ = fadvise(&file, start, Some(length), Advice::DontNeed);
            }
        }
    }
}

/// Adds the parts of a stretch that are not in the cache; `None` where the kernel does not tell.
fn find_cold(file: &impl AsFd, range: Range<u64>, cold: &mut Vec<Range<u64>>) -> Option<()> {
    let length = range.end - range.start;
    let cached = ffi::cached(file, range.start, length).ok()?;
    if cached == 0 {
        match cold.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => cold.push(range),
        }
    } else if length > GRAIN && cached < length {
        let middle = range.start + (length / 2).next_multiple_of(GRAIN);
        find_cold(file, range.start..middle, cold)?;
        find_cold(file, middle..range.end, cold)?;
    }
    Some(())
}
