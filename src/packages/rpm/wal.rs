//! SQLite's write-ahead log: pages that were committed and not yet copied into the main file ("The WAL File Format" in
//! SQLite's file format). Pure.
//!
//! ```text
//! u32 magic 0x377f0682 | 1 where sums are of big-endian words, version, page size, sequence, salt1, salt2, sum1, sum2
//! frame: u32 page, u32 size of the database after a commit or 0, salt1, salt2, sum1, sum2; then the page
//! ```
//!
//! Sums run on from frame to frame. Frames count up to the last commit whose salts and sums hold; what comes
//! after it is of an older log, or was never finished, and SQLite would not use it either. The same holds for a
//! whole log whose head is none. An intact log of another version, or for pages of another size, is refused: what
//! it says is not known.

use std::collections::HashMap;

use super::bytes::{be32, slice};
use crate::packages::read::fault::Defect;

const VERSION: usize = 3_007_000;
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
    pub(super) fn read(data: &'a [u8], page_size: usize) -> Result<Log<'a>, Defect> {
        let Some(sum) = head_sum(data) else {
            return Ok(Log::default());
        };
        if be32(data, 4) != Some(VERSION) || be32(data, 8) != Some(page_size) {
            return Err(Defect::Broken("its log is of another version or page size"));
        }
        Ok(frames(data, page_size, sum).unwrap_or_default())
    }

    /// The newest committed version of a page.
    pub(super) fn page(&self, number: usize) -> Option<&'a [u8]> {
        self.pages.get(&number).copied()
    }
}

/// The sum over the head of a log, if it is one and the sum holds.
fn head_sum(data: &[u8]) -> Option<Sum> {
    let magic = be32(data, 0)?;
    let mut sum = Sum {
        big_endian: magic & 1 == 1,
        sums: (0, 0),
    };
    sum.add(slice(data, 0, 24)?)?;
    let sound = magic & !1 == MAGIC && sum.value() == (be32(data, 24)?, be32(data, 28)?);
    sound.then_some(sum)
}

/// The committed frames after the head, whose sum is `sum`.
fn frames(data: &[u8], page_size: usize, mut sum: Sum) -> Option<Log<'_>> {
    let salts = slice(data, 16, 8)?;
    let (mut log, mut open) = (Log::default(), Vec::new());
    for frame in data.get(HEAD..)?.chunks_exact(FRAME + page_size) {
        let (head, page) = frame.split_at_checked(FRAME)?;
        sum.add(slice(head, 0, 8)?)?;
        sum.add(page)?;
        let number = be32(head, 0)?;
        let sums = (be32(head, 16)?, be32(head, 20)?);
        if number == 0 || slice(head, 8, 8)? != salts || sum.value() != sums {
            break;
        }
        open.push((number, page));
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A log of one-letter pages: number, size after the commit or 0, letter.
    fn log(order: fn(u32) -> [u8; 4], magic: u32, frames: &[(u32, u32, u8)]) -> Vec<u8> {
        let mut sums = (0_u32, 0_u32);
        let mut add = |bytes: &[u8]| {
            for pair in bytes.chunks(8) {
                // Reading a word in some order is writing it in that order.
                let word =
                    |b: &[u8]| u32::from_be_bytes(order(u32::from_be_bytes(b.try_into().unwrap())));
                sums.0 = sums.0.wrapping_add(word(&pair[..4])).wrapping_add(sums.1);
                sums.1 = sums.1.wrapping_add(word(&pair[4..])).wrapping_add(sums.0);
            }
            [sums.0.to_be_bytes(), sums.1.to_be_bytes()].concat()
        };
        let be = |words: &[u32]| {
            words
                .iter()
                .flat_map(|w| w.to_be_bytes())
                .collect::<Vec<_>>()
        };
        let mut data = be(&[magic, 3_007_000, 512, 0, 11, 12]);
        data.extend(add(&data.clone()));
        for (number, size, letter) in frames {
            let (head, page) = (be(&[*number, *size]), [*letter; PAGE]);
            add(&head);
            let sum = add(&page);
            data.extend([head, be(&[11, 12]), sum, page.to_vec()].concat());
        }
        data
    }

    fn little(frames: &[(u32, u32, u8)]) -> Vec<u8> {
        log(u32::to_le_bytes, 0x377f_0682, frames)
    }

    fn letter(log: &Log<'_>, number: usize) -> Option<u8> {
        log.page(number).map(|page| page[0])
    }

    #[test]
    fn committed_frames_in_both_byte_orders() {
        let frames = [(1, 0, b'a'), (2, 2, b'b'), (1, 2, b'c'), (2, 0, b'd')];
        for data in [little(&frames), log(u32::to_be_bytes, 0x377f_0683, &frames)] {
            let log = Log::read(&data, PAGE).unwrap();
            assert_eq!((letter(&log, 1), letter(&log, 2)), (Some(b'c'), Some(b'b')));
            assert_eq!((letter(&log, 3), log.size), (None, Some(2)));
        }
    }

    #[test]
    fn frames_end_where_salts_or_sums_break() {
        let frames = [(1, 1, b'a'), (1, 1, b'b'), (1, 1, b'c')];
        let second = HEAD + FRAME + PAGE;
        for (what, at) in [
            ("salt", second + 8),
            ("sum", second + 16),
            ("page", second + 99),
        ] {
            let mut data = little(&frames);
            data[at] ^= 1;
            let log = Log::read(&data, PAGE).unwrap();
            assert_eq!(letter(&log, 1), Some(b'a'), "{what}");
        }
        let data = little(&[(1, 1, b'a'), (0, 1, b'b'), (1, 1, b'c')]);
        let log = Log::read(&data, PAGE).unwrap();
        assert_eq!(letter(&log, 1), Some(b'a'), "a page 0");
    }

    #[test]
    fn what_is_no_log_says_nothing() {
        let mut magic = little(&[(1, 1, b'a')]);
        magic[3] = 0;
        let mut sum = little(&[(1, 1, b'a')]);
        sum[24] ^= 1;
        for data in [Vec::new(), b"rubbish".to_vec(), magic, sum] {
            assert_eq!(Log::read(&data, PAGE).unwrap().size, None);
        }
    }

    #[test]
    fn sound_logs_of_another_kind_are_refused() {
        let data = little(&[(1, 1, b'a')]);
        assert!(Log::read(&data, 1024).is_err());
        let mut version = data;
        version[7] ^= 1;
        version.truncate(24);
        let mut sum = Sum {
            big_endian: false,
            sums: (0, 0),
        };
        sum.add(&version).unwrap();
        version.extend([sum.sums.0.to_be_bytes(), sum.sums.1.to_be_bytes()].concat());
        assert!(Log::read(&version, PAGE).is_err());
    }
}
