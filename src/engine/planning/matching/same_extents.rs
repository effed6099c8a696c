//! Files that share all their extents have the same content, and only one of them need be read: a guest makes thousands
//! of such copies in no time and for no room, and each would cost a plan as much as a real one.
//!
//! Where a file's data lie is asked of the file system (`FS_IOC_FIEMAP`) after what is still in memory was written, and
//! counts only where all of it is written data that stands there as it is read. It is asked again of both files when
//! the one was read; that neither changed meanwhile, their states say then, as for every file.

use std::collections::HashMap;

use super::compare::Reader;
use super::file::{FileRef, ReadFile};
use super::probe::{DataPlace, Dropped, SMALL};

/// Files that were read one after the other: their places in the list of those, by where their data lie.
pub(super) type ByExtents = HashMap<DataPlace, usize>;

impl Reader<'_> {
    /// Reads a file to its end, unless one before it has all its extents.
    pub(super) fn whole_unless_shared(
        &self,
        which: FileRef,
        before: &[ReadFile],
        places: &mut ByExtents,
    ) -> Result<ReadFile, Dropped> {
        if self.size(which) < SMALL || self.is_remembered(which) {
            return self.whole(which);
        }
        let opened = self.open_for_now(which)?;
        let Some(extents) = opened.shared_extents(self.sharing) else {
            drop(opened);
            return self.whole(which);
        };
        let known = places.get(&extents).and_then(|at| before.get(*at));
        if let Some(known) = known.filter(|known| self.still_has(known.which, extents))
            && opened.shared_extents(self.sharing) == Some(extents)
        {
            opened.unchanged()?;
            return Ok(ReadFile {
                which,
                probed: opened.probed,
                ..*known
            });
        }
        drop(opened);
        let read = self.whole(which)?;
        if self.still_has(which, extents) {
            places.insert(extents, before.len());
        }
        Ok(read)
    }

    fn is_remembered(&self, which: FileRef) -> bool {
        let state = self.state(which);
        self.memory
            .whole(which, &state, &self.policy.ignore)
            .is_some()
    }

    /// Is it what was read, and do its data lie where they lay?
    fn still_has(&self, which: FileRef, extents: DataPlace) -> bool {
        self.open_for_now(which).is_ok_and(|file| {
            file.shared_extents(self.sharing) == Some(extents) && file.unchanged().is_ok()
        })
    }
}
