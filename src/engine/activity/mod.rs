//! Is a guest quiet? It is if no process is inside and its tree is mounted nowhere else; a frozen process does
//! not count. And which of its names are mount points?

pub(super) mod budget;
pub(super) mod freeze;
mod guard;

use std::path::Path;

use super::Guest;
use crate::model::{FileId, GuestPath};
use crate::sys::{Cgroup, Dir, Inside, MountTable, SysResult, inside};

/// What was seen of one guest.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity {
    /// What runs in it, as a sentence.
    pub running: Option<String>,
    /// Its processes.
    pub inside: Vec<Inside>,
    /// Does it run, can it be frozen for a moment, and is that allowed?
    pub can_freeze: bool,
    /// Names that something is mounted on, in any namespace; sorted.
    pub covered: Vec<GuestPath>,
}

impl Activity {
    /// Is the name, or a directory on the way to it, covered by a mount?
    pub fn covers(&self, path: &GuestPath) -> bool {
        self.covered.iter().any(|mount| path.is_within(mount))
    }

    /// What keeps its names from being changed.
    pub fn in_the_way(&self) -> Option<&String> {
        self.running.as_ref().filter(|_| !self.can_freeze)
    }
}

/// Looks at all guests at once: one pass over the processes, one over the mount tables. The cgroups in `still`
/// are frozen.
pub(super) fn look<'a>(
    guests: impl Iterator<Item = &'a Guest>,
    still: &[Cgroup],
) -> SysResult<Vec<Activity>> {
    let guests: Vec<&Guest> = guests.collect();
    let roots: Vec<(&Path, FileId)> = guests.iter().map(|g| (g.path.as_path(), g.id)).collect();
    let mounts = MountTable::read(still)?;
    let mut all = Vec::with_capacity(guests.len());
    for (guest, inside) in guests.iter().zip(inside(&roots, still)?) {
        all.push(condition(guest, inside, &mounts)?);
    }
    Ok(all)
}

fn condition(guest: &Guest, inside: Vec<Inside>, mounts: &MountTable) -> SysResult<Activity> {
    let process = inside.first().map(ToString::to_string);
    let place = mounts.place(&guest.root, &guest.path)?;
    let elsewhere = place.as_ref().filter(|tree| mounts.mounted_elsewhere(tree));
    let elsewhere = elsewhere.map(|_| "its tree is mounted in another mount namespace".to_owned());
    Ok(Activity {
        running: process.or(elsewhere),
        inside,
        can_freeze: false,
        covered: place.map_or_else(Vec::new, |tree| mounts.covered(&tree)),
    })
}

/// Names in a directory of ours that something is mounted on, in any namespace.
pub(super) fn covered_in(dir: &Dir, still: &[Cgroup]) -> SysResult<Vec<GuestPath>> {
    let mounts = MountTable::read(still)?;
    let place = mounts.place(dir, dir.path())?;
    Ok(place.map_or_else(Vec::new, |tree| mounts.covered(&tree)))
}
