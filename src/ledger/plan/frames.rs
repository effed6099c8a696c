//! Splits JSON text into the pieces that a plan is read by, without building a tree.
//!
//! A plan may be larger than memory and comes from anywhere, so this reader holds one value at a time: a member
//! of the top-level object, an element of its arrays `guests` and `actions`, or, in JSON Lines, one record. It
//! counts lines, so that every error can name one. It knows where values end and nothing of what is in them: the
//! parser of a value finds what is wrong inside.
//!
//! White space does not matter, because people run plans through formatters; a comma after the last
//! element is accepted, because people delete lines. Everything else that is not JSON is refused.

use std::io::{self, BufRead, ErrorKind};

use super::extent::Extent;
use super::form::Form;
use crate::ledger::json::printable;

/// Longest value that is read, in bytes. The longest lines of honest plans have a few thousand.
pub const MAX_VALUE: usize = 16 << 20;

/// Most keys of the top-level object; a plan has 14.
const MAX_KEYS: usize = 64;

/// Text that is not the JSON of a plan.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct FrameError {
    /// Where, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: JsonFault,
}

/// What is wrong with JSON text.
#[derive(Debug, thiserror::Error)]
pub enum JsonFault {
    /// The input could not be read.
    #[error("{0}")]
    Read(io::Error),
    /// The input ends within a value.
    #[error("the text ends too early: it was cut off")]
    Truncated,
    /// Something else stands where this is due.
    #[error("expected {0}")]
    Expected(&'static str),
    /// It is a file of another kind, which is known by its first bytes.
    #[error("{0}")]
    Foreign(&'static str),
    /// Something stands after the end.
    #[error("something stands behind the end of the plan")]
    Trailing,
    /// A key of the top level twice. Safe to print.
    #[error("key `{0}` is given twice")]
    Duplicate(String),
    /// Over 64 keys at the top level.
    #[error("too many keys at the top level")]
    ManyKeys,
    /// Nested over 32 deep.
    #[error("values are nested too deep")]
    Deep,
    /// A value over 16 MiB.
    #[error("a value is longer than 16 MiB")]
    Long,
    /// White space over 16 MiB: a bomb, for no editor leaves that much.
    #[error("more than 16 MiB of white space")]
    Blank,
}

/// An array whose elements come one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Array {
    Guests,
    Actions,
}

/// What [`Frames::value`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The value of this key of the (first) top-level object.
    ObjectMember(String),
    /// No value: the array begins.
    Enter(Array),
    /// An element of the array.
    Element(Array),
    /// A whole object after the first one: the text is JSON Lines.
    Record,
}

/// First bytes of what people give for a plan by mistake: at most four, which is what is there at first.
const FOREIGN: &[(&[u8], &str)] = &[
    (
        b"\xef\xbb\xbf",
        "the text begins with a byte order mark, as some editors write it, and JSON must not: save it as UTF-8 without",
    ),
    (
        b"\xff\xfe",
        "the text is UTF-16, and a plan is UTF-8: save it as such",
    ),
    (
        b"\xfe\xff",
        "the text is UTF-16, and a plan is UTF-8: save it as such",
    ),
    (
        b"\x1f\x8b",
        "it is compressed by gzip, and only plain and zstd plans are read: unpack it first (gunzip)",
    ),
    (
        b"\xfd7zX",
        "it is compressed by xz, and only plain and zstd plans are read: unpack it first (unxz)",
    ),
    (
        b"BZh",
        "it is compressed by bzip2, and only plain and zstd plans are read: unpack it first (bunzip2)",
    ),
    (
        b"PK\x03\x04",
        "it is a zip archive: take the plan out of it first (unzip)",
    ),
];

/// What is due next.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Start,
    FirstKey,
    Key,
    MemberEnd,
    Element(Array),
    ElementEnd(Array),
    Record,
    Nothing,
}

/// The pieces of one text, in order.
pub struct Frames<R> {
    input: R,
    line: u64,
    /// Bytes that were taken.
    at: u64,
    /// Where the last value begins.
    began: u64,
    due: Expected,
    keys: Vec<String>,
    has_arrays: bool,
    value: Vec<u8>,
}

impl<R: BufRead> Frames<R> {
    pub fn new(input: R) -> Self {
        Frames {
            input,
            line: 1,
            at: 0,
            began: 0,
            due: Expected::Start,
            keys: Vec::new(),
            has_arrays: false,
            value: Vec::new(),
        }
    }

    /// Reads on where an element of `actions` begins, or the record of one.
    pub(super) fn at_action(input: R, line: u64, form: Form) -> Self {
        let mut frames = Frames::new(input);
        frames.line = line;
        frames.due = match form {
            Form::Lines => Expected::Record,
            Form::Document => Expected::Element(Array::Actions),
        };
        frames
    }

    /// Where the last frame's value begins, in bytes.
    pub fn began(&self) -> u64 {
        self.began
    }

    /// The bytes of the last frame's value.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Have arrays begun? Then the text is one document.
    pub(super) fn has_arrays(&self) -> bool {
        self.has_arrays
    }

    /// The line that was reached.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next piece and the line that it begins on; `None` at the end of a text that is whole.
    /// After an error nothing more can be read.
    pub fn next(&mut self) -> Result<Option<(u64, Frame)>, FrameError> {
        loop {
            let found = match self.due {
                Expected::Start => self.start()?,
                Expected::FirstKey | Expected::Key => self.member()?,
                Expected::MemberEnd => self.member_end()?,
                Expected::Element(array) => self.element(array)?,
                Expected::ElementEnd(array) => self.element_end(array)?,
                Expected::Record => return self.record(),
                Expected::Nothing => return self.nothing(),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn start(&mut self) -> Result<Option<(u64, Frame)>, FrameError> {
        let first = fill(&mut self.input, self.line)?;
        let known = FOREIGN.iter().find(|(begin, _)| first.starts_with(begin));
        if let Some((_, what)) = known {
            return Err(self.fault(JsonFault::Foreign(what)));
        }
        self.expect(b'{', "`{`: this is not a plan")?;
        self.due = Expected::FirstKey;
        Ok(None)
    }

    fn member(&mut self) -> Result<Option<(u64, Frame)>, FrameError> {
        if matches!(self.due, Expected::FirstKey) && self.due_byte()? == b'}' {
            self.due = Expected::MemberEnd;
            return Ok(None);
        }
        let key = self.key()?;
        self.expect(b':', "`:`")?;
        let array = match key.as_str() {
            "guests" => Some(Array::Guests),
            "actions" => Some(Array::Actions),
            _ => None,
        };
        let opens = self.due_byte()? == b'[';
        if let Some(array) = array.filter(|_| opens) {
            self.bump();
            self.has_arrays = true;
            self.due = Expected::Element(array);
            return Ok(Some((self.line, Frame::Enter(array))));
        }
        self.due = Expected::MemberEnd;
        let line = self.take_value()?;
        Ok(Some((line, Frame::ObjectMember(key))))
    }

    fn key(&mut self) -> Result<String, FrameError> {
        if self.due_byte()? != b'"' {
            return Err(self.fault(JsonFault::Expected("a key in quotes")));
        }
        self.take_value()?;
        let key: String = serde_json::from_slice(&self.value)
            .map_err(|_| self.fault(JsonFault::Expected("a key in quotes")))?;
        if self.keys.contains(&key) {
            return Err(self.fault(JsonFault::Duplicate(printable(&key))));
        }
        if self.keys.len() == MAX_KEYS {
            return Err(self.fault(JsonFault::ManyKeys));
        }
        self.keys.push(key.clone());
        Ok(key)
    }

    fn member_end(&mut self) -> Result<Option<(u64, Frame)>, FrameError> {
        self.due = match self.due_byte()? {
            b',' => Expected::Key,
            b'}' if self.has_arrays => Expected::Nothing,
            b'}' => Expected::Record,
            _ => return Err(self.fault(JsonFault::Expected("`,` or `}`"))),
        };
        self.bump();
        Ok(None)
    }

    fn element(&mut self, array: Array) -> Result<Option<(u64, Frame)>, FrameError> {
        if self.due_byte()? == b']' {
            self.bump();
            self.due = Expected::MemberEnd;
            return Ok(None);
        }
        self.due = Expected::ElementEnd(array);
        let line = self.take_value()?;
        Ok(Some((line, Frame::Element(array))))
    }

    fn element_end(&mut self, array: Array) -> Result<Option<(u64, Frame)>, FrameError> {
        self.due = match self.due_byte()? {
            b',' => Expected::Element(array),
            b']' => Expected::MemberEnd,
            _ => return Err(self.fault(JsonFault::Expected("`,` or `]`"))),
        };
        self.bump();
        Ok(None)
    }

    fn record(&mut self) -> Result<Option<(u64, Frame)>, FrameError> {
        match self.next_byte()? {
            None => Ok(None),
            Some(b'{') => Ok(Some((self.take_value()?, Frame::Record))),
            Some(_) => Err(self.fault(JsonFault::Expected("`{`: one record a line"))),
        }
    }

    fn nothing(&mut self) -> Result<Option<(u64, Frame)>, FrameError> {
        match self.next_byte()? {
            None => Ok(None),
            Some(_) => Err(self.fault(JsonFault::Trailing)),
        }
    }

    fn fault(&self, fault: JsonFault) -> FrameError {
        FrameError {
            line: self.line,
            fault,
        }
    }
}

/// Bytes and lines.
impl<R: BufRead> Frames<R> {
    /// The next byte that is not white space, left in place; `None` at the end.
    fn next_byte(&mut self) -> Result<Option<u8>, FrameError> {
        for _ in 0..MAX_VALUE {
            match fill(&mut self.input, self.line)?.first().copied() {
                Some(b'\n') => self.line += 1,
                Some(b' ' | b'\t' | b'\r') => {}
                other => return Ok(other),
            }
            self.bump();
        }
        Err(self.fault(JsonFault::Blank))
    }

    /// The same where the text cannot end yet.
    fn due_byte(&mut self) -> Result<u8, FrameError> {
        let byte = self.next_byte()?;
        byte.ok_or_else(|| self.fault(JsonFault::Truncated))
    }

    fn bump(&mut self) {
        self.input.consume(1);
        self.at += 1;
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), FrameError> {
        if self.due_byte()? != byte {
            return Err(self.fault(JsonFault::Expected(what)));
        }
        self.bump();
        Ok(())
    }

    /// Moves the value that begins here into `self.value`; gives the line where it began.
    fn take_value(&mut self) -> Result<u64, FrameError> {
        self.value.clear();
        let mut extent = match self.due_byte()? {
            b'{' | b'[' | b'"' => Extent::nested(),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => Extent::Bare,
            _ => return Err(self.fault(JsonFault::Expected("a value"))),
        };
        let start = self.line;
        self.began = self.at;
        let at_start = |fault| FrameError { line: start, fault };
        loop {
            let chunk = fill(&mut self.input, self.line)?;
            let (used, ended) = extent
                .scan(chunk)
                .ok_or_else(|| at_start(JsonFault::Deep))?;
            let piece = chunk.get(..used).unwrap_or(chunk);
            if piece.is_empty() && !ended {
                return Err(self.fault(JsonFault::Truncated));
            }
            if self.value.len() + piece.len() > MAX_VALUE {
                return Err(at_start(JsonFault::Long));
            }
            self.line += piece.iter().filter(|&&b| b == b'\n').count() as u64;
            self.value.extend_from_slice(piece);
            self.input.consume(used);
            self.at += used as u64;
            if ended {
                return Ok(start);
            }
        }
    }
}

/// What is buffered; empty at the end.
fn fill<R: BufRead>(input: &mut R, line: u64) -> Result<&[u8], FrameError> {
    let failed = |error| FrameError {
        line,
        fault: JsonFault::Read(error),
    };
    while let Err(error) = input.fill_buf() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(failed(error));
        }
    }
    input.fill_buf().map_err(failed)
}
