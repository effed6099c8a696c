//! Is an object still what its name says? Its flag is off while a batch is in flight, and an interrupted run
//! leaves it off.

use crate::base::Base;
use crate::model::{Ignored, ObjectId};
use crate::sys::hash::metadata_digest;
use crate::sys::{Regular, SysResult};

/// Holes that are read in a moment, even of all objects of a batch.
const READABLE_HOLES: u64 = 256 << 20;

/// Returns the objects that are not what their names say, or that have more holes than there is time to read.
/// Every guest that refers to them has what was written to them.
pub(super) fn unsound(base: &Base, objects: &[ObjectId]) -> SysResult<Vec<ObjectId>> {
    let mut found = Vec::new();
    for id in objects {
        if let Some(file) = base.object(id)? {
            if !is_intact(&file, None, id)? {
                found.push(*id);
            }
        }
    }
    Ok(found)
}

/// Is it what the object's name says, with its time or without, as the policy may have been? `size` is that of a
/// file which was equal, where there is one: a guest can make a file longer by holes than there is time to read.
pub(super) fn is_intact(file: &Regular, size: Option<u64>, id: &ObjectId) -> SysResult<bool> {
    let fits = |ignore: &[Ignored]| {
        let metadata = file.metadata(ignore)?;
        SysResult::Ok(metadata_digest(&metadata) == id.metadata)
    };
    let state = file.state()?;
    let readable = Some(state.size) == size || state.holes() <= READABLE_HOLES;
    let fits = readable && (fits(&[])? || fits(&[Ignored::Mtime])?);
    Ok(fits && file.digest(state.size)? == id.content)
}
