//! The files that a base remembers, which may be too many for the memory: by their first names, and those by the
//! others. The rules of who has which name are here, and nothing else.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Digest, GuestPath, MetadataDigest, ObjectId, RunId, Time};
use crate::sys::{Shelf, SysError, SysResult};

/// A file of a guest that was linked and not undone.
#[derive(Debug, Clone)]
pub(super) struct Linked {
    /// All its names.
    pub paths: Vec<GuestPath>,
    pub object: ObjectId,
    /// The run that linked it last.
    pub run: RunId,
    /// Its own time, where that is not the object's.
    pub mtime: Option<Time>,
    /// Did the run that linked it protect its objects?
    pub protected: bool,
}

/// In front of a key: a file by its first name, or the first name by another.
const FILE: u8 = 0;
const OTHER: u8 = 1;

/// Files of guests; a guest is a number from 0 on.
#[derive(Debug)]
pub(super) struct Remembered {
    shelf: Shelf,
    base: PathBuf,
    /// Of each guest, how many.
    counts: Vec<u64>,
    /// The runs that files tell by number.
    runs: Vec<RunId>,
}

/// A file as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    paths: Vec<GuestPath>,
    object: ([u8; 32], [u8; 16], u32),
    run: u32,
    mtime: Option<(i64, u32)>,
    protected: bool,
}

impl Remembered {
    pub fn new(base: &Path) -> Remembered {
        Remembered {
            shelf: Shelf::new(base),
            base: base.to_owned(),
            counts: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// How many files of the guest.
    pub fn count(&self, guest: u32) -> u64 {
        self.counts.get(guest as usize).copied().unwrap_or_default()
    }

    /// The file with this first name.
    pub fn file(&self, guest: u32, first: &GuestPath) -> SysResult<Option<Linked>> {
        let kept = self.shelf.get(&key(FILE, guest, first))?;
        kept.map(|bytes| self.read(&bytes)).transpose()
    }

    /// All files, with their guests; in no order that means anything.
    pub fn all(&self) -> impl Iterator<Item = SysResult<(u32, Linked)>> {
        self.shelf.entries().filter_map(|entry| {
            let (key, bytes) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let guest = guest_of_file(&key)?;
            Some(self.read(&bytes).map(|linked| (guest, linked)))
        })
    }

    /// Names that were another file's are this one's now; the other keeps the rest.
    pub fn link(&mut self, guest: u32, linked: &Linked) -> SysResult<()> {
        let taken: HashSet<&GuestPath> = linked.paths.iter().collect();
        for name in &linked.paths {
            if let Some(mut other) = self.take_out(guest, name)? {
                other.paths.retain(|path| !taken.contains(path));
                self.put_in(guest, &other)?;
            }
        }
        self.put_in(guest, linked)
    }

    /// The file that has any of these names is nobody's but its guest's.
    pub fn forget(&mut self, guest: u32, names: &[GuestPath]) -> SysResult<()> {
        for name in names {
            if self.take_out(guest, name)?.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn put_in(&mut self, guest: u32, linked: &Linked) -> SysResult<()> {
        let Some((first, others)) = linked.paths.split_first() else {
            return Ok(());
        };
        for name in others.iter().filter(|name| *name != first) {
            self.shelf.put(&key(OTHER, guest, name), first.as_bytes())?;
        }
        let kept = self.write(linked)?;
        self.shelf.put(&key(FILE, guest, first), &kept)?;
        if self.counts.len() <= guest as usize {
            self.counts.resize(guest as usize + 1, 0);
        }
        self.counts[guest as usize] += 1;
        Ok(())
    }

    /// The file that has this name, no more among the others.
    fn take_out(&mut self, guest: u32, name: &GuestPath) -> SysResult<Option<Linked>> {
        let first = self.shelf.get(&key(OTHER, guest, name))?;
        let first = match &first {
            Some(bytes) => &GuestPath::new(bytes).map_err(|e| self.damaged(e))?,
            None => name,
        };
        let Some(linked) = self.file(guest, first)? else {
            return Ok(None);
        };
        self.shelf.remove(&key(FILE, guest, first))?;
        for name in linked.paths.iter().skip(1) {
            self.shelf.remove(&key(OTHER, guest, name))?;
        }
        if let Some(count) = self.counts.get_mut(guest as usize) {
            *count -= 1;
        }
        Ok(Some(linked))
    }

    fn write(&mut self, linked: &Linked) -> SysResult<Vec<u8>> {
        let ObjectId {
            content,
            metadata,
            generation,
        } = linked.object;
        let kept = Kept {
            paths: linked.paths.clone(),
            object: (content.0, metadata.0, generation),
            run: self.number_of(&linked.run),
            mtime: linked.mtime.map(|time| (time.sec, time.nsec)),
            protected: linked.protected,
        };
        postcard::to_allocvec(&kept).map_err(|e| self.damaged(e))
    }

    fn read(&self, bytes: &[u8]) -> SysResult<Linked> {
        let kept: Kept = postcard::from_bytes(bytes).map_err(|e| self.damaged(e))?;
        let (content, metadata, generation) = kept.object;
        let run = self.runs.get(kept.run as usize).cloned();
        Ok(Linked {
            paths: kept.paths,
            object: ObjectId {
                content: Digest(content),
                metadata: MetadataDigest(metadata),
                generation,
            },
            run: run.ok_or_else(|| self.damaged("no such run"))?,
            mtime: kept.mtime.map(|(sec, nsec)| Time { sec, nsec }),
            protected: kept.protected,
        })
    }

    /// Files of one run come together.
    fn number_of(&mut self, run: &RunId) -> u32 {
        let known = self.runs.iter().rposition(|known| known == run);
        let at = known.unwrap_or_else(|| {
            self.runs.push(run.clone());
            self.runs.len() - 1
        });
        at as u32
    }

    fn damaged(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SysError {
        SysError::new(
            "use what is remembered of",
            &self.base,
            io::Error::other(error),
        )
    }
}

fn key(kind: u8, guest: u32, name: &GuestPath) -> Vec<u8> {
    [&[kind], &guest.to_le_bytes()[..], name.as_bytes()].concat()
}

/// The guest, where the key is that of a file.
fn guest_of_file(key: &[u8]) -> Option<u32> {
    let (guest, _) = key.strip_prefix(&[FILE])?.split_first_chunk()?;
    Some(u32::from_le_bytes(*guest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sys::hash::sha256;

    fn path(name: &str) -> GuestPath {
        GuestPath::new(name.as_bytes()).unwrap()
    }

    fn linked(run: u32, names: &[&str]) -> Linked {
        Linked {
            paths: names.iter().map(|name| path(name)).collect(),
            object: ObjectId {
                content: sha256(b"content"),
                metadata: MetadataDigest([7; 16]),
                generation: run,
            },
            run: RunId::new("20260101T000000Z", run).unwrap(),
            mtime: (run == 2).then_some(Time { sec: -5, nsec: 9 }),
            protected: run != 1,
        }
    }

    /// Names of each file, by what was linked.
    fn all(files: &Remembered) -> Vec<(u32, u32, Vec<String>)> {
        let read = files.all().map(|file| {
            let (guest, file) = file.unwrap();
            let whole = linked(file.object.generation, &[]);
            assert_eq!((&file.run, file.mtime), (&whole.run, whole.mtime));
            assert_eq!(
                (file.object, file.protected),
                (whole.object, whole.protected)
            );
            let names = file.paths.iter().map(ToString::to_string);
            (guest, file.object.generation, names.collect())
        });
        let mut all: Vec<_> = read.collect();
        all.sort();
        all
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_name_is_the_file_s_that_had_it_last() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Remembered::new(dir.path());
        files.link(0, &linked(1, &["/a", "/b", "/c"])).unwrap();
        files.link(1, &linked(1, &["/a", "/b", "/c"])).unwrap();
        files.link(0, &linked(2, &["/b", "/z"])).unwrap();
        assert_eq!(
            all(&files),
            [
                (0, 1, names(&["/a", "/c"])),
                (0, 2, names(&["/b", "/z"])),
                (1, 1, names(&["/a", "/b", "/c"])),
            ]
        );
        // The first name goes: the next is the first.
        files.link(0, &linked(3, &["/a"])).unwrap();
        assert!(files.file(0, &path("/c")).unwrap().is_some());
        assert!(
            files.file(0, &path("/z")).unwrap().is_none(),
            "not its first"
        );
        assert_eq!([files.count(0), files.count(1), files.count(2)], [3, 1, 0]);
        // Any of its names is enough, and only one file goes.
        files
            .forget(0, &[path("/none"), path("/z"), path("/a")])
            .unwrap();
        assert_eq!(
            all(&files),
            [
                (0, 1, names(&["/c"])),
                (0, 3, names(&["/a"])),
                (1, 1, names(&["/a", "/b", "/c"])),
            ]
        );
        files.link(0, &linked(2, &["/a", "/c"])).unwrap();
        assert_eq!(all(&files).len(), 2);
        assert_eq!([files.count(0), files.count(1)], [1, 1]);
    }
}
