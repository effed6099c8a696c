//! The fields of link and flag lines, in the order in which they are written.
//!
//! These structures are the format: `schemas/plan-1.schema.json` describes the same for people. No
//! field of evidence has a default, so what is absent never means "equal".

pub(super) mod skip;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::seal;
use crate::ledger::json::BadValue;
use crate::ledger::name::{NameWire, SourceWire, from_text, to_text};
use crate::model::{
    Action, Before, Digest, Flag, FlagReason, GuestName, GuestPath, Link, LinkReason, Making,
    Method, ObjectFlag, ObjectId, Owner, PlanKind, Reflink,
};

/// A link line, of either method: [`LinkWire::read`] tells which keys belong to which.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    source: Option<SourceWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Digest>,
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
    source_before: Option<Before>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<String>,
}

impl<'a> LinkWire<'a> {
    pub fn new(link: &'a Link) -> Self {
        LinkWire {
            also: link.also.iter().map(NameWire::from).collect(),
            object: Some(link.object),
            makes: link.makes,
            note: link.note.as_deref().map(Cow::Borrowed),
            before: link.before,
            seal: Some(seal::of_link(link)),
            ..LinkWire::bare(
                (&link.guest, &link.path),
                (link.size, link.saves),
                link.reason,
                link.owner.as_ref(),
            )
        }
    }

    pub fn of_reflink(line: &'a Reflink) -> Self {
        LinkWire {
            also: line.also.iter().map(NameWire::from).collect(),
            method: Method::Reflink,
            source: Some(SourceWire::from(&line.source)),
            content: Some(line.content),
            note: line.note.as_deref().map(Cow::Borrowed),
            before: line.before,
            source_before: line.source_before,
            seal: Some(seal::of_reflink(line)),
            ..LinkWire::bare(
                (&line.guest, &line.path),
                (line.size, line.saves),
                line.reason,
                line.owner.as_ref(),
            )
        }
    }

    fn bare(
        (guest, path): (&'a GuestName, &'a GuestPath),
        (size, saves): (u64, u64),
        reason: LinkReason,
        owner: Option<&'a Owner>,
    ) -> Self {
        let (path, path_b64) = to_text(path);
        let version = owner.and_then(|owner| owner.version.as_deref());
        LinkWire {
            action: "link".into(),
            guest: Cow::Borrowed(guest),
            path,
            path_b64,
            also: Vec::new(),
            method: Method::Hardlink,
            object: None,
            source: None,
            content: None,
            makes: None,
            size,
            saves,
            reason,
            package: owner.map(|owner| (&*owner.package).into()),
            version: version.map(Cow::Borrowed),
            note: None,
            before: None,
            source_before: None,
            seal: None,
        }
    }

    /// The action, and the seal as it stands. Without its evidence no line of a plan that can be applied is one, and
    /// with it none of an image plan.
    pub fn read(self, kind: PlanKind) -> Result<(Action, Option<String>), BadValue> {
        let evidence = kind == PlanKind::Plan;
        fits("before", self.before.is_some(), evidence, NOT_HERE)?;
        match self.method {
            Method::Hardlink => self.read_link(),
            Method::Reflink => {
                fits(
                    "source_before",
                    self.source_before.is_some(),
                    evidence,
                    NOT_HERE,
                )?;
                self.read_reflink()
            }
        }
    }

    fn read_link(self) -> Result<(Action, Option<String>), BadValue> {
        for (field, is_there) in [
            ("source", self.source.is_some()),
            ("content", self.content.is_some()),
            ("source_before", self.source_before.is_some()),
        ] {
            fits(field, is_there, false, NOT_OF_HARDLINKS)?;
        }
        let path = from_text("path", &self.path, self.path_b64.as_deref())?;
        let link = Link {
            also: read_also(&path, &self.also)?,
            path,
            guest: self.guest.into_owned(),
            object: self.object.ok_or_else(|| missing("object"))?,
            makes: self.makes,
            size: self.size,
            saves: self.saves,
            reason: self.reason,
            owner: read_owner(self.package, self.version)?,
            before: self.before,
            note: self.note.map(Cow::into_owned),
        };
        Ok((Action::Link(link), self.seal))
    }

    fn read_reflink(self) -> Result<(Action, Option<String>), BadValue> {
        fits("object", self.object.is_some(), false, NOT_OF_REFLINKS)?;
        fits("makes", self.makes.is_some(), false, NOT_OF_REFLINKS)?;
        let path = from_text("path", &self.path, self.path_b64.as_deref())?;
        let source = self.source.ok_or_else(|| missing("source"))?.read()?;
        let line = Reflink {
            also: read_also(&path, &self.also)?,
            path,
            guest: self.guest.into_owned(),
            source,
            content: self.content.ok_or_else(|| missing("content"))?,
            size: self.size,
            saves: self.saves,
            reason: self.reason,
            owner: read_owner(self.package, self.version)?,
            before: self.before,
            source_before: self.source_before,
            note: self.note.map(Cow::into_owned),
        };
        if line.guest == line.source.guest && line.names().any(|name| *name == line.source.path) {
            return Err(BadValue::new("source", "it is the file of the line itself"));
        }
        Ok((Action::Reflink(line), self.seal))
    }
}

const NOT_HERE: &str = "it does not belong into an image plan, which nothing is applied from";
const NOT_OF_HARDLINKS: &str = "it does not belong to a hard link, which has an object";
const NOT_OF_REFLINKS: &str = "it does not belong to a reflink, which has a source";

fn missing(field: &str) -> BadValue {
    BadValue::new(field, "missing")
}

/// Is the field there if and only if it is due?
fn fits(field: &str, is_there: bool, is_due: bool, else_why: &str) -> Result<(), BadValue> {
    match (is_there, is_due) {
        (true, false) => Err(BadValue::new(field, else_why)),
        (false, true) => Err(missing(field)),
        _ => Ok(()),
    }
}

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
