//! Writes a plan, some lines at a time, as it is made.
//!
//! The same header, guests and actions give the same bytes: nothing is read from the clock or the environment.
//! Nothing is held back but the current lines, so a plan may be larger than memory.

use std::io::{self, Write};

use super::digest::{Covered, PlanHashes};
use super::form::Form;
use super::frames::MAX_VALUE;
use super::line;
use super::object::{members, with_kind};
use super::sealed::with_seal;
use crate::model::{Action, Header, PlanDigest, PlannedGuest, Summary};

/// A plan that is being written. It is complete only after [`PlanWriter::finish`]; readers refuse
/// what was cut off before.
pub struct PlanWriter<W: Write> {
    text: PlanText<W>,
    hashes: PlanHashes,
}

/// The text of a plan in one of its forms, made of values that are JSON already.
pub(super) struct PlanText<W: Write> {
    out: W,
    form: Form,
    line: Vec<u8>,
    first: bool,
}

/// Some lines of a plan in their order, ready to be written: made anywhere, by many threads at once.
pub struct Encoded {
    form: Form,
    lines: Vec<u8>,
    covered: Covered,
}

impl Encoded {
    /// The lines of `actions`, for a plan of this form.
    pub fn new(form: Form, actions: &[Action]) -> io::Result<Encoded> {
        let mut encoded = Encoded {
            form,
            lines: Vec::with_capacity(actions.len() * 512),
            covered: Covered::of_about(actions.len()),
        };
        for (at, action) in actions.iter().enumerate() {
            if at > 0 {
                encoded.lines.extend_from_slice(encoded.form.between());
            }
            let before = encoded.lines.len();
            line::encode(action, &mut encoded.lines)?;
            readable(encoded.lines.len() - before)?;
            encoded.covered.add(action);
        }
        Ok(encoded)
    }

    /// Bytes of all lines.
    #[cfg(test)]
    pub fn length(&self) -> usize {
        self.lines.len()
    }
}

/// What no reader would take is not written: a plan that is announced can be read.
fn readable(length: usize) -> io::Result<()> {
    if length + KIND < MAX_VALUE {
        return Ok(());
    }
    let why = format!("a line of {length} bytes, which no reader of plans takes");
    Err(io::Error::other(why))
}

/// Longest that a kind is, which goes before a record.
const KIND: usize = 64;

impl Form {
    /// What stands between two lines of the list.
    fn between(self) -> &'static [u8] {
        match self {
            Form::Document => b",\n",
            Form::Lines => b"\n",
        }
    }
}

impl<W: Write> PlanWriter<W> {
    /// Writes header and guests. Fails if a host path in them is not UTF-8.
    pub fn new(
        out: W,
        form: Form,
        header: &Header,
        guests: &[PlannedGuest],
    ) -> io::Result<PlanWriter<W>> {
        let mut text = PlanText::begin(out, form, with_seal(header)?)?;
        guests
            .iter()
            .try_for_each(|guest| text.guest(with_seal(guest)?))?;
        text.begin_actions()?;
        let hashes = PlanHashes::new(header, guests);
        Ok(PlanWriter { text, hashes })
    }

    /// Writes the next actions. The caller keeps the order: guest as in the list, then path.
    pub fn actions(&mut self, encoded: Encoded) -> io::Result<()> {
        if encoded.form != self.text.form {
            return Err(io::Error::other("lines of another form of the plan"));
        }
        if encoded.lines.is_empty() {
            return Ok(());
        }
        self.hashes.take(&encoded.covered);
        self.text.action(encoded.lines)
    }

    /// Writes the closing lines and flushes. The digest is over the actions that were written.
    pub fn finish(self, summary: &Summary) -> io::Result<PlanDigest> {
        let digest = self.hashes.finish();
        self.text
            .finish(&with_seal(summary)?, &with_seal(&digest)?)?;
        Ok(digest)
    }
}

impl<W: Write> PlanText<W> {
    /// Writes the header, an object.
    pub fn begin(out: W, form: Form, header: Vec<u8>) -> io::Result<PlanText<W>> {
        let mut text = PlanText {
            out,
            form,
            line: header,
            first: true,
        };
        if form == Form::Lines {
            text.item()?;
            return Ok(text);
        }
        text.out.write_all(b"{\n")?;
        for (key, value) in members(&text.line).map_err(io::Error::other)? {
            write!(text.out, "\"{key}\": ")?;
            text.out.write_all(&value)?;
            text.out.write_all(b",\n")?;
        }
        text.out.write_all(b"\"guests\": [\n")?;
        Ok(text)
    }

    /// Writes the next guest, an object.
    pub fn guest(&mut self, guest: Vec<u8>) -> io::Result<()> {
        match self.form {
            Form::Document => {
                self.line = guest;
                self.item()
            }
            Form::Lines => self.record("unify.guest", &guest),
        }
    }

    /// All guests were written.
    pub fn begin_actions(&mut self) -> io::Result<()> {
        match self.form {
            Form::Document => self.end_list("],\n\"actions\": [\n"),
            Form::Lines => Ok(()),
        }
    }

    /// Writes the next action, or several with what stands between them.
    pub fn action(&mut self, action: Vec<u8>) -> io::Result<()> {
        self.line = action;
        self.item()
    }

    /// Writes summary and digest, and flushes.
    pub fn finish(mut self, summary: &[u8], digest: &[u8]) -> io::Result<()> {
        match self.form {
            Form::Document => {
                self.end_list("],\n\"summary\": ")?;
                self.out.write_all(summary)?;
                self.out.write_all(b",\n\"digest\": ")?;
                self.out.write_all(digest)?;
                self.out.write_all(b"\n}\n")?;
            }
            Form::Lines => {
                self.record("unify.summary", summary)?;
                self.record("unify.digest", digest)?;
            }
        }
        self.out.flush()
    }

    /// Writes `self.line` as an element of the open list, or as a record.
    fn item(&mut self) -> io::Result<()> {
        if self.form == Form::Lines {
            self.line.push(b'\n');
        } else if !self.first {
            self.out.write_all(b",\n")?;
        }
        self.first = false;
        self.out.write_all(&self.line)
    }

    fn end_list(&mut self, then: &str) -> io::Result<()> {
        if !self.first {
            self.out.write_all(b"\n")?;
        }
        self.first = true;
        self.out.write_all(then.as_bytes())
    }

    fn record(&mut self, kind: &str, object: &[u8]) -> io::Result<()> {
        self.line = with_kind(kind, object).map_err(io::Error::other)?;
        self.item()
    }
}
