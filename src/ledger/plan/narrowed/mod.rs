//! A plan without some of its lines. What is left is the text as it stands, with its seals and notes: a line that a
//! hand has changed is still one, and the digest of the file is that of the plan as it was made, as after a deletion in
//! an editor. So the narrower plan is what a reviewer might have made of it, and is accepted as that.

use std::io::{self, BufRead, Write};

use super::digest::PlanHashes;
use super::edits::{EditCount, Edits};
use super::error::PlanError;
use super::form::Form;
use super::parts::{Part, Parts};
use super::writer::PlanText;
use super::{line, sealed};
use crate::ledger::json::BadValue;
use crate::model::{Action, Header, PlanDigest, PlannedGuest, Summary};

/// Why a narrower plan could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NarrowError {
    /// The plan is none.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The narrower one could not be written.
    #[error("{0}")]
    Write(#[from] io::Error),
}

/// What is left of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The digests of the lines that are left.
    pub digest: PlanDigest,
    /// What a reader of the narrower plan will see of a reviewer's work.
    pub edits: Edits,
}

/// Copies a plan that was read whole before, without the actions that are not to be kept; in its own form where none is
/// given. Memory does not grow with it.
pub fn narrow<R: BufRead, W: Write>(
    input: R,
    form: Option<Form>,
    out: W,
    keep: &mut dyn FnMut(&Action) -> bool,
) -> Result<Narrowed, NarrowError> {
    let (head, mut parts) = Parts::open(input)?;
    let header = one_line(&head.finish().0);
    let mut next = parts.next()?;
    let form = form.unwrap_or(match parts.is_document() {
        true => Form::Document,
        false => Form::Lines,
    });
    let bad = |bad: BadValue| PlanError::at(1)(bad);
    let mut edits = EditCount::default();
    let (known, changed): (Header, _) = sealed::open(&header).map_err(bad)?;
    edits.add_changed(1, changed);
    let mut text = PlanText::begin(out, form, header)?;
    let mut guests: Vec<PlannedGuest> = Vec::new();
    while let Some((number, Part::Guests)) = next {
        let (guest, changed) = sealed::open(parts.value()).map_err(PlanError::at(number))?;
        edits.add_changed(number, changed);
        guests.push(guest);
        text.guest(one_line(parts.value()))?;
        next = parts.next()?;
    }
    text.begin_actions()?;
    let mut digest = PlanHashes::new(&known, &guests);
    while let Some((number, Part::Actions)) = next {
        let decoded = line::decode(parts.value(), known.kind()).map_err(PlanError::at(number))?;
        if keep(&decoded.action) {
            edits.add(number, &decoded);
            digest.add(&decoded.action);
            text.action(one_line(parts.value()))?;
        }
        next = parts.next()?;
    }
    let mut closing = Vec::new();
    while next.is_some() {
        closing.push(one_line(parts.value()));
        next = parts.next()?;
    }
    let [summary, as_made] = &closing[..] else {
        let (line, part) = (1, "digest");
        return Err(PlanError::Missing { line, part }.into());
    };
    text.finish(summary, as_made)?;
    let (summary, changed): (Summary, _) = sealed::open(summary).map_err(bad)?;
    edits.add_changed(1, changed);
    let (_, changed): (PlanDigest, _) = sealed::open(as_made).map_err(bad)?;
    edits.add_changed(1, changed);
    Ok(Narrowed {
        digest: digest.finish(),
        edits: edits.finish(&summary.totals),
    })
}

/// The value on one line: a formatter may have spread it over several.
fn one_line(value: &[u8]) -> Vec<u8> {
    if !value.contains(&b'\n') {
        return value.to_vec();
    }
    let (mut in_string, mut escaped) = (false, false);
    let keeps = |byte: &&u8| {
        let blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n') && !in_string;
        match **byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        !blank
    };
    value.iter().filter(keeps).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_put_on_one_line_and_its_texts_stay() {
        let spread = b"{\n  \"a b\": [\n 1,\t2 ],\n \"c\\\" \\\\\" : \" x \"\r\n}";
        assert_eq!(one_line(spread), b"{\"a b\":[1,2],\"c\\\" \\\\\":\" x \"}");
        assert_eq!(one_line(b"{\"a\": 1}"), b"{\"a\": 1}");
    }
}
