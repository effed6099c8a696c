//! Hard links cross neither file systems, nor subvolumes, nor mounts: guests and base must be seen by one mount, and
//! that must be writable. Where they are not, it is said what is so, and only what helps is advised.

use std::path::{Path, PathBuf};

use crate::engine::error::CannotHere;
use crate::engine::{EngineError, Guest};
use crate::model::FileId;
use crate::sys::host::machine;
use crate::sys::{Dir, HostMounts, SysResult};

/// Refuses guests that no base can serve together, and a base that cannot serve these; `place` is the base's directory,
/// or the one that it will be made in.
pub fn one_mount(guests: &[Guest], base: &Path, place: &Dir) -> Result<(), EngineError> {
    for guest in guests {
        if machine::is_read_only(&guest.root)? {
            return Err(CannotHere::ReadOnly(guest.path.clone()).into());
        }
    }
    let Some((first, others)) = guests.split_first() else {
        return Ok(());
    };
    for other in others {
        if let Some(apart) = apart(&first.root, &other.root)? {
            return Err(CannotHere::GuestsApart {
                one: first.path.clone(),
                other: other.path.clone(),
                apart,
                seen_at: by_one_mount(first, other).unwrap_or_default(),
            }
            .into());
        }
    }
    match apart(&first.root, place)? {
        None => Ok(()),
        Some(apart) => Err(CannotHere::OtherMount {
            guest: first.path.clone(),
            base: base.to_owned(),
            apart,
            seen_at: beside_others(first),
        }
        .into()),
    }
}

/// The roots of guests that no hard link from this place, the base's directory or the one that it will be made in, can
/// reach.
pub fn not_reached(guests: &[Guest], place: &Dir) -> SysResult<Vec<FileId>> {
    let mut beyond = Vec::new();
    for guest in guests {
        beyond.extend(apart(&guest.root, place)?.map(|_| guest.id));
    }
    Ok(beyond)
}

/// On different what?
fn apart(one: &Dir, other: &Dir) -> SysResult<Option<&'static str>> {
    let one_device = one.state()?.id.dev == other.state()?.id.dev;
    let one_mount = one.mount_id()? == other.mount_id()?;
    Ok(match (one_device, one_mount) {
        (true, true) => None,
        (true, false) => Some("mounts of one file system"),
        (false, true) => Some("subvolumes"),
        (false, false) => Some("file systems"),
    })
}

/// Paths of both that lead through one mount.
fn by_one_mount(one: &Guest, other: &Guest) -> Option<Vec<PathBuf>> {
    let mounts = HostMounts::read().ok()?;
    let others = seen(&mounts, &other.path);
    for (path, dir) in seen(&mounts, &one.path) {
        let same = |(_, there): &&(PathBuf, Dir)| matches!(apart(&dir, there), Ok(None));
        if let Some((there, _)) = others.iter().find(same) {
            return Some(vec![path, there.clone()]);
        }
    }
    None
}

/// A path of the guest whose directory is on the same mount, so that a base can be beside it.
fn beside_others(guest: &Guest) -> Option<PathBuf> {
    let is_beside = |path: &Path, dir: &Dir| {
        let above = path.parent().and_then(|above| Dir::open(above).ok());
        above.is_some_and(|above| matches!(apart(dir, &above), Ok(None)))
    };
    if is_beside(&guest.path, &guest.root) {
        return Some(guest.path.clone());
    }
    let mounts = HostMounts::read().ok()?;
    let mut all = seen(&mounts, &guest.path).into_iter();
    let found = all.find(|(path, dir)| is_beside(path, dir))?;
    Some(found.0)
}

/// The directory by all paths that show it here, opened; only where none has to be waited for.
fn seen(mounts: &HostMounts, path: &Path) -> Vec<(PathBuf, Dir)> {
    let place = mounts.place(path);
    let paths = place.map_or_else(Vec::new, |place| mounts.paths_of(&place));
    let local = paths.into_iter().filter(|path| mounts.is_local(path));
    let open = |path: PathBuf| Some((path.clone(), Dir::open(&path).ok()?));
    local.filter_map(open).collect()
}
