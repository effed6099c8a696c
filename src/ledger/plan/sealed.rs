//! Objects with a seal as their last member: header, guests, summary and digest of a plan. Four hex digits for each
//! member, as in the lines of actions and with the same meaning: a hand's change is named, not silently obeyed.

use std::io;

use serde::{Deserialize, Serialize};

use super::object::{ObjectMember, ObjectText, members};
use super::seal;
use crate::ledger::json;
use crate::ledger::json::BadValue;

const SEAL: &str = "seal";

/// The text of `value` with its seal.
pub(super) fn with_seal(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let all = canonical(value)?;
    let mut whole = ObjectText::default();
    for (key, value) in &all {
        whole.push(key, value);
    }
    whole.push(SEAL, format!("\"{}\"", seal::of_members(&all)).as_bytes());
    Ok(whole.finish())
}

/// The value again, and the members that a hand has changed; `seal` where there is none or it is not one.
pub fn open<T>(text: &[u8]) -> Result<(T, Vec<String>), BadValue>
where
    T: Serialize + for<'a> Deserialize<'a>,
{
    let (mut rest, mut seal) = (ObjectText::default(), None);
    for (key, value) in members(text)? {
        if key == SEAL {
            seal = Some(json::parse::<String>(&value).map_err(|bad| BadValue::new(SEAL, bad))?);
        } else {
            rest.push(&key, &value);
        }
    }
    let value: T = json::parse(&rest.finish())?;
    let all = canonical(&value).map_err(|error| BadValue::new("", error))?;
    let changed = match seal {
        Some(seal) => seal::changed_members(&all, &seal),
        None => vec![SEAL.to_owned()],
    };
    Ok((value, changed))
}

/// The members as we write them, whatever the spacing of the paper.
fn canonical(value: &impl Serialize) -> io::Result<Vec<ObjectMember>> {
    let mut text = Vec::new();
    json::write(value, &mut text)?;
    members(&text).map_err(io::Error::other)
}
