//! A table that may outgrow the memory: beyond a few megabytes it goes on in a file without a name, which vanishes with
//! the process.
//!
//! Made for what is mostly put in and seldom asked for. Entries are only ever appended, so a full disk loses nothing:
//! what the file does not take stays in memory. The newest entry of a key is the one that counts. A search tree on disk
//! would write a page for each entry, where this writes the entry.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::fault::{self, call};
use super::papers::nameless;
use super::{SysError, SysResult};

/// Bytes of entries that are held before they are written.
const HELD: usize = 4 << 20;

/// Lists of entries, each from the newest on: at a million entries there is one in each, at ten million there are ten.
const LISTS: usize = 1 << 20;

/// Entries begin at multiples of this, so that four bytes tell the place of one in 32 GiB.
const ALIGN: usize = 8;

/// Bytes in front of an entry: the place of the next in its list, the length of its key, that of its value.
const HEAD: usize = 12;

/// The length of the value of a key that was removed.
const REMOVED: u32 = u32::MAX;

/// So much is read for an entry at first: most are shorter.
const READ: usize = 256;

/// Keys and values, both any bytes.
#[derive(Debug)]
pub struct Shelf {
    dir: PathBuf,
    file: Option<File>,
    /// Bytes that the file has.
    shelved: u64,
    /// Bytes behind those.
    held: Vec<u8>,
    most_held: usize,
    /// The newest entry of each list; 0 for none. Empty before the first entry.
    lists: Vec<u32>,
    /// Seeded anew each time: no guest can choose names that fall into one list.
    hasher: RandomState,
}

/// One that was read.
struct Entry {
    next: u32,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    /// Bytes up to the one behind it.
    length: u64,
}

impl Shelf {
    /// An empty one, whose file would be made in `dir`.
    pub fn new(dir: &Path) -> Shelf {
        Shelf {
            dir: dir.to_owned(),
            file: None,
            shelved: 0,
            // No entry stands at 0.
            held: vec![0; ALIGN],
            most_held: fault::most_held().unwrap_or(HELD),
            lists: Vec::new(),
            hasher: RandomState::new(),
        }
    }

    /// Keeps a value, in front of those that the key has.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> SysResult<()> {
        self.append(key, Some(value))
    }

    /// The key has no value any more.
    pub fn remove(&mut self, key: &[u8]) -> SysResult<()> {
        self.append(key, None)
    }

    /// The newest value of the key.
    pub fn get(&self, key: &[u8]) -> SysResult<Option<Vec<u8>>> {
        let newest = self.find(key, self.newest_in_list(key))?;
        Ok(newest.and_then(|(_, entry)| entry.value))
    }

    /// All values that the key was given since it was removed, the newest first.
    pub fn all(&self, key: &[u8]) -> impl Iterator<Item = SysResult<Vec<u8>>> + use<'_> {
        let key = key.to_owned();
        let mut next = self.newest_in_list(&key);
        std::iter::from_fn(move || {
            let found = self.find(&key, next).transpose()?;
            let (_, entry) = match found {
                Ok(found) => found,
                Err(error) => {
                    next = 0;
                    return Some(Err(error));
                }
            };
            next = entry.next;
            entry.value.map(Ok)
        })
    }

    /// All keys, each with its newest value; those that were put in first coming first.
    pub fn entries(&self) -> impl Iterator<Item = SysResult<(Vec<u8>, Vec<u8>)>> {
        let mut at = ALIGN as u64;
        std::iter::from_fn(move || {
            while at < self.end() {
                let entry = match self.entry(at) {
                    Ok(entry) => entry,
                    Err(error) => {
                        at = self.end();
                        return Some(Err(error));
                    }
                };
                let here = at;
                at += entry.length;
                match self.counts(entry, here) {
                    Ok(None) => {}
                    Ok(Some(found)) => return Some(Ok(found)),
                    Err(error) => return Some(Err(error)),
                }
            }
            None
        })
    }

    /// Key and value of the entry, if it is the newest of its key.
    fn counts(&self, entry: Entry, at: u64) -> SysResult<Option<(Vec<u8>, Vec<u8>)>> {
        let Some(value) = entry.value else {
            return Ok(None);
        };
        let newest = self.find(&entry.key, self.newest_in_list(&entry.key))?;
        let newest = newest.is_some_and(|(place, _)| offset(place) == at);
        Ok(newest.then_some((entry.key, value)))
    }

    fn append(&mut self, key: &[u8], value: Option<&[u8]>) -> SysResult<()> {
        let place = u32::try_from(self.end() / ALIGN as u64).map_err(|_| self.too_large())?;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| self.too_large());
        let (key_length, value_length) = (length(key)?, value.map_or(Ok(REMOVED), length)?);
        if self.lists.is_empty() {
            self.lists = vec![0; LISTS];
        }
        let list = self.list(key);
        let next = std::mem::replace(&mut self.lists[list], place);
        for number in [next, key_length, value_length] {
            self.held.extend(number.to_le_bytes());
        }
        self.held.extend_from_slice(key);
        self.held.extend_from_slice(value.unwrap_or_default());
        self.held.resize(self.held.len().next_multiple_of(ALIGN), 0);
        if self.held.len() >= self.most_held {
            self.write_out();
        }
        Ok(())
    }

    /// Where there is no room, or no such file, memory must do; it is tried again when that has doubled.
    fn write_out(&mut self) {
        if self.file.is_none() {
            self.file = nameless(&self.dir).ok();
        }
        let written = self.file.as_ref().is_some_and(|file| {
            let write = || file.write_all_at(&self.held, self.shelved);
            call("shelve", write).is_ok()
        });
        if written {
            self.shelved += self.held.len() as u64;
            self.held.clear();
        } else {
            self.most_held = self.held.len().saturating_mul(2);
        }
    }

    fn newest_in_list(&self, key: &[u8]) -> u32 {
        let list = self.lists.get(self.list(key));
        list.copied().unwrap_or_default()
    }

    /// The first entry of the key from this place of its list on.
    fn find(&self, key: &[u8], mut place: u32) -> SysResult<Option<(u32, Entry)>> {
        while place != 0 {
            let entry = self.entry(offset(place))?;
            if entry.key == key {
                return Ok(Some((place, entry)));
            }
            if entry.next >= place {
                return Err(self.damaged());
            }
            place = entry.next;
        }
        Ok(None)
    }

    fn entry(&self, at: u64) -> SysResult<Entry> {
        let mut start = [0; READ];
        let start = match at.checked_sub(self.shelved) {
            Some(held) => usize::try_from(held)
                .ok()
                .and_then(|at| self.held.get(at..)),
            None => {
                let length = usize::try_from(self.shelved - at).unwrap_or(READ).min(READ);
                self.read(&mut start[..length], at)?;
                Some(&start[..length])
            }
        };
        let head = start.and_then(|start| start.split_first_chunk::<HEAD>());
        let (head, rest) = head.ok_or_else(|| self.damaged())?;
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (next, key, value) = (number(0), number(4) as usize, number(8));
        let removed = value == REMOVED;
        let length = key + if removed { 0 } else { value as usize };
        let mut bytes = match rest.get(..length) {
            Some(bytes) => bytes.to_vec(),
            None => self.behind(at + HEAD as u64, length)?,
        };
        let value = bytes.split_off(key);
        Ok(Entry {
            next,
            key: bytes,
            value: (!removed).then_some(value),
            length: (HEAD + length).next_multiple_of(ALIGN) as u64,
        })
    }

    /// An entry longer than what was read of it.
    fn behind(&self, at: u64, length: usize) -> SysResult<Vec<u8>> {
        if at.saturating_add(length as u64) > self.shelved {
            return Err(self.damaged());
        }
        let mut bytes = vec![0; length];
        self.read(&mut bytes, at)?;
        Ok(bytes)
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> SysResult<()> {
        let file = self.file.as_ref().ok_or_else(|| self.damaged())?;
        call("read shelf", || file.read_exact_at(bytes, at)).map_err(|e| self.failed(e))
    }

    fn list(&self, key: &[u8]) -> usize {
        self.hasher.hash_one(key) as usize % LISTS
    }

    fn end(&self) -> u64 {
        self.shelved + self.held.len() as u64
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

fn offset(place: u32) -> u64 {
    u64::from(place) * ALIGN as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashMap;

    use super::*;

    /// The same numbers each time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 33) % end
        }
    }

    /// Of each key, its values since it was removed, and when it was given the last.
    type Model = HashMap<Vec<u8>, (usize, Vec<Vec<u8>>)>;

    fn furnished(shelf: &mut Shelf, steps: usize) -> Model {
        let mut numbers = Numbers(7);
        let mut model = Model::new();
        for step in 0..steps {
            let key = vec![b'k'; numbers.below(40) as usize];
            if numbers.below(8) == 0 {
                shelf.remove(&key).unwrap();
                model.remove(&key);
                continue;
            }
            let length = [0, 1, 90, 300, 70_000][numbers.below(5) as usize];
            let value = vec![step as u8; length];
            shelf.put(&key, &value).unwrap();
            let (last, values) = model.entry(key).or_default();
            *last = step;
            values.push(value);
        }
        model
    }

    fn assert_same(shelf: &Shelf, model: &Model) {
        for length in 0..45 {
            let key = vec![b'k'; length];
            let values = model.get(&key).map(|(_, values)| &values[..]);
            let values = values.unwrap_or_default();
            assert_eq!(shelf.get(&key).unwrap().as_ref(), values.last());
            let all: Vec<Vec<u8>> = shelf.all(&key).map(Result::unwrap).collect();
            assert!(all.iter().eq(values.iter().rev()), "key of {length}");
        }
        let mut due: Vec<_> = model.iter().collect();
        due.sort_by_key(|(_, (last, _))| *last);
        let due = due
            .into_iter()
            .map(|(key, (_, values))| (key.clone(), values.last().unwrap().clone()));
        assert!(shelf.entries().map(Result::unwrap).eq(due));
    }

    #[test]
    fn it_says_what_was_put_in_wherever_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        let nowhere = dir.path().join("nowhere");
        for (dir, most_held) in [
            (dir.path(), 0),
            (dir.path(), 500_000),
            (dir.path(), usize::MAX),
            (&nowhere, 0),
        ] {
            let mut shelf = Shelf::new(dir);
            shelf.most_held = most_held;
            let model = furnished(&mut shelf, 3_000);
            assert_eq!(
                shelf.file.is_some(),
                dir != nowhere && most_held < usize::MAX
            );
            assert!(shelf.held.len() <= most_held || shelf.file.is_none());
            assert_same(&shelf, &model);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_empty_one_has_nothing() {
        let shelf = Shelf::new(Path::new("/nowhere"));
        assert_same(&shelf, &Model::new());
    }

    /// Whatever stands in the file by then: an error or another value, no endless list and no room for gigabytes.
    #[test]
    fn a_damaged_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        for damage in [0x00, 0x7f, 0xff] {
            let mut shelf = Shelf::new(dir.path());
            shelf.most_held = 0;
            let model = furnished(&mut shelf, 300);
            let file = shelf.file.as_ref().unwrap();
            file.write_all_at(&vec![damage; shelf.shelved as usize], 0)
                .unwrap();
            let errors = model.keys().filter(|key| shelf.get(key).is_err());
            assert!(errors.count() > 0 || damage == 0, "{damage:x}");
            assert!(shelf.entries().count() < 10_000_000);
            file.set_len(0).unwrap();
            assert!(model.keys().all(|key| shelf.get(key).is_err()));
            assert!(shelf.entries().all(|entry| entry.is_err()));
        }
    }
}
