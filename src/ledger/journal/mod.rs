//! The journal: what a run is about to do, written and synced before it does it.
//!
//! It makes healing quick and is never believed alone: names and inodes say what is so, the journal says where to
//! look. One line a record, `{"check":"CCCCCCCC","record":…}`, where the check is the first eight hex digits of
//! SHA-256 over the text of the record. A crash may truncate the last line or leave old bytes of the disk after
//! it, so reading stops at the first line that is not whole and fitting, and says that it did; everything before
//! it counts.
//!
//! The caller opens, appends and syncs; the order of its syncs is what makes a journal worth having.

mod record;
mod wire;

use std::io::{self, BufReader, Read};

use super::lines::{FoundLine, LineReader};
use super::plan::frames::MAX_VALUE;
use crate::model::{CommonBlocks, FileId, ObjectId, RunId, RunKind};
use crate::sys::hash::sha256;
pub use record::{Intent, Record};
use wire::{read_payload, write_payload};

/// Longest line, in bytes: it has no more names than a line of a plan.
const LONGEST: u64 = MAX_VALUE as u64;

/// Around the check and the record, as written.
const BEFORE_CHECK: &[u8] = br#"{"check":""#;
const BEFORE_RECORD: &[u8] = br#"","record":"#;

/// Everything that a journal holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The records that are whole, in order.
    pub records: Vec<Record>,
    /// The first line that is torn or damaged, if one is: nothing from there on was read.
    pub damaged_at: Option<u64>,
}

/// What a run had begun and not finished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenBatch {
    /// The last run that began, and its kind.
    pub run: Option<(RunId, RunKind)>,
    /// Intents that no `Done` covers.
    pub intents: Vec<Intent>,
    /// Files whose blocks may have changed, with their numbers, where no `Done` covers that.
    pub blocks: Vec<(u64, CommonBlocks)>,
    /// Objects whose flag may be off, with their inodes.
    pub lifted: Vec<(ObjectId, FileId)>,
    /// The highest intent that is committed, if one of the open ones is.
    pub committed: Option<u64>,
}

impl OpenBatch {
    /// Was one of its intents committed?
    pub fn has_committed(&self, intent: &Intent) -> bool {
        self.committed.is_some_and(|upto| intent.seq <= upto)
    }
}

/// The line of `record`, with its newline.
pub fn encode(record: &Record) -> Vec<u8> {
    let payload = write_payload(record);
    let check = check(&payload);
    [BEFORE_CHECK, &check, BEFORE_RECORD, &payload, b"}\n"].concat()
}

/// Reads all records up to the first that is damaged.
pub fn read(input: impl Read) -> io::Result<Journal> {
    let mut records = Vec::new();
    let damaged_at = read_each(input, |record| records.push(record))?;
    Ok(Journal {
        records,
        damaged_at,
    })
}

/// Its open batch, of a journal that may be long: no more of it is held.
pub fn read_open_batch(input: impl Read) -> io::Result<OpenBatch> {
    let mut batch = OpenBatch::default();
    read_each(input, |record| {
        batch = step(std::mem::take(&mut batch), &record);
    })?;
    Ok(batch)
}

/// The number of the line that is damaged, if one is.
fn read_each(input: impl Read, mut take: impl FnMut(Record)) -> io::Result<Option<u64>> {
    let mut lines = LineReader::new(BufReader::new(input), LONGEST);
    loop {
        let found = match lines.advance() {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => FoundLine::Torn,
            found => found?,
        };
        let record = match found {
            FoundLine::End => return Ok(None),
            FoundLine::Torn => None,
            FoundLine::Whole => decode(lines.line()),
        };
        match record {
            Some(record) => take(record),
            None => return Ok(Some(lines.number())),
        }
    }
}

/// What must be looked at after a crash: everything that no `Done` covers. That a new run began
/// covers nothing.
pub fn open_batch(records: &[Record]) -> OpenBatch {
    records.iter().fold(OpenBatch::default(), step)
}

/// The highest number of all that is announced; 0 where nothing is.
pub fn last_number(records: &[Record]) -> u64 {
    let numbers = records.iter().map(|record| match record {
        Record::Intent(intent) => intent.seq,
        Record::Blocks { seq, .. } => *seq,
        Record::Commit { upto } | Record::Done { upto } => *upto,
        Record::Begin { .. } | Record::Lift { .. } => 0,
    });
    numbers.max().unwrap_or(0)
}

fn step(mut batch: OpenBatch, record: &Record) -> OpenBatch {
    match record {
        Record::Begin { run, what } => batch.run = Some((run.clone(), *what)),
        Record::Intent(intent) => batch.intents.push(intent.clone()),
        Record::Blocks { seq, blocks } => batch.blocks.push((*seq, blocks.clone())),
        Record::Lift { object, inode } => batch.lifted.push((*object, *inode)),
        Record::Commit { upto } => batch.committed = Some(*upto),
        Record::Done { upto } => {
            batch.intents.retain(|intent| intent.seq > *upto);
            batch.blocks.retain(|(seq, _)| seq > upto);
            batch.lifted.clear();
            batch.committed = None;
        }
    }
    batch
}

fn check(payload: &[u8]) -> [u8; 8] {
    let mut digits = [0; 8];
    let text = sha256(payload).to_string();
    let hex = text.as_bytes().iter().skip("sha256:".len());
    for (digit, hex) in digits.iter_mut().zip(hex) {
        *digit = *hex;
    }
    digits
}

fn decode(line: &[u8]) -> Option<Record> {
    let (found, rest) = line.strip_prefix(BEFORE_CHECK)?.split_at_checked(8)?;
    let payload = rest.strip_prefix(BEFORE_RECORD)?.strip_suffix(b"}")?;
    if found != check(payload) {
        return None;
    }
    read_payload(payload)
}
