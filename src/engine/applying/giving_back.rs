//! What cannot be given back is not adopted: a copy must be able to have the file's project, and to take its place in
//! every directory that holds a name of it. A plan tried that, and directories may have changed since.

use std::collections::HashMap;

use crate::engine::Guest;
use crate::model::{GuestPath, NameLimits};
use crate::sys::{Dir, Regular, SysResult};

/// What was tried in this run, and seen in this batch.
#[derive(Default)]
pub(super) struct GivingBack {
    /// Projects that were met, and whether a copy can be given them.
    projects: HashMap<u32, bool>,
    /// Directories by the number of their guest; `None` where they cannot be asked.
    directories: HashMap<(usize, GuestPath), Option<NameLimits>>,
}

impl GivingBack {
    /// Guests may change their directories between batches.
    pub fn next_batch(&mut self) {
        self.directories.clear();
    }

    /// Can a copy from `base` take the place of the file at all these names of the guest?
    pub fn can<'n>(
        &mut self,
        base: &Dir,
        file: &Regular,
        (number, guest): (usize, &Guest),
        mut names: impl Iterator<Item = &'n GuestPath>,
    ) -> bool {
        let Ok(project) = file.project() else {
            return false;
        };
        let tried = self.projects.entry(project);
        let gives = *tried.or_insert_with(|| project == 0 || base.gives_project(project));
        gives && names.all(|name| self.takes_in(number, guest, name.parent(), project))
    }

    fn takes_in(&mut self, number: usize, guest: &Guest, dir: GuestPath, project: u32) -> bool {
        let known = self.directories.entry((number, dir));
        let limits = *known.or_insert_with_key(|(_, dir)| limits(guest, dir).ok());
        limits.is_some_and(|limits| limits.takes_in(project))
    }
}

fn limits(guest: &Guest, dir: &GuestPath) -> SysResult<NameLimits> {
    let dir = guest.root.open_dir(dir.relative())?;
    Ok(dir.state_and_limits()?.1)
}
