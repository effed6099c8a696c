//! The receipt: what a run did with every action, one line each, written while the run goes on.
//!
//! JSON Lines: first [`Receipt`], then one line for every action, last the totals. A run that is killed leaves a
//! receipt without totals, whose last line may be truncated; that is expected and is said, not refused. A receipt
//! lies in the base, where no guest can write, but disks forget: every line has a check, and one that is not what was
//! written is left out and named, while all others count. What a line says is held to the same strictness as a plan.

mod check;
mod wire;

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};

use super::json::{self, BadValue};
use super::lines::{FoundLine, LineReader};
use super::plan::frames::MAX_VALUE;
use super::plan::object::{with_kind, without_kind};
use crate::model::{Receipt, ReceiptLine, RunTotals, UsedFile};
use wire::ReceiptLineWire;

/// What the first line says that it is.
const KIND: &str = "unify.receipt";

/// The start of the last line, as we write it.
const TOTALS: &[u8] = br#"{"kind":"unify.totals","#;

/// A receipt that is being written. Buffering and syncing are the caller's.
pub struct ReceiptWriter<W: Write> {
    out: W,
    line: Vec<u8>,
}

impl<W: Write> ReceiptWriter<W> {
    /// Writes the first line.
    pub fn new(out: W, receipt: &Receipt) -> io::Result<ReceiptWriter<W>> {
        let line = Vec::new();
        let mut writer = ReceiptWriter { out, line };
        json::write(receipt, &mut writer.line)?;
        writer.end_line()?;
        Ok(writer)
    }

    /// Writes what became of one action.
    pub fn line(&mut self, line: &ReceiptLine) -> io::Result<()> {
        self.line_of_used(line, &[])
    }

    /// The same of a file that was in use as it got an inode of its own. That is for people: nothing is decided by it.
    pub fn line_of_used(&mut self, line: &ReceiptLine, uses: &[UsedFile]) -> io::Result<()> {
        json::write(&ReceiptLineWire::new(line).used(uses), &mut self.line)?;
        self.end_line()
    }

    /// Hands on what was written so far, if the output holds it back.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes the totals, which make the receipt complete, and gives the output back, flushed.
    pub fn finish(mut self, totals: &RunTotals) -> io::Result<W> {
        json::write(totals, &mut self.line)?;
        self.line = with_kind("unify.totals", &self.line).map_err(io::Error::other)?;
        self.end_line()?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// Gives the output back, flushed, without totals: what is written is of a run that did not end by itself.
    pub fn end(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn end_line(&mut self) -> io::Result<()> {
        check::add(&mut self.line);
        self.line.push(b'\n');
        let written = self.out.write_all(&self.line);
        self.line.clear();
        written
    }
}

/// A receipt that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// It could not be read.
    #[error("cannot read the receipt: {0}")]
    Read(#[from] io::Error),
    /// It has no first line: its run was killed before it did anything.
    #[error("this is not a receipt of unify")]
    NotAReceipt,
    /// Its first line is not what was written.
    #[error("the first line of the receipt, {0}")]
    Head(BadValue),
    /// A later version wrote it.
    #[error("the receipt has format {}: a later version of unify wrote it", json::printable(.0))]
    Later(String),
}

/// A line that is not what was written. What it says is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Which, from 1.
    pub line: u64,
    /// What is wrong with it. Safe to print.
    pub why: String,
}

/// So many are named, and the last stands for all that follow.
const MOST_NAMED: usize = 1000;

/// How a receipt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptEnd {
    /// The counts; `None` where the run did not end by itself, or where they are damaged.
    pub totals: Option<RunTotals>,
    /// Is the receipt whole? False where totals are missing or the last line was truncated.
    pub complete: bool,
    /// Lines that were left out.
    pub damaged: Vec<BadLine>,
}

/// A receipt that is being read, line by line.
pub struct ReceiptReader<R> {
    lines: LineReader<R>,
    receipt: Receipt,
    /// Lines that stood in one, because the newline between them is damaged.
    waiting: VecDeque<Vec<u8>>,
    damaged: Vec<BadLine>,
    totals: Option<RunTotals>,
    ended: bool,
}

/// What a line may be.
enum Piece {
    Line(ReceiptLine),
    Totals(RunTotals),
}

impl<R: BufRead> ReceiptReader<R> {
    /// Reads the first line.
    pub fn open(input: R) -> Result<ReceiptReader<R>, ReceiptError> {
        let mut lines = LineReader::new(input, MAX_VALUE as u64);
        if lines.advance()? != FoundLine::Whole {
            return Err(ReceiptError::NotAReceipt);
        }
        let joined = check::split_joined(lines.line());
        let receipt = read_head(joined.map_or(lines.line(), |(head, _)| head))?;
        let rest = joined.map(|(_, rest)| rest.to_vec());
        let mut reader = ReceiptReader::new(lines, receipt);
        if let Some(rest) = rest {
            reader.ran_on();
            reader.waiting.push_back(rest);
        }
        Ok(reader)
    }

    /// Reads on behind a first line that is damaged; `receipt` is what it must have said.
    pub fn without_head(input: R, receipt: Receipt, bad: &BadValue) -> ReceiptReader<R> {
        let mut lines = LineReader::new(input, MAX_VALUE as u64);
        let ended = lines.advance().is_err();
        let mut reader = ReceiptReader::new(lines, receipt);
        reader.leave_out(bad);
        reader.ended = ended;
        reader
    }

    /// Reads lines that stand further behind; `receipt` is what the first one said.
    pub fn behind(input: R, receipt: Receipt) -> ReceiptReader<R> {
        ReceiptReader::new(LineReader::new(input, MAX_VALUE as u64), receipt)
    }

    fn new(lines: LineReader<R>, receipt: Receipt) -> ReceiptReader<R> {
        ReceiptReader {
            lines,
            receipt,
            waiting: VecDeque::new(),
            damaged: Vec::new(),
            totals: None,
            ended: false,
        }
    }

    /// The first line.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// What became of the next action; `None` after the last that is whole. What is damaged is left out.
    pub fn next_line(&mut self) -> Option<ReceiptLine> {
        while let Some(text) = self.next_text() {
            match read_piece(&text) {
                Ok(_) if self.totals.is_some() => {
                    self.leave_out(&BadValue::new("", "it stands behind the end"));
                }
                Ok(Piece::Line(line)) => return Some(line),
                Ok(Piece::Totals(totals)) => self.totals = Some(totals),
                Err(bad) => self.damage(&text, &bad),
            }
        }
        None
    }

    /// Reads what is left and says how the receipt ended.
    pub fn finish(mut self) -> ReceiptEnd {
        while self.next_line().is_some() {}
        ReceiptEnd {
            totals: self.totals,
            complete: self.totals.is_some(),
            damaged: self.damaged,
        }
    }

    /// The text of the next line that ends in a newline, or that ought to. Nothing can be read behind what the disk
    /// does not give back.
    fn next_text(&mut self) -> Option<Vec<u8>> {
        if let Some(text) = self.waiting.pop_front() {
            return Some(text);
        }
        if self.ended {
            return None;
        }
        match self.lines.advance() {
            Ok(FoundLine::Whole) => return Some(self.lines.line().to_vec()),
            // All of it and one byte more, which should have been a newline.
            Ok(FoundLine::Torn) if check::split_joined(self.lines.line()).is_some() => {
                self.ran_on();
                return self
                    .lines
                    .line()
                    .split_last()
                    .map(|(_, line)| line.to_vec());
            }
            Ok(FoundLine::Torn | FoundLine::End) => {}
            Err(error) => {
                let why = format!("from here on it cannot be read: {error}");
                self.leave_out(&BadValue::new("", why));
            }
        }
        self.ended = true;
        None
    }

    /// Two lines that ran into each other are read both. NULs at the end are what a power cut leaves of a block that
    /// never was on disk.
    fn damage(&mut self, text: &[u8], bad: &BadValue) {
        if let Some((first, rest)) = check::split_joined(text) {
            self.ran_on();
            self.waiting.extend([first.to_vec(), rest.to_vec()]);
        } else if !(text.contains(&0) && self.lines.at_end().unwrap_or(false)) {
            self.leave_out(bad);
        }
    }

    fn ran_on(&mut self) {
        let why = "its end is damaged; what it says could be read";
        self.leave_out(&BadValue::new("", why));
    }

    fn leave_out(&mut self, bad: &BadValue) {
        if self.damaged.len() < MOST_NAMED {
            let (line, why) = (self.lines.number().max(1), bad.to_string());
            self.damaged.push(BadLine { line, why });
        }
    }
}

fn read_head(line: &[u8]) -> Result<Receipt, ReceiptError> {
    let text = check::take(line).map_err(ReceiptError::Head)?;
    let receipt: Receipt = json::parse(&text).map_err(ReceiptError::Head)?;
    if receipt.kind == KIND && receipt.format.starts_with("1.") {
        Ok(receipt)
    } else if check::is_there(line) && receipt.kind == KIND {
        Err(ReceiptError::Later(receipt.format))
    } else {
        Err(ReceiptError::Head(BadValue::new(
            "kind",
            "not that of a receipt",
        )))
    }
}

fn read_piece(line: &[u8]) -> Result<Piece, BadValue> {
    let text = check::take(line)?;
    if text.starts_with(TOTALS) {
        let totals = json::parse(&without_kind(&text)?)?;
        return Ok(Piece::Totals(totals));
    }
    json::parse::<ReceiptLineWire>(&text)?
        .read()
        .map(Piece::Line)
}
