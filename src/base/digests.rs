//! What `plan` has read before: digests of contents by inode, size and times, so that a file which did not change is
//! not read again.
//!
//! A memory only, and disposable. A paper that is missing, damaged, of another version or of another file system is as
//! if nothing was ever read. What it says is a proposal like all that `plan` says: `apply` compares the bytes. Nothing of
//! a file whose times are as young as the reading is kept; but a page that was written through a mapping may be written
//! again without moving any time, and then what is remembered is wrong. `apply` forgets all when it meets such a file.
//!
//! ```text
//! unify digests 1\n
//! filesystem IDENTITY\n
//! xxh3-128 of all behind it, little-endian: 16 bytes
//! records of 112 bytes, by inode; all integers are little-endian:
//!   0 inode 8   8 size 8   16 mtime 8+4   28 ctime 8+4   40 fingerprint of the beginning 16
//!   56 SHA-256 of the whole 32   88 inode flags 4   92 project 4   96 extents 4
//!   100 what is known 1: 1 SHA-256, 2 extents, 4 flags and project   101 plans that did not see it 1   102 zero 10
//! ```

use std::cmp::Reverse;
use std::path::PathBuf;

use super::{Base, standing};
use crate::model::{Digest, FileState, Fingerprint, Time};
use crate::sys::hash::fingerprint;
use crate::sys::{SysResult, papers};

/// The directory of the base that may be written without its lock.
pub(super) const DIRECTORY: &str = "cache";
const PAPER: &str = "digests";
const MAGIC: &str = "unify digests 1\n";
const RECORD: usize = 112;

/// A file that so many plans in a row did not meet is forgotten.
const FORGOTTEN: u8 = 16;

const CONTENT: u8 = 1;
const EXTENTS: u8 = 2;
const PLAIN: u8 = 4;

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
    unseen: u8,
}

/// All that is remembered.
#[derive(Debug, Default)]
pub struct Digests {
    /// Sorted by inode, each once.
    records: Vec<Record>,
}

impl Digests {
    /// Most files that are remembered: 112 MB on disk.
    pub const MOST: usize = 1_000_000;

    /// What the base remembers.
    pub fn read(base: &Base) -> Digests {
        let path = base.paper(DIRECTORY).join(PAPER);
        let text = papers::read_text(&path, (Digests::MOST * RECORD + 4096) as u64);
        let records = text.ok().and_then(|text| parse(&text, &heading(base)?));
        Digests {
            records: records.unwrap_or_default(),
        }
    }

    /// What is known of a file, if it is still what was read.
    pub fn of(&self, state: &FileState) -> Option<&Known> {
        let at = self
            .records
            .binary_search_by_key(&state.id.ino, |record| record.key.ino)
            .ok()?;
        let record = self.records.get(at)?;
        (record.key == Key::from(state)).then_some(&record.known)
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

    /// Writes down what a plan knows of all files that it looked at, and what is remembered of others. Not synced: a
    /// paper that was cut is not believed.
    pub fn write(&self, base: &Base, seen: &[(FileState, Known)]) -> SysResult<()> {
        let records = merged(&self.records, seen);
        if records == self.records {
            return Ok(());
        }
        let Some(heading) = heading(base) else {
            return Ok(());
        };
        let path = base.paper(DIRECTORY).join(PAPER);
        papers::write_unsynced(&path, &text(&heading, &records))
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
    let identity = standing::identity_line(base.dir()).ok()?;
    Some((MAGIC.to_owned() + &identity).into_bytes())
}

/// What was seen now, and of what was not, the youngest memories.
fn merged(old: &[Record], seen: &[(FileState, Known)]) -> Vec<Record> {
    let mut new: Vec<Record> = seen
        .iter()
        .map(|(state, known)| Record {
            key: state.into(),
            known: *known,
            unseen: 0,
        })
        .collect();
    let unseen = old.iter().map(|record| Record {
        unseen: record.unseen.saturating_add(1),
        ..*record
    });
    new.extend(unseen.filter(|record| record.unseen < FORGOTTEN));
    // What was seen comes first, and of that what says most, so it stays.
    new.sort_by_key(|record| (record.key.ino, record.unseen, Reverse(record.known.says())));
    new.dedup_by_key(|record| record.key.ino);
    if new.len() > Digests::MOST {
        new.sort_by_key(|record| record.unseen);
        new.truncate(Digests::MOST);
        new.sort_by_key(|record| record.key.ino);
    }
    new
}

fn text(heading: &[u8], records: &[Record]) -> Vec<u8> {
    let mut body = Vec::with_capacity(records.len() * RECORD);
    records.iter().for_each(|record| encode(record, &mut body));
    let check = fingerprint(&body).0.to_le_bytes();
    [heading, &check, &body].concat()
}

fn parse(text: &[u8], heading: &[u8]) -> Option<Vec<Record>> {
    let (check, body) = text.strip_prefix(heading)?.split_first_chunk::<16>()?;
    let whole = fingerprint(body).0.to_le_bytes() == *check && body.len().is_multiple_of(RECORD);
    let records: Vec<Record> =
        whole.then(|| body.chunks_exact(RECORD).filter_map(decode).collect())?;
    let sorted = records.is_sorted_by(|a, b| a.key.ino < b.key.ino);
    sorted.then_some(records)
}

fn encode(record: &Record, out: &mut Vec<u8>) {
    let Record { key, known, unseen } = record;
    let bit = |known: bool, bit| if known { bit } else { 0 };
    let (flags, project) = known.plain.unwrap_or_default();
    out.extend(key.ino.to_le_bytes());
    out.extend(key.size.to_le_bytes());
    for time in [key.mtime, key.ctime] {
        out.extend(time.sec.to_le_bytes());
        out.extend(time.nsec.to_le_bytes());
    }
    out.extend(known.beginning.0.to_le_bytes());
    out.extend(known.content.map_or([0; 32], |content| content.0));
    out.extend(flags.to_le_bytes());
    out.extend(project.to_le_bytes());
    out.extend(known.extents.unwrap_or(0).to_le_bytes());
    out.push(
        bit(known.content.is_some(), CONTENT)
            | bit(known.extents.is_some(), EXTENTS)
            | bit(known.plain.is_some(), PLAIN),
    );
    out.push(*unseen);
    out.extend([0; 10]);
}

fn decode(bytes: &[u8]) -> Option<Record> {
    let bits = *bytes.get(100)?;
    let known = |bit| bits & bit != 0;
    let number = |at| Some(u32::from_le_bytes(array(bytes, at)?));
    let (flags, project, extents) = (number(88)?, number(92)?, number(96)?);
    Some(Record {
        key: Key {
            ino: u64::from_le_bytes(array(bytes, 0)?),
            size: u64::from_le_bytes(array(bytes, 8)?),
            mtime: time(bytes, 16)?,
            ctime: time(bytes, 28)?,
        },
        known: Known {
            beginning: Fingerprint(u128::from_le_bytes(array(bytes, 40)?)),
            plain: known(PLAIN).then_some((flags, project)),
            content: known(CONTENT).then_some(Digest(array(bytes, 56)?)),
            extents: known(EXTENTS).then_some(extents),
        },
        unseen: *bytes.get(101)?,
    })
}

fn time(bytes: &[u8], at: usize) -> Option<Time> {
    Some(Time {
        sec: i64::from_le_bytes(array(bytes, at)?),
        nsec: u32::from_le_bytes(array(bytes, at + 8)?),
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests;
