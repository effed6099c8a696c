//! Which guest's files are on an object: what the base remembers, by object. Whoever asks confirms it by the disk.
//!
//! A guest may have two files on one object that were two before: each has its own names and its own time, and what is
//! written to one is not written to the other.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::Base;
use crate::engine::records::History;
use crate::engine::records::table::{ObjectKey, Table, key_of};
use crate::model::{GuestName, GuestPath, ObjectId, ReceiptGuest, Time};
use crate::sys::SysResult;

/// A file of a guest that was linked to an object and not undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFile {
    /// Its guest's number in [`ObjectNames::guests`].
    pub guest: usize,
    /// Its names.
    pub paths: Vec<GuestPath>,
    /// Its own time, where that is not the object's: seconds and nanoseconds.
    mtime: Option<(i64, u32)>,
}

impl ObjectFile {
    /// A file of these names.
    pub fn new(guest: usize, paths: Vec<GuestPath>, mtime: Option<Time>) -> ObjectFile {
        let mtime = mtime.map(|time| (time.sec, time.nsec));
        ObjectFile {
            guest,
            paths,
            mtime,
        }
    }

    /// Its own time, where that is not the object's.
    pub fn mtime(&self) -> Option<Time> {
        self.mtime.map(|(sec, nsec)| Time { sec, nsec })
    }
}

/// All of them.
#[derive(Debug)]
pub struct ObjectNames {
    table: Table,
    guests: Vec<(GuestName, PathBuf)>,
}

#[derive(Serialize)]
enum ObjectNamesKey {
    Files(ObjectKey),
}

impl ObjectNames {
    /// Reads what the base remembers. `watch` is called for each file; its error ends the reading.
    pub fn read(
        base: &Base,
        history: &History,
        watch: &dyn Fn() -> SysResult<()>,
    ) -> SysResult<ObjectNames> {
        let known = history.guests.iter();
        let guests = known.map(|(name, known)| (name.clone(), known.root.clone()));
        let mut names = ObjectNames {
            table: Table::new(base.spill_place()),
            guests: guests.collect(),
        };
        for file in history.files() {
            watch()?;
            let (guest, file) = file?;
            let at = names.guests.binary_search_by(|(name, _)| name.cmp(guest));
            if let Ok(at) = at {
                let key = ObjectNamesKey::Files(key_of(&file.object));
                let named = ObjectFile::new(at, file.paths, file.mtime);
                names.table.put(&key, &named)?;
            }
        }
        Ok(names)
    }

    /// Files that were on the object.
    pub fn files(&self, object: &ObjectId) -> SysResult<Vec<ObjectFile>> {
        let key = ObjectNamesKey::Files(key_of(object));
        self.table.all(&key)?.collect()
    }

    /// All guests, and where they were last.
    pub fn guests(&self) -> &[(GuestName, PathBuf)] {
        &self.guests
    }

    /// Where a guest was last.
    pub fn root_of(&self, guest: &GuestName) -> Option<&Path> {
        let at = self.guests.binary_search_by(|(name, _)| name.cmp(guest));
        let (_, root) = self.guests.get(at.ok()?)?;
        Some(root)
    }

    /// As receipts name them.
    pub fn for_receipt(&self) -> Vec<ReceiptGuest> {
        let guests = self.guests.iter().cloned();
        guests
            .map(|(name, root)| ReceiptGuest { name, root })
            .collect()
    }
}
