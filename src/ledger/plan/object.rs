//! JSON objects as text: put together from members, and taken apart again, with no tree between.

use super::frames::{Frame, Frames};
use crate::ledger::json;
use crate::ledger::json::BadValue;

/// A key and the text of its value.
pub type ObjectMember = (String, Vec<u8>);

/// The text of an object that grows member by member.
#[derive(Default)]
pub(super) struct ObjectText(Vec<u8>);

impl ObjectText {
    /// Adds a member whose value is JSON already.
    pub fn push(&mut self, key: &str, value: &[u8]) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        let written = json::write(&key, &mut self.0);
        debug_assert!(written.is_ok(), "text is written into memory");
        self.0.push(b':');
        self.0.extend_from_slice(value);
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The whole text.
    pub fn finish(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.push(b'}');
        self.0
    }
}

/// The members of an object, in order. Refuses a key that is there twice.
pub fn members(object: &[u8]) -> Result<Vec<ObjectMember>, BadValue> {
    let mut frames = Frames::new(object);
    let mut members = Vec::new();
    while let Some((_, frame)) = frames.next().map_err(|e| BadValue::new("", e.fault))? {
        match frame {
            Frame::ObjectMember(key) => members.push((key, frames.value().to_vec())),
            Frame::Enter(_) | Frame::Element(_) | Frame::Record => {
                return Err(BadValue::new("", "a list that does not belong here"));
            }
        }
    }
    Ok(members)
}

/// The object without its member `kind`: what is left is a plain value of the model.
pub fn without_kind(object: &[u8]) -> Result<Vec<u8>, BadValue> {
    let mut rest = ObjectText::default();
    for (key, value) in members(object)? {
        if key != "kind" {
            rest.push(&key, &value);
        }
    }
    Ok(rest.finish())
}

/// The object with `kind` as its first member.
pub fn with_kind(kind: &str, object: &[u8]) -> Result<Vec<u8>, BadValue> {
    let mut whole = ObjectText::default();
    whole.push("kind", format!("\"{kind}\"").as_bytes());
    for (key, value) in members(object)? {
        whole.push(&key, &value);
    }
    Ok(whole.finish())
}
