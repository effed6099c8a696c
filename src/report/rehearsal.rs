//! What `unify apply --dry-run` found: what would become of every line, and why some would be refused.
//!
//! The JSON form is one object on several lines: `kind` (`unify.dry-run`), then `refusals`, an array of `RefusedJson`
//! that is written while the lines are proven, then the fields of `RehearsalJson`.

use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{GuestName, GuestPath, Moved, Outcome, Refusal, RunTotals, Totals};

use super::answer::next::{self, NextJson, NextStep};
use super::layout::json::{self, PathJson};
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};
use super::run::not_done;
use super::words::not_done::NotDone;
use super::words::sentence;

/// The end of a dry run.
#[derive(Debug, Clone, Copy)]
pub struct RehearsalView<'a> {
    /// The same command without what makes it a dry run.
    pub command: &'a [OsString],
    /// What would become of the lines.
    pub totals: &'a RunTotals,
    /// What the lines promise.
    pub promised: &'a Totals,
    /// Lines of links and flags that are not among them any more.
    pub left_out: u64,
    /// Can nothing be applied there, because it is mounted read-only?
    pub is_read_only: bool,
    /// Did it come to the end of the plan?
    pub is_whole: bool,
    /// What would not be done.
    pub not_done: &'a NotDone,
}

/// For people.
pub fn text(view: &RehearsalView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "DRY RUN, nothing was changed.\n")?;
    table(view, sizes).text(out)?;
    not_done("Would not be done", view.not_done, out)?;
    writeln!(
        out,
        "\nNot tried, because it takes a change: whether the protection works, and whether there is room."
    )?;
    if view.is_read_only {
        writeln!(
            out,
            "READ-ONLY: the file system is mounted so; apply can do nothing there until it is writable."
        )?;
    }
    if !view.is_whole {
        writeln!(out, "Stopped: the lines after that were not proven.")?;
    } else if view.not_done.all().next().is_some() {
        writeln!(out, "--json lists all that would not be done.")?;
    }
    next::text(&next(view), out)
}

/// The run itself, where it would do something.
fn next(view: &RehearsalView<'_>) -> Vec<NextStep> {
    let left = view.totals.refused + view.totals.failed;
    let why = match (view.totals.done, left) {
        (0, _) => return Vec::new(),
        (_, 0) => "to do it",
        _ => "to do the rest, or make a new plan",
    };
    match view.is_read_only {
        true => Vec::new(),
        false => vec![NextStep::of(view.command, why)],
    }
}

fn table(view: &RehearsalView<'_>, sizes: Sizes) -> TextTable {
    let mut table = TextTable::new(&[
        ("", Column::Words),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    let totals = view.totals;
    let names = counted(totals.names - totals.reflinks, "name");
    let refer = format!("{names} would refer to objects, ");
    let blocks = counted(totals.reflinks, "name");
    let share = format!("{blocks} would share blocks with other files, ");
    let done = format!(
        "{}{}up to {} would come back",
        if totals.names > totals.reflinks || totals.reflinks == 0 {
            &*refer
        } else {
            ""
        },
        if totals.reflinks > 0 { &*share } else { "" },
        sizes.of(totals.bytes)
    );
    let mut row = |word: &str, n: u64, remark: &str| {
        table.row([word.into(), count(n), remark.into()]);
    };
    row("would be done", totals.done, &done);
    row("already done", totals.already, "");
    row("would be refused", totals.refused, "not as the plan says");
    row("would fail", totals.failed, "");
    row("left out", view.left_out, "by hand or by selectors");
    table
}

/// A line that would not be done.
#[derive(Serialize)]
struct RefusedJson<'a> {
    /// `changed`, `gone`, …; `failed` is the machine's.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
    /// Which facts differ, where it is that.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fields: &'a [Moved],
    sentence: String,
}

#[derive(Serialize)]
struct RehearsalJson<'a> {
    /// Would all be done?
    ok: bool,
    /// Did it come to the end of the plan?
    complete: bool,
    totals: &'a RunTotals,
    /// What the lines promise.
    promised: &'a Totals,
    /// Lines of links and flags that were taken out, by hand or by selectors.
    lines_left_out: u64,
    read_only: bool,
    /// What may be done now.
    next: Vec<NextJson>,
}

/// For programs: the beginning.
pub fn begin_json(out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\"kind\":\"unify.dry-run\",\"refusals\":[")
}

/// One line that would not be done.
pub fn line_json(
    first: bool,
    guest: Option<&GuestName>,
    paths: &[GuestPath],
    outcome: &Outcome,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (code, fields): (_, &[Moved]) = match outcome {
        Outcome::Refused(
            refusal @ (Refusal::Changed { fields }
            | Refusal::DiffersFromObject { fields }
            | Refusal::SourceChanged { fields }),
        ) => (refusal.code(), fields),
        Outcome::Refused(refusal) => (refusal.code(), &[]),
        Outcome::Failed(_) => ("failed", &[]),
        Outcome::Done { .. } | Outcome::AlreadyDone => return Ok(()),
    };
    out.write_all(if first { b"\n" } else { b",\n" })?;
    let line = RefusedJson {
        code,
        guest: guest.map(GuestName::as_str),
        path: paths.first().map(PathJson::from),
        fields,
        sentence: sentence::outcome(outcome),
    };
    json::write(out, &line)
}

/// The end.
pub fn end_json(view: &RehearsalView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let value = RehearsalJson {
        ok: view.is_whole && view.totals.refused + view.totals.failed == 0,
        complete: view.is_whole,
        totals: view.totals,
        promised: view.promised,
        lines_left_out: view.left_out,
        read_only: view.is_read_only,
        next: NextJson::all(&next(view)),
    };
    let mut text = Vec::new();
    json::write(&mut text, &value)?;
    out.write_all(b"\n],")?;
    out.write_all(text.strip_prefix(b"{").unwrap_or(&text))?;
    writeln!(out)
}
