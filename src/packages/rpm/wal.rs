//! SQLite's write-ahead log: pages that were committed and not yet copied into the main file ("The WAL File Format" in
//! SQLite's file format). Pure.
//!
//! ```text
//! u32 magic 0x377f0682 | 1 where sums are over big-endian words, version, page size, sequence, salt1, salt2, sum1, sum2
//! frame: u32 page, u32 size of the database after a commit or 0, salt1, salt2, sum1, sum2; then the page
//! ```
//!
//! Sums run on from frame to frame. Frames count up to the last commit whose salts and sums hold; what is behind it is of
//! an older log, or was never finished, and SQLite would not use it either.

use std::collections::HashMap;

use super::bytes::{be32, slice};

const MAGIC: usize = 0x377f_0682;
const HEAD: usize = 32;
const FRAME: usize = 24;

/// Committed pages of a log.
#[derive(Default)]
pub(super) struct Log<'a> {
    pages: HashMap<usize, &'a [u8]>,
    /// Pages that the database has after the last commit; `None` where the log holds none.
    pub(super) size: Option<usize>,
}

impl<'a> Log<'a> {
    /// Reads a log for pages of `page_size` bytes. One that is not SQLite's holds nothing.
    pub(super) fn read(data: &'a [u8], page_size: usize) -> Log<'a> {
        read(data, page_size).unwrap_or_default()
    }

    /// The newest committed version of a page.
    pub(super) fn page(&self, number: usize) -> Option<&'a [u8]> {
        self.pages.get(&number).copied()
    }
}

fn read(data: &[u8], page_size: usize) -> Option<Log<'_>> {
    let magic = be32(data, 0)?;
    if magic & !1 != MAGIC || be32(data, 8)? != page_size {
        return None;
    }
    let mut sum = Sum {
        big_endian: magic & 1 == 1,
        sums: (0, 0),
    };
    sum.add(slice(data, 0, 24)?)?;
    if sum.value() != (be32(data, 24)?, be32(data, 28)?) {
        return None;
    }
    let salts = slice(data, 16, 8)?;
    let (mut log, mut open) = (Log::default(), Vec::new());
    for frame in data.get(HEAD..)?.chunks_exact(FRAME + page_size) {
        let (head, page) = frame.split_at_checked(FRAME)?;
        sum.add(slice(head, 0, 8)?)?;
        sum.add(page)?;
        let sound =
            slice(head, 8, 8)? == salts && sum.value() == (be32(head, 16)?, be32(head, 20)?);
        if !sound {
            break;
        }
        open.push((be32(head, 0)?, page));
        let size = be32(head, 4)?;
        if size > 0 {
            log.pages.extend(open.drain(..));
            log.size = Some(size);
        }
    }
    Some(log)
}

/// SQLite's running sum of pairs of words.
struct Sum {
    big_endian: bool,
    sums: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) -> Option<()> {
        for pair in bytes.chunks_exact(8) {
            let (first, second) = pair.split_at_checked(4)?;
            let (first, second) = (self.word(first)?, self.word(second)?);
            let (a, b) = self.sums;
            let a = a.wrapping_add(first).wrapping_add(b);
            let b = b.wrapping_add(second).wrapping_add(a);
            self.sums = (a, b);
        }
        Some(())
    }

    fn word(&self, bytes: &[u8]) -> Option<u32> {
        let bytes: [u8; 4] = bytes.try_into().ok()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn value(&self) -> (usize, usize) {
        (self.sums.0 as usize, self.sums.1 as usize)
    }
}
