//! What `unify status` found: how much each guest shares, which names drifted, which runs there were.
//!
//! The JSON form is the fields of `StatusJson`. All sizes are allocated bytes.

mod memory;
mod runs;

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    DamagedLine, Drift, Escaped, GuestStatus, ObjectCount, ObjectId, RunEnd, RunStatus, Status,
};

use super::frozen;
use super::layout::json;
use super::layout::json::{PathJson, RootJson};
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};
use super::words::sentence::safe;

/// For people.
pub fn text(status: &Status, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    frozen::left(&status.frozen, &status.base, out)?;
    objects(status, sizes, out)?;
    warnings(status, out)?;
    section("Guests:", &guests(status, sizes), out)?;
    section(
        "Drifted (unified once, not any more):",
        &drifted(status),
        out,
    )?;
    section("Runs:", &runs::table(status, sizes), out)
}

fn objects(status: &Status, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let base = Escaped(status.base.as_os_str().as_encoded_bytes());
    let it = &status.objects;
    let (all, bytes) = (counted(it.all, "object"), sizes.of(it.bytes));
    writeln!(
        out,
        "Base {base}: {all}, {bytes}; sharing saves {}",
        sizes.of(it.saved_bytes)
    )?;
    if it.unused == 0 {
        return Ok(());
    }
    let (unused, bytes) = (counted(it.unused, "object"), sizes.of(it.unused_bytes));
    writeln!(
        out,
        "  {unused} without a name in any guest ({bytes}): run `unify gc`"
    )
}

fn warnings(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    for guest in &status.guests {
        if let Some(missing) = &guest.missing {
            writeln!(out, "MISSING: {}: {}", guest.name, safe(missing))?;
        }
        if guest.unread > 0 {
            let unread = counted(guest.unread, "name");
            writeln!(
                out,
                "UNREAD: {}: {unread} could not be read and are not counted",
                guest.name
            )?;
        }
    }
    let unfinished = |run: &&RunStatus| run.end == RunEnd::Unfinished;
    for run in status.runs.iter().filter(unfinished) {
        writeln!(out, "UNFINISHED: run {}: run `unify recover`", run.run)?;
    }
    memory::text(status, out)
}

fn guests(status: &Status, sizes: Sizes) -> TextTable {
    let mut table = TextTable::new(&[
        ("guest", Column::Name),
        ("files", Column::Number),
        ("shared names", Column::Number),
        ("unique", Column::Number),
        ("shared", Column::Number),
        ("freed if deleted", Column::Number),
        ("drifted", Column::Number),
    ]);
    for guest in &status.guests {
        table.row([
            guest.name.to_string(),
            count(guest.files),
            count(guest.shared_names),
            sizes.of(guest.unique),
            sizes.of(guest.shared),
            sizes.of(guest.freed_if_deleted),
            count(guest.drifted.len() as u64),
        ]);
    }
    table
}

fn drifted(status: &Status) -> TextTable {
    let mut table = TextTable::new(&[("", Column::Name), ("", Column::Words)]);
    for guest in &status.guests {
        for drift in &guest.drifted {
            let what = if drift.exists {
                "another file now"
            } else {
                "does not exist any more"
            };
            table.row([format!("{}:{}", guest.name, drift.path), what.into()]);
        }
    }
    table
}

fn section(title: &str, table: &TextTable, out: &mut dyn Write) -> io::Result<()> {
    if table.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    table.text(out)
}

#[derive(Serialize)]
struct StatusJson<'a> {
    /// `unify.status`.
    kind: &'static str,
    /// Where the base is: `root`, `root_b64`.
    base: RootJson,
    /// Cgroups that a run left frozen: `unify recover` lets them go.
    frozen: &'a [String],
    /// Objects and their bytes.
    objects: &'a ObjectCount,
    /// Every guest that the base remembers.
    guests: Vec<GuestStatusJson<'a>>,
    /// Every run, oldest first; `totals` is null for one that did not end.
    runs: &'a [RunStatus],
    /// Lines of receipts that are damaged and count for nothing: `run`, `paper`, `line`, `why`.
    damaged: &'a [DamagedLine],
    /// Names of objects that are in no guest which the base knows.
    unknown_names: u64,
}

#[derive(Serialize)]
struct GuestStatusJson<'a> {
    name: &'a str,
    #[serde(flatten)]
    root: RootJson,
    /// Why the root is not there; null if it is.
    missing: Option<&'a str>,
    files: u64,
    shared_names: u64,
    unique: u64,
    shared: u64,
    freed_if_deleted: u64,
    unread: u64,
    drifted: Vec<DriftJson>,
}

#[derive(Serialize)]
struct DriftJson {
    #[serde(flatten)]
    path: PathJson,
    object: ObjectId,
    exists: bool,
}

/// For programs.
pub fn json(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let value = StatusJson {
        kind: "unify.status",
        base: RootJson::from(status.base.as_path()),
        frozen: &status.frozen,
        objects: &status.objects,
        guests: status.guests.iter().map(guest_json).collect(),
        runs: &status.runs,
        damaged: &status.damaged,
        unknown_names: status.unknown_names,
    };
    json::write_line(out, &value)
}

fn guest_json(guest: &GuestStatus) -> GuestStatusJson<'_> {
    GuestStatusJson {
        name: guest.name.as_str(),
        root: RootJson::from(guest.root.as_path()),
        missing: guest.missing.as_deref(),
        files: guest.files,
        shared_names: guest.shared_names,
        unique: guest.unique,
        shared: guest.shared,
        freed_if_deleted: guest.freed_if_deleted,
        unread: guest.unread,
        drifted: guest.drifted.iter().map(drift_json).collect(),
    }
}

fn drift_json(drift: &Drift) -> DriftJson {
    DriftJson {
        path: PathJson::from(&drift.path),
        object: drift.object,
        exists: drift.exists,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GuestPath, RunKind, RunTotals};
    use crate::report::samples::{HOSTILE, assert_tame, guest, object, path, written};

    fn of(name: &str) -> GuestStatus {
        GuestStatus {
            name: guest(name),
            root: format!("/srv/{name}").into(),
            missing: None,
            files: 1500,
            shared_names: 1200,
            unique: 4096,
            shared: 8192,
            freed_if_deleted: 4096,
            drifted: Vec::new(),
            unread: 0,
        }
    }

    fn sample() -> Status {
        let mut web1 = of("web1");
        let drift = |at, exists| Drift {
            path: path(at),
            object: object(0xab),
            exists,
        };
        web1.drifted = vec![drift("/usr/bin/perl", true), drift("/usr/lib/x", false)];
        let run = "20260102T030405Z-0a1b2c3d".parse().unwrap();
        let totals = RunTotals {
            done: 1200,
            bytes: 8192,
            ..RunTotals::default()
        };
        let started = "2026-01-02T03:04:05Z".to_owned();
        Status {
            base: "/srv/.unify".into(),
            frozen: Vec::new(),
            objects: ObjectCount {
                all: 1100,
                bytes: 8192,
                unused: 1,
                unused_bytes: 4096,
                saved_bytes: 8192,
            },
            guests: vec![web1],
            runs: vec![RunStatus {
                run,
                what: RunKind::Apply,
                started,
                end: RunEnd::Whole,
                totals: Some(totals),
            }],
            damaged: Vec::new(),
            unknown_names: 0,
        }
    }

    #[test]
    fn a_base_with_drift_and_an_unused_object() {
        let want = "Base /srv/.unify: 1,100 objects, 8.00 KiB; sharing saves 8.00 KiB
  1 object without a name in any guest (4.00 KiB): run `unify gc`

Guests:
  guest  files  shared names    unique    shared  freed if deleted  drifted
  web1   1,500         1,200  4.00 KiB  8.00 KiB          4.00 KiB        2

Drifted (unified once, not any more):
  web1:/usr/bin/perl  another file now
  web1:/usr/lib/x     does not exist any more

Runs:
  run                        what   started               end     done  refused  failed     bytes
  20260102T030405Z-0a1b2c3d  apply  2026-01-02T03:04:05Z  whole  1,200        0       0  8.00 KiB
";
        assert_eq!(written(|out| text(&sample(), Sizes::default(), out)), want);
    }

    #[test]
    fn json_has_everything() {
        let hex = format!("sha256:{}-{}", "ab".repeat(32), "ab".repeat(16));
        let want = [
            r#"{"kind":"unify.status","base":{"root":"/srv/.unify"},"frozen":[],"#,
            r#""objects":{"all":1100,"bytes":8192,"unused":1,"unused_bytes":4096,"saved_bytes":8192},"#,
            r#""guests":[{"name":"web1","root":"/srv/web1","missing":null,"files":1500,"shared_names":1200,"#,
            r#""unique":4096,"shared":8192,"freed_if_deleted":4096,"unread":0,"drifted":["#,
            r#"{"path":"/usr/bin/perl","object":"HEX","exists":true},{"path":"/usr/lib/x","object":"HEX","exists":false}]}],"#,
            r#""runs":[{"run":"20260102T030405Z-0a1b2c3d","what":"apply","started":"2026-01-02T03:04:05Z","#,
            r#""end":"whole","totals":{"done":1200,"already":0,"refused":0,"failed":0,"names":0,"bytes":8192,"held":0}}],"damaged":[],"unknown_names":0}"#,
        ];
        let want = want.concat().replace("HEX", &hex) + "\n";
        assert_eq!(written(|out| json(&sample(), out)), want);
    }

    #[test]
    fn trouble_stands_above_the_tables() {
        let mut status = sample();
        status.guests[0].missing = Some("no such directory".into());
        status.guests[0].unread = 2;
        status.runs[0].totals = None;
        status.runs[0].end = RunEnd::Unfinished;
        let text = written(|out| text(&status, Sizes::default(), out));
        let want = "`unify gc`
MISSING: web1: no such directory
UNREAD: web1: 2 names could not be read and are not counted
UNFINISHED: run 20260102T030405Z-0a1b2c3d: run `unify recover`

Guests:
";
        assert!(text.contains(want), "{text}");
    }

    /// No person is sent to heal what is healed.
    #[test]
    fn a_healed_run_has_its_own_word() {
        let mut status = sample();
        status.runs[0].totals = None;
        status.runs[0].end = RunEnd::Recovered;
        let text = written(|out| text(&status, Sizes::default(), out));
        assert!(!text.contains("UNFINISHED"), "{text}");
        assert!(text.contains("  cut, recovered     ?  "), "{text}");
        let json = written(|out| json(&status, out));
        assert!(
            json.contains(r#""end":"recovered","totals":null"#),
            "{json}"
        );
    }

    #[test]
    fn an_empty_base_and_huge_numbers() {
        let empty = Status {
            base: "/b".into(),
            frozen: Vec::new(),
            objects: ObjectCount::default(),
            guests: vec![],
            runs: vec![],
            damaged: Vec::new(),
            unknown_names: 0,
        };
        let want = "Base /b: 0 objects, 0 B; sharing saves 0 B\n";
        assert_eq!(written(|out| text(&empty, Sizes::default(), out)), want);
        let mut huge = sample();
        huge.guests[0].unique = u64::MAX;
        huge.objects.saved_bytes = u64::MAX;
        let text = written(|out| text(&huge, Sizes { exact: true }, out));
        assert_eq!(text.matches("18,446,744,073,709,551,615 B").count(), 2);
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let mut status = sample();
        status.base = HOSTILE.into();
        status.runs[0].started = HOSTILE.into();
        status.guests[0].root = HOSTILE.into();
        status.guests[0].missing = Some(HOSTILE.into());
        status.frozen = vec![HOSTILE.into()];
        status.guests[0].drifted[0].path = GuestPath::new(b"/a\x1b\n\xff\xc2\x9b").unwrap();
        assert_tame(&written(|out| text(&status, Sizes::default(), out)));
        assert_tame(&written(|out| json(&status, out)));
    }
}
