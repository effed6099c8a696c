//! The check of a receipt's line: its last member, so that a line that was changed by the disk is noticed and not
//! believed. It finds accidents and stops no attacker, who is no reader of the base.
//!
//! `{…,"check":"CCCCCCCCCCCCCCCC"}`: xxh3 (64 bits, no seed, in hex) over everything that stands before it. Lines
//! that were written before there were checks have none.

use std::borrow::Cow;

use crate::ledger::json::BadValue;
use crate::sys::hash::checksum;

/// What stands around the digits.
const BEFORE: &[u8] = br#","check":""#;
const AFTER: &[u8] = br#""}"#;

/// How many digits.
const DIGITS: usize = 16;

/// The bytes of the whole member, with the brace behind it.
const LENGTH: usize = BEFORE.len() + DIGITS + AFTER.len();

/// Adds its check to the text of an object that has members.
pub(super) fn add(line: &mut Vec<u8>) {
    if line.pop_if(|byte| *byte == b'}').is_some() {
        let digits = digits(line);
        for part in [BEFORE, digits.as_bytes(), AFTER] {
            line.extend_from_slice(part);
        }
    }
}

/// The object without its check, if that fits; as it is where it has none.
pub(super) fn take(line: &[u8]) -> Result<Cow<'_, [u8]>, BadValue> {
    let Some((text, found)) = split(line) else {
        return Ok(Cow::Borrowed(line));
    };
    if found != digits(text).as_bytes() {
        return Err(BadValue::new("check", "does not fit the line"));
    }
    Ok(Cow::Owned([text, b"}"].concat()))
}

/// Has the line a check, be it the right one or not?
pub(super) fn is_there(line: &[u8]) -> bool {
    split(line).is_some()
}

/// The first of two lines that ran into each other because the byte between them is damaged, and what follows. No text
/// within a line looks like its end, for there each `"` is escaped.
pub(super) fn split_joined(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let begins = line.windows(BEFORE.len()).position(|at| at == BEFORE)?;
    let (first, rest) = line.split_at_checked(begins + LENGTH)?;
    let rest = rest.get(1..)?;
    split(first).filter(|(text, found)| *found == digits(text).as_bytes())?;
    Some((first, rest))
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text, member) = line.split_at_checked(line.len().checked_sub(LENGTH)?)?;
    let digits = member.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    Some((text, digits))
}

fn digits(text: &[u8]) -> String {
    format!("{:016x}", checksum(text))
}
