//! What became of `apply`, `undo` or `forget`: counts, what was refused and why, and what to do next.
//!
//! Outcomes are fed one by one to [`NotDone`]; the receipt in the base has every line.
//!
//! The JSON form is the fields of `RunJson`; `kind` is `unify.apply`, `unify.undo` or `unify.forget`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{
    DiskChange, FlagClearer, FreezeTimes, GuestName, RefusalKind, RunId, RunKind, RunTotals,
    Spoiled,
};

use super::alarms::frozen;
use super::alarms::frozen::FrozenJson;
use super::alarms::spoiled::{self, SpoiledJson};
use super::layout::json;
use super::layout::json::PathJson;
pub use super::layout::shell::shell_word;
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};
use super::words::flag_clearers;
pub use super::words::not_done::NotDone;
use super::words::not_done::NotDoneKind;
use super::words::promise::LAYERED;

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunView<'a> {
    /// Apply, undo or forget.
    pub what: RunKind,
    /// Its name.
    pub run: &'a RunId,
    /// The base, for the commands that come next.
    pub base: &'a Path,
    /// Its counts; `None` when it stopped midway.
    pub totals: Option<&'a RunTotals>,
    /// What was not done.
    pub not_done: &'a NotDone,
    /// For how long running guests were frozen.
    pub stillness: &'a FreezeTimes,
    /// Guests that could not be frozen because a process in them may take flags off files.
    pub clearers: &'a [FlagClearer],
    /// Objects that were changed while they were not protected.
    pub spoiled: &'a [Spoiled],
    /// What the disk says, where it was asked.
    pub disk: Option<DiskChange>,
}

/// For people.
pub fn text(view: &RunView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let (what, run) = (title(view.what), view.run);
    match view.totals {
        Some(totals) => {
            writeln!(out, "{what} (run {run})\n")?;
            table(view, totals, sizes).text(out)?;
            disk(view, sizes, out)?;
        }
        None => writeln!(out, "{what} stopped half way (run {run}); nothing is lost.")?,
    }
    not_done("Not done", view.not_done, out)?;
    flag_clearers::text(view.clearers, out)?;
    frozen::text(view.stillness, out)?;
    spoiled::text(view.spoiled, out)?;
    writeln!(out, "\nNext: {}", next(view))
}

fn title(what: RunKind) -> &'static str {
    match what {
        RunKind::Apply => "Apply",
        RunKind::Undo => "Undo",
        RunKind::Forget => "Forget",
    }
}

fn table(view: &RunView<'_>, totals: &RunTotals, sizes: Sizes) -> TextTable {
    let what = view.what;
    let mut table = TextTable::new(&[
        ("", Column::Words),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    let done = done(view, totals, sizes);
    let mut row = |word: &str, n: u64, remark: String| table.row([word.into(), count(n), remark]);
    row("done", totals.done, done);
    let already = match what {
        RunKind::Apply | RunKind::Undo => "",
        RunKind::Forget => "were gone before, and are forgotten",
    };
    row("already done", totals.already, already.into());
    row(
        "refused",
        totals.refused,
        match what {
            RunKind::Apply => "not as the plan says; not touched".into(),
            RunKind::Undo | RunKind::Forget => "not as the base remembers; not touched".into(),
        },
    );
    row("failed", totals.failed, String::new());
    if what == RunKind::Apply {
        let by = "taken out of the plan by a reviewer".into();
        row("held back", totals.held, by);
    }
    table
}

/// What the names came to, and the room that the files tell of.
fn done(view: &RunView<'_>, totals: &RunTotals, sizes: Sizes) -> String {
    let (names, one) = (counted(totals.names, "name"), totals.names == 1);
    let bytes = sizes.of(totals.bytes);
    let layered = view.disk.is_some_and(|disk| disk.layered) && totals.bytes > 0;
    let up_to = if layered { "up to " } else { "" };
    match view.what {
        RunKind::Apply if one => {
            format!("{names} now refers to an object, {up_to}{bytes} came back")
        }
        RunKind::Apply => format!("{names} now refer to objects, {up_to}{bytes} came back"),
        RunKind::Undo if one => format!("{names} is private again, {bytes} are used again"),
        RunKind::Undo => format!("{names} are private again, {bytes} are used again"),
        RunKind::Forget if one => format!("{names} is gone from its guest"),
        RunKind::Forget => format!("{names} are gone from their guests"),
    }
}

/// What the disk says, which is asked as a whole: what the files tell of is in it, and what others wrote meanwhile.
fn disk(view: &RunView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let Some(disk) = view.disk else { return Ok(()) };
    let (before, now) = (disk.used_before, disk.used_after);
    let bytes = sizes.of(before.abs_diff(now));
    let what = if now > before { "less" } else { "more" };
    writeln!(
        out,
        "  (on the whole disk {bytes} {what} are free than before, the base's own records and other writers counted)"
    )?;
    match disk.layered {
        true => writeln!(out, "  ({LAYERED})"),
        false => Ok(()),
    }
}

/// What was not done, by code, with the first of each.
pub(super) fn not_done(title: &str, not_done: &NotDone, out: &mut dyn Write) -> io::Result<()> {
    let mut table = TextTable::new(&[
        ("code", Column::Words),
        ("actions", Column::Number),
        ("why", Column::Words),
    ]);
    for (code, kind) in not_done.all() {
        table.row([code.into(), count(kind.actions), kind.sentence.into()]);
        table.row([
            String::new(),
            String::new(),
            format!("first: {}", kind.first.text()),
        ]);
    }
    if table.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    table.text(out)
}

/// The one thing to do now.
fn next(view: &RunView<'_>) -> String {
    let base = shell_word(view.base);
    let has = |kind| view.not_done.has(kind);
    let running = [
        RefusalKind::GuestRunning,
        RefusalKind::HolderRunning,
        RefusalKind::TooLargeToFreeze,
    ];
    let running = running.into_iter().any(has);
    let left = view.not_done.all().next().is_some();
    match (view.totals, view.what) {
        (None, _) => format!("unify recover --base {base}"),
        (_, RunKind::Apply) if has(RefusalKind::DamagedObject) => "unify verify".into(),
        (_, RunKind::Apply) if running => format!("{} and apply the plan again", quiet(view)),
        (_, RunKind::Undo) if running => format!("{} and undo again", quiet(view)),
        (_, RunKind::Forget) if running => format!("{} and forget again", quiet(view)),
        (_, RunKind::Apply) if left => "unify plan, for what was not done".into(),
        (Some(totals), RunKind::Apply) if totals.names == 0 => {
            format!("unify status --base {base}")
        }
        (_, RunKind::Apply) => {
            format!(
                "unify status --base {base}   or, to take it back,   unify undo --base {base} --run {}",
                view.run
            )
        }
        (_, RunKind::Undo | RunKind::Forget) if left => {
            format!("unify status --base {base}, for what is still shared")
        }
        (_, RunKind::Undo | RunKind::Forget) => {
            format!("unify gc --base {base}, to remove objects that nobody uses")
        }
    }
}

/// What lets the run change what guests hold that run.
fn quiet(view: &RunView<'_>) -> &'static str {
    if view.clearers.is_empty() {
        "stop the running guests"
    } else {
        "do what is said above for each guest that was not frozen, or stop the running guests,"
    }
}

#[derive(Serialize)]
struct RunJson<'a> {
    /// `unify.apply`, `unify.undo` or `unify.forget`.
    kind: &'static str,
    run: &'a RunId,
    /// Did the run end by itself?
    complete: bool,
    /// Counts as in the receipt; null for a run that stopped midway.
    totals: Option<&'a RunTotals>,
    /// What the disk said before and after: `used_before`, `used_after`, in bytes; `layered` on an overlay mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<DiskChange>,
    /// What was not done, by code; `failed` is the machine's.
    not_done: Vec<KindJson<'a>>,
    /// Where running guests were frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen: Option<FrozenJson>,
    /// Guests that could not be frozen because a process in them may take flags off files, and what ends that.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    flag_clearers: &'a [FlagClearer],
    /// Objects that were changed while they were not protected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spoiled: Vec<SpoiledJson<'a>>,
    /// For people.
    next: String,
}

#[derive(Serialize)]
struct KindJson<'a> {
    code: &'static str,
    sentence: &'static str,
    actions: u64,
    /// The first action that had this code.
    first: ExampleJson<'a>,
}

#[derive(Serialize)]
struct ExampleJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
    sentence: &'a str,
}

/// For programs.
pub fn json(view: &RunView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let kind = match view.what {
        RunKind::Apply => "unify.apply",
        RunKind::Undo => "unify.undo",
        RunKind::Forget => "unify.forget",
    };
    let value = RunJson {
        kind,
        run: view.run,
        complete: view.totals.is_some(),
        totals: view.totals,
        disk: view.disk,
        not_done: view.not_done.all().map(kind_json).collect(),
        frozen: FrozenJson::of(view.stillness),
        flag_clearers: view.clearers,
        spoiled: SpoiledJson::all(view.spoiled),
        next: next(view),
    };
    json::write_line(out, &value)
}

fn kind_json<'a>((code, kind): (&'static str, &'a NotDoneKind)) -> KindJson<'a> {
    KindJson {
        code,
        sentence: kind.sentence,
        actions: kind.actions,
        first: ExampleJson {
            guest: kind.first.guest.as_ref().map(GuestName::as_str),
            path: kind.first.path.as_ref().map(PathJson::from),
            sentence: &kind.first.sentence,
        },
    }
}

#[cfg(test)]
mod tests;
