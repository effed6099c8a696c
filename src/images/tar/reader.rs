//! An archive, entry by entry, from a stream that is read once. The parser puts the headers of an entry together; each
//! block was looked at before it gets it, and what it says is compared with what the blocks said.

use std::cell::RefCell;
use std::io::{self, Read};

use tar_core::HEADER_SIZE;
use tar_core::parse::{Limits, ParseError, ParseEvent, Parser};

use super::entry::{Headers, TarEntry};
use super::header::{Begins, BlockFacts, Extension, begins};
use super::pax::{PaxFacts, only_remarks};
use crate::images::bounds::ReadingBudget;
use crate::images::fault::{BadEntry, ImageFault, unreadable};

/// Bytes of all headers of one entry.
const MOST_HEADERS: usize = 1 << 20;

/// Bytes read at a time.
pub(super) const PIECE: usize = 128 * 1024;

/// Most zeros behind the end.
const MOST_PADDING: u64 = 1 << 30;

/// An archive, and where in it we are.
pub struct TarReader<'r> {
    pub(super) input: Box<dyn Read + 'r>,
    pub(super) budget: &'r RefCell<ReadingBudget>,
    parser: Parser,
    /// The headers of the current entry.
    chain: Vec<u8>,
    pax: PaxFacts,
    has_long: (bool, bool),
    /// Content that was read with the headers.
    pub(super) carried: io::Cursor<Vec<u8>>,
    /// Bytes of content of the current entry that were not read, and zeros behind them.
    pub(super) left: u64,
    padding: u64,
    /// The number of the current entry, and its name.
    number: u64,
    name: Vec<u8>,
    /// The archive within the image.
    archive: String,
}

/// What is sure when headers follow each other.
pub(super) type EntryResult<T> = Result<T, BadEntry>;

impl<'r> TarReader<'r> {
    /// An archive of this name within the image; empty where the image is the archive.
    pub fn new(
        input: Box<dyn Read + 'r>,
        archive: String,
        budget: &'r RefCell<ReadingBudget>,
    ) -> TarReader<'r> {
        let mut parser = Parser::new(Limits {
            max_metadata_size: MOST_HEADERS as u32,
            ..Limits::default()
        });
        parser.set_allow_empty_path(false);
        // Numbers of records were read before, and times that it does not know.
        parser.set_ignore_pax_errors(true);
        TarReader {
            input: Box::new(io::BufReader::with_capacity(PIECE, input)),
            budget,
            parser,
            chain: Vec::new(),
            pax: PaxFacts::default(),
            has_long: (false, false),
            carried: io::Cursor::default(),
            left: 0,
            padding: 0,
            number: 0,
            name: Vec::new(),
            archive,
        }
    }

    /// The next entry; `None` behind the last one, when all bytes were read.
    pub fn next(&mut self) -> Result<Option<TarEntry>, ImageFault> {
        let next = self.skip_content().and_then(|()| self.next_entry());
        next.map_err(|why| self.fault(why))
    }

    /// A refusal of the current entry, with its place.
    pub fn fault(&self, why: BadEntry) -> ImageFault {
        why.at(self.number, &self.name, &self.archive)
    }

    fn next_entry(&mut self) -> EntryResult<Option<TarEntry>> {
        self.number += 1;
        self.name.clear();
        self.chain.clear();
        self.pax = PaxFacts::default();
        self.has_long = (false, false);
        let Some(block) = self.headers()? else {
            return Ok(None);
        };
        let (entry, stored) = self.resolved(block)?;
        self.name.clone_from(&entry.path);
        self.budget.borrow_mut().name(entry.kept_bytes())?;
        self.left = stored;
        self.padding = stored.next_multiple_of(HEADER_SIZE as u64) - stored;
        Ok(Some(entry))
    }

    /// Reads blocks up to the one that begins an entry.
    fn headers(&mut self) -> EntryResult<Option<BlockFacts>> {
        loop {
            let Some(block) = self.block()? else {
                return Err(BadEntry::CutShort);
            };
            if block.iter().all(|byte| *byte == 0) {
                return match self.chain.is_empty() {
                    true => self.end().map(|()| None),
                    false => Err(BadEntry::Orphan),
                };
            }
            let begun = begins(&block)?;
            self.chain.extend_from_slice(&block);
            match begun {
                Begins::Entry(facts) => return Ok(Some(facts)),
                Begins::Extension(kind, size) => self.extension(kind, size)?,
            }
        }
    }

    /// A header that belongs to the next entry, or to all.
    fn extension(&mut self, kind: Extension, size: u64) -> EntryResult<()> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let length = size.checked_next_multiple_of(HEADER_SIZE);
        let length = length.filter(|length| self.chain.len() + length <= MOST_HEADERS);
        let length = length.ok_or(BadEntry::TooMuch {
            most: MOST_HEADERS as u64,
            what: "bytes of headers of one entry",
        })?;
        let from = self.chain.len();
        self.chain.resize(from + length, 0);
        self.input
            .read_exact(&mut self.chain[from..])
            .map_err(|error| unreadable(&error))?;
        let data = &self.chain[from..from + size];
        match kind {
            Extension::Pax => self.pax = PaxFacts::of(data)?,
            Extension::LongName => {
                long_name(data)?;
                self.has_long.0 = true;
            }
            Extension::LongLink => {
                long_name(data)?;
                self.has_long.1 = true;
            }
            Extension::Global => {
                only_remarks(data)?;
                if from != HEADER_SIZE {
                    return Err(BadEntry::Orphan);
                }
                self.chain.clear();
            }
        }
        match (self.has_long.0 && self.pax.has_path) || (self.has_long.1 && self.pax.has_link) {
            true => Err(BadEntry::TwoNames),
            false => Ok(()),
        }
    }

    /// What the parser makes of the headers. It asks for more where the map of a sparse file follows.
    fn resolved(&mut self, block: BlockFacts) -> EntryResult<(TarEntry, u64)> {
        let mut ahead = block.size;
        loop {
            let wanted = match self.parser.parse(&self.chain).map_err(parser)? {
                ParseEvent::NeedData { min_bytes } => min_bytes,
                ParseEvent::Entry { consumed, entry } => {
                    let (headers, sparse) = (consumed, None);
                    let done = self.with(block, &entry, sparse)?;
                    return self.carry(headers, done);
                }
                ParseEvent::SparseEntry {
                    consumed,
                    entry,
                    sparse_map,
                    real_size,
                } => {
                    let done = self.with(block, &entry, Some((&sparse_map, real_size)))?;
                    return self.carry(consumed, done);
                }
                ParseEvent::GlobalExtensions { .. } | ParseEvent::End { .. } => {
                    return Err(BadEntry::Orphan);
                }
            };
            self.read_on(wanted, block, &mut ahead)?;
        }
    }

    fn with(
        &self,
        block: BlockFacts,
        parsed: &tar_core::parse::ParsedEntry<'_>,
        sparse: Option<(&[tar_core::SparseEntry], u64)>,
    ) -> EntryResult<(TarEntry, u64)> {
        let (number, pax) = (self.number, &self.pax);
        Headers {
            number,
            block,
            pax,
            parsed,
            sparse,
        }
        .entry()
    }

    /// What stands behind the headers in the chain is content.
    fn carry(&mut self, headers: usize, done: (TarEntry, u64)) -> EntryResult<(TarEntry, u64)> {
        let content = self.chain.split_off(headers.min(self.chain.len()));
        match content.len() as u64 <= done.1.next_multiple_of(HEADER_SIZE as u64) {
            true => self.carried = io::Cursor::new(content),
            false => return Err(BadEntry::Sparse("it is longer than the entry")),
        }
        Ok(done)
    }

    /// Reads more of the map. One within the content is read in growing steps, which end with the content; blocks of
    /// one in the form of GNU come one by one.
    fn read_on(&mut self, wanted: usize, block: BlockFacts, ahead: &mut u64) -> EntryResult<()> {
        let length = self.chain.len();
        let is_inside = block.kind != tar_core::EntryType::GnuSparse;
        let step = match is_inside {
            true => (length / 2).max(wanted.saturating_sub(length)),
            false => HEADER_SIZE,
        };
        let mut step = step.next_multiple_of(HEADER_SIZE);
        if is_inside {
            let rest = ahead.next_multiple_of(HEADER_SIZE as u64);
            step = step.min(usize::try_from(rest).unwrap_or(usize::MAX));
            *ahead = ahead.saturating_sub(step as u64);
        }
        if step == 0 {
            return Err(BadEntry::Sparse("it does not end with the entry"));
        }
        if length + step > MOST_HEADERS {
            return Err(BadEntry::TooMuch {
                most: MOST_HEADERS as u64,
                what: "bytes of headers of one entry",
            });
        }
        self.chain.resize(length + step, 0);
        let read = self.input.read_exact(&mut self.chain[length..]);
        read.map_err(|error| unreadable(&error))
    }

    /// `None` where the stream ends before the block.
    fn block(&mut self) -> EntryResult<Option<[u8; HEADER_SIZE]>> {
        let mut block = [0; HEADER_SIZE];
        let mut filled = 0;
        while filled < HEADER_SIZE {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(BadEntry::CutShort),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
        }
        Ok(Some(block))
    }

    /// Behind a block of zeros: one more, and then nothing but zeros. What packs the archive is read to its end as
    /// well, where its checksums are.
    fn end(&mut self) -> EntryResult<()> {
        match self.block()? {
            None => return Err(BadEntry::CutShort),
            Some(block) if block.iter().any(|byte| *byte != 0) => {
                return Err(BadEntry::OneZeroBlock);
            }
            Some(_) => {}
        }
        let mut piece = vec![0; PIECE];
        let mut zeros = 0;
        loop {
            self.budget.borrow().in_time()?;
            match self.input.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) if piece[..read].iter().any(|byte| *byte != 0) => {
                    return Err(BadEntry::BehindEnd);
                }
                Ok(read) => zeros += read as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(&error)),
            }
            if zeros > MOST_PADDING {
                return Err(BadEntry::TooMuch {
                    most: MOST_PADDING,
                    what: "bytes of zeros behind the end",
                });
            }
        }
    }

    fn skip_content(&mut self) -> EntryResult<()> {
        let mut piece = vec![0; usize::try_from(self.left).unwrap_or(PIECE).min(PIECE)];
        while self.left > 0 {
            self.piece(&mut piece)?;
        }
        let mut padding = [0; HEADER_SIZE];
        let length = usize::try_from(std::mem::take(&mut self.padding)).unwrap_or(0);
        let read = self.read_exactly(&mut padding[..length]);
        self.carried = io::Cursor::default();
        read
    }

    /// The next bytes of content; none behind the last.
    pub(super) fn piece(&mut self, buffer: &mut [u8]) -> EntryResult<usize> {
        self.budget.borrow().in_time()?;
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        self.read_exactly(&mut buffer[..length])?;
        self.left -= length as u64;
        Ok(length)
    }

    fn read_exactly(&mut self, buffer: &mut [u8]) -> EntryResult<()> {
        let mut both = (&mut self.carried).chain(&mut *self.input);
        both.read_exact(buffer).map_err(|error| unreadable(&error))
    }
}

/// A long name has one NUL at its end, and none before.
fn long_name(data: &[u8]) -> EntryResult<()> {
    let name = data.strip_suffix(b"\0").unwrap_or(data);
    match name.is_empty() || name.contains(&0) {
        true => Err(BadEntry::Name(
            "stands in a header of its own that is empty or has a NUL in it",
        )),
        false => Ok(()),
    }
}

fn parser(error: ParseError) -> BadEntry {
    match error {
        ParseError::EmptyPath => BadEntry::Name("is empty"),
        ParseError::TooManySparseEntries { limit, .. } => BadEntry::TooMuch {
            most: limit as u64,
            what: "parts of a sparse file",
        },
        other => BadEntry::Parser(other.to_string()),
    }
}
