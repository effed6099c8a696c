//! Reflinks stay on one file system and cross its subvolumes and mounts: which those are, the table of mounts tells,
//! for the device of a subvolume is another one for `stat`. The base is there as well: what is taken back passes
//! through it.

use std::path::Path;

use crate::engine::error::CannotHere;
use crate::engine::{EngineError, Guest};
use crate::sys::host::machine;
use crate::sys::{Dir, HostMounts};

/// Refuses guests that cannot have blocks in common, and a base on another file system; `place` is the base's
/// directory, or the one that it will be made in.
pub fn one_filesystem(guests: &[Guest], base: &Path, place: &Dir) -> Result<(), EngineError> {
    for guest in guests {
        if machine::is_read_only(&guest.root)? {
            return Err(CannotHere::ReadOnly(guest.path.clone()).into());
        }
    }
    let Some((first, others)) = guests.split_first() else {
        return Ok(());
    };
    let mounts = HostMounts::read()?;
    for other in others {
        if !is_one(
            &mounts,
            (&first.path, &first.root),
            (&other.path, &other.root),
        )? {
            let (one, other) = (first.path.clone(), other.path.clone());
            return Err(CannotHere::BlocksApart { one, other }.into());
        }
    }
    match is_one(&mounts, (&first.path, &first.root), (place.path(), place))? {
        true => Ok(()),
        false => Err(CannotHere::BlocksApart {
            one: first.path.clone(),
            other: base.to_owned(),
        }
        .into()),
    }
}

fn is_one(
    mounts: &HostMounts,
    one: (&Path, &Dir),
    other: (&Path, &Dir),
) -> Result<bool, EngineError> {
    let same_device = one.1.state()?.id.dev == other.1.state()?.id.dev;
    Ok(same_device || mounts.are_of_one_filesystem(one.0, other.0))
}
