//! Drop-behind: a large file that is read once leaves the page cache as it was, so that one reading of all guests does
//! not push out what the host has in use.
//!
//! What is in the cache is asked once, before the file is read (`cachestat(2)`); what was not, is dropped behind
//! the reader (`POSIX_FADV_DONTNEED`). What was there stays, and so does what a process has mapped meanwhile. The
//! kernel does not answer before Linux 6.5, and since 2025 not where files are another user's, unless this
//! process may write them or has `CAP_FOWNER`, which a confined `plan` has not. Then the kernel itself is told to
//! drop what it brings (`RWF_DONTCACHE`, Linux 6.14, not on btrfs so far), and where it cannot, nothing is
//! dropped. It drops a whole folio when a part of it was read: in pieces of 64 KiB the disk was read 1.4 times,
//! in pieces of 2 MiB once.

use std::io::IoSliceMut;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, pread, preadv2};

use crate::sys::ffi;

/// What becomes of pages that a reader brought into the page cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PageCache {
    /// Those of large files leave it again.
    #[default]
    AsItWas,
    /// Those of small files, too: more is read than the memory holds, and the last would push out the first, and with
    /// them what the kernel knows of inodes.
    NoneStays,
    /// They stay.
    Keep,
}

/// Smaller files are mostly left to the kernel, which drops first what was used once.
const LARGE: u64 = 1 << 20;

/// A stretch of which parts are in the cache is looked at in halves, down to this.
const GRAIN: u64 = 64 * 1024;

/// Pages are dropped whenever so much was read.
const STEP: u64 = 8 << 20;

/// No folio is larger; one that a step divides is dropped by the next.
const FOLIO: u64 = 4 << 20;

/// Where the kernel drops, so much is read at once, from a multiple of it on: no folio is divided then.
pub(super) const WHOLE_FOLIOS: u64 = 2 << 20;

/// `RWF_DONTCACHE` of `linux/fs.h`.
const DONT_CACHE: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);

/// What drops which pages of one file while it is read.
#[derive(Debug)]
pub enum Behind {
    /// This process, what was not in the cache.
    Cold(Cold),
    /// The kernel, what it brings.
    Kernel,
}

/// Has the kernel said that it cannot? Guests are on one file system: it says so of all files.
static CANNOT: AtomicBool = AtomicBool::new(false);

impl Behind {
    /// `None` where nothing is to be dropped.
    pub fn of(file: impl AsFd, size: u64, wish: PageCache) -> Option<Behind> {
        let least = match wish {
            PageCache::Keep => return None,
            PageCache::AsItWas => LARGE,
            PageCache::NoneStays => 1,
        };
        if size < least {
            return None;
        }
        let mut ranges = Vec::new();
        if find_cold(&file, 0..size, &mut ranges).is_none() {
            // Small files are asked for ahead, which the kernel does not take back; that is worth more than room.
            let can = size >= LARGE && !CANNOT.load(Ordering::Relaxed);
            return can.then_some(Behind::Kernel);
        }
        let dropped = AtomicU64::new(0);
        (!ranges.is_empty()).then_some(Behind::Cold(Cold { ranges, dropped }))
    }

    /// Does the kernel drop?
    pub fn is_kernels(&self) -> bool {
        matches!(self, Behind::Kernel) && !CANNOT.load(Ordering::Relaxed)
    }

    /// Reads as the file is to be read.
    pub fn read(&self, file: impl AsFd, buffer: &mut [u8], at: u64) -> Result<usize, Errno> {
        if self.is_kernels() {
            match preadv2(&file, &mut [IoSliceMut::new(buffer)], at, DONT_CACHE) {
                Err(Errno::OPNOTSUPP | Errno::INVAL) => {
                    let read = pread(file, buffer, at);
                    // A directory, put in the place of a file, says nothing of the file system.
                    if read.is_ok() {
                        CANNOT.store(true, Ordering::Relaxed);
                    }
                    return read;
                }
                read => return read,
            }
        }
        pread(file, buffer, at)
    }

    /// The file was read to `at`.
    pub fn passed(&self, file: impl AsFd, at: u64) {
        if let Behind::Cold(cold) = self {
            cold.passed(file, at);
        }
    }

    /// The file is read no further.
    pub fn done(&self, file: impl AsFd) {
        if let Behind::Cold(cold) = self {
            cold.drop_to(file, u64::MAX);
        }
    }
}

/// What was not in the cache.
#[derive(Debug)]
pub struct Cold {
    ranges: Vec<Range<u64>>,
    dropped: AtomicU64,
}

impl Cold {
    fn passed(&self, file: impl AsFd, at: u64) {
        if at >= self.dropped.load(Ordering::Relaxed).saturating_add(STEP) {
            self.drop_to(file, at);
        }
    }

    fn drop_to(&self, file: impl AsFd, at: u64) {
        let from = self
            .dropped
            .swap(at, Ordering::Relaxed)
            .saturating_sub(FOLIO);
        for range in &self.ranges {
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
