//! Which guest's files are on an object: what the base remembers, by object. Whoever asks confirms it by the disk.
//!
//! A guest may have two files on one object that were two before: each has its own names and its own time, and what is
//! written to one is not written to the other.

use std::collections::HashMap;
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
            if let Some(at) = names.number_of(guest) {
                names.put(at, &file.object, file.paths, file.mtime)?;
            }
        }
        Ok(names)
    }

    /// Files on the object that are newer than what the base remembers: their names are no other file's. Of a guest
    /// that it does not know there are none. Where one is a file that was known, its own time is that file's.
    pub fn add(
        &mut self,
        object: &ObjectId,
        files: Vec<(&GuestName, Vec<GuestPath>)>,
    ) -> SysResult<()> {
        let numbered = files.into_iter();
        let numbered =
            numbered.filter_map(|(guest, paths)| Some((self.number_of(guest)?, paths, None)));
        let mut new: Vec<(usize, Vec<GuestPath>, Option<Time>)> = numbered.collect();
        let mut whose: HashMap<(usize, GuestPath), usize> = HashMap::new();
        for (file, (guest, paths, _)) in new.iter().enumerate() {
            whose.extend(paths.iter().map(|path| ((*guest, path.clone()), file)));
        }
        let mut left = self.files(object)?;
        for known in &mut left {
            let (guest, mtime) = (known.guest, known.mtime());
            let taken = known.paths.first().cloned();
            known
                .paths
                .retain(|path| !whose.contains_key(&(guest, path.clone())));
            let file = taken.filter(|_| known.paths.is_empty());
            let file = file.and_then(|path| whose.get(&(guest, path)));
            if let Some((_, _, of)) = file.and_then(|file| new.get_mut(*file)) {
                *of = of.or(mtime);
            }
        }
        self.table.remove(&ObjectNamesKey::Files(key_of(object)))?;
        let left = left.into_iter().filter(|file| !file.paths.is_empty());
        let left = left.map(|file| (file.guest, file.mtime(), file.paths));
        let new = new.into_iter().map(|(at, paths, mtime)| (at, mtime, paths));
        for (at, mtime, paths) in left.chain(new) {
            self.put(at, object, paths, mtime)?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        at: usize,
        object: &ObjectId,
        paths: Vec<GuestPath>,
        mtime: Option<Time>,
    ) -> SysResult<()> {
        let key = ObjectNamesKey::Files(key_of(object));
        let named = ObjectFile::new(at, paths, mtime);
        self.table.put(&key, &named)
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

    /// The number of a guest.
    pub fn number_of(&self, guest: &GuestName) -> Option<usize> {
        let at = self.guests.binary_search_by(|(name, _)| name.cmp(guest));
        at.ok()
    }

    /// Where a guest was last.
    pub fn root_of(&self, guest: &GuestName) -> Option<&Path> {
        let (_, root) = self.guests.get(self.number_of(guest)?)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, MetadataDigest};

    #[test]
    fn a_name_of_a_newer_file_is_no_older_file_s() {
        let place = tempfile::tempdir().expect("a directory");
        let web = GuestName::new("web").expect("a name");
        let object = ObjectId {
            content: Digest([1; 32]),
            metadata: MetadataDigest([2; 16]),
            generation: 0,
        };
        let paths = |all: &[&str]| -> Vec<GuestPath> {
            let all = all.iter();
            all.map(|path| GuestPath::new(path.as_bytes()).expect("a path"))
                .collect()
        };
        let time = |sec| Some(Time { sec, nsec: 0 });
        let mut names = ObjectNames {
            table: Table::new(place.path()),
            guests: vec![(web.clone(), PathBuf::from("/web"))],
        };
        let mut put = |all: &[&str], mtime| names.put(0, &object, paths(all), mtime);
        put(&["/a", "/a2"], time(1)).expect("room");
        put(&["/c"], time(2)).expect("room");
        let unknown = GuestName::new("db").expect("a name");
        let new = vec![
            (&web, paths(&["/a"])),
            (&web, paths(&["/c"])),
            (&unknown, paths(&["/d"])),
        ];
        names.add(&object, new).expect("room");
        let mut files = names.files(&object).expect("they are there");
        files.sort_by(|a, b| a.paths.cmp(&b.paths));
        let want = [(&["/a"], None), (&["/a2"], time(1)), (&["/c"], time(2))];
        let want = want.map(|(all, mtime)| ObjectFile::new(0, paths(all), mtime));
        assert_eq!(files, want);
    }
}
