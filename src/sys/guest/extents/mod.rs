//! Where the data of a file lie, where that says what its content is: two files whose extents are all the same share
//! their content. And what of a file's room is its own: extents that other files or snapshots have as well do not come
//! back when it goes.

mod blocks;
mod held;
mod overlap;

use std::io;
use std::sync::OnceLock;

use crate::model::{Digest, DiskRoom};
use crate::sys::hash::ContentHasher;
use crate::sys::{Regular, ffi};

pub use held::HeldMap;
pub use overlap::{Overlap, SharedPart};

/// `FIEMAP_EXTENT_SHARED` of `linux/fiemap.h`: other files have it, too.
pub(super) const SHARED: u32 = 0x2000;

/// `FIEMAP_EXTENT_ENCODED`: compressed, for instance; how much room it takes is not told.
pub(super) const ENCODED: u32 = 0x8;

/// `FIEMAP_EXTENT_DATA_INLINE`: all of it lies with the metadata, whose room comes back in other pieces.
pub(super) const INLINE: u32 = 0x200;

/// `FIEMAP_EXTENT_UNKNOWN`, also set for what is not written yet.
pub(super) const UNKNOWN: u32 = 0x2;

/// `FIEMAP_EXTENT_DELALLOC`: it has no place yet.
pub(super) const DELAYED: u32 = 0x4;

/// `FIEMAP_EXTENT_NOT_ALIGNED`: it does not begin where a block does.
pub(super) const UNALIGNED: u32 = 0x100;

/// `FIEMAP_EXTENT_UNWRITTEN`: it is set aside, and reads as zeros.
pub(super) const UNWRITTEN: u32 = 0x800;

/// `FIEMAP_EXTENT_LAST` and `FIEMAP_EXTENT_MERGED`: they say nothing about the content. With any other flag the content
/// is not simply what stands at that place: it is not written yet, compressed, encrypted, or beside the metadata.
const MEANINGLESS: u32 = 0x1 | 0x1000;

/// Files in more extents than this are read: nobody asks for a map of millions.
pub(super) const MOST: usize = 1 << 14;

/// Extents that are asked for at once.
pub(super) const AT_ONCE: usize = 64;

/// Whether files of one file system can share extents at all: tried with the first file that is asked about, by a call
/// that changes nothing, and believed of all others. Where they cannot, no file is asked.
#[derive(Debug, Default)]
pub struct Sharing(OnceLock<bool>);

impl Sharing {
    /// Is it known that no file shares extents?
    pub fn is_ruled_out(&self) -> bool {
        self.0.get() == Some(&false)
    }

    /// Can this file share extents with others?
    pub fn is_possible(&self, file: &Regular) -> bool {
        *self
            .0
            .get_or_init(|| ffi::deduplicate_to_nowhere(file.fd()).is_ok())
    }

    /// What comes back when this file goes, of so many allocated bytes, and has no other name.
    pub fn room(&self, file: &Regular, allocated: u64) -> DiskRoom {
        match self.is_possible(file) {
            true => file.room(allocated),
            false => DiskRoom::own(allocated),
        }
    }
}

impl Regular {
    /// Number of extents; `None` where the file system does not tell.
    pub fn extents(&self) -> Option<u32> {
        ffi::fiemap::<0>(self.fd(), 0, 0).ok().map(|(all, _)| all)
    }

    /// Where its content begins on the device, where the file system tells.
    pub fn place(&self) -> Option<u64> {
        let (told, [first]) = ffi::fiemap::<1>(self.fd(), 0, 0).ok()?;
        (told == 1 && first.flags & (UNKNOWN | INLINE) == 0).then_some(first.physical)
    }

    /// All extents of the file as one number, where it shares every one of them with others; `None` where it does not,
    /// or where nobody tells. What is still in memory of it is written first: a file that shares its extents on disk
    /// may have other content there.
    pub fn shared_extents(&self) -> Option<Digest> {
        // Most files share nothing, and need not be written for that answer.
        let first = self.extents_from(0, false).ok()?;
        first.first().filter(|extent| is_shared(extent))?;
        let (mut hasher, mut from, mut count) = (ContentHasher::new(), 0, 0);
        loop {
            let some = self.extents_from(from, true).ok()?;
            let Some(last) = some.last() else {
                return Some(hasher.finish());
            };
            if !some.iter().all(is_shared) || count > MOST {
                return None;
            }
            for extent in &some {
                let numbers = [extent.logical, extent.physical, extent.length];
                let numbers = numbers.map(u64::to_le_bytes);
                hasher.update(numbers.as_flattened());
            }
            (from, count) = (last.logical.checked_add(last.length)?, count + some.len());
        }
    }

    /// What of the allocated bytes is the file's own. Where that is not told, it is not sure of any; of a file in very
    /// many extents only the first are asked about, and nothing is promised of the others.
    fn room(&self, allocated: u64) -> DiskRoom {
        let (mut room, mut from, mut count) = (RoomCount::default(), 0, 0);
        loop {
            let Ok(some) = self.extents_from(from, false) else {
                return DiskRoom::unsure(allocated);
            };
            some.iter().for_each(|extent| room.take(extent));
            count += some.len();
            let end = some
                .last()
                .map(|last| last.logical.checked_add(last.length));
            match end {
                Some(Some(next)) if some.len() == AT_ONCE && count <= MOST => from = next,
                _ => return room.of(allocated),
            }
        }
    }

    /// The next extents from a place on; none after the last.
    pub(super) fn extents_from(&self, from: u64, sync: bool) -> io::Result<Vec<ffi::DiskExtent>> {
        let (told, extents) = ffi::fiemap::<AT_ONCE>(self.fd(), from, u32::from(sync))?;
        let told = usize::try_from(told).unwrap_or(0);
        Ok(extents[..told.min(AT_ONCE)].to_vec())
    }
}

/// What extents take, added up.
#[derive(Default)]
struct RoomCount {
    room: DiskRoom,
    /// Bytes that nothing else has, and that are stored as they are.
    plain: u64,
    is_inline: bool,
}

impl RoomCount {
    fn take(&mut self, extent: &ffi::DiskExtent) {
        self.is_inline |= extent.flags & INLINE != 0;
        let sum = match extent.flags {
            flags if flags & SHARED != 0 => &mut self.room.shared,
            flags if flags & ENCODED != 0 => &mut self.room.unsure,
            _ => &mut self.plain,
        };
        *sum = sum.saturating_add(extent.length);
    }

    /// Of a file of so many allocated bytes.
    fn of(self, allocated: u64) -> DiskRoom {
        match self.is_inline {
            true => DiskRoom::unsure(allocated),
            false => self.room.of(allocated, self.plain),
        }
    }
}

fn is_shared(extent: &ffi::DiskExtent) -> bool {
    extent.flags & !MEANINGLESS == SHARED && extent.length > 0
}
