//! Berkeley DB's hash file, as far as rpm's `Packages` needs it (dbinc/db_page.h, dbinc/hash.h). Pure.
//!
//! ```text
//! page 0: u32@12 magic, u32@16 version, u32@20 page size, u8@24 cipher, u8@25 type 8, u8@26 flags, u32@32 last page
//! page:   u32@8 own number, u32@16 next, u16@20 items, u16@22 free offset or bytes used, u8@25 type
//! type 2, 13: u16 offsets of items from 26 on, in pairs of key and value; items lie from the page's end downward
//! item: u8 kind 1, then its bytes; or kind 3, 3 unused, u32 first overflow page, u32 length in all
//! ```
//!
//! All pages are visited once, in order; no bucket is computed and no chain followed but that of an item's overflow
//! pages, which ends when the item's length is reached and brings at least a byte a page.

use super::bytes::Each;
use super::bytes::{Budget, be16, be32, le16, le32, slice};
use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

const MAGIC: usize = 0x0006_1561;
const HEAD: usize = 26;
const HASH: [u8; 2] = [2, 13];
const OVERFLOW: u8 = 7;
/// Bytes 24 to 26 of page 0: no cipher, a hash, no checksums. rpm never asked for others, and their pages differ.
const PLAIN_HASH: [u8; 3] = [0, 8, 0];
/// Key 0, as an item: rpm's counter of packages.
const COUNTER: [u8; 5] = [1, 0, 0, 0, 0];

/// A file, its byte order known.
struct BdbFile<'a> {
    data: &'a [u8],
    page: usize,
    swapped: bool,
}

/// Hands out every header.
pub(super) fn blobs(data: &[u8], each: Each<'_>) -> Result<(), Fault> {
    let file =
        BdbFile::open(data).ok_or(bad(0, "neither SQLite, ndb nor a Berkeley DB hash file"))?;
    if !data.len().is_multiple_of(file.page) {
        return Err(bad(data.len(), "cut in the middle of a page"));
    }
    let last = file.u32(data, 32).unwrap_or(0);
    let pages = data.len() / file.page;
    if last >= pages {
        return Err(bad(32, "more pages than the file has"));
    }
    let mut budget = Budget::of(data.len());
    for number in 1..=last {
        let page = file
            .page(number)
            .ok_or(bad(32, "page outside of the file"))?;
        if page.get(25).is_some_and(|kind| HASH.contains(kind)) {
            file.hash_page(number * file.page, page, &mut budget, each)?;
        }
    }
    Ok(())
}

impl<'a> BdbFile<'a> {
    fn open(data: &'a [u8]) -> Option<BdbFile<'a>> {
        let swapped = match (le32(data, 12)?, be32(data, 12)?) {
            (MAGIC, _) => false,
            (_, MAGIC) => true,
            _ => return None,
        };
        let mut file = BdbFile {
            data,
            page: 0,
            swapped,
        };
        file.page = file.u32(data, 20)?;
        let version = file.u32(data, 16)?;
        let sound = file.page.is_power_of_two()
            && (512..=65_536).contains(&file.page)
            && (8..=10).contains(&version)
            && slice(data, 24, 3)? == PLAIN_HASH;
        sound.then_some(file)
    }

    fn u32(&self, data: &[u8], at: usize) -> Option<usize> {
        if self.swapped {
            be32(data, at)
        } else {
            le32(data, at)
        }
    }

    fn u16(&self, data: &[u8], at: usize) -> Option<usize> {
        if self.swapped {
            be16(data, at)
        } else {
            le16(data, at)
        }
    }

    fn page(&self, number: usize) -> Option<&'a [u8]> {
        slice(self.data, number.checked_mul(self.page)?, self.page)
    }

    /// `at` is where the page begins.
    fn hash_page(
        &self,
        at: usize,
        page: &[u8],
        budget: &mut Budget,
        each: Each<'_>,
    ) -> Result<(), Fault> {
        let items = self.u16(page, 20).unwrap_or(0);
        if !items.is_multiple_of(2) {
            return Err(bad(at, "key without a value"));
        }
        for pair in 0..items / 2 {
            let (key, value) = (self.item(page, 2 * pair), self.item(page, 2 * pair + 1));
            let (Some(key), Some(value)) = (key, value) else {
                return Err(bad(at, "item outside of its page"));
            };
            if key == COUNTER {
                continue;
            }
            match value.split_first() {
                Some((1, blob)) => each(at, blob)?,
                Some((3, _)) => {
                    let blob = self.overflow(value, budget).map_err(|what| what.at(at))?;
                    each(at, &blob)?;
                }
                _ => return Err(bad(at, "item of an unknown kind")),
            }
        }
        Ok(())
    }

    /// An item reaches up to where the one before it begins.
    fn item<'p>(&self, page: &'p [u8], index: usize) -> Option<&'p [u8]> {
        let start = self.u16(page, HEAD + 2 * index)?;
        let end = match index {
            0 => self.page,
            _ => self.u16(page, HEAD + 2 * (index - 1))?,
        };
        page.get(start..end).filter(|item| !item.is_empty())
    }

    fn overflow(&self, item: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Defect> {
        let first = self.u32(item, 4);
        let length = self.u32(item, 8);
        let (Some(mut number), Some(length)) = (first, length) else {
            return Err(Defect::Broken("item cut off"));
        };
        if length > limits::HEADER || budget.spend(length).is_none() {
            return Err(Defect::Broken("items longer than the file"));
        }
        let mut whole = Vec::new();
        while whole.len() < length {
            let page = self
                .page(number)
                .filter(|page| page.get(25) == Some(&OVERFLOW));
            let page = page.ok_or(Defect::Broken("overflow chain onto another kind of page"))?;
            let used = self.u16(page, 22).unwrap_or(0);
            let bytes = slice(page, HEAD, used).filter(|bytes| !bytes.is_empty());
            let bytes = bytes.ok_or(Defect::Broken("overflow page without bytes"))?;
            whole.extend_from_slice(bytes);
            number = self.u32(page, 16).unwrap_or(0);
        }
        if whole.len() == length {
            Ok(whole)
        } else {
            Err(Defect::Broken("overflow chain longer than its item"))
        }
    }
}

fn bad(at: usize, what: &'static str) -> Fault {
    Defect::Broken(what).at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A file in one byte order: page 0, a hash page with the counter and these values, pages of overflow.
    fn file(swapped: bool, values: &[Value], overflow: &[(u32, &[u8])]) -> Vec<u8> {
        let word = |n: u32| {
            if swapped {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let half = |n: usize| {
            let n = u16::try_from(n).unwrap();
            if swapped {
                n.to_be_bytes()
            } else {
                n.to_le_bytes()
            }
        };
        let put = |page: &mut Vec<u8>, at: usize, bytes: &[u8]| {
            page[at..at + bytes.len()].copy_from_slice(bytes);
        };
        let mut meta = vec![0; PAGE];
        let last = u32::try_from(1 + overflow.len()).unwrap();
        for (at, n) in [(12, 0x61561), (16, 9), (20, 512), (32, last)] {
            put(&mut meta, at, &word(n));
        }
        meta[25] = 8;
        let mut hash = vec![0; PAGE];
        hash[25] = 2;
        let mut items = vec![COUNTER.to_vec(), b"\x01\x07\0\0\0".to_vec()];
        for value in values {
            items.push(b"\x01\x01\0\0\0".to_vec());
            items.push(match value {
                Value::Here(bytes) => [b"\x01", *bytes].concat(),
                Value::Away(first, length) => [
                    b"\x03\0\0\0".to_vec(),
                    word(*first).to_vec(),
                    word(*length).to_vec(),
                ]
                .concat(),
            });
        }
        put(&mut hash, 20, &half(items.len()));
        let mut end = PAGE;
        for (n, item) in items.iter().enumerate() {
            end -= item.len();
            put(&mut hash, end, item);
            put(&mut hash, HEAD + 2 * n, &half(end));
        }
        let mut all = [meta, hash].concat();
        for (next, bytes) in overflow {
            let mut page = vec![0; PAGE];
            page[25] = OVERFLOW;
            put(&mut page, 16, &word(*next));
            put(&mut page, 22, &half(bytes.len()));
            put(&mut page, HEAD, bytes);
            all.extend(page);
        }
        all
    }

    enum Value {
        Here(&'static [u8]),
        /// First page and length.
        Away(u32, u32),
    }
    use Value::{Away, Here};

    fn read(data: &[u8]) -> Result<Vec<Vec<u8>>, Defect> {
        let mut all = Vec::new();
        let read = blobs(data, &mut |_, blob| {
            all.push(blob.to_vec());
            Ok(())
        });
        read.map(|()| all).map_err(|fault| fault.what)
    }

    #[test]
    fn both_byte_orders() {
        for swapped in [false, true] {
            let data = file(
                swapped,
                &[Here(b"one"), Away(2, 5)],
                &[(3, b"two"), (0, b"34")],
            );
            assert_eq!(read(&data).unwrap(), [&b"one"[..], b"two34"]);
        }
    }

    #[test]
    fn chains_that_do_not_fit_are_refused() {
        for (what, value, overflow) in [
            (
                "a page of another kind",
                Away(1, 5),
                &[(0, &b"12345"[..])][..],
            ),
            ("a page that is not there", Away(9, 5), &[(0, b"12345")]),
            ("a chain that ends early", Away(2, 5), &[(0, b"1234")]),
            ("a page of no bytes", Away(2, 5), &[(2, b"")]),
            ("a chain that is longer", Away(2, 4), &[(0, b"12345")]),
            ("a length beyond the file", Away(2, u32::MAX), &[(2, b"1")]),
        ] {
            assert!(read(&file(false, &[value], overflow)).is_err(), "{what}");
        }
        let shared = [Away(2, 400), Away(2, 400), Away(2, 400), Away(2, 400)];
        let data = file(false, &shared, &[(0, &[7; 400])]);
        assert_eq!(
            read(&data),
            Err(Defect::Broken("items longer than the file"))
        );
    }

    #[test]
    fn other_kinds_of_berkeley_databases_are_refused() {
        let good = file(false, &[Here(b"one")], &[]);
        for (what, at, byte) in [
            ("a key without a value", PAGE + 20, 3),
            ("enciphered", 24, 1),
            ("a tree", 25, 9),
            ("with checksums", 26, 1),
            ("version 7", 16, 7),
            ("pages of 513", 20, 1),
            ("more pages than there are", 32, 2),
            ("an item of duplicates", PAGE + 512 - 19, 2),
        ] {
            let mut data = good.clone();
            data[at] = byte;
            assert!(read(&data).is_err(), "{what}");
        }
        assert!(read(&good).is_ok());
    }
}
