//! What `plan` has read before: digests of contents by inode, size and times, so that a file which did not change is
//! not read again.
//!
//! A memory only, and disposable. A paper that is missing, damaged, of another version or of another file system is as
//! if nothing was ever read. What it says is a proposal like all that `plan` says: `apply` compares the bytes. Nothing of
//! a file whose times are as young as the reading is kept; but a page that was written through a mapping may be written
//! again without moving any time, and then what is remembered is wrong. `apply` forgets all when it meets such a file.
//!
//! [`paper`] has the format. Neither what is remembered nor what is to be is ever in memory as a whole.

mod merge;
mod paper;

use std::path::PathBuf;

use super::{Base, trust};
use crate::model::{Digest, FileState, Fingerprint, Time};
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};
use paper::Paper;

/// The directory of the base that may be written without its lock.
pub(super) const DIRECTORY: &str = "cache";
const PAPER: &str = "digests";
const MAGIC: &str = "unify digests 2\n";

/// A file as it was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    ino: u64,
    size: u64,
    mtime: Time,
    ctime: Time,
}

impl From<&FileState> for Key {
    fn from(state: &FileState) -> Key {
        Key {
            ino: state.id.ino,
            size: state.size,
            mtime: state.mtime,
            ctime: state.ctime,
        }
    }
}

/// What is known of a file's content, and of the metadata that `stat` does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The fast hash of its beginning.
    pub beginning: Fingerprint,
    /// Its inode flags and project, where it was found to have no extended attributes.
    pub plain: Option<(u32, u32)>,
    /// SHA-256 of all, where it was read to its end.
    pub content: Option<Digest>,
    /// Its extents, where they were counted.
    pub extents: Option<u32>,
}

impl Known {
    /// More is better.
    fn says(&self) -> (bool, bool) {
        (self.content.is_some(), self.plain.is_some())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    key: Key,
    known: Known,
    /// Plans in a row that did not meet the file.
    unseen: u8,
}

/// All that is remembered.
#[derive(Debug, Default)]
pub struct Digests(Option<Paper>);

impl Digests {
    /// Most files that are remembered: 112 MB on disk.
    pub const MOST: usize = 1_000_000;

    /// What the base remembers.
    pub fn read(base: &Base) -> Digests {
        let path = base.paper(DIRECTORY).join(PAPER);
        Digests(heading(base).and_then(|heading| Paper::open(&path, &heading)))
    }

    /// What is known of a file, if it is still what was read.
    pub fn of(&self, state: &FileState) -> Option<Known> {
        let record = self.0.as_ref()?.find(state.id.ino)?;
        (record.key == Key::from(state)).then_some(record.known)
    }

    /// Makes the directory that [`Digests::write`] writes in, without what plans left there that were killed. Its path.
    pub fn place(base: &Base) -> SysResult<PathBuf> {
        let place = base.paper(DIRECTORY);
        papers::ensure_dir(&place)?;
        for part in papers::stale_parts(&place.join(PAPER))? {
            papers::remove(&part)?;
        }
        Ok(place)
    }

    /// Writes down what a plan knows of all files that it looked at, and what is remembered of others. `seen` comes in
    /// the order of the inodes, at most [`Digests::MOST`] files, some maybe twice. Not synced: a paper that was cut is not
    /// believed.
    pub fn write<S>(&self, base: &Base, seen: S) -> SysResult<()>
    where
        S: Iterator<Item = (FileState, Known)> + Clone,
    {
        let Some(heading) = heading(base) else {
            return Ok(());
        };
        let path = base.paper(DIRECTORY).join(PAPER);
        let new = NewFile::create(&path)?;
        let old = self.0.as_ref();
        let written = paper::write(new, &heading, merge::merged(old, seen));
        let (new, check) = written.map_err(|e| SysError::new("write", &path, e))?;
        if old.is_some_and(|old| old.is(check) || !old.is_there()) {
            return Ok(());
        }
        new.publish_unsynced()
    }

    /// Removes all of it.
    pub fn forget(base: &Base) -> SysResult<()> {
        let place = base.paper(DIRECTORY);
        for name in papers::entries(&place)? {
            papers::remove(&place.join(name))?;
        }
        papers::remove_empty_dir(&place)
    }
}

fn heading(base: &Base) -> Option<Vec<u8>> {
    let identity = trust::identity_line(base.dir()).ok()?;
    Some((MAGIC.to_owned() + &identity).into_bytes())
}

#[cfg(test)]
mod tests;
