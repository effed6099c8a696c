//! The map of a file as it was at one moment, for those who ask it more than one thing.

use std::convert::Infallible;

use super::overlap::common_parts;
use super::{AT_ONCE, Overlap, RoomCount, UNWRITTEN};
use crate::model::DiskRoom;
use crate::sys::fault::call;
use crate::sys::ffi::DiskExtent;
use crate::sys::{Regular, SysError, SysResult};

/// The extents of a file as they were at one moment.
#[derive(Debug)]
pub struct HeldMap {
    size: u64,
    extents: Vec<DiskExtent>,
}

impl Regular {
    /// The extents of this file of so many bytes; `None` where they are more than are held. What is still in memory of
    /// it is written first.
    pub fn held_map(&self, size: u64) -> SysResult<Option<HeldMap>> {
        let extents = call("fiemap", || self.extents_from(0, true))
            .map_err(|e| SysError::new("ask for the extents of", self.path(), e))?;
        Ok((extents.len() < AT_ONCE).then_some(HeldMap { size, extents }))
    }
}

impl HeldMap {
    /// What of this file's data lay where that of the other lay.
    pub fn overlap(&self, other: &HeldMap) -> Overlap {
        let (mut own, mut theirs) = (self.data(), other.data());
        let (mut own, mut theirs) = (|| Ok(own.next()), || Ok(theirs.next()));
        let mut together = 0;
        let Ok(all) = common_parts::<Infallible>(&mut own, &mut theirs, &mut |part| {
            together += part.to - part.from;
            false
        });
        Overlap::of(together, all)
    }

    /// What of so many allocated bytes was the file's own.
    pub fn room(&self, allocated: u64) -> DiskRoom {
        let mut count = RoomCount::default();
        self.extents.iter().for_each(|extent| count.take(extent));
        count.of(allocated)
    }

    /// Those that hold data, up to the end of the file.
    fn data(&self) -> impl Iterator<Item = DiskExtent> + '_ {
        let within = |extent: &&DiskExtent| extent.logical < self.size;
        let all = self.extents.iter().filter(|e| e.flags & UNWRITTEN == 0);
        all.take_while(within).copied()
    }
}
