//! What the base knows of the source: which of its files are objects, and which names receipts call one file.

use std::collections::HashMap;

use crate::base::Index;
use crate::engine::records::{History, Linked};
use crate::engine::{EngineError, Guest};
use crate::model::{FileId, GuestPath, ObjectId, Time};

/// What is known of the source.
#[derive(Default)]
pub(super) struct KnownFiles {
    objects: Index,
    /// The number of a file with several names, by each of these.
    files: HashMap<GuestPath, u32>,
    /// The times of files that had another one than their object has.
    times: HashMap<GuestPath, Time>,
}

impl KnownFiles {
    /// What receipts say of the guest whose root this is, by whichever name they know it. Files with one name and no
    /// time of their own need no memory.
    pub fn of(
        objects: Index,
        history: &History,
        source: &Guest,
    ) -> Result<KnownFiles, EngineError> {
        let mut known = KnownFiles {
            objects,
            ..KnownFiles::default()
        };
        let is_meant = |linked: &Linked| linked.paths.len() > 1 || linked.mtime.is_some();
        let mut files = history.by_guest(|name, linked| {
            let its = history.guests.get(name).map(|known| &known.root);
            its == Some(&source.path) && is_meant(linked)
        })?;
        let files = files.values_mut().flat_map(std::mem::take);
        for (linked, number) in files.zip(0..) {
            for path in linked.paths {
                known
                    .times
                    .extend(linked.mtime.map(|mtime| (path.clone(), mtime)));
                known.files.insert(path, number);
            }
        }
        Ok(known)
    }

    /// The object that this inode is.
    pub fn object(&self, inode: FileId) -> Option<ObjectId> {
        self.objects.of_inode(inode).map(|held| held.id)
    }

    /// The number of the file with several names, or a time of its own, that this is a name of.
    pub fn file(&self, path: &GuestPath) -> Option<u32> {
        self.files.get(path).copied()
    }

    /// The file's own time.
    pub fn time(&self, path: &GuestPath) -> Option<Time> {
        self.times.get(path).copied()
    }
}
