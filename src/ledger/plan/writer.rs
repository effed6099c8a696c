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
    out: W,
    form: Form,
    hashes: PlanHashes,
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
        let mut writer = PlanWriter {
            out,
            form,
            hashes: PlanHashes::new(header, guests),
            line: Vec::new(),
            first: true,
        };
        writer.header(header)?;
        writer.guests(guests)?;
        Ok(writer)
    }

    /// Writes the next actions. The caller keeps the order: guest as in the list, then path.
    pub fn actions(&mut self, encoded: Encoded) -> io::Result<()> {
        if encoded.form != self.form {
            return Err(io::Error::other("lines of another form of the plan"));
        }
        if encoded.lines.is_empty() {
            return Ok(());
        }
        self.hashes.take(&encoded.covered);
        self.line = encoded.lines;
        self.item()
    }

    /// Writes the closing lines and flushes. The digest is over the actions that were written.
    pub fn finish(mut self, summary: &Summary) -> io::Result<PlanDigest> {
        let digest = self.hashes.finish();
        let (summary, closing) = (with_seal(summary)?, with_seal(&digest)?);
        match self.form {
            Form::Document => {
                self.end_list("],\n\"summary\": ")?;
                self.out.write_all(&summary)?;
                self.out.write_all(b",\n\"digest\": ")?;
                self.out.write_all(&closing)?;
                self.out.write_all(b"\n}\n")?;
            }
            Form::Lines => {
                self.record("unify.summary", &summary)?;
                self.record("unify.digest", &closing)?;
            }
        }
        self.out.flush()?;
        Ok(digest)
    }

    fn header(&mut self, header: &Header) -> io::Result<()> {
        self.line = with_seal(header)?;
        if self.form == Form::Lines {
            return self.item();
        }
        self.out.write_all(b"{\n")?;
        for (key, value) in members(&self.line).map_err(io::Error::other)? {
            write!(self.out, "\"{key}\": ")?;
            self.out.write_all(&value)?;
            self.out.write_all(b",\n")?;
        }
        Ok(())
    }

    fn guests(&mut self, guests: &[PlannedGuest]) -> io::Result<()> {
        match self.form {
            Form::Document => {
                self.out.write_all(b"\"guests\": [\n")?;
                for guest in guests {
                    self.line = with_seal(guest)?;
                    self.item()?;
                }
                self.end_list("],\n\"actions\": [\n")
            }
            Form::Lines => guests
                .iter()
                .try_for_each(|guest| self.record("unify.guest", &with_seal(guest)?)),
        }
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
