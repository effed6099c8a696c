//! The fields of link and flag lines, in the order in which they are written.
//!
//! These structures are the format: `schemas/plan-1.schema.json` describes the same for people. No
//! field of evidence has a default, so what is absent never means "equal".

pub(super) mod skip;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::seal;
use crate::ledger::json::BadValue;
use crate::ledger::name::{NameWire, from_text, to_text};
use crate::model::{
    Before, Flag, FlagReason, GuestName, GuestPath, Link, LinkReason, Making, Method, ObjectFlag,
    ObjectId, Owner, PlanKind,
};

/// A link line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkWire<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    guest: Cow<'a, GuestName>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
    #[serde(default, borrow, skip_serializing_if = "Vec::is_empty")]
    also: Vec<NameWire<'a>>,
    method: Method,
    object: ObjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    makes: Option<Making>,
    size: u64,
    saves: u64,
    reason: LinkReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<String>,
}

impl<'a> LinkWire<'a> {
    pub fn new(link: &'a Link) -> Self {
        let (path, path_b64) = to_text(&link.path);
        LinkWire {
            action: "link".into(),
            guest: Cow::Borrowed(&link.guest),
            path,
            path_b64,
            also: link.also.iter().map(NameWire::from).collect(),
            method: link.method,
            object: link.object,
            makes: link.makes,
            size: link.size,
            saves: link.saves,
            reason: link.reason,
            package: link.owner.as_ref().map(|owner| (&*owner.package).into()),
            version: link
                .owner
                .as_ref()
                .and_then(|owner| owner.version.as_deref())
                .map(Cow::Borrowed),
            note: link.note.as_deref().map(Cow::Borrowed),
            before: link.before,
            seal: Some(seal::of_link(link)),
        }
    }

    /// The action, and the seal as it stands. Without its evidence no line of a plan that can be applied is one, and
    /// with it none of an image plan.
    pub fn read(self, kind: PlanKind) -> Result<(Link, Option<String>), BadValue> {
        let path = from_text("path", &self.path, self.path_b64.as_deref())?;
        match (kind, &self.before) {
            (PlanKind::Plan, Some(_)) | (PlanKind::ImagePlan, None) => {}
            (PlanKind::Plan, None) => return Err(BadValue::new("before", "missing")),
            (PlanKind::ImagePlan, Some(_)) => return Err(BadValue::new("before", NOT_HERE)),
        }
        let link = Link {
            also: read_also(&path, &self.also)?,
            path,
            guest: self.guest.into_owned(),
            method: self.method,
            object: self.object,
            makes: self.makes,
            size: self.size,
            saves: self.saves,
            reason: self.reason,
            owner: read_owner(self.package, self.version)?,
            before: self.before,
            note: self.note.map(Cow::into_owned),
        };
        Ok((link, self.seal))
    }
}

const NOT_HERE: &str = "it does not belong into an image plan, which nothing is applied from";

/// A version is that of a package.
fn read_owner(
    package: Option<Cow<'_, str>>,
    version: Option<Cow<'_, str>>,
) -> Result<Option<Owner>, BadValue> {
    match (package, version) {
        (None, Some(_)) => Err(BadValue::new("version", "a version without a package")),
        (package, version) => Ok(package.map(|package| Owner {
            package: package.into_owned(),
            version: version.map(Cow::into_owned),
        })),
    }
}

/// The other names, which follow `path` in strictly rising order: no name stands twice in a line.
fn read_also(path: &GuestPath, also: &[NameWire]) -> Result<Vec<GuestPath>, BadValue> {
    let mut names: Vec<GuestPath> = Vec::with_capacity(also.len());
    for (i, wire) in also.iter().enumerate() {
        let place = format!("also[{i}]");
        let name = wire.read(&place)?;
        if name <= *names.last().unwrap_or(path) {
            return Err(BadValue::new(
                &place,
                "the names of a line must be in order",
            ));
        }
        names.push(name);
    }
    Ok(names)
}

/// A flag line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FlagWire<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    object: ObjectId,
    set: Vec<ObjectFlag>,
    names: u64,
    reason: FlagReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<String>,
}

impl<'a> FlagWire<'a> {
    pub fn new(flag: &'a Flag) -> Self {
        FlagWire {
            action: "flag".into(),
            object: flag.object,
            set: flag.set.clone(),
            names: flag.names,
            reason: flag.reason,
            note: flag.note.as_deref().map(Cow::Borrowed),
            seal: Some(seal::of_flag(flag)),
        }
    }

    /// The action, and the seal as it stands.
    pub fn read(self) -> Result<(Flag, Option<String>), BadValue> {
        if self.set.is_empty() {
            return Err(BadValue::new("set", "expected at least one flag"));
        }
        let flag = Flag {
            object: self.object,
            set: self.set,
            names: self.names,
            reason: self.reason,
            note: self.note.map(Cow::into_owned),
        };
        Ok((flag, self.seal))
    }
}
