//! rpm's own "new database", `Packages.db` (rpm's `lib/backend/ndb/rpmpkg.c`). Pure.
//!
//! ```text
//! 32 bytes: "RpmP", u32 version 0, u32 generation, u32 pages of slots, …     pages of 4096 bytes, little-endian
//! slots of 16 bytes up to the end of their pages: "Slot", u32 package, u32 offset in blocks of 16 (0 = free), u32 blocks
//! blob: "BlbS", u32 package, u32 generation, u32 length, header; padding; u32 sum, u32 length, "BlbE"
//! ```

use super::super::fault::{Defect, Fault};
use super::Each;
use super::bytes::{le32, slice};

/// The first bytes of the file.
pub(super) const MAGIC: &[u8] = b"RpmP";

const PAGE: usize = 4096;
const BLOCK: usize = 16;
const SLOT: usize = 16;
const HEAD: usize = 16;
const TAIL: usize = 12;

/// Hands out every header.
pub(super) fn blobs(data: &[u8], each: Each<'_>) -> Result<(), Fault> {
    let bad = |at: usize, what| Defect::Broken(what).at(at);
    if !data.starts_with(MAGIC) || le32(data, 4) != Some(0) {
        return Err(bad(0, "not a database of rpm's kind ndb"));
    }
    let pages = le32(data, 12).unwrap_or(0);
    let slots_end = pages.checked_mul(PAGE).filter(|end| *end <= data.len());
    let slots_end = slots_end.ok_or(bad(12, "more slot pages than the file has"))?;
    for at in (2 * SLOT..slots_end).step_by(SLOT) {
        let slot = slice(data, at, SLOT).unwrap_or_default();
        if !slot.starts_with(b"Slot") {
            return Err(bad(at, "no slot where one is due"));
        }
        let (offset, blocks) = (le32(slot, 8).unwrap_or(0), le32(slot, 12).unwrap_or(0));
        if offset == 0 {
            continue;
        }
        let start = offset
            .checked_mul(BLOCK)
            .filter(|start| *start >= slots_end);
        let start = start.ok_or(bad(at, "blob within the slots"))?;
        let length = blocks.checked_mul(BLOCK);
        let blob = length.and_then(|length| slice(data, start, length));
        let blob = blob.ok_or(bad(at, "blob outside of the file"))?;
        let package = le32(slot, 4);
        each(
            start,
            header(blob, package).ok_or(bad(start, "broken blob"))?,
        )?;
    }
    Ok(())
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
