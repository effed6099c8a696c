//! Directories that are immutable or append-only: no name in them can be exchanged, so nothing is planned there.

use std::collections::HashMap;

use super::matching::Which;
use super::probe::Dropped;
use super::survey::Survey;
use crate::model::SkipReason;

/// Asks each directory once.
pub(super) struct FixedDirectories<'a> {
    surveys: &'a [Survey],
    known: HashMap<(u32, Vec<u8>), bool>,
}

impl<'a> FixedDirectories<'a> {
    pub fn new(surveys: &'a [Survey]) -> FixedDirectories<'a> {
        let known = HashMap::new();
        FixedDirectories { surveys, known }
    }

    /// Takes out of `files` those with a name in such a directory.
    pub fn take_out(&mut self, files: &mut Vec<Which>, dropped: &mut Vec<(Which, Dropped)>) {
        files.retain(|which| {
            let free = !self.holds(*which);
            if !free {
                let (reason, note) = (SkipReason::FixedDirectory, None);
                dropped.push((*which, Dropped { reason, note }));
            }
            free
        });
    }

    fn holds(&mut self, which: Which) -> bool {
        let tree = &self.surveys[which.guest as usize].scan.tree;
        let names = tree.names_of(which.file as usize);
        names.into_iter().any(|name| {
            let mut parent = tree.path(name);
            parent.truncate(parent.iter().rposition(|&b| b == b'/').unwrap_or(0));
            self.is_fixed(which.guest, parent)
        })
    }

    /// What cannot be asked is not known to be fixed; its file will tell why it cannot be read.
    fn is_fixed(&mut self, guest: u32, directory: Vec<u8>) -> bool {
        let dir = self.surveys[guest as usize].view.dir();
        let entry = self.known.entry((guest, directory));
        *entry.or_insert_with_key(|(_, path)| {
            let relative = path.get(1..).unwrap_or_default();
            dir.is_fixed(relative).unwrap_or(false)
        })
    }
}
