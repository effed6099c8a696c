//! Is a guest quiet? Nobody inside, its tree mounted nowhere else; and which of its names are mount points.

use std::path::Path;

use super::Guest;
use super::holding::Running;
use crate::model::{FileId, GuestPath};
use crate::sys::{MountTable, SysResult, Weak, inside, weak};

/// What was seen of one guest.
#[derive(Debug, Clone, Default)]
pub(super) struct Condition {
    /// Who runs in it, as a sentence.
    pub running: Option<String>,
    /// Names that something is mounted on, in any namespace; sorted.
    pub covered: Vec<GuestPath>,
}

impl Condition {
    /// Is the name, or a directory on the way to it, covered by a mount?
    pub fn covers(&self, path: &GuestPath) -> bool {
        let covered = self.covered.iter().any(|mount| path.is_within(mount));
        covered && !weak(Weak::NoMountCheck)
    }
}

/// Looks at all guests at once: one pass over the processes, one over the mount tables.
pub(super) fn look<'a>(guests: impl Iterator<Item = &'a Guest>) -> SysResult<Vec<Condition>> {
    let guests: Vec<&Guest> = guests.collect();
    let roots: Vec<(&Path, FileId)> = guests.iter().map(|g| (g.path.as_path(), g.id)).collect();
    let mounts = MountTable::read()?;
    let mut all = Vec::with_capacity(guests.len());
    for (guest, process) in guests.iter().zip(inside(&roots)?) {
        all.push(condition(guest, process.map(|p| p.to_string()), &mounts)?);
    }
    Ok(all)
}

fn condition(guest: &Guest, process: Option<String>, mounts: &MountTable) -> SysResult<Condition> {
    let Some(tree) = mounts.place(&guest.root, &guest.path)? else {
        return Ok(Condition {
            running: process,
            covered: Vec::new(),
        });
    };
    let elsewhere = mounts
        .mounted_elsewhere(&tree)
        .then(|| "its tree is mounted in another mount namespace".to_owned());
    Ok(Condition {
        running: process
            .or(elsewhere)
            .filter(|_| !weak(Weak::ThawWhileRunning)),
        covered: mounts.covered(&tree),
    })
}

/// Who is inside any of the guests, if anybody is.
pub(super) fn anybody(guests: &[&Guest]) -> SysResult<Option<Running>> {
    let conditions = look(guests.iter().copied())?;
    let running = guests
        .iter()
        .zip(conditions)
        .find_map(|(guest, condition)| Some((guest.name.clone(), condition.running?)));
    Ok(running)
}
