//! The receipt: what a run did with every action, one line each, written while the run goes on.
//!
//! JSON Lines: first [`Receipt`], then one line for every action, last the totals. A run that is killed leaves a
//! receipt without totals, whose last line may be truncated; that is expected and is said, not refused. `undo`,
//! `status` and `verify` read receipts, so what they say is held to the same strictness as a plan; but a receipt
//! lies in the base, where no guest can write.

mod wire;

use std::io::{self, BufRead, Write};

use super::json::{self, BadValue};
use super::lines::{FoundLine, LineReader};
use super::plan::frames::MAX_VALUE;
use super::plan::object::{with_kind, without_kind};
use crate::model::{Receipt, ReceiptLine, RunTotals};
use wire::ReceiptLineWire;

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
        json::write(&ReceiptLineWire::new(line), &mut self.line)?;
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

    fn end_line(&mut self) -> io::Result<()> {
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
    /// A line in the middle is not a receipt's.
    #[error("line {line} of the receipt, {bad}")]
    Value {
        /// Which line.
        line: u64,
        /// Which field, and what is wrong.
        bad: BadValue,
    },
    /// It has no first line, or that of something else.
    #[error("this is not a receipt of unify")]
    NotAReceipt,
    /// Lines follow the totals.
    #[error("line {line} of the receipt stands behind its end")]
    Trailing {
        /// The first such line.
        line: u64,
    },
}

/// How a receipt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptEnd {
    /// The counts; `None` where the run did not end by itself.
    pub totals: Option<RunTotals>,
    /// Is the receipt whole? False where totals are missing or the last line was truncated.
    pub complete: bool,
}

/// A receipt that is being read, line by line.
pub struct ReceiptReader<R> {
    lines: LineReader<R>,
    receipt: Receipt,
    end: Option<ReceiptEnd>,
}

impl<R: BufRead> ReceiptReader<R> {
    /// Reads the first line.
    pub fn open(input: R) -> Result<ReceiptReader<R>, ReceiptError> {
        let mut lines = LineReader::new(input, MAX_VALUE as u64);
        if lines.advance()? != FoundLine::Whole {
            return Err(ReceiptError::NotAReceipt);
        }
        let receipt: Receipt =
            json::parse(lines.line()).map_err(|bad| ReceiptError::Value { line: 1, bad })?;
        if receipt.kind != "unify.receipt" || !receipt.format.starts_with("1.") {
            return Err(ReceiptError::NotAReceipt);
        }
        let end = None;
        Ok(ReceiptReader {
            lines,
            receipt,
            end,
        })
    }

    /// The first line.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// What became of the next action; `None` after the last that is whole.
    pub fn next_line(&mut self) -> Result<Option<ReceiptLine>, ReceiptError> {
        if self.end.is_some() {
            return Ok(None);
        }
        if self.lines.advance()? != FoundLine::Whole {
            return Ok(self.stop(None));
        }
        if self.lines.line().starts_with(TOTALS) {
            return self.totals();
        }
        match read_line(self.lines.line()) {
            Ok(line) => Ok(Some(line)),
            Err(_) if self.lines.at_end()? => Ok(self.stop(None)),
            Err(bad) => Err(self.bad(bad)),
        }
    }

    /// Reads what is left and says how the receipt ended.
    pub fn finish(mut self) -> Result<ReceiptEnd, ReceiptError> {
        loop {
            if let Some(end) = self.end {
                return Ok(end);
            }
            self.next_line()?;
        }
    }

    fn totals(&mut self) -> Result<Option<ReceiptLine>, ReceiptError> {
        let text = without_kind(self.lines.line());
        let totals = text.and_then(|text| json::parse::<RunTotals>(&text));
        match totals {
            _ if !self.lines.at_end()? => Err(ReceiptError::Trailing {
                line: self.lines.number() + 1,
            }),
            Ok(totals) => Ok(self.stop(Some(totals))),
            Err(_) => Ok(self.stop(None)),
        }
    }

    fn stop(&mut self, totals: Option<RunTotals>) -> Option<ReceiptLine> {
        let complete = totals.is_some();
        self.end = Some(ReceiptEnd { totals, complete });
        None
    }

    fn bad(&self, bad: BadValue) -> ReceiptError {
        let line = self.lines.number();
        ReceiptError::Value { line, bad }
    }
}

fn read_line(line: &[u8]) -> Result<ReceiptLine, BadValue> {
    json::parse::<ReceiptLineWire>(line)?.read()
}
