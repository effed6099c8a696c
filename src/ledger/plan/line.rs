//! One action, one line: the form in which people read, search, edit and compare a plan.
//!
//! A line is judged by itself here: is it one of the three actions, has it every field and no other,
//! and what did a hand change in it? That lines are in order and name guests of the plan is
//! the plan reader's to see. What a line says is a wish in any case; `apply` proves it.
//!
//! A reviewer holds a line back by turning the word `link` or `flag` into `skip`. The other fields
//! may stay, and the reason too: such a line is a skip that was held.

use std::borrow::Cow;
use std::io;

use serde::Deserialize;

use super::seal;
use super::wire::skip::SkipWire;
use super::wire::{FlagWire, LinkWire};
use crate::ledger::json;
use crate::ledger::json::BadValue;
use crate::model::{Action, PlanKind};

/// What a line says, and what became of it since the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// What it says now.
    pub action: Action,
    /// What a hand did to it.
    pub edit: Edit,
}

/// What a hand did to a line, as far as the line shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Nothing, or only a note.
    None,
    /// A link or flag was turned into a skip: always accepted.
    Held,
    /// These fields do not fit the seal; `seal` where it is not one.
    Changed(Vec<String>),
    /// The line has no seal: it was added by hand.
    Unsealed,
}

/// Appends the line of `action`, sealed, without a newline.
pub fn encode(action: &Action, out: &mut Vec<u8>) -> io::Result<()> {
    match action {
        Action::Link(link) => json::write(&LinkWire::new(link), out),
        Action::Reflink(line) => json::write(&LinkWire::of_reflink(line), out),
        Action::Flag(flag) => json::write(&FlagWire::new(flag), out),
        Action::Skip(skip) => json::write(&SkipWire::new(skip), out),
    }
}

/// Reads one line of a plan of this kind; the bytes may be spread over several lines of text.
pub fn decode(line: &[u8], kind: PlanKind) -> Result<Decoded, BadValue> {
    match word(line)?.as_ref() {
        "link" => decode_link(line, kind),
        "flag" => decode_flag(line),
        "skip" => decode_skip(line),
        other => Err(BadValue::new(
            "action",
            format_args!("unknown action {other:?}, expected link, flag or skip"),
        )),
    }
}

fn decode_link(line: &[u8], kind: PlanKind) -> Result<Decoded, BadValue> {
    let wire: LinkWire = json::parse(line)?;
    let (action, seal) = wire.read(kind)?;
    let edit = edit(seal, |seal| seal::changed(&action, seal));
    Ok(Decoded { action, edit })
}

fn decode_flag(line: &[u8]) -> Result<Decoded, BadValue> {
    let wire: FlagWire = json::parse(line)?;
    let (flag, seal) = wire.read()?;
    let action = Action::Flag(flag);
    let edit = edit(seal, |seal| seal::changed(&action, seal));
    Ok(Decoded { action, edit })
}

fn decode_skip(line: &[u8]) -> Result<Decoded, BadValue> {
    let wire: SkipWire = json::parse(line)?;
    let (skip, held) = wire.read()?;
    let action = Action::Skip(skip);
    let edit = if held { Edit::Held } else { Edit::None };
    Ok(Decoded { action, edit })
}

fn edit(seal: Option<String>, changed: impl Fn(&str) -> Vec<String>) -> Edit {
    match seal.map(|seal| changed(&seal)) {
        None => Edit::Unsealed,
        Some(fields) if fields.is_empty() => Edit::None,
        Some(fields) => Edit::Changed(fields),
    }
}

/// The action's word. Lines as we write them are not parsed twice: if the guess is wrong because of
/// a second `action`, the parser of the whole line refuses that.
fn word(line: &[u8]) -> Result<Cow<'_, str>, BadValue> {
    for (start, word) in [
        (&br#"{"action":"link","#[..], "link"),
        (br#"{"action":"flag","#, "flag"),
        (br#"{"action":"skip","#, "skip"),
    ] {
        if line.starts_with(start) {
            return Ok(word.into());
        }
    }
    json::parse::<Peek>(line).map(|peek| peek.action)
}

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
}
