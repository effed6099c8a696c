//! rpm's own "new database", `Packages.db` (rpm's `lib/backend/ndb/rpmpkg.c`). Pure.
//!
//! ```text
//! 32 bytes: "RpmP", u32 version 0, u32 generation, u32 pages of slots, …     pages of 4096 bytes, little-endian
//! slots of 16 bytes to the end of their pages: "Slot", u32 package, u32 offset in blocks of 16 (0 = free), u32 blocks
//! blob: "BlbS", u32 package, u32 generation, u32 length, header; padding; u32 sum, u32 length, "BlbE"
//! ```

use super::bytes::Each;
use super::bytes::{Budget, le32, slice};
use crate::packages::read::fault::{Defect, Fault};

/// The first bytes of the file.
pub(super) const MAGIC: &[u8] = b"RpmP";

const PAGE: usize = 4096;
const BLOCK: usize = 16;
const SLOT: usize = 16;
const HEAD: usize = 16;
const TAIL: usize = 12;

/// Hands out every header.
pub(super) fn blobs(data: &[u8], each: Each<'_>) -> Result<(), Fault> {
    let slots_end = slots_end(data)?;
    let mut budget = Budget::of(data.len());
    for at in (2 * SLOT..slots_end).step_by(SLOT) {
        let slot = slice(data, at, SLOT).filter(|slot| slot.starts_with(b"Slot"));
        let slot = slot.ok_or(bad(at, "no slot where one is due"))?;
        if le32(slot, 8) == Some(0) {
            continue;
        }
        let (start, blob) = blob(data, slot, slots_end).ok_or(bad(at, "blob out of place"))?;
        let sound = header(blob, le32(slot, 4)).ok_or(bad(start, "broken blob"))?;
        budget
            .spend(blob.len())
            .ok_or(bad(at, "blob given twice"))?;
        each(start, sound)?;
    }
    Ok(())
}

/// Where the slots end. There is always a page of them, as rpm demands too.
fn slots_end(data: &[u8]) -> Result<usize, Fault> {
    if !data.starts_with(MAGIC) || le32(data, 4) != Some(0) {
        return Err(bad(0, "not a database of rpm's kind ndb"));
    }
    let pages = le32(data, 12).filter(|pages| *pages > 0);
    let end = pages.and_then(|pages| pages.checked_mul(PAGE));
    let end = end.filter(|end| *end <= data.len());
    end.ok_or(bad(12, "impossible number of slot pages"))
}

/// The blocks that a slot names, and where they are.
fn blob<'a>(data: &'a [u8], slot: &[u8], slots_end: usize) -> Option<(usize, &'a [u8])> {
    let start = le32(slot, 8)?.checked_mul(BLOCK)?;
    let length = le32(slot, 12)?.checked_mul(BLOCK)?;
    let blob = slice(data, start, length)?;
    (start >= slots_end).then_some((start, blob))
}

fn header(blob: &[u8], package: Option<usize>) -> Option<&[u8]> {
    let length = le32(blob, 12)?;
    let needed = HEAD.checked_add(length)?.checked_add(TAIL)?;
    let fits = needed.div_ceil(BLOCK) * BLOCK == blob.len();
    let tail = slice(blob, blob.len().checked_sub(TAIL)?, TAIL)?;
    let sound = blob.starts_with(b"BlbS")
        && le32(blob, 4) == package
        && tail.ends_with(b"BlbE")
        && le32(tail, 4) == Some(length);
    slice(blob, HEAD, length).filter(|_| fits && sound)
}

fn bad(at: usize, what: &'static str) -> Fault {
    Defect::Broken(what).at(at)
}
