//! A plan for programs. Keys are stable: new ones may come, none changes its meaning.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    Action, Caveats, Count, Database, DatabaseState, Digest, FlagClearing, IdleChoice, NearMiss,
    PlannedGuest, Protection, RootNote, SameSecret, SharingMethod, Shift, Totals,
    UnprotectedSharing,
};

use super::super::totals::{Group, GroupKey};
use super::line_json::line_json;
use super::request::{Show, heading, is_row, label};
use crate::report::answer::next::{NextJson, NextStep};
use crate::report::layout::json;
use crate::report::layout::json::{PathJson, RootJson};
use crate::report::plan_view::{ON_TOP, Pair, PlanView, Skipped};

/// The whole report. All numbers are of the lines that were read unless they say otherwise.
#[derive(Serialize)]
struct ShowJson<'a> {
    /// `unify.show`.
    kind: &'static str,
    /// What kind of plan it is: `unify.plan`, or `unify.image-plan`, which nothing can be applied from.
    plan: &'static str,
    /// When the plan was made, RFC 3339.
    created: &'a str,
    /// Program and version that made it.
    tool: &'a str,
    /// Where the objects go; null for an image plan.
    base: Option<BaseJson<'a>>,
    /// How files will be shared; missing where hard links were asked for.
    #[serde(rename = "sharing", skip_serializing_if = "Option::is_none")]
    method: Option<&'a SharingMethod>,
    /// How objects will be protected, and why; null for an image plan, and where none is made.
    protection: Option<&'a Protection>,
    /// Content digest of the lines that were read; null if it was not worked out.
    content: Option<Digest>,
    /// Decision digest of the lines that were read; null if it was not worked out.
    decision: Option<Digest>,
    /// Sums of the lines; `saves` is what comes back in allocated blocks, each inode once.
    totals: &'a Totals,
    /// Bytes of page cache that are spared; reflinks spare none.
    memory: u64,
    /// What `totals.saves` is not sure of, or is won without it, when the plan was made.
    #[serde(skip_serializing_if = "Caveats::is_empty")]
    caveats: Caveats,
    /// What `totals` does not count.
    on_top: &'static str,
    /// Set where only some lines were counted: what the plan says of all of them is left out then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    selected: bool,
    /// The same sums when the plan was made.
    made_with: &'a Totals,
    /// Lines taken out or put in since.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<EditedJson>,
    /// Each guest, in the plan's order.
    guests: Vec<ShownGuestJson<'a>>,
    /// What is left alone, by reason, as in the plan.
    skipped: BTreeMap<&'a str, Count>,
    /// What each of these reasons means.
    sentences: BTreeMap<&'a str, &'a str>,
    /// How much two guests share.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared: Option<Vec<PairJson<'a>>>,
    /// How many more pairs share less.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_shared: Option<u64>,
    /// Files of equal content that only their metadata keeps apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    near_misses: Option<NearJson<'a>>,
    /// Files that guests share by hard links which nothing protects.
    #[serde(skip_serializing_if = "Option::is_none")]
    unprotected: Option<&'a UnprotectedSharing>,
    /// Keys and identities that several guests have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    same_secrets: Option<&'a [SameSecret]>,
    /// Choices of the policy that change nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_effect: Option<&'a [IdleChoice]>,
    /// How many more there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_without_effect: Option<u64>,
    /// What `groups` are by: guest, reason, directory or package.
    #[serde(skip_serializing_if = "Option::is_none")]
    grouped_by: Option<&'static str>,
    /// Sums by group.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<GroupJson>>,
    /// What may be done with a plan that was just written.
    next: Vec<NextJson>,
}

#[derive(Serialize)]
struct BaseJson<'a> {
    /// Its directory: `root`, `root_b64`.
    #[serde(flatten)]
    path: RootJson,
    /// `ext4`, …
    filesystem: &'a str,
}

#[derive(Serialize)]
struct EditedJson {
    links_removed: u64,
    flags_removed: u64,
    added: u64,
}

#[derive(Serialize)]
struct ShownGuestJson<'a> {
    name: &'a str,
    #[serde(flatten)]
    root: RootJson,
    files: u64,
    bytes: u64,
    /// Link lines of this guest.
    links: u64,
    unread: u64,
    running: bool,
    /// Why that cannot be told; null if it can.
    running_unknown: Option<&'a str>,
    uses_unknown: Option<&'a str>,
    /// Could it take the flag off a shared file? Missing where nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    flag_clearing: Option<&'a FlagClearing>,
    /// Why it was left out; null if it was not.
    left_out: Option<&'a str>,
    damaged_databases: Vec<&'a Database>,
    /// What is odd about its root.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    noticed: &'a [RootNote],
}

#[derive(Serialize)]
struct PairJson<'a> {
    guests: [&'a str; 2],
    files: u64,
    bytes: u64,
    /// Percent of each guest's bytes, rounded down; null where the guest is unknown or empty.
    percent: [Option<u64>; 2],
}

#[derive(Serialize)]
struct NearJson<'a> {
    all: Count,
    by: &'a BTreeMap<String, Count>,
    shifted: &'a [Shift],
    /// One by one, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<&'a Vec<NearMiss>>,
}

#[derive(Serialize)]
struct GroupJson {
    /// Its name for people, escaped.
    group: String,
    /// The directory itself, for groups by directory.
    #[serde(flatten)]
    directory: Option<PathJson>,
    links: u64,
    bytes: u64,
    saves: u64,
    flags: u64,
    skipped_files: u64,
    skipped_bytes: u64,
    /// In how many guests.
    in_guests: u64,
}

/// The object up to its last key; left open where actions follow.
pub(super) fn begin(show: Show, plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    json::write(&mut text, &shown(show, plan))?;
    if show.lines {
        let open = text.strip_suffix(b"}").unwrap_or(&text);
        out.write_all(open)?;
        out.write_all(b",\"actions\":[")
    } else {
        out.write_all(&text)
    }
}

/// One element of `actions`.
pub(super) fn line(first: bool, action: &Action, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(if first { b"\n" } else { b",\n" })?;
    json::write(out, &line_json(action))
}

/// Closes what is open.
pub(super) fn end(lines: bool, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(if lines { b"\n]}\n" } else { b"\n" })
}

fn shown<'a>(show: Show, plan: &PlanView<'a>) -> ShowJson<'a> {
    let (header, edited) = (plan.header, plan.edited());
    let (whole, rows) = (!show.selected, skipped(show, plan));
    ShowJson {
        kind: "unify.show",
        plan: header.kind().code(),
        created: &header.created,
        tool: &header.tool,
        base: header.target.as_ref().map(|target| BaseJson {
            path: RootJson::from(target.base.path.as_path()),
            filesystem: &target.base.filesystem,
        }),
        method: plan
            .header
            .target
            .as_ref()
            .and_then(|it| it.method.as_ref()),
        protection: plan.protection(),
        content: plan.digest.map(|digest| digest.content),
        decision: plan.digest.and_then(|digest| digest.decision),
        totals: plan.tally.totals(),
        memory: plan.tally.memory(),
        caveats: plan.summary.caveats,
        on_top: ON_TOP,
        selected: show.selected,
        made_with: &plan.summary.totals,
        edited: whole.then_some(EditedJson {
            links_removed: edited.links_removed,
            flags_removed: edited.flags_removed,
            added: edited.added,
        }),
        guests: guests(plan),
        skipped: rows.iter().map(|row| (row.code, row.count)).collect(),
        sentences: sentences(rows),
        shared: whole.then(|| pairs(plan)),
        more_shared: Some(plan.summary.more_shared).filter(|more| whole && *more > 0),
        near_misses: (whole || show.near_misses).then(|| NearJson {
            all: plan.summary.near_misses.all,
            by: &plan.summary.near_misses.by,
            shifted: &plan.summary.near_misses.shifted,
            listed: show.near_misses.then_some(&plan.summary.near_misses.listed),
        }),
        unprotected: Some(&plan.summary.unprotected).filter(|said| whole && !said.is_empty()),
        same_secrets: whole.then_some(&plan.summary.same_secrets),
        without_effect: whole.then_some(&plan.summary.without_effect),
        more_without_effect: Some(plan.summary.more_without_effect)
            .filter(|more| whole && *more > 0),
        grouped_by: show.by.map(heading),
        groups: show.by.map(|_| groups(show, plan)),
        next: NextJson::all(&next(plan)),
    }
}

fn next(plan: &PlanView<'_>) -> Vec<NextStep> {
    let Some(file) = plan.file else {
        return Vec::new();
    };
    let totals = plan.tally.totals();
    let step = |word: &str, why| NextStep::unify(&[OsStr::new(word), file.as_os_str()], why);
    let mut steps = vec![step("show", "to look at it")];
    if !plan.is_audit() && totals.links + totals.flags > 0 {
        steps.push(step("apply", "to do it"));
    }
    steps
}

fn guests<'a>(plan: &PlanView<'a>) -> Vec<ShownGuestJson<'a>> {
    let damaged = |database: &&Database| database.state == DatabaseState::Damaged;
    let guest = |guest: &'a PlannedGuest| ShownGuestJson {
        name: guest.name.as_str(),
        root: RootJson::from(guest.root.as_path()),
        files: guest.files,
        bytes: guest.bytes,
        links: plan.tally.links_of(&guest.name),
        unread: guest.unread,
        running: guest.running,
        running_unknown: guest.running_unknown.as_deref(),
        uses_unknown: guest.uses_unknown.as_deref(),
        flag_clearing: guest.flag_clearing.as_ref(),
        left_out: guest.left_out.as_deref(),
        damaged_databases: guest.databases.iter().filter(damaged).collect(),
        noticed: &guest.noticed,
    };
    plan.guests.iter().map(guest).collect()
}

/// What is left alone, by reason.
fn skipped<'a>(show: Show, plan: &PlanView<'a>) -> Vec<Skipped<'a>> {
    match show.selected {
        true => plan.left_alone(),
        false => plan.skipped(),
    }
}

/// A code that this version does not know has none.
fn sentences(rows: Vec<Skipped<'_>>) -> BTreeMap<&str, &str> {
    let rows = rows.into_iter().filter(|row| !row.sentence.is_empty());
    rows.map(|row| (row.code, row.sentence)).collect()
}

fn pairs<'a>(plan: &PlanView<'a>) -> Vec<PairJson<'a>> {
    let pair = |pair: Pair<'a>| PairJson {
        guests: [pair.shared.guests.0.as_str(), pair.shared.guests.1.as_str()],
        files: pair.shared.files,
        bytes: pair.shared.bytes,
        percent: [pair.percent.0, pair.percent.1],
    };
    plan.pairs().into_iter().map(pair).collect()
}

fn groups(show: Show, plan: &PlanView<'_>) -> Vec<GroupJson> {
    let groups = plan.tally.groups().into_iter();
    let is_row = |key: &GroupKey| show.by.is_none_or(|by| is_row(by, key));
    let groups = groups.filter(|(key, _)| is_row(key));
    groups.map(|(key, sums)| group(show, key, sums)).collect()
}

fn group(show: Show, key: &GroupKey, sums: &Group) -> GroupJson {
    let directory = match key {
        GroupKey::Directory(path) => Some(PathJson::from(path)),
        _ => None,
    };
    GroupJson {
        group: show.by.map_or_else(String::new, |by| label(by, key)),
        directory,
        links: sums.links,
        bytes: sums.bytes,
        saves: sums.saves,
        flags: sums.flags,
        skipped_files: sums.skipped.files,
        skipped_bytes: sums.skipped.bytes,
        in_guests: sums.guests.len() as u64,
    }
}
