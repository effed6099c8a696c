//! The files that a base remembers, which may be too many for the memory, and the rules of which file has which
//! name.
//!
//! A guest chooses how many names a file has and moves them one by one, so a name that goes to another file costs
//! a few entries and never all names of the file: each name says whose it is, and a file has those of its names
//! that say so.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::table::{ObjectKey, Table, key_of, object_of};
use crate::model::{GuestPath, ObjectId, RunId, Time};
use crate::sys::SysResult;

/// A file of a guest that was linked and not undone.
#[derive(Debug, Clone)]
pub struct Linked {
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

/// So many bytes of what counts no more are kept, or as many as those that count.
const DEAD: u64 = 64 << 20;

/// Beyond this, less is kept: a table has 32 GiB.
const MOST: u64 = 24 << 30;

/// Files of guests; a guest is a number from 0 on.
#[derive(Debug)]
pub(super) struct Remembered {
    table: Table,
    /// How long the table may get before what counts is put into another.
    most: u64,
    /// The number of the next file.
    next: u64,
    /// Of each guest, how many files.
    counts: Vec<u64>,
    /// The runs that files name by number.
    runs: Vec<RunId>,
}

#[derive(Serialize)]
enum LinkedKey<'a> {
    /// A [`FileEntry`] by its number.
    FileEntry(u64),
    /// A name of a file but the first, by its index.
    Name(u64, u64),
    /// The [`NameOwner`] of a name in a guest.
    NameOwner(u32, &'a GuestPath),
    /// What is [`NamesLeft`] to a file that lost names.
    NamesLeft(u64),
}

/// The byte with which the key of a file begins.
const FILES: &[u8] = &[0];

#[derive(Serialize, Deserialize)]
struct FileEntry {
    number: u64,
    guest: u32,
    first: GuestPath,
    /// How many names it was linked with.
    names: u64,
    object: ObjectKey,
    run: u32,
    mtime: Option<(i64, u32)>,
    protected: bool,
}

/// Which file a name belongs to, and its index among the names of that file.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct NameOwner {
    file: u64,
    index: u64,
}

/// How many names a file has, and the index of the first of them.
#[derive(Serialize, Deserialize)]
struct NamesLeft {
    names: u64,
    first: u64,
}

impl Remembered {
    pub fn new(base: &Path) -> Remembered {
        Remembered {
            table: Table::new(base),
            most: DEAD,
            next: 0,
            counts: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// How many files of the guest.
    pub fn count(&self, guest: u32) -> u64 {
        self.counts.get(guest as usize).copied().unwrap_or_default()
    }

    /// The run that linked the file which has this name first; `None` where there is none.
    pub fn run_of(&self, guest: u32, first: &GuestPath) -> SysResult<Option<&RunId>> {
        let Some(owner) = self.owner(guest, first)? else {
            return Ok(None);
        };
        let Some(file) = self.file(owner.file)? else {
            return Ok(None);
        };
        let is_first = self.left(&file)?.first == owner.index;
        Ok(self.runs.get(file.run as usize).filter(|_| is_first))
    }

    /// Is this the first name of a file that was linked to the object?
    pub fn is_first_of(&self, guest: u32, first: &GuestPath, object: &ObjectId) -> SysResult<bool> {
        if self.run_of(guest, first)?.is_none() {
            return Ok(false);
        }
        let owner = self.owner(guest, first)?;
        let file = owner.map_or(Ok(None), |owner| self.file(owner.file))?;
        Ok(file.is_some_and(|file| file.object == key_of(object)))
    }

    /// All files, with their guests; in no order that means anything.
    pub fn all(&self) -> impl Iterator<Item = SysResult<(u32, Linked)>> {
        self.table.values(FILES).map(|file| {
            let file: FileEntry = file?;
            Ok((file.guest, self.linked(&file)?))
        })
    }

    /// Names that were another file's are this one's now; the other keeps the rest.
    pub fn link(&mut self, guest: u32, linked: &Linked) -> SysResult<()> {
        self.compact()?;
        let Some(first) = linked.paths.first() else {
            return Ok(());
        };
        let mut file = FileEntry {
            number: self.next,
            guest,
            first: first.clone(),
            names: 0,
            object: key_of(&linked.object),
            run: self.number_of(&linked.run),
            mtime: linked.mtime.map(|time| (time.sec, time.nsec)),
            protected: linked.protected,
        };
        self.next += 1;
        for name in &linked.paths {
            self.give(name, &mut file)?;
        }
        self.table.put(&LinkedKey::FileEntry(file.number), &file)?;
        *self.count_of(guest) += 1;
        Ok(())
    }

    /// Forgets the file that has any of these names: it is its guest's own.
    pub fn forget(&mut self, guest: u32, names: &[GuestPath]) -> SysResult<()> {
        self.compact()?;
        for name in names {
            let Some(owner) = self.owner(guest, name)? else {
                continue;
            };
            if let Some(file) = self.file(owner.file)? {
                for name in self.linked(&file)?.paths {
                    self.table.remove(&LinkedKey::NameOwner(guest, &name))?;
                }
                return self.remove(&file);
            }
        }
        Ok(())
    }

    /// Gives the file one more name, whichever file had it.
    fn give(&mut self, name: &GuestPath, file: &mut FileEntry) -> SysResult<()> {
        let before = self.owner(file.guest, name)?;
        // Twice in one line it is one name.
        if before.is_some_and(|before| before.file == file.number) {
            return Ok(());
        }
        let owner = NameOwner {
            file: file.number,
            index: file.names,
        };
        self.table
            .put(&LinkedKey::NameOwner(file.guest, name), &owner)?;
        if owner.index > 0 {
            self.table
                .put(&LinkedKey::Name(owner.file, owner.index), name)?;
        }
        file.names += 1;
        match before {
            Some(before) => self.take(before),
            None => Ok(()),
        }
    }

    /// Takes one name from its file.
    fn take(&mut self, owner: NameOwner) -> SysResult<()> {
        let Some(file) = self.file(owner.file)? else {
            return Ok(());
        };
        if owner.index > 0 {
            self.table
                .remove(&LinkedKey::Name(owner.file, owner.index))?;
        }
        let mut left = self.left(&file)?;
        left.names = left.names.saturating_sub(1);
        if left.names == 0 {
            return self.remove(&file);
        }
        // Names before the first never come back, so all calls together look at each name once.
        while left.first < file.names && self.name(&file, left.first)?.is_none() {
            left.first += 1;
        }
        self.table.put(&LinkedKey::NamesLeft(owner.file), &left)
    }

    /// Removes a file that has no names any more.
    fn remove(&mut self, file: &FileEntry) -> SysResult<()> {
        let count = self.count_of(file.guest);
        *count = count.saturating_sub(1);
        self.table.remove(&LinkedKey::FileEntry(file.number))?;
        self.table.remove(&LinkedKey::NamesLeft(file.number))?;
        (1..file.names)
            .try_for_each(|index| self.table.remove(&LinkedKey::Name(file.number, index)))
    }

    fn linked(&self, file: &FileEntry) -> SysResult<Linked> {
        let mut paths = Vec::new();
        for index in self.left(file)?.first..file.names {
            paths.extend(self.name(file, index)?);
        }
        let run = self.runs.get(file.run as usize).cloned();
        Ok(Linked {
            paths,
            object: object_of(file.object),
            run: run.ok_or_else(|| self.table.damaged("no such run"))?,
            mtime: file.mtime.map(|(sec, nsec)| Time { sec, nsec }),
            protected: file.protected,
        })
    }

    /// The name that the file had there, if it is still its own.
    fn name(&self, file: &FileEntry, index: u64) -> SysResult<Option<GuestPath>> {
        let name = match index {
            0 => Some(file.first.clone()),
            _ => self.table.get(&LinkedKey::Name(file.number, index))?,
        };
        let owner = NameOwner {
            file: file.number,
            index,
        };
        let Some(name) = name else { return Ok(None) };
        let is_own = self.owner(file.guest, &name)? == Some(owner);
        Ok(is_own.then_some(name))
    }

    fn owner(&self, guest: u32, name: &GuestPath) -> SysResult<Option<NameOwner>> {
        self.table.get(&LinkedKey::NameOwner(guest, name))
    }

    fn file(&self, number: u64) -> SysResult<Option<FileEntry>> {
        self.table.get(&LinkedKey::FileEntry(number))
    }

    fn left(&self, file: &FileEntry) -> SysResult<NamesLeft> {
        let left = self.table.get(&LinkedKey::NamesLeft(file.number))?;
        Ok(left.unwrap_or(NamesLeft {
            names: file.names,
            first: 0,
        }))
    }

    fn count_of(&mut self, guest: u32) -> &mut u64 {
        let at = guest as usize;
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        &mut self.counts[at]
    }

    /// Files of one run come together.
    fn number_of(&mut self, run: &RunId) -> u32 {
        if self.runs.last() != Some(run) {
            self.runs.push(run.clone());
        }
        self.runs.len() as u32 - 1
    }

    /// Rewrites the table when it is long: names that go from file to file for years leave many dead entries.
    fn compact(&mut self) -> SysResult<()> {
        if self.table.length() > self.most {
            self.table = self.table.compacted()?;
            let live = self.table.length();
            self.most = DEAD + (2 * live).min(live.max(MOST));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
