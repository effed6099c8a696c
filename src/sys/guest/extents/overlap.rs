//! What two files have in common on the disk, told from their extent maps, and the call by which one file comes to have
//! the extents of another (`FIDEDUPERANGE`).
//!
//! A map may have millions of entries, and a guest chooses how many: a few are held at a time, and both maps are walked
//! side by side. Each entry stands for a block of data at least, so that a map is never longer to walk than its file is
//! to read.

use std::io;

use super::{AT_ONCE, DELAYED, ENCODED, INLINE, SHARED, UNALIGNED, UNKNOWN, UNWRITTEN};
use crate::sys::fault::call;
use crate::sys::ffi::{self, DiskExtent};
use crate::sys::guest::FileRange;
use crate::sys::{Regular, SysError, SysResult};

/// How the data of one file lie beside those of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Bytes, in whole blocks, that both have at one place on the device and at the same place in the file.
    pub together: u64,
    /// Bytes of the first that are its own, or of which nobody says where they lie.
    pub apart: u64,
}

/// A part of a file, and where it lies on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedPart {
    /// Where in the file.
    pub at: u64,
    /// Where on the device.
    pub place: u64,
    /// How long.
    pub length: u64,
}

impl Overlap {
    /// Of so many bytes of data, so many lie together.
    pub(super) fn of(together: u64, all: u64) -> Overlap {
        let apart = all.saturating_sub(together);
        Overlap { together, apart }
    }

    /// Is there nothing more that the first could share with the second?
    pub fn is_whole(&self) -> bool {
        self.apart == 0
    }
}

impl Regular {
    /// What of this file's data lies where that of `other` lies. What is still in memory of either is written first;
    /// both may change meanwhile, and what is told is of no one moment then.
    pub fn overlap(&self, other: &Regular) -> SysResult<Overlap> {
        let (mut own, mut theirs) = (Extents::from(self, 0)?, Extents::from(other, 0)?);
        let (mut own, mut theirs) = (|| own.next_data(), || theirs.next_data());
        let mut together = 0;
        let all = common_parts(&mut own, &mut theirs, &mut |part| {
            together += part.to - part.from;
            false
        })?;
        Ok(Overlap::of(together, all))
    }

    /// The first stretch at or after `from` whose blocks other files or snapshots have as well, as long as it goes on
    /// without a gap; `None` after the last. It ends with a block, which may be after the end of the file.
    pub fn shared_stretch(&self, from: u64) -> SysResult<Option<FileRange>> {
        let (mut extents, mut found) = (Extents::from(self, from)?, None);
        while let Some(extent) = extents.next_data()? {
            let part = (extent.flags & SHARED != 0).then(|| FileRange {
                from: extent.logical.max(from),
                to: end(&extent),
            });
            if goes_on(&mut found, part, extent.logical) {
                break;
            }
        }
        Ok(found)
    }

    /// All parts of the file that others have as well; `None` where they are more than `most`.
    pub fn shared_parts(&self, most: usize) -> SysResult<Option<Vec<SharedPart>>> {
        let (mut extents, mut parts) = (Extents::from(self, 0)?, Vec::new());
        while let Some(extent) = extents.next_data()? {
            if extent.flags & SHARED == 0 || extent.flags & NOWHERE != 0 {
                continue;
            }
            if parts.len() >= most {
                return Ok(None);
            }
            parts.push(SharedPart {
                at: extent.logical,
                place: extent.physical,
                length: extent.length,
            });
        }
        Ok(Some(parts))
    }

    /// The first stretch at or after `from` that lies where that of `other` lies.
    pub fn common_stretch(&self, other: &Regular, from: u64) -> SysResult<Option<FileRange>> {
        let (mut own, mut theirs) = (Extents::from(self, from)?, Extents::from(other, from)?);
        let (mut own, mut theirs) = (|| own.next_data(), || theirs.next_data());
        let mut found = None;
        common_parts(&mut own, &mut theirs, &mut |part| {
            let from = part.from.max(from);
            goes_on(&mut found, Some(FileRange { from, ..part }), from)
        })?;
        Ok(found)
    }

    /// Makes `destination` have the extents of this file from `from` on, `length` bytes, if it has the same bytes
    /// there.
    /// Neither its content nor any of its metadata changes. Says how many bytes were done; `None` where they differ.
    pub fn share_with(
        &self,
        destination: &Regular,
        from: u64,
        length: u64,
    ) -> SysResult<Option<u64>> {
        call("dedupe", || {
            ffi::deduplicate(self.fd(), destination.fd(), from, length)
        })
        .map_err(destination.failed("share the extents of"))
    }
}

fn end(extent: &DiskExtent) -> u64 {
    extent.logical.saturating_add(extent.length)
}

/// Adds the next part to a stretch, which begins with the first; true where the stretch is over.
fn goes_on(found: &mut Option<FileRange>, part: Option<FileRange>, at: u64) -> bool {
    match (found, part) {
        (Some(stretch), Some(part)) if stretch.to == at => stretch.to = part.to,
        (Some(_), _) => return true,
        (none, part) => *none = part.filter(|part| part.from < part.to),
    }
    false
}

/// Says which extent of a file holds its next data.
type NextData<'e, E> = dyn FnMut() -> Result<Option<DiskExtent>, E> + 'e;

/// Hands out the parts of the first file that lie where those of the second lie, until it is told that this is enough.
/// Says how many bytes of data were looked at.
pub(super) fn common_parts<E>(
    own: &mut NextData<'_, E>,
    theirs: &mut NextData<'_, E>,
    take: &mut dyn FnMut(FileRange) -> bool,
) -> Result<u64, E> {
    let (mut beside, mut all) = (theirs()?, 0);
    while let Some(extent) = own()? {
        all += extent.length;
        while let Some(other) = beside {
            if common(&extent, &other).is_some_and(&mut *take) {
                return Ok(all);
            }
            if end(&other) > end(&extent) {
                break;
            }
            beside = theirs()?;
        }
    }
    Ok(all)
}

/// Of an extent with any of these flags nobody says where it lies.
const NOWHERE: u32 = UNKNOWN | DELAYED | INLINE | UNALIGNED;

/// What two extents have at one place of the device and of their files. Of what is encoded, the place of the whole is
/// told, so it is one only where all of it is.
fn common(one: &DiskExtent, other: &DiskExtent) -> Option<FileRange> {
    let flags = one.flags | other.flags;
    let [first, second] = [one, other].map(|e| (e.logical, e.physical, e.length));
    if flags & NOWHERE != 0 || flags & ENCODED != 0 && first != second {
        return None;
    }
    let offset = |e: &DiskExtent| e.physical.wrapping_sub(e.logical);
    let from = one.logical.max(other.logical);
    let to = end(one).min(end(other));
    (offset(one) == offset(other) && from < to).then_some(FileRange { from, to })
}

/// The extents of a file up to its end, one after the other, some at a time. What is set aside behind the end is in no
/// file's content.
struct Extents<'f> {
    file: &'f Regular,
    size: u64,
    next: u64,
    held: std::vec::IntoIter<DiskExtent>,
    is_over: bool,
}

impl<'f> Extents<'f> {
    fn from(file: &'f Regular, next: u64) -> SysResult<Extents<'f>> {
        Ok(Extents {
            file,
            size: file.state()?.size,
            next,
            held: Vec::new().into_iter(),
            is_over: false,
        })
    }

    /// The next that holds data: what is set aside for data and not written yet holds none.
    fn next_data(&mut self) -> SysResult<Option<DiskExtent>> {
        loop {
            match self.held.next() {
                Some(extent) if extent.flags & UNWRITTEN != 0 => continue,
                Some(extent) if extent.logical < self.size => return Ok(Some(extent)),
                Some(_) => self.is_over = true,
                None => {}
            }
            if self.is_over {
                return Ok(None);
            }
            self.fetch()
                .map_err(|e| SysError::new("ask for the extents of", self.file.path(), e))?;
        }
    }

    fn fetch(&mut self) -> io::Result<()> {
        let some = call("fiemap", || self.file.extents_from(self.next, true))?;
        let last = some.last().map(end);
        // A map that does not go on would be walked for ever.
        self.is_over = some.len() < AT_ONCE || last.is_none_or(|last| last <= self.next);
        self.next = last.unwrap_or(self.next);
        self.held = some.into_iter();
        Ok(())
    }
}
