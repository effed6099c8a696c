//! What became of `apply`, `undo` or `forget`: counts, what was refused and why, and what to do next.
//!
//! Outcomes are fed one by one to [`NotDone`]; the receipt in the base has every line.
//!
//! The JSON form is the fields of `RunJson`; `kind` is `unify.apply`, `unify.undo` or `unify.forget`.

pub mod in_use;
pub mod maintained;
mod not_done_json;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{
    DiskChange, FlagClearer, FreezeTimes, PartedInUse, RefusalKind, RunId, RunKind, RunTotals,
    Spoiled,
};

use super::alarms::frozen;
use super::alarms::frozen::FrozenJson;
use super::alarms::spoiled::{self, SpoiledJson};
use super::answer::next;
use super::answer::next::{NextJson, NextStep};
use super::layout::json;
pub use super::layout::shell::shell_word;
use super::layout::size::{Sizes, count, counted_does};
use super::layout::table::{Column, TextTable};
use super::words::flag_clearers;
pub use super::words::not_done::NotDone;
use super::words::promise::LAYERED;
use in_use::{UnknownUsesJson, UsedFileJson};
pub(super) use not_done_json::{ExampleJson, KindJson, not_done_json};

/// The end of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunView<'a> {
    /// Apply, undo or forget.
    pub what: RunKind,
    /// Its name; `None` where there was nothing to do, so that no run began.
    pub run: Option<&'a RunId>,
    /// The base, for the commands that come next.
    pub base: &'a Path,
    /// Its counts; `None` when it stopped midway.
    pub totals: Option<&'a RunTotals>,
    /// The command itself, for those who do it again.
    pub command: &'a [OsString],
    /// The guests of a plan, as `plan` takes them.
    pub guests: &'a [OsString],
    /// What was not done.
    pub not_done: &'a NotDone,
    /// For how long running guests were frozen.
    pub stillness: &'a FreezeTimes,
    /// Guests that could not be frozen because a process in them may take flags off files.
    pub clearers: &'a [FlagClearer],
    /// Objects that were changed while they were not protected.
    pub spoiled: &'a [Spoiled],
    /// What was in use as it got inodes of its own.
    pub in_use: &'a PartedInUse,
    /// What the disk says, where it was asked.
    pub disk: Option<DiskChange>,
}

/// For people.
pub fn text(view: &RunView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let what = title(view.what);
    let run = view.run.map(ToString::to_string).unwrap_or_default();
    match view.totals {
        Some(totals) => {
            writeln!(out, "{what} (run {run})\n")?;
            table(view, totals, sizes).text(out)?;
            disk(view, sizes, out)?;
        }
        None => writeln!(out, "{what} stopped half way (run {run}); nothing is lost.")?,
    }
    not_done("Not done", view.not_done, out)?;
    in_use::text(view.in_use, out)?;
    flag_clearers::text(view.clearers, out)?;
    frozen::text(view.stillness, out)?;
    spoiled::text(view.spoiled, out)?;
    writeln!(out)?;
    next::text(&next(view), out)
}

fn title(what: RunKind) -> &'static str {
    match what {
        RunKind::Apply => "Apply",
        RunKind::Undo => "Undo",
        RunKind::Forget => "Forget",
        RunKind::Break => "Break",
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
        RunKind::Apply | RunKind::Undo | RunKind::Break => "",
        RunKind::Forget => "were gone before, and are forgotten",
    };
    row("already done", totals.already, already.into());
    row(
        "refused",
        totals.refused,
        match what {
            RunKind::Apply => "not as the plan says; not touched".into(),
            RunKind::Undo | RunKind::Forget | RunKind::Break => {
                "not as the base remembers; not touched".into()
            }
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
    let names = |one, many| counted_does(totals.names - totals.reflinks, "name", one, many);
    let blocks = |one, many| match totals.reflinks {
        0 => String::new(),
        files => counted_does(files, "name", one, many) + ", ",
    };
    let is_all = totals.reflinks > 0 && totals.names == totals.reflinks;
    let some = |text: String| if is_all { String::new() } else { text + ", " };
    let bytes = sizes.of(totals.bytes);
    let layered = view.disk.is_some_and(|disk| disk.layered) && totals.bytes > 0;
    let up_to = if layered { "up to " } else { "" };
    match view.what {
        RunKind::Apply => {
            let refer = names("now refers to an object", "now refer to objects");
            let share = blocks(
                "now shares blocks with another file",
                "now share blocks with other files",
            );
            format!("{}{share}{up_to}{bytes} came back", some(refer))
        }
        RunKind::Undo | RunKind::Break => {
            let private = names("is private again", "are private again");
            let own = blocks(
                "has blocks of its own again",
                "have blocks of their own again",
            );
            format!("{}{own}{bytes} are used again", some(private))
        }
        RunKind::Forget => names("is gone from its guest", "are gone from their guests"),
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
        table.row([code.into(), count(kind.actions), kind.sentence.to_string()]);
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

/// What may be done now, the first first.
fn next(view: &RunView<'_>) -> Vec<NextStep> {
    let has = |kind| view.not_done.has(kind);
    let running = [
        RefusalKind::GuestRunning,
        RefusalKind::HolderRunning,
        RefusalKind::TooLargeToFreeze,
    ];
    let running = running.into_iter().any(has);
    let left = view.not_done.all().next().is_some();
    let damaged = view.what == RunKind::Apply && has(RefusalKind::DamagedObject);
    let status = |why| NextStep::on_base("status", view.base, why);
    match view.totals {
        None => vec![NextStep::on_base("recover", view.base, "to heal it")],
        Some(_) if damaged => vec![NextStep::on_base(
            "verify",
            view.base,
            "to name every file that a damaged object reaches",
        )],
        Some(_) if running => vec![NextStep::again(view.command, quiet(view))],
        Some(_) if left && view.what == RunKind::Apply => {
            vec![plan(view)]
        }
        Some(_) if left => vec![status("to see what is still shared")],
        Some(totals) if view.what == RunKind::Apply && totals.names == 0 => {
            vec![status("to see what is shared")]
        }
        Some(_) if view.what == RunKind::Apply => {
            vec![status("to see what is shared now"), undo(view)]
        }
        Some(totals) if totals.reflinks > 0 && totals.names == totals.reflinks => {
            vec![status("to see what is still shared")]
        }
        Some(_) => vec![NextStep::on_base(
            "gc",
            view.base,
            "to remove objects that nobody uses",
        )],
    }
}

fn plan(view: &RunView<'_>) -> NextStep {
    let words = ["plan", "-o", "new-plan.json", "--base"].map(OsString::from);
    let base = view.base.as_os_str().to_owned();
    let words = [&words[..], &[base], view.guests].concat();
    NextStep::unify(&words, "for what was not done")
}

fn undo(view: &RunView<'_>) -> NextStep {
    let run = view.run.map(ToString::to_string).unwrap_or_default();
    let words = ["undo", "--run", &run, "--base"].map(OsStr::new);
    let words = [&words[..], &[view.base.as_os_str()]].concat();
    NextStep::unify(&words, "to take it back")
}

/// What lets the run change what guests hold that run.
fn quiet(view: &RunView<'_>) -> &'static str {
    if view.clearers.is_empty() {
        "stop the running guests"
    } else {
        "do what is said above for each guest that was not frozen, or stop the running guests"
    }
}

#[derive(Serialize)]
struct RunJson<'a> {
    /// `unify.apply`, `unify.undo` or `unify.forget`.
    kind: &'static str,
    #[serde(flatten)]
    course: CourseJson<'a>,
    /// What may be done now.
    next: Vec<NextJson>,
}

/// How a run went.
#[derive(Serialize)]
struct CourseJson<'a> {
    run: Option<&'a RunId>,
    /// Did the run end by itself?
    complete: bool,
    /// Counts as in the receipt; null for a run that stopped midway.
    totals: Option<&'a RunTotals>,
    /// What the disk said before and after: `used_before`, `used_after`, in bytes; `layered` on an overlay mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    disk: Option<DiskChange>,
    /// What was not done, by code; `failed` is the machine's.
    not_done: Vec<KindJson<'a>>,
    /// Every action that was not done.
    refusals: Vec<ExampleJson<'a>>,
    /// Where running guests were frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    freezes: Option<FrozenJson>,
    /// Guests that could not be frozen because a process in them may take flags off files, and what ends that.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    not_frozen: &'a [FlagClearer],
    /// Objects that were changed while they were not protected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spoiled: Vec<SpoiledJson<'a>>,
    /// What was in use as it got inodes of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_use: Vec<UsedFileJson<'a>>,
    /// Guests of which it is not known whether that is all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    in_use_unknown: Vec<UnknownUsesJson<'a>>,
}

/// For programs.
pub fn json(view: &RunView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let kind = match view.what {
        RunKind::Apply => "unify.apply",
        RunKind::Undo => "unify.undo",
        RunKind::Forget => "unify.forget",
        RunKind::Break => "unify.break",
    };
    let value = RunJson {
        kind,
        course: course(view),
        next: NextJson::all(&next(view)),
    };
    json::write_line(out, &value)
}

fn course<'a>(view: &RunView<'a>) -> CourseJson<'a> {
    let (not_done, refusals) = not_done_json(view.not_done);
    CourseJson {
        run: view.run,
        complete: view.totals.is_some(),
        totals: view.totals,
        disk: view.disk,
        not_done,
        refusals,
        freezes: FrozenJson::of(view.stillness),
        not_frozen: view.clearers,
        spoiled: SpoiledJson::all(view.spoiled),
        in_use: UsedFileJson::all(view.in_use),
        in_use_unknown: UnknownUsesJson::all(view.in_use),
    }
}

/// The same of a run that had nothing to do, and that was not begun.
pub fn json_of_nothing(what: RunKind, base: &Path, out: &mut dyn Write) -> io::Result<()> {
    let view = RunView {
        what,
        run: None,
        base,
        command: &[],
        guests: &[],
        totals: Some(&RunTotals::default()),
        not_done: &NotDone::default(),
        stillness: &FreezeTimes::default(),
        clearers: &[],
        spoiled: &[],
        in_use: &PartedInUse::default(),
        disk: None,
    };
    json(&view, out)
}

#[cfg(test)]
mod tests;
