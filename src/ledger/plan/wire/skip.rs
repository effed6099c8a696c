//! The fields of skip lines, and what a link or flag leaves behind when a reviewer makes it a skip.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::ledger::json::BadValue;
use crate::ledger::name::{from_text, to_text};
use crate::model::{
    FlagReason, GuestName, GuestPath, Left, LinkReason, ObjectId, Skip, SkipReason,
};

/// A skip line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkipWire<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<Cow<'a, GuestName>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with_b64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,

    // Left over from a link or flag; read only to be recognised.
    #[serde(skip_serializing)]
    also: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    method: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    source: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    content: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    makes: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    saves: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    before: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    source_before: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    set: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    names: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    seal: Option<IgnoredAny>,
}

impl<'a> SkipWire<'a> {
    pub fn new(skip: &'a Skip) -> Self {
        let (path, path_b64) = optional_text(skip.path());
        let (size, files, bytes) = match skip.left {
            Left::Name { size, .. } => (size, None, None),
            Left::Beneath { files, bytes, .. } => (None, Some(files), Some(bytes)),
            Left::Flag { .. } => (None, None, None),
        };
        let (with, with_b64) = optional_text(skip.with.as_ref());
        SkipWire {
            action: "skip".into(),
            guest: skip.guest().map(Cow::Borrowed),
            path,
            path_b64,
            reason: skip.reason.code().into(),
            per: borrowed(skip.per.as_ref()),
            package: borrowed(skip.package.as_ref()),
            version: borrowed(skip.version.as_ref()),
            rule: borrowed(skip.rule.as_ref()),
            with,
            with_b64,
            object: skip.object().copied(),
            size,
            files,
            bytes,
            note: borrowed(skip.note.as_ref()),
            also: None,
            method: None,
            source: None,
            content: None,
            makes: None,
            saves: None,
            before: None,
            source_before: None,
            set: None,
            names: None,
            seal: None,
        }
    }

    /// The action, and whether it was a link or flag once.
    pub fn read(mut self) -> Result<(Skip, bool), BadValue> {
        let (reason, mut held) = read_reason(&self.reason)?;
        held |= self.has_leftovers();
        let path = optional_path("path", self.path.as_deref(), self.path_b64.as_deref())?;
        let with = optional_path("with", self.with.as_deref(), self.with_b64.as_deref())?;
        let skip = Skip {
            left: self.left(path, held)?,
            reason,
            per: self.per.map(Cow::into_owned),
            package: self.package.map(Cow::into_owned),
            version: self.version.map(Cow::into_owned),
            rule: self.rule.map(Cow::into_owned),
            with,
            note: self.note.map(Cow::into_owned),
        };
        Ok((skip, held))
    }

    /// A skip is of a name, or of what is beneath a directory; only a flag that was held is of an object.
    ///
    /// A hand may have written `size` where `bytes` belongs, or the other way round: that is read as it is meant.
    fn left(&mut self, path: Option<GuestPath>, held: bool) -> Result<Left, BadValue> {
        let length = self.bytes.or(self.size);
        let guest = self.guest.take().map(Cow::into_owned);
        match (guest, path, self.files) {
            (Some(_), Some(_), Some(_)) if self.object.is_some() => Err(BadValue::new(
                "object",
                "a line about the files beneath a directory has none",
            )),
            (Some(guest), Some(top), Some(files)) => Ok(Left::Beneath {
                guest,
                top,
                files,
                bytes: length.unwrap_or(0),
            }),
            (Some(guest), Some(path), None) => Ok(Left::Name {
                guest,
                path,
                object: self.object,
                size: length,
            }),
            (Some(_), None, _) => Err(BadValue::new("path", "missing")),
            (None, path, _) => match self.object.filter(|_| held && path.is_none()) {
                Some(object) => Ok(Left::Flag { object }),
                None => Err(BadValue::new("guest", "missing")),
            },
        }
    }

    fn has_leftovers(&self) -> bool {
        let link = [
            &self.also,
            &self.method,
            &self.source,
            &self.content,
            &self.makes,
            &self.saves,
            &self.before,
            &self.source_before,
        ];
        let flag = [&self.set, &self.names, &self.seal];
        link.into_iter().chain(flag).any(Option::is_some)
    }
}

/// The reason, and whether it shows that the line was held: the code of a link or flag, or `held`.
fn read_reason(code: &str) -> Result<(SkipReason, bool), BadValue> {
    let links = LinkReason::ALL.iter().map(|reason| reason.code());
    let flags = FlagReason::ALL.iter().map(|reason| reason.code());
    if links.chain(flags).any(|known| known == code) {
        return Ok((SkipReason::Held, true));
    }
    let known = SkipReason::ALL.iter().find(|reason| reason.code() == code);
    let reason = known
        .copied()
        .ok_or_else(|| BadValue::new("reason", format_args!("unknown reason {code:?}")))?;
    Ok((reason, reason == SkipReason::Held))
}

fn borrowed(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(text.as_str()))
}

fn optional_text(path: Option<&GuestPath>) -> (Option<Cow<'_, str>>, Option<String>) {
    path.map(to_text)
        .map_or((None, None), |(text, b64)| (Some(text), b64))
}

fn optional_path(
    field: &str,
    text: Option<&str>,
    b64: Option<&str>,
) -> Result<Option<GuestPath>, BadValue> {
    match (text, b64) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(BadValue::new(field, "missing, and its `_b64` is there")),
        (Some(text), b64) => from_text(field, text, b64).map(Some),
    }
}
