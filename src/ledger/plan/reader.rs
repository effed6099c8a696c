//! Reads a plan as a stream and trusts nothing in it.
//!
//! The reader refuses what could be misread: unknown fields and actions, missing evidence, another
//! major version, doubles, disorder, text that was cut off. It counts what a reviewer did. It never
//! judges whether an action is right; that needs the guests, and `apply` looks at those.
//!
//! Memory does not grow with the actions: header, guests and one line are held. What is read before
//! [`PlanReader::finish`] has succeeded may still turn out to be part of a broken plan.

use std::collections::BTreeMap;
use std::io::BufRead;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::digest::PlanHashes;
use super::edits::{EditCount, Edits};
use super::error::PlanError;
use super::form::Form;
use super::line::{self, Decoded};
use super::order::PlanOrder;
use super::parts::{Head, Part, Parts};
use super::sealed;
use super::sections::{Section, Sections, TextPlace};
use crate::ledger::json;
use crate::ledger::json::{BadValue, printable};
use crate::model::{Action, FORMAT, Header, PlanDigest, PlanKind, PlannedGuest, Summary};
use crate::sys::has_workers;

/// Bytes of lines that are decoded at once, by which no plan can fill the memory: one line may be as long as many.
const TEXT_IN_HAND: usize = 4 << 20;

/// A plan that is being read, in either form.
pub struct PlanReader<R> {
    parts: Parts<R>,
    ahead: Option<(u64, Part)>,
    header: Header,
    guests: Vec<PlannedGuest>,
    order: PlanOrder,
    hashes: PlanHashes,
    edits: EditCount,
    sections: Sections,
    summary: Summary,
    digest: Option<PlanDigest>,
}

/// What is known once a plan has been read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The counts of the plan as it was made.
    pub summary: Summary,
    /// The digests of the plan as it was made, as the file says.
    pub digest_in_file: PlanDigest,
    /// The digests of the lines that are there now: both of them.
    pub digest_now: PlanDigest,
    /// What a reviewer did.
    pub edits: Edits,
}

impl<R: BufRead> PlanReader<R> {
    /// Reads header and guests.
    pub fn open(input: R) -> Result<PlanReader<R>, PlanError> {
        let (head, mut parts) = Parts::open(input)?;
        let mut edits = EditCount::default();
        let header = read_header(head, &mut edits)?;
        let mut guests = Vec::new();
        let mut order = PlanOrder::default();
        let ahead = loop {
            match parts.next()? {
                Some((line, Part::Guests)) => {
                    let guest: PlannedGuest = value(&parts, line, &mut edits)?;
                    if guest.image.is_some() && header.kind() == PlanKind::Plan {
                        let bad =
                            BadValue::new("image", "does not belong into a plan that is applied");
                        return Err(PlanError::at(line)(bad));
                    }
                    order.add_guest(line, &guest)?;
                    guests.push(guest);
                }
                other => break other,
            }
        };
        let hashes = PlanHashes::new(&header, &guests);
        Ok(PlanReader {
            parts,
            ahead,
            header,
            guests,
            order,
            hashes,
            edits,
            sections: Sections::default(),
            summary: Summary::default(),
            digest: None,
        })
    }

    /// The plan's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What a hand did to the header and the guests; lines of actions were not read yet.
    pub fn edits_so_far(&self) -> &Edits {
        self.edits.so_far()
    }

    /// The plan's guests, in the order of its lines.
    pub fn guests(&self) -> &[PlannedGuest] {
        &self.guests
    }

    /// Where the lines of each guest stand, of those that were read.
    pub fn sections(&self) -> &[Section] {
        self.sections.all()
    }

    /// The next action and the line that it begins on; `None` after the last. After an error the plan is refused
    /// and nothing more may be read.
    pub fn next_action(&mut self) -> Result<Option<(u64, Decoded)>, PlanError> {
        loop {
            match self.next_part()? {
                None => return Ok(None),
                Some((line, Part::Actions)) => return self.action(line).map(Some),
                Some((line, Part::Summary)) => {
                    self.summary = value(&self.parts, line, &mut self.edits)?;
                }
                Some((line, _)) => {
                    self.digest = Some(value(&self.parts, line, &mut self.edits)?);
                }
            }
        }
    }

    /// Reads what is left and closes the books.
    pub fn finish(mut self) -> Result<Closing, PlanError> {
        while self.next_action()?.is_some() {}
        let digest_in_file = self.digest.ok_or(PlanError::Missing {
            line: 1,
            part: "digest",
        })?;
        Ok(Closing {
            edits: self.edits.finish(&self.summary.totals),
            summary: self.summary,
            digest_in_file,
            digest_now: self.hashes.finish(),
        })
    }

    fn next_part(&mut self) -> Result<Option<(u64, Part)>, PlanError> {
        match self.ahead.take() {
            Some(ahead) => Ok(Some(ahead)),
            None => self.parts.next(),
        }
    }

    /// The next lines, at most so many and not much more text than [`TEXT_IN_HAND`], decoded by all cores; none
    /// after the last. Says of them what [`PlanReader::next_action`] says.
    pub fn next_actions(&mut self, most: usize) -> Result<Vec<Decoded>, PlanError> {
        let (mut texts, mut broken, mut room) = (Vec::new(), None, TEXT_IN_HAND);
        while texts.len() < most && room > 0 && broken.is_none() {
            match self.next_part() {
                Ok(Some((line, Part::Actions))) => {
                    let text = self.parts.value().to_vec();
                    room = room.saturating_sub(text.len());
                    texts.push((self.place(line), text));
                }
                Ok(other) => {
                    self.ahead = other;
                    break;
                }
                Err(error) => broken = Some(error),
            }
        }
        let kind = self.header.kind();
        let decode = |(place, text): &(TextPlace, Vec<u8>)| (*place, line::decode(text, kind));
        let decoded: Vec<_> = if has_workers() {
            texts.par_iter().map(decode).collect()
        } else {
            texts.iter().map(decode).collect()
        };
        let mut lines = Vec::with_capacity(decoded.len());
        for (place, decoded) in decoded {
            lines.push(self.account(place, decoded)?.1);
        }
        broken.map_or(Ok(lines), Err)
    }

    fn action(&mut self, line: u64) -> Result<(u64, Decoded), PlanError> {
        let decoded = line::decode(self.parts.value(), self.header.kind());
        self.account(self.place(line), decoded)
    }

    fn place(&self, line: u64) -> TextPlace {
        TextPlace {
            line,
            at: self.parts.began(),
            form: match self.parts.is_document() {
                true => Form::Document,
                false => Form::Lines,
            },
        }
    }

    fn account(
        &mut self,
        place: TextPlace,
        decoded: Result<Decoded, BadValue>,
    ) -> Result<(u64, Decoded), PlanError> {
        let line = place.line;
        let decoded = decoded.map_err(PlanError::at(line))?;
        belongs(&self.header, &decoded.action).map_err(PlanError::at(line))?;
        self.edits.add(line, &decoded);
        // A name that was changed by hand puts the lines after it out of order: the edit is to blame, not they.
        self.order
            .check(line, &decoded.action)
            .map_err(|error| self.edits.blame().unwrap_or(error))?;
        self.hashes.add(&decoded.action);
        self.sections.add(self.order.guest(), place);
        Ok((line, decoded))
    }
}

/// Nothing is protected by a plan whose header says that there is nothing to protect.
fn belongs(header: &Header, action: &Action) -> Result<(), BadValue> {
    let unprotected = header.target.as_ref();
    let unprotected = unprotected.is_some_and(|target| target.protection.is_none());
    let field = match action {
        Action::Link(_) => "method",
        Action::Flag(_) => "action",
        Action::Reflink(_) | Action::Skip(_) => return Ok(()),
    };
    match unprotected {
        true => Err(BadValue::new(
            field,
            "a plan of reflinks, which has no protection, makes and flags no object",
        )),
        false => Ok(()),
    }
}

fn value<R: BufRead, T>(parts: &Parts<R>, line: u64, edits: &mut EditCount) -> Result<T, PlanError>
where
    T: Serialize + for<'a> Deserialize<'a>,
{
    let (value, changed) = sealed::open(parts.value()).map_err(PlanError::at(line))?;
    edits.add_changed(line, changed);
    Ok(value)
}

/// What must fit before anything else in a header is looked at.
#[derive(Deserialize)]
struct PlanVersion {
    kind: Option<String>,
    format: Option<String>,
}

fn read_header(head: Head, edits: &mut EditCount) -> Result<Header, PlanError> {
    let (text, lines) = head.finish();
    let lines: BTreeMap<String, u64> = lines.into_iter().collect();
    let line_of = |key: &str| lines.get(key).copied().unwrap_or(1);
    let at_field = |bad: BadValue| PlanError::Value {
        line: line_of(first_key(&bad.field)),
        bad,
    };
    let version: PlanVersion = json::parse(&text).map_err(at_field)?;
    if version
        .kind
        .as_deref()
        .and_then(PlanKind::from_code)
        .is_none()
    {
        let line = line_of("kind");
        return Err(PlanError::NotAPlan { line });
    }
    match version.format {
        Some(found) if major(&found) != major(FORMAT) => Err(PlanError::Version {
            line: line_of("format"),
            found: printable(&found),
        }),
        _ => {
            let (header, changed) = sealed::open(&text).map_err(at_field)?;
            for field in changed {
                edits.add_changed(line_of(&field), vec![field]);
            }
            Ok(header)
        }
    }
}

fn major(format: &str) -> &str {
    format.split_once('.').map_or(format, |(major, _)| major)
}

/// `policy` of `policy.patterns[0].glob`.
fn first_key(field: &str) -> &str {
    field.split(['.', '[']).next().unwrap_or(field)
}
