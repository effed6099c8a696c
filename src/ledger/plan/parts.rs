//! The parts of a plan in order, whichever form it has.
//!
//! A document and JSON Lines hold the same values: a header, guests, actions, a summary, a digest. A reader
//! through this sees no difference. The form need not be told: a document's header is followed by the array
//! `guests` in the same object, that of JSON Lines is an object of its own.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;

use super::error::PlanError;
use super::frames::{Array, Frame, FrameError, Frames, JsonFault, MAX_VALUE};
use super::object::{ObjectText, without_kind};
use crate::ledger::json;
use crate::ledger::json::{BadValue, printable};
use crate::model::PlanKind;

/// What a value after the header is, in the order of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Header,
    Guests,
    Actions,
    Summary,
    Digest,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Header => "header",
            Part::Guests => "guests",
            Part::Actions => "actions",
            Part::Summary => "summary",
            Part::Digest => "digest",
        }
    }

    /// The part that comes next.
    fn next(self) -> Part {
        match self {
            Part::Header => Part::Guests,
            Part::Guests => Part::Actions,
            Part::Actions => Part::Summary,
            Part::Summary | Part::Digest => Part::Digest,
        }
    }
}

/// The header's keys as one object, and the line of each.
#[derive(Default)]
pub(super) struct Head {
    text: ObjectText,
    lines: Vec<(String, u64)>,
}

impl Head {
    fn push(&mut self, line: u64, key: String, value: &[u8]) -> Result<(), FrameError> {
        if self.text.len() + key.len() + value.len() > MAX_VALUE {
            let fault = JsonFault::Long;
            return Err(FrameError { line, fault });
        }
        self.text.push(&key, value);
        self.lines.push((key, line));
        Ok(())
    }

    /// The text of the object, and where its keys stood.
    pub fn finish(self) -> (Vec<u8>, Vec<(String, u64)>) {
        (self.text.finish(), self.lines)
    }
}

/// The values after the header, one at a time.
pub(super) struct Parts<R> {
    frames: Frames<R>,
    ahead: Option<(u64, Frame)>,
    reached: Part,
    record: Option<Vec<u8>>,
}

impl<R: BufRead> Parts<R> {
    /// Reads the header.
    pub fn open(input: R) -> Result<(Head, Self), PlanError> {
        let mut frames = Frames::new(input);
        let mut head = Head::default();
        let ahead = loop {
            match frames.next()? {
                Some((line, Frame::ObjectMember(key))) if !is_part(&key) => {
                    head.push(line, key, frames.value())?;
                }
                other => break other,
            }
        };
        let parts = Parts {
            frames,
            ahead,
            reached: Part::Header,
            record: None,
        };
        Ok((head, parts))
    }

    /// The text of the last value; of a record without its `kind`.
    pub fn value(&self) -> &[u8] {
        self.record
            .as_deref()
            .unwrap_or_else(|| self.frames.value())
    }

    /// Where the last value begins, in bytes.
    pub fn began(&self) -> u64 {
        self.frames.began()
    }

    /// Is the plan a document, not JSON Lines?
    pub(super) fn is_document(&self) -> bool {
        self.frames.has_arrays()
    }

    /// The next value and the line it begins on; `None` at the end of a plan that is complete.
    pub fn next(&mut self) -> Result<Option<(u64, Part)>, PlanError> {
        loop {
            self.record = None;
            let frame = match self.ahead.take() {
                Some(ahead) => Some(ahead),
                None => self.frames.next()?,
            };
            let Some((line, frame)) = frame else {
                return self.end();
            };
            match frame {
                Frame::Enter(array) => self.enter(line, array.into())?,
                Frame::Element(array) => return Ok(Some((line, array.into()))),
                Frame::ObjectMember(key) => return self.member(line, &key),
                Frame::Record => return self.record(line),
            }
        }
    }

    /// A part of a document: each comes once and none may be left out.
    fn enter(&mut self, line: u64, part: Part) -> Result<(), PlanError> {
        if part != self.reached.next() || part == self.reached {
            return Err(misplaced(line, part.name()));
        }
        self.reached = part;
        Ok(())
    }

    fn member(&mut self, line: u64, key: &str) -> Result<Option<(u64, Part)>, PlanError> {
        let part = match key {
            "summary" => Part::Summary,
            "digest" => Part::Digest,
            _ => return Err(misplaced(line, key)),
        };
        self.enter(line, part)?;
        Ok(Some((line, part)))
    }

    /// A part of JSON Lines: there may be no guests and no actions.
    fn record(&mut self, line: u64) -> Result<Option<(u64, Part)>, PlanError> {
        let part = part_of_record(self.frames.value()).map_err(PlanError::at(line))?;
        let fits = match part {
            Part::Header => false,
            Part::Guests | Part::Actions => part >= self.reached,
            Part::Summary => part > self.reached,
            Part::Digest => self.reached == Part::Summary,
        };
        if !fits {
            return Err(misplaced(line, part.name()));
        }
        self.reached = part;
        if part != Part::Actions {
            let rest = without_kind(self.frames.value()).map_err(PlanError::at(line))?;
            self.record = Some(rest);
        }
        Ok(Some((line, part)))
    }

    fn end(&self) -> Result<Option<(u64, Part)>, PlanError> {
        if self.reached == Part::Digest {
            return Ok(None);
        }
        Err(PlanError::Missing {
            line: self.frames.line(),
            part: self.reached.max(Part::Actions).next().name(),
        })
    }
}

impl From<Array> for Part {
    fn from(array: Array) -> Part {
        match array {
            Array::Guests => Part::Guests,
            Array::Actions => Part::Actions,
        }
    }
}

fn is_part(key: &str) -> bool {
    matches!(key, "guests" | "actions" | "summary" | "digest")
}

fn misplaced(line: u64, part: &str) -> PlanError {
    PlanError::Misplaced {
        line,
        part: printable(part),
    }
}

#[derive(Deserialize)]
struct KindField<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
}

/// What the record says it is. One without `kind` is an action; its own reader finds out otherwise.
fn part_of_record(record: &[u8]) -> Result<Part, BadValue> {
    if record.starts_with(br#"{"action":"#) {
        return Ok(Part::Actions);
    }
    match json::parse::<KindField>(record)?.kind.as_deref() {
        None => Ok(Part::Actions),
        Some(kind) if PlanKind::from_code(kind).is_some() => Ok(Part::Header),
        Some("unify.guest") => Ok(Part::Guests),
        Some("unify.summary") => Ok(Part::Summary),
        Some("unify.digest") => Ok(Part::Digest),
        Some(other) => Err(BadValue::new(
            "kind",
            format_args!("unknown kind {other:?}"),
        )),
    }
}
