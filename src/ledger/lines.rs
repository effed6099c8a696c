//! Lines of text that may end in the middle: what a crash leaves of a receipt or journal.

use std::io::{self, BufRead, ErrorKind, Read};

/// Reads line by line; a line over the limit is an error, not memory.
pub(super) struct LineReader<R> {
    input: R,
    limit: u64,
    number: u64,
    line: Vec<u8>,
}

/// What [`LineReader::advance`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundLine {
    /// A line that ends in a newline.
    Whole,
    /// Bytes without a newline, then the end.
    Torn,
    /// The end.
    End,
}

impl<R: BufRead> LineReader<R> {
    /// `limit` is the longest line in bytes, with its newline.
    pub(super) fn new(input: R, limit: u64) -> Self {
        LineReader {
            input,
            limit,
            number: 0,
            line: Vec::new(),
        }
    }

    /// Goes to the next line.
    pub(super) fn advance(&mut self) -> io::Result<FoundLine> {
        self.line.clear();
        let mut limited = self.input.by_ref().take(self.limit);
        limited.read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(FoundLine::End);
        }
        self.number += 1;
        if self.line.pop_if(|byte| *byte == b'\n').is_some() {
            return Ok(FoundLine::Whole);
        }
        if self.line.len() as u64 == self.limit {
            let text = format!("line {} is longer than {} bytes", self.number, self.limit);
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        Ok(FoundLine::Torn)
    }

    /// The line without its newline.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Its number, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Does nothing follow?
    pub(super) fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.input.fill_buf()?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_over_the_limit_is_an_error_and_not_a_torn_one() {
        let mut lines = LineReader::new(&b"12345\n1234567"[..], 6);
        assert_eq!(lines.advance().unwrap(), FoundLine::Whole);
        assert_eq!(lines.line(), b"12345");
        let error = lines.advance().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);

        let mut lines = LineReader::new(&b"12345"[..], 6);
        assert_eq!(lines.advance().unwrap(), FoundLine::Torn);
        assert_eq!(lines.advance().unwrap(), FoundLine::End);
    }
}
