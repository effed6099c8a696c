//! What changed between two plans, for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::words::side_code;
use super::{DiffView, ListedJson, line};
use crate::model::{
    Action, Before, Digest, FileLine, GuestChanges, GuestName, HeaderChange, Left, LineChange,
    LineTotals, Link, Making, Method, PlanChanges, PlanSide, Reflink,
};
use crate::report::layout::json::{PathJson, SourceJson};

#[derive(Serialize)]
struct PlansDiffJson<'a> {
    /// `unify.diff-plans`.
    kind: &'static str,
    /// Is there no difference, of what counts?
    same: bool,
    /// Did everything count, or what is decided alone?
    evidence: bool,
    old_plan: PlanSideJson<'a>,
    new_plan: PlanSideJson<'a>,
    same_content: bool,
    same_decision: bool,
    header_changes: Vec<HeaderChangeJson<'a>>,
    guest_changes: Vec<GuestChangesJson<'a>>,
    changed: u64,
    new_flags: u64,
    gone_flags: u64,
}

#[derive(Serialize)]
struct PlanSideJson<'a> {
    name: &'a str,
    created: &'a str,
    content: Digest,
    decision: Option<Digest>,
}

#[derive(Serialize)]
struct HeaderChangeJson<'a> {
    field: &'a str,
    old_value: Option<&'a str>,
    new_value: Option<&'a str>,
    decides: bool,
}

#[derive(Serialize)]
struct GuestChangesJson<'a> {
    guest: &'a str,
    only_in: Option<&'static str>,
    new_lines: u64,
    gone_lines: u64,
    changed_lines: u64,
    old: LineTotalsJson,
    new: LineTotalsJson,
}

#[derive(Serialize)]
struct LineTotalsJson {
    links: u64,
    names: u64,
    saves: u64,
    skips: u64,
}

#[derive(Serialize)]
struct LineChangeJson<'a> {
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
    fields: &'a [&'static str],
    old: Option<PlanLineJson<'a>>,
    new: Option<PlanLineJson<'a>>,
}

#[derive(Serialize)]
struct PlanLineJson<'a> {
    action: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Method>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    also: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    makes: Option<Making>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    saves: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    per: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Before>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_before: Option<Before>,
}

/// All that is known before the lines; with `--stat` there are none.
pub fn begin<'w>(
    found: &PlanChanges,
    view: DiffView,
    out: &'w mut dyn Write,
) -> io::Result<ListedJson<'w>> {
    let (old, new) = (&found.old.digest, &found.new.digest);
    let value = PlansDiffJson {
        kind: "unify.diff-plans",
        same: !found.has_something(),
        evidence: found.evidence,
        old_plan: plan(&found.old),
        new_plan: plan(&found.new),
        same_content: old.content == new.content,
        same_decision: old.decision == new.decision,
        header_changes: found.header.iter().map(header).collect(),
        guest_changes: found.guests.iter().map(guest).collect(),
        changed: found.lines(),
        new_flags: found.new_flags,
        gone_flags: found.gone_flags,
    };
    ListedJson::begin(&value, (!view.stat).then_some("changes"), out)
}

impl ListedJson<'_> {
    /// One more line that changed.
    pub fn change(&mut self, change: &LineChange) -> io::Result<()> {
        let one = change.new.as_ref().or(change.old.as_ref());
        let (guest, path) = one.map_or((None, None), place);
        self.item(&LineChangeJson {
            what: match (&change.old, &change.new) {
                (None, _) => "new",
                (_, None) => "gone",
                _ => "changed",
            },
            guest,
            path,
            fields: &change.fields,
            old: change.old.as_ref().map(plan_line),
            new: change.new.as_ref().map(plan_line),
        })
    }
}

fn place(action: &Action) -> (Option<&str>, Option<PathJson>) {
    let (guest, path) = match action {
        Action::Link(Link { guest, path, .. }) | Action::Reflink(Reflink { guest, path, .. }) => {
            (Some(guest), Some(path))
        }
        Action::Skip(skip) => (skip.guest(), skip.path()),
        Action::Flag(_) => (None, None),
    };
    (guest.map(GuestName::as_str), path.map(PathJson::from))
}

fn plan(side: &PlanSide) -> PlanSideJson<'_> {
    PlanSideJson {
        name: &side.name,
        created: &side.created,
        content: side.digest.content,
        decision: side.digest.decision,
    }
}

fn header(change: &HeaderChange) -> HeaderChangeJson<'_> {
    HeaderChangeJson {
        field: &change.field,
        old_value: change.old.as_deref(),
        new_value: change.new.as_deref(),
        decides: change.decides,
    }
}

fn guest(guest: &GuestChanges) -> GuestChangesJson<'_> {
    let totals = |totals: &LineTotals| LineTotalsJson {
        links: totals.links,
        names: totals.names,
        saves: totals.saves,
        skips: totals.skips,
    };
    GuestChangesJson {
        guest: guest.name.as_str(),
        only_in: guest.only_in.map(side_code),
        new_lines: guest.new_lines,
        gone_lines: guest.gone_lines,
        changed_lines: guest.changed_lines,
        old: totals(&guest.old),
        new: totals(&guest.new),
    }
}

impl<'a> PlanLineJson<'a> {
    /// What link lines of both methods say.
    fn file(&mut self, line: &FileLine<'a>) {
        self.also = Some(line.also.iter().map(ToString::to_string).collect());
        (self.size, self.saves) = (Some(line.size), Some(line.saves));
        self.package = line.owner.map(|owner| owner.package.as_str());
        self.version = line.owner.and_then(|owner| owner.version.as_deref());
        self.note = line.note;
        self.before = line.before.copied();
    }
}

fn plan_line(action: &Action) -> PlanLineJson<'_> {
    let mut said = PlanLineJson {
        action: line::verdict(action),
        reason: line::reason(action),
        method: line::method(action),
        object: line::object(action).map(ToString::to_string),
        source: None,
        content: None,
        also: None,
        makes: None,
        size: None,
        saves: None,
        files: None,
        bytes: None,
        per: None,
        package: None,
        version: None,
        rule: None,
        with: None,
        note: None,
        before: None,
        source_before: None,
    };
    match action {
        Action::Link(link) => {
            said.file(&FileLine::from(link));
            said.makes = link.makes;
        }
        Action::Reflink(line) => {
            said.file(&FileLine::from(line));
            said.source = Some(SourceJson::from(&line.source));
            said.content = Some(line.content.to_string());
            said.source_before = line.source_before;
        }
        Action::Flag(flag) => said.note = flag.note.as_deref(),
        Action::Skip(skip) => {
            match skip.left {
                Left::Name { size, .. } => said.size = size,
                Left::Beneath { files, bytes, .. } => {
                    (said.files, said.bytes) = (Some(files), Some(bytes));
                }
                Left::Flag { .. } => {}
            }
            said.per = skip.per.as_deref();
            said.package = skip.package.as_deref();
            said.version = skip.version.as_deref();
            said.rule = skip.rule.as_deref();
            said.with = skip.with.as_ref().map(ToString::to_string);
            said.note = skip.note.as_deref();
        }
    }
    said
}
