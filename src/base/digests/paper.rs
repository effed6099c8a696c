//! The file that digests are in. It is read a block at a time, and each block has its own check.
//!
//! ```text
//! unify digests 2\n
//! filesystem IDENTITY\n
//! blocks of 64 records, the last one maybe shorter; records of 112 bytes, by inode; all integers are little-endian:
//!   0 inode 8   8 size 8   16 mtime 8+4   28 ctime 8+4   40 fingerprint of the beginning 16
//!   56 SHA-256 of the whole 32   88 inode flags 4   92 project 4   96 extents 4
//!   100 what is known 1: 1 SHA-256, 2 extents, 4 flags and project   101 plans that did not see it 1   102 zero 10
//! table, for each block: its first inode 8, xxh3-128 of its bytes 16
//! number of records 8
//! xxh3-128 of the first two lines, the table and the number: 16
//! ```

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::record::{DigestRecord, FileKey, KnownContent, MOST};
use crate::model::{Digest, Fingerprint, Time};
use crate::sys::hash::fingerprint;
use crate::sys::own::paged::Paged;

const RECORD: usize = 112;
const BLOCK: usize = 64;
/// The number of records, and the check.
const TAIL: usize = 8 + 16;
/// Bytes of a block's entry in the table.
const ENTRY: usize = 8 + 16;

/// So many blocks are held, each in the place that its number gives it: 1.8 MB. Every guest's files are asked for in
/// about the order of their inodes.
const HELD: usize = 256;

const CONTENT: u8 = 1;
const EXTENTS: u8 = 2;
const PLAIN: u8 = 4;

/// A block that was read: its number, and its bytes if they are whole.
type Block = Option<(usize, Vec<u8>)>;

/// An open paper whose table is whole.
#[derive(Debug)]
pub(super) struct Paper {
    paged: Paged,
    heading: usize,
    records: usize,
    /// First inode and check of each block.
    table: Vec<(u64, [u8; 16])>,
    check: [u8; 16],
    held: Vec<Mutex<Block>>,
    /// Was a block met that is not whole?
    damaged: AtomicBool,
}

impl Paper {
    /// `None` for anything that is not such a paper with this heading.
    pub fn open(path: &Path, heading: &[u8]) -> Option<Paper> {
        let paged = Paged::open(path).ok()?;
        let length = usize::try_from(paged.length()).ok()?;
        let tail_at = length.checked_sub(TAIL)?;
        let tail = paged.read(tail_at as u64, TAIL).ok()?;
        let records = usize::try_from(u64::from_le_bytes(array(&tail, 0)?)).ok()?;
        if records > MOST {
            return None;
        }
        let blocks = records.div_ceil(BLOCK);
        // Compared with what the file has, before room is made for it.
        let whole = heading.len() + records * RECORD + blocks * ENTRY;
        if whole != tail_at || paged.read(0, heading.len()).ok()? != heading {
            return None;
        }
        let table_at = heading.len() + records * RECORD;
        let table = paged.read(table_at as u64, blocks * ENTRY).ok()?;
        let check: [u8; 16] = array(&tail, 8)?;
        if check != check_of(&[heading, &table, &tail[..8]]) {
            return None;
        }
        let entries = table.chunks_exact(ENTRY);
        let entries =
            entries.map(|entry| Some((u64::from_le_bytes(array(entry, 0)?), array(entry, 8)?)));
        Some(Paper {
            paged,
            heading: heading.len(),
            records,
            table: entries.collect::<Option<_>>()?,
            check,
            held: (0..HELD).map(|_| Mutex::default()).collect(),
            damaged: AtomicBool::new(false),
        })
    }

    /// Is it where it was opened? `apply` removes what it found to be wrong.
    pub fn is_there(&self) -> bool {
        self.paged.is_there()
    }

    /// Is a paper with this check the same? Not if this one is damaged, as far as it was read.
    pub fn is(&self, check: [u8; 16]) -> bool {
        self.check == check && !self.damaged.load(Ordering::Relaxed)
    }

    /// The record of an inode.
    pub fn find(&self, ino: u64) -> Option<DigestRecord> {
        let block = self.table.partition_point(|(first, _)| *first <= ino);
        let block = block.checked_sub(1)?;
        let mut held = self.held[block % HELD]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_none_or(|(number, _)| *number != block) {
            *held = Some((block, self.block(block).unwrap_or_default()));
        }
        let (_, bytes) = held.as_ref()?;
        let mut records = bytes.chunks_exact(RECORD);
        decode(records.find(|record| inode(record) == Some(ino))?)
    }

    /// All records, in the order of their inodes. A damaged block has none.
    pub fn records(&self) -> impl Iterator<Item = DigestRecord> + '_ {
        let blocks = (0..self.table.len()).map(|block| self.block(block).unwrap_or_default());
        blocks.flat_map(|bytes| {
            let records = bytes.chunks_exact(RECORD).filter_map(decode);
            records.collect::<Vec<_>>()
        })
    }

    fn block(&self, number: usize) -> Option<Vec<u8>> {
        let block = self.whole_block(number);
        self.damaged.fetch_or(block.is_none(), Ordering::Relaxed);
        block
    }

    fn whole_block(&self, number: usize) -> Option<Vec<u8>> {
        let (first, check) = self.table.get(number)?;
        let from = number * BLOCK;
        let records = BLOCK.min(self.records - from);
        let at = self.heading + from * RECORD;
        let bytes = self.paged.read(at as u64, records * RECORD).ok()?;
        let next = self.table.get(number + 1).map(|(first, _)| *first);
        let whole = check_of(&[&bytes]) == *check && is_sorted(&bytes, *first, next);
        whole.then_some(bytes)
    }
}

/// A search would miss some of what is out of order.
fn is_sorted(bytes: &[u8], first: u64, next: Option<u64>) -> bool {
    let inodes = bytes.chunks_exact(RECORD).filter_map(inode);
    let begins = inodes.clone().next() == Some(first);
    begins && inodes.chain(next).is_sorted_by(|a, b| a < b)
}

fn inode(record: &[u8]) -> Option<u64> {
    array(record, 0).map(u64::from_le_bytes)
}

/// Writes the records; they come in the order of their inodes, each once. Returns its check.
pub(super) fn write<W: Write>(
    to: W,
    heading: &[u8],
    records: impl Iterator<Item = DigestRecord>,
) -> io::Result<(W, [u8; 16])> {
    let mut to = BufWriter::new(to);
    to.write_all(heading)?;
    let (mut table, mut block, mut first) = (Vec::new(), Vec::new(), 0);
    let mut count: u64 = 0;
    for record in records {
        if block.is_empty() {
            first = record.key.ino;
        }
        encode(&record, &mut block);
        count += 1;
        if block.len() == BLOCK * RECORD {
            end(&mut to, first, &mut block, &mut table)?;
        }
    }
    if !block.is_empty() {
        end(&mut to, first, &mut block, &mut table)?;
    }
    let count = count.to_le_bytes();
    let check = check_of(&[heading, &table, &count]);
    to.write_all(&[&table[..], &count, &check].concat())?;
    let to = to.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((to, check))
}

fn end(
    to: &mut impl Write,
    first: u64,
    block: &mut Vec<u8>,
    table: &mut Vec<u8>,
) -> io::Result<()> {
    to.write_all(block)?;
    table.extend(first.to_le_bytes());
    table.extend(check_of(&[block]));
    block.clear();
    Ok(())
}

fn check_of(parts: &[&[u8]]) -> [u8; 16] {
    fingerprint(&parts.concat()).0.to_le_bytes()
}

fn encode(record: &DigestRecord, out: &mut Vec<u8>) {
    let DigestRecord { key, known, unseen } = record;
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

fn decode(bytes: &[u8]) -> Option<DigestRecord> {
    let bits = *bytes.get(100)?;
    let known = |bit| bits & bit != 0;
    let number = |at| Some(u32::from_le_bytes(array(bytes, at)?));
    let (flags, project, extents) = (number(88)?, number(92)?, number(96)?);
    Some(DigestRecord {
        key: FileKey {
            ino: u64::from_le_bytes(array(bytes, 0)?),
            size: u64::from_le_bytes(array(bytes, 8)?),
            mtime: time(bytes, 16)?,
            ctime: time(bytes, 28)?,
        },
        known: KnownContent {
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
