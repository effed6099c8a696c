//! A log-structured hash table that may outgrow the memory: beyond a few megabytes it goes on in a file without a name,
//! which vanishes with the process.
//!
//! Made for what is mostly put in and seldom asked for. Entries are only ever appended, and the newest of a key
//! is the one that counts, so a full disk loses nothing: what the file does not take stays in memory. A search
//! tree on disk would write a page for each entry, where this writes the entry.
//!
//! Is it needed? The other way is an index that lies in the base from run to run, which would save the replay of all
//! receipts. It would also be a second memory beside them, to be proven equal after every crash, restored backup and
//! flipped bit before a flag may come off by what it says. Receipts are the only truth as long as a replay is short
//! beside the run that it serves; this table only keeps the replay from filling the memory. A stored index is worth
//! its proofs where a base outgrows that.

use std::borrow::Cow;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::fstatvfs;

use super::papers::nameless;
use crate::sys::fault;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// Bytes of entries that are held before they are written.
const HELD: usize = 4 << 20;

/// Each file takes at most this part of what is free beside it: guests live there, and the run itself needs room.
pub const SHARE: u64 = 16;

/// Chains of entries, each from the newest on: at a million entries there is one in each, at ten million there are ten.
const CHAINS: usize = 1 << 20;

/// Entries begin at multiples of this, so that four bytes tell the place of one in 32 GiB.
const ALIGN: usize = 8;

/// Bytes in front of an entry: the place of the next in its chain, the length of its key, that of its value.
const HEAD: usize = 12;

/// The length of the value of a key that was removed.
const REMOVED: u32 = u32::MAX;

/// So much is read of an entry at first: most are shorter.
const READ: usize = 256;

/// Keys and values, both any bytes.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    file: Option<File>,
    /// Bytes that the file has.
    shelved: u64,
    /// Bytes after those.
    held: Vec<u8>,
    most_held: usize,
    /// When so many bytes are held, writing them is tried.
    due: usize,
    /// The newest entry of each chain; 0 for none. Empty before the first entry.
    chains: Vec<u32>,
    /// Seeded anew each time: no guest can choose names that fall into one chain.
    hasher: RandomState,
}

/// An entry, of which the beginning was read.
struct ShelfEntry<'s> {
    at: u64,
    next: u32,
    key: usize,
    value: Option<usize>,
    /// Its bytes from the head on, as far as they were read; others may stand after them.
    near: Cow<'s, [u8]>,
}

impl Shelf {
    /// An empty one, whose file would be made in `dir`.
    pub fn new(dir: &Path) -> Shelf {
        Shelf::holding(dir, fault::most_held().unwrap_or(HELD))
    }

    fn holding(dir: &Path, most_held: usize) -> Shelf {
        Shelf {
            dir: dir.to_owned(),
            file: None,
            shelved: 0,
            // No entry stands at 0.
            held: vec![0; ALIGN],
            most_held,
            due: most_held,
            chains: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Keeps a value, in front of those that the key has. Fails only beyond 32 GiB.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> SysResult<()> {
        self.append(key, Some(value))
    }

    /// The key has no value any more. Fails only beyond 32 GiB.
    pub fn remove(&mut self, key: &[u8]) -> SysResult<()> {
        self.append(key, None)
    }

    /// The newest value of the key.
    pub fn get(&self, key: &[u8]) -> SysResult<Option<Vec<u8>>> {
        match self.find(key, self.newest(key))? {
            Some(entry) => self.value(&entry),
            None => Ok(None),
        }
    }

    /// All values that the key was given since it was removed, the newest first.
    pub fn all(&self, key: &[u8]) -> impl Iterator<Item = SysResult<Vec<u8>>> + use<'_> {
        let key = key.to_owned();
        let mut next = self.newest(&key);
        std::iter::from_fn(move || {
            let from = std::mem::take(&mut next);
            let found = self.find(&key, from).and_then(|entry| match entry {
                Some(entry) => Ok(self.value(&entry)?.map(|value| (entry.next, value))),
                None => Ok(None),
            });
            let found = found.transpose()?;
            Some(found.map(|(behind, value)| {
                next = behind;
                value
            }))
        })
    }

    /// The keys that begin so, each with its newest value; those that were put in first come first.
    pub fn entries(&self, begin: &[u8]) -> impl Iterator<Item = SysResult<(Vec<u8>, Vec<u8>)>> {
        let mut at = ALIGN as u64;
        std::iter::from_fn(move || {
            while at < self.length() {
                let found = self.entry(at).and_then(|entry| {
                    at += entry.length();
                    self.counts(&entry, begin)
                });
                match found {
                    Ok(None) => {}
                    Ok(Some(found)) => return Some(Ok(found)),
                    Err(error) => {
                        at = u64::MAX;
                        return Some(Err(error));
                    }
                }
            }
            None
        })
    }

    /// Where its file is, or would be.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of all that was ever put in.
    pub fn length(&self) -> u64 {
        self.shelved + self.held.len() as u64
    }

    /// Key and value of the entry, if the key begins so and has no newer one.
    fn counts(
        &self,
        entry: &ShelfEntry<'_>,
        begin: &[u8],
    ) -> SysResult<Option<(Vec<u8>, Vec<u8>)>> {
        if entry.value.is_none() || entry.key < begin.len() {
            return Ok(None);
        }
        let key = self.part(entry, 0..entry.key)?;
        if !key.starts_with(begin) {
            return Ok(None);
        }
        let newest = self.newest(&key);
        let is_newest = offset(newest) == entry.at
            || self
                .find(&key, newest)?
                .is_some_and(|newest| newest.at == entry.at);
        if !is_newest {
            return Ok(None);
        }
        Ok(self.value(entry)?.map(|value| (key.into_owned(), value)))
    }

    fn append(&mut self, key: &[u8], value: Option<&[u8]>) -> SysResult<()> {
        let place = u32::try_from(self.length() / ALIGN as u64).map_err(|_| self.too_large())?;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| self.too_large());
        let (key_length, value_length) = (length(key)?, value.map_or(Ok(REMOVED), length)?);
        if self.chains.is_empty() {
            self.chains = vec![0; CHAINS];
        }
        let chain = self.chain(key);
        let next = std::mem::replace(&mut self.chains[chain], place);
        for number in [next, key_length, value_length] {
            self.held.extend(number.to_le_bytes());
        }
        self.held.extend_from_slice(key);
        self.held.extend_from_slice(value.unwrap_or_default());
        self.held.resize(self.held.len().next_multiple_of(ALIGN), 0);
        if self.held.len() >= self.due {
            self.write_out();
        }
        Ok(())
    }

    /// Writes what is held to the file. Where there is no room, or no such file, it stays in memory, and writing
    /// is tried again when that has doubled.
    fn write_out(&mut self) {
        if self.file.is_none() {
            self.file = nameless(&self.dir).ok();
        }
        let file = self.file.as_ref().filter(|file| self.leaves_room(file));
        let written = file.is_some_and(|file| {
            let write = || file.write_all_at(&self.held, self.shelved);
            call("shelve", write).is_ok()
        });
        if written {
            self.shelved += self.held.len() as u64;
            self.due = self.most_held;
            self.held.clear();
            self.held.shrink_to(2 * self.most_held);
        } else {
            self.due = self.held.len().saturating_mul(2);
        }
    }

    fn leaves_room(&self, file: &File) -> bool {
        fstatvfs(file).is_ok_and(|disk| {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            self.length() <= free.saturating_add(self.shelved) / SHARE
        })
    }

    fn newest(&self, key: &[u8]) -> u32 {
        let newest = self.chains.get(self.chain(key));
        newest.copied().unwrap_or_default()
    }

    /// The first entry of the key from this place of its chain on.
    fn find(&self, key: &[u8], mut place: u32) -> SysResult<Option<ShelfEntry<'_>>> {
        while place != 0 {
            let entry = self.entry(offset(place))?;
            if entry.key == key.len() && *self.part(&entry, 0..entry.key)? == *key {
                return Ok(Some(entry));
            }
            if entry.next >= place {
                return Err(self.damaged());
            }
            place = entry.next;
        }
        Ok(None)
    }

    fn entry(&self, at: u64) -> SysResult<ShelfEntry<'_>> {
        let start = match at.checked_sub(self.shelved) {
            Some(held) => {
                let held = usize::try_from(held)
                    .ok()
                    .and_then(|at| self.held.get(at..));
                Cow::Borrowed(held.unwrap_or_default())
            }
            None => {
                let length = (self.shelved - at).min(READ as u64);
                Cow::Owned(self.read(at, length as usize)?)
            }
        };
        ShelfEntry::of(at, start).ok_or_else(|| self.damaged())
    }

    fn value(&self, entry: &ShelfEntry<'_>) -> SysResult<Option<Vec<u8>>> {
        let value = entry.value.map(|length| entry.key..entry.key + length);
        let value = value.map(|range| self.part(entry, range));
        Ok(value.transpose()?.map(Cow::into_owned))
    }

    /// Bytes of the entry, counted from its key on.
    fn part<'e>(&self, entry: &'e ShelfEntry<'_>, range: Range<usize>) -> SysResult<Cow<'e, [u8]>> {
        let range = HEAD + range.start..HEAD + range.end;
        match entry.near.get(range.clone()) {
            Some(near) => Ok(Cow::Borrowed(near)),
            None => {
                let at = entry.at + range.start as u64;
                Ok(Cow::Owned(self.read(at, range.len())?))
            }
        }
    }

    /// Bytes of the file. No room is made for more than it has.
    fn read(&self, at: u64, length: usize) -> SysResult<Vec<u8>> {
        let file = self.file.as_ref().ok_or_else(|| self.damaged())?;
        if at.saturating_add(length as u64) > self.shelved {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; length];
        call("read shelf", || file.read_exact_at(&mut bytes, at)).map_err(|e| self.failed(e))?;
        Ok(bytes)
    }

    fn chain(&self, key: &[u8]) -> usize {
        self.hasher.hash_one(key) as usize % CHAINS
    }

    fn failed(&self, error: io::Error) -> SysError {
        SysError::new("read the file without a name in", &self.dir, error)
    }

    fn damaged(&self) -> SysError {
        self.failed(io::ErrorKind::InvalidData.into())
    }

    fn too_large(&self) -> SysError {
        let why = "more than 32 GiB are to be remembered";
        SysError::new("go on in", &self.dir, io::Error::other(why))
    }
}

impl<'s> ShelfEntry<'s> {
    fn of(at: u64, near: Cow<'s, [u8]>) -> Option<ShelfEntry<'s>> {
        let number = |at: usize| {
            near.get(at..)?
                .first_chunk()
                .map(|b| u32::from_le_bytes(*b))
        };
        let (next, key, value) = (number(0)?, number(4)?, number(8)?);
        Some(ShelfEntry {
            at,
            next,
            key: key as usize,
            value: (value != REMOVED).then_some(value as usize),
            near,
        })
    }

    /// Bytes up to the next entry.
    fn length(&self) -> u64 {
        (HEAD + self.key + self.value.unwrap_or_default()).next_multiple_of(ALIGN) as u64
    }
}

fn offset(place: u32) -> u64 {
    u64::from(place) * ALIGN as u64
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
