//! The fields of skip lines, and what a link or flag leaves behind when a reviewer makes it a skip.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::ledger::json::BadValue;
use crate::ledger::name::{from_text, to_text};
use crate::model::{FlagReason, GuestName, GuestPath, LinkReason, ObjectId, Skip, SkipReason};

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
    makes: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    saves: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    before: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    set: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    names: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    seal: Option<IgnoredAny>,
}

impl<'a> SkipWire<'a> {
    pub fn new(skip: &'a Skip) -> Self {
        let (path, path_b64) = optional_text(skip.path.as_ref());
        let (with, with_b64) = optional_text(skip.with.as_ref());
        SkipWire {
            action: "skip".into(),
            guest: skip.guest.as_ref().map(Cow::Borrowed),
            path,
            path_b64,
            reason: skip.reason.code().into(),
            per: borrowed(skip.per.as_ref()),
            package: borrowed(skip.package.as_ref()),
            version: borrowed(skip.version.as_ref()),
            rule: borrowed(skip.rule.as_ref()),
            with,
            with_b64,
            object: skip.object,
            size: skip.size,
            files: skip.files,
            bytes: skip.bytes,
            note: borrowed(skip.note.as_ref()),
            also: None,
            method: None,
            makes: None,
            saves: None,
            before: None,
            set: None,
            names: None,
            seal: None,
        }
    }

    /// The action, and whether it was a link or flag once.
    pub fn read(self) -> Result<(Skip, bool), BadValue> {
        let (reason, mut held) = read_reason(&self.reason)?;
        held |= self.has_leftovers();
        let path = optional_path("path", self.path.as_deref(), self.path_b64.as_deref())?;
        let with = optional_path("with", self.with.as_deref(), self.with_b64.as_deref())?;
        let skip = Skip {
            guest: self.guest.map(Cow::into_owned),
            path,
            reason,
            per: self.per.map(Cow::into_owned),
            package: self.package.map(Cow::into_owned),
            version: self.version.map(Cow::into_owned),
            rule: self.rule.map(Cow::into_owned),
            with,
            object: self.object,
            size: self.size,
            files: self.files,
            bytes: self.bytes,
            note: self.note.map(Cow::into_owned),
        };
        check_subject(&skip, held)?;
        Ok((skip, held))
    }

    fn has_leftovers(&self) -> bool {
        let link = [
            &self.also,
            &self.method,
            &self.makes,
            &self.saves,
            &self.before,
        ];
        let flag = [&self.set, &self.names, &self.seal];
        link.into_iter().chain(flag).any(Option::is_some)
    }
}

/// A skip is of a name; only a flag that was held is of an object.
fn check_subject(skip: &Skip, held: bool) -> Result<(), BadValue> {
    match (&skip.guest, &skip.path) {
        (Some(_), Some(_)) => Ok(()),
        (None, None) if held && skip.object.is_some() => Ok(()),
        (None, _) => Err(BadValue::new("guest", "missing")),
        (Some(_), None) => Err(BadValue::new("path", "missing")),
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
