//! Berkeley DB's hash file, as far as rpm's `Packages` needs it (dbinc/db_page.h, dbinc/hash.h). Pure.
//!
//! ```text
//! page 0: u32@12 magic, u32@16 version, u32@20 page size, u32@32 last page
//! page:   u32@8 own number, u32@16 next, u16@20 items, u16@22 free offset or bytes used, u8@25 type
//! type 2, 13: u16 offsets of items from 26 on, in pairs of key and value; items lie from the page's end downward
//! item: u8 kind 1, then its bytes; or kind 3, 3 unused, u32 first overflow page, u32 length in all
//! ```
//!
//! All pages are visited once, in order; no bucket is computed and no chain followed but that of an item's overflow
//! pages, which ends when the item's length is reached and brings at least a byte a page.

use super::super::fault::{Defect, Fault};
use super::super::limits;
use super::Each;
use super::bytes::{be16, be32, le16, le32, slice};

const MAGIC: usize = 0x0006_1561;
const HEAD: usize = 26;
const HASH: [u8; 2] = [2, 13];
const OVERFLOW: u8 = 7;

/// A file, its byte order known.
struct File<'a> {
    data: &'a [u8],
    page: usize,
    swapped: bool,
}

/// Hands out every header.
pub(super) fn blobs(data: &[u8], each: Each<'_>) -> Result<(), Fault> {
    let file = File::open(data).ok_or(bad(0, "not a Berkeley DB hash file"))?;
    if !data.len().is_multiple_of(file.page) {
        return Err(bad(data.len(), "cut in the middle of a page"));
    }
    let last = file.u32(data, 32).unwrap_or(0);
    let pages = data.len() / file.page;
    if last >= pages {
        return Err(bad(32, "more pages than the file has"));
    }
    for number in 1..=last {
        let page = file
            .page(number)
            .ok_or(bad(32, "page outside of the file"))?;
        if page.get(25).is_some_and(|kind| HASH.contains(kind)) {
            file.hash_page(number, page, each)?;
        }
    }
    Ok(())
}

impl<'a> File<'a> {
    fn open(data: &'a [u8]) -> Option<File<'a>> {
        let swapped = match (le32(data, 12)?, be32(data, 12)?) {
            (MAGIC, _) => false,
            (_, MAGIC) => true,
            _ => return None,
        };
        let mut file = File {
            data,
            page: 0,
            swapped,
        };
        file.page = file.u32(data, 20)?;
        let version = file.u32(data, 16)?;
        let sound = file.page.is_power_of_two()
            && (512..=65_536).contains(&file.page)
            && (8..=10).contains(&version);
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

    fn hash_page(&self, number: usize, page: &[u8], each: Each<'_>) -> Result<(), Fault> {
        let at = number * self.page;
        let items = self.u16(page, 20).unwrap_or(0);
        for pair in 0..items / 2 {
            let (key, value) = (self.item(page, 2 * pair), self.item(page, 2 * pair + 1));
            let (Some(key), Some(value)) = (key, value) else {
                return Err(bad(at, "item outside of its page"));
            };
            // Key 0 is rpm's counter of packages.
            if key == [1, 0, 0, 0, 0] {
                continue;
            }
            match value.split_first() {
                Some((1, blob)) => each(at, blob)?,
                Some((3, _)) => each(at, &self.overflow(value).map_err(|what| what.at(at))?)?,
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

    fn overflow(&self, item: &[u8]) -> Result<Vec<u8>, Defect> {
        let first = self.u32(item, 4);
        let length = self.u32(item, 8);
        let (Some(mut number), Some(length)) = (first, length) else {
            return Err(Defect::Broken("item cut off"));
        };
        if length > self.data.len() || length > limits::HEADER {
            return Err(Defect::Broken("item longer than the file"));
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
