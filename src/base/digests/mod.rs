//! What `plan` has read before: digests of contents by inode, size and times, so that a file which did not change is
//! not read again.
//!
//! This is only a memory, and disposable. A paper that is missing, damaged, of another version or of another file
//! system counts as if nothing was ever read. What it says is a proposal like all that `plan` says: `apply`
//! compares the bytes. Nothing of a file whose times are as young as the reading is kept; but a page that was
//! written through a mapping may be written again without a change of any time, and then what is remembered is
//! wrong. `apply` forgets all when it meets such a file.
//!
//! [`paper`] has the format. Neither what is remembered nor what is to be is ever in memory as a whole.

mod merge;
mod paper;
mod record;

use std::path::PathBuf;

use super::places::CACHE;
use super::{Base, identity};
use crate::model::FileState;
use crate::sys::own::new_file::NewFile;
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};
use paper::Paper;
use record::{FileKey, MOST};

pub use record::KnownContent;

const PAPER: &str = "digests";
const MAGIC: &str = "unify digests 2\n";

/// All that is remembered.
#[derive(Debug, Default)]
pub struct Digests(Option<Paper>);

impl Digests {
    /// Most files that are remembered: 112 MB on disk.
    pub const MOST: usize = MOST;

    /// What the base remembers.
    pub fn read(base: &Base) -> Digests {
        let path = base.paper(CACHE).join(PAPER);
        Digests(heading(base).and_then(|heading| Paper::open(&path, &heading)))
    }

    /// What is known of a file, if it is still what was read.
    pub fn of(&self, state: &FileState) -> Option<KnownContent> {
        let record = self.0.as_ref()?.find(state.id.ino)?;
        (record.key == FileKey::from(state)).then_some(record.known)
    }

    /// Makes the directory that [`Digests::write`] writes in, removes what killed plans left there, and returns
    /// its path.
    pub fn place(base: &Base) -> SysResult<PathBuf> {
        let place = base.paper(CACHE);
        papers::ensure_dir(&place)?;
        for part in papers::stale_parts(&place.join(PAPER))? {
            papers::remove(&part)?;
        }
        Ok(place)
    }

    /// Writes down what a plan knows of all files that it looked at, and what is remembered of others. `seen`
    /// comes in the order of the inodes, at most [`Digests::MOST`] files, some maybe twice. Not synced: a
    /// truncated paper is not believed.
    pub fn write<S>(&self, base: &Base, seen: S) -> SysResult<()>
    where
        S: Iterator<Item = (FileState, KnownContent)> + Clone,
    {
        let Some(heading) = heading(base) else {
            return Ok(());
        };
        let path = base.paper(CACHE).join(PAPER);
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
        let place = base.paper(CACHE);
        for name in papers::entries(&place)? {
            papers::remove(&place.join(name))?;
        }
        papers::remove_empty_dir(&place)
    }
}

fn heading(base: &Base) -> Option<Vec<u8>> {
    let identity = identity::filesystem_line(base.dir()).ok()?;
    Some((MAGIC.to_owned() + &identity).into_bytes())
}

#[cfg(test)]
mod tests;
