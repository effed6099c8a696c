//! Where the data of a file lie, where that says what its content is: two files whose extents are all the same share
//! their content.

use crate::model::Digest;
use crate::sys::hash::ContentHasher;
use crate::sys::{Regular, ffi};

/// `FIEMAP_EXTENT_SHARED` of `linux/fiemap.h`: other files have it, too.
const SHARED: u32 = 0x2000;

/// `FIEMAP_EXTENT_LAST` and `FIEMAP_EXTENT_MERGED`: they say nothing about the content. With any other flag the content
/// is not simply what stands at that place: it is not written yet, compressed, encrypted, or beside the metadata.
const MEANINGLESS: u32 = 0x1 | 0x1000;

/// Files in more extents than this are read: nobody asks for a map of millions.
const MOST: usize = 1 << 14;

impl Regular {
    /// All extents of the file as one number, where it shares every one of them with others; `None` where it does not,
    /// or where nobody tells. What is still in memory of it is written first: a file that shares its extents on disk
    /// may have other content there.
    pub fn shared_extents(&self) -> Option<Digest> {
        // Most files share nothing, and need not be written for that answer.
        let first = ffi::extents(self.fd(), 0, false).ok()?;
        first.first().filter(|extent| is_shared(extent))?;
        let (mut hasher, mut from, mut count) = (ContentHasher::new(), 0, 0);
        loop {
            let some = ffi::extents(self.fd(), from, true).ok()?;
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
}

fn is_shared(extent: &ffi::DiskExtent) -> bool {
    extent.flags & !MEANINGLESS == SHARED && extent.length > 0
}
