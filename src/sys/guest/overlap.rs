//! What two files have in common on the disk, told from their extent maps, and the call by which one file comes to have
//! the extents of another (`FIDEDUPERANGE`).
//!
//! A map may have millions of entries, and a guest chooses how many: a few are held at a time, and both maps are walked
//! side by side. Each entry stands for a block of data at least, so that a map is never longer to walk than its file is
//! to read.

use std::io;

use super::content::Stretch;
use super::extents::{AT_ONCE, DELAYED, ENCODED, INLINE, SHARED, UNALIGNED, UNKNOWN, UNWRITTEN};
use crate::sys::fault::call;
use crate::sys::ffi::{self, DiskExtent};
use crate::sys::{Regular, SysError, SysResult};

/// How the data of one file lie beside those of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Bytes, in whole blocks, that both have at one place on the device and at the same place in the file.
    pub together: u64,
    /// Bytes of the first that are its own, or of which nobody says where they lie.
    pub apart: u64,
}

impl Overlap {
    /// Is there nothing more that the first could share with the second?
    pub fn is_whole(&self) -> bool {
        self.apart == 0
    }
}

impl Regular {
    /// What of this file's data lies where that of `other` lies. What is still in memory of either is written first;
    /// both may change meanwhile, and what is told is of no one moment then.
    pub fn overlap(&self, other: &Regular) -> SysResult<Overlap> {
        let mut found = Overlap::default();
        side_by_side(
            Extents::of(self),
            Extents::of(other),
            &mut |extent, common| {
                let together: u64 = common.iter().map(|part| part.to - part.from).sum();
                found.together += together;
                found.apart += extent.length.saturating_sub(together);
                false
            },
        )?;
        Ok(found)
    }

    /// The first stretch at or after `from` whose blocks other files or snapshots have as well, as long as it goes on
    /// without a gap; `None` after the last. It ends with a block, which may be after the end of the file.
    pub fn shared_stretch(&self, from: u64) -> SysResult<Option<Stretch>> {
        let (mut extents, mut found) = (Extents::from(self, from), None);
        while let Some(extent) = extents.next_data()? {
            let part = (extent.flags & SHARED != 0).then(|| Stretch {
                from: extent.logical.max(from),
                to: end(&extent),
            });
            if goes_on(&mut found, part, extent.logical) {
                break;
            }
        }
        Ok(found)
    }

    /// The first stretch at or after `from` that lies where that of `other` lies.
    pub fn common_stretch(&self, other: &Regular, from: u64) -> SysResult<Option<Stretch>> {
        let (own, theirs) = (Extents::from(self, from), Extents::from(other, from));
        let mut found = None;
        side_by_side(own, theirs, &mut |extent, common| {
            let parts = common.iter().map(|part| Stretch {
                from: part.from.max(from),
                to: part.to,
            });
            let parts: Vec<Stretch> = parts.filter(|part| part.from < part.to).collect();
            match parts.is_empty() {
                true => goes_on(&mut found, None, extent.logical),
                false => parts
                    .into_iter()
                    .any(|part| goes_on(&mut found, Some(part), part.from)),
            }
        })?;
        Ok(found)
    }

    /// Makes `destination` have the extents of this file from `from` on, `length` bytes, if it has the same bytes there.
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
fn goes_on(found: &mut Option<Stretch>, part: Option<Stretch>, at: u64) -> bool {
    match (found, part) {
        (Some(stretch), Some(part)) if stretch.to == at => stretch.to = part.to,
        (Some(_), _) => return true,
        (none, part) => *none = part.filter(|part| part.from < part.to),
    }
    false
}

/// Hands out each extent of the first file, with the parts of it that lie where those of the second lie; until it is
/// told that this is enough.
fn side_by_side(
    mut own: Extents<'_>,
    mut theirs: Extents<'_>,
    take: &mut dyn FnMut(&DiskExtent, &[Stretch]) -> bool,
) -> SysResult<()> {
    let mut beside = theirs.next_data()?;
    let mut parts = Vec::new();
    while let Some(extent) = own.next_data()? {
        parts.clear();
        while let Some(other) = beside {
            parts.extend(common(&extent, &other));
            if end(&other) > end(&extent) {
                break;
            }
            beside = theirs.next_data()?;
        }
        if take(&extent, &parts) {
            break;
        }
    }
    Ok(())
}

/// What two extents have at one place of the device and of their files. Of what is encoded, the place of the whole is
/// told, so it is one only where all of it is.
fn common(one: &DiskExtent, other: &DiskExtent) -> Option<Stretch> {
    const NOWHERE: u32 = UNKNOWN | DELAYED | INLINE | UNALIGNED;
    let flags = one.flags | other.flags;
    let [first, second] = [one, other].map(|e| (e.logical, e.physical, e.length));
    if flags & NOWHERE != 0 || flags & ENCODED != 0 && first != second {
        return None;
    }
    let offset = |e: &DiskExtent| e.physical.wrapping_sub(e.logical);
    let from = one.logical.max(other.logical);
    let to = end(one).min(end(other));
    (offset(one) == offset(other) && from < to).then_some(Stretch { from, to })
}

/// The extents of a file, one after the other, some at a time.
struct Extents<'f> {
    file: &'f Regular,
    next: u64,
    held: std::vec::IntoIter<DiskExtent>,
    is_over: bool,
}

impl<'f> Extents<'f> {
    fn of(file: &'f Regular) -> Extents<'f> {
        Extents::from(file, 0)
    }

    fn from(file: &'f Regular, next: u64) -> Extents<'f> {
        Extents {
            file,
            next,
            held: Vec::new().into_iter(),
            is_over: false,
        }
    }

    /// The next that holds data: what is set aside for data and not written yet holds none.
    fn next_data(&mut self) -> SysResult<Option<DiskExtent>> {
        loop {
            if let Some(extent) = self.held.next() {
                if extent.flags & UNWRITTEN != 0 {
                    continue;
                }
                return Ok(Some(extent));
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
