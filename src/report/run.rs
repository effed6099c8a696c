//! What became of `apply`, `undo` or `forget`: counts, what was refused and why, and what to do next.
//!
//! Outcomes are fed one by one to [`NotDone`]; the receipt in the base has every line.
//!
//! The JSON form is the fields of `RunJson`; `kind` is `unify.apply`, `unify.undo` or `unify.forget`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{
    FlagClearer, FreezeTimes, GuestName, RefusalKind, RunId, RunKind, RunTotals, Spoiled,
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
}

/// For people.
pub fn text(view: &RunView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let (what, run) = (title(view.what), view.run);
    match view.totals {
        Some(totals) => {
            writeln!(out, "{what} (run {run})\n")?;
            table(view.what, totals, sizes).text(out)?;
        }
        None => writeln!(out, "{what} stopped half way (run {run}); nothing is lost.")?,
    }
    not_done(view.not_done, out)?;
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

fn table(what: RunKind, totals: &RunTotals, sizes: Sizes) -> TextTable {
    let mut table = TextTable::new(&[
        ("", Column::Words),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    let names = counted(totals.names, "name");
    let bytes = sizes.of(totals.bytes);
    let done = match what {
        RunKind::Apply => format!("{names} now refer to objects, {bytes} came back"),
        RunKind::Undo => format!("{names} are private again, {bytes} are used again"),
        RunKind::Forget => format!("{names} are gone from their guests"),
    };
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

fn not_done(not_done: &NotDone, out: &mut dyn Write) -> io::Result<()> {
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
    writeln!(out, "\nNot done:")?;
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
mod tests {
    use super::*;
    use crate::model::{GuestPath, Moved, Outcome, Refusal};
    use crate::report::samples::{HOSTILE, assert_tame, guest, path, written};

    fn run() -> RunId {
        "20260102T030405Z-0a1b2c3d".parse().unwrap()
    }

    fn totals() -> RunTotals {
        RunTotals {
            done: 38_100,
            already: 2,
            refused: 2,
            failed: 1,
            names: 41_186,
            bytes: 3_661_459_000,
            held: 3,
        }
    }

    fn some_not_done() -> NotDone {
        let mut not_done = NotDone::default();
        let (web2, perl) = (guest("web2"), [path("/usr/bin/perl")]);
        let changed = |fields| Outcome::Refused(Refusal::Changed { fields });
        not_done.take(
            Some(&web2),
            &perl,
            &changed(vec![Moved::Ctime, Moved::Content]),
        );
        not_done.take(Some(&web2), &[path("/b")], &changed(vec![Moved::Size]));
        not_done.take(
            None,
            &[],
            &Outcome::Failed("no space left on device".into()),
        );
        not_done.take(None, &[], &Outcome::AlreadyDone);
        not_done
    }

    fn told(what: RunKind, totals: Option<&RunTotals>, not_done: &NotDone) -> (String, String) {
        let run = run();
        let view = RunView {
            what,
            run: &run,
            base: Path::new("/srv/.unify"),
            totals,
            not_done,
            stillness: &FreezeTimes::default(),
            clearers: &[],
            spoiled: &[],
        };
        let text = written(|out| text(&view, Sizes::default(), out));
        (text, written(|out| json(&view, out)))
    }

    #[test]
    fn an_apply_that_was_not_done_whole() {
        let (text, json) = told(RunKind::Apply, Some(&totals()), &some_not_done());
        let want = "Apply (run 20260102T030405Z-0a1b2c3d)

  done          38,100  41,186 names now refer to objects, 3.40 GiB came back
  already done       2
  refused            2  not as the plan says; not touched
  failed             1
  held back          3  taken out of the plan by a reviewer

Not done:
  code     actions  why
  changed        2  changed since the plan
                    first: web2:/usr/bin/perl (changed since the plan: ctime, content)
  failed         1  the machine said no
                    first: (no space left on device)

Next: unify plan, for what was not done
";
        assert_eq!(text, want);
        let want = concat!(
            r#"{"kind":"unify.apply","run":"20260102T030405Z-0a1b2c3d","complete":true,"#,
            r#""totals":{"done":38100,"already":2,"refused":2,"failed":1,"names":41186,"bytes":3661459000,"held":3},"#,
            r#""not_done":[{"code":"changed","sentence":"changed since the plan","actions":2,"first":{"guest":"web2","#,
            r#""path":"/usr/bin/perl","sentence":"changed since the plan: ctime, content"}},"#,
            r#"{"code":"failed","sentence":"the machine said no","actions":1,"first":{"sentence":"no space left on device"}}],"#,
            r#""next":"unify plan, for what was not done"}"#,
            "\n"
        );
        assert_eq!(json, want);
    }

    #[test]
    fn the_next_step_fits_what_happened() {
        let step = |what, totals, not_done: &NotDone| {
            let (text, _) = told(what, totals, not_done);
            text.lines().last().map(str::to_owned).unwrap()
        };
        let (all, none) = (totals(), NotDone::default());
        let mut running = some_not_done();
        let who = String::from("pid 7");
        running.take(None, &[], &Outcome::Refused(Refusal::GuestRunning { who }));
        let undo = "Next: unify status --base /srv/.unify   or, to take it back,   unify undo --base /srv/.unify --run 20260102T030405Z-0a1b2c3d";
        assert_eq!(step(RunKind::Apply, Some(&all), &none), undo);
        assert_eq!(
            step(RunKind::Undo, Some(&all), &none),
            "Next: unify gc --base /srv/.unify, to remove objects that nobody uses"
        );
        let stop = "Next: stop the running guests and apply the plan again";
        assert_eq!(step(RunKind::Apply, Some(&all), &running), stop);
        assert_eq!(
            step(RunKind::Apply, None, &running),
            "Next: unify recover --base /srv/.unify"
        );
    }

    #[test]
    fn a_run_that_stopped_half_way_says_so_first() {
        let (text, json) = told(RunKind::Undo, None, &NotDone::default());
        assert!(text.starts_with(
            "Undo stopped half way (run 20260102T030405Z-0a1b2c3d); nothing is lost.\n"
        ));
        assert!(json.starts_with(r#"{"kind":"unify.undo","run":"20260102T030405Z-0a1b2c3d","complete":false,"totals":null,"#));
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let mut not_done = NotDone::default();
        let name = [GuestPath::new(b"/a\x1b\n\xff\xc2\x9b").unwrap()];
        let who = HOSTILE.to_owned();
        let (web1, db1) = (guest("web1"), guest("db1"));
        not_done.take(Some(&web1), &name, &Outcome::Failed(HOSTILE.into()));
        let holder = Refusal::HolderRunning { guest: db1, who };
        not_done.take(Some(&web1), &name, &Outcome::Refused(holder));
        let (text, json) = told(RunKind::Apply, Some(&totals()), &not_done);
        assert_tame(&text);
        assert_tame(&json);
        assert_eq!(json.lines().count(), 1);
    }
}
