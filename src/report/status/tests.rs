use super::*;
use crate::model::{GuestPath, ObjectCount, RunKind, RunTotals, Sign};
use crate::report::samples::{HOSTILE, assert_tame, guest, object, path, written};

const LISTING: ListLimits = ListLimits {
    most: 20,
    columns: 80,
};

fn of(name: &str) -> GuestStatus {
    GuestStatus {
        name: guest(name),
        root: format!("/srv/{name}").into(),
        missing: None,
        is_gone: false,
        files: 1400,
        names: 1500,
        shared_names: 1200,
        unprotected_names: 0,
        unique: 4096,
        elsewhere: 0,
        shared: 8192,
        freed_if_deleted: 4096,
        unsure: 0,
        drifted: Vec::new(),
        reflinks: crate::model::ReflinkCount::default(),
        orphans: crate::model::Orphans::default(),
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
        sign: Sign::Mark,
        frozen: Vec::new(),
        objects: ObjectCount {
            all: 1100,
            bytes: 8192,
            unused: 1,
            unused_bytes: 4096,
            saved_bytes: 8192,
            unprotected: 0,
        },
        guests: vec![web1],
        maintained: Vec::new(),
        runs: vec![RunStatus {
            run,
            what: RunKind::Apply,
            started,
            end: RunEnd::Whole,
            totals: Some(totals),
        }],
        damaged: Vec::new(),
        unknown_names: 0,
        at_work: false,
        written: crate::model::Broken::default(),
        guard: None,
    }
}

#[test]
fn a_base_with_drift_and_an_unused_object() {
    let want = "Base /srv/.unify: 1,100 objects, 8.00 KiB; 8.00 KiB came back by sharing
  1 object without a name in any guest: `unify gc --base /srv/.unify` gives back 4.00 KiB, and takes off the guard's marks

Guests:
  guest  names  shared names    unique    shared  freed if deleted  drifted
  web1   1,500         1,200  4.00 KiB  8.00 KiB          4.00 KiB        2

Drifted (unified once, not any more):
  web1:/usr/bin/perl  another file now
  web1:/usr/lib/x     does not exist any more

Runs:
  run                        what   end     done  refused  failed     bytes
  20260102T030405Z-0a1b2c3d  apply  whole  1,200        0       0  8.00 KiB
";
    assert_eq!(
        written(|out| text(&sample(), Sizes::default(), LISTING, out)),
        want
    );
}

#[test]
fn json_has_everything() {
    let hex = format!("sha256:{}-{}", "ab".repeat(32), "ab".repeat(16));
    let want = [
        r#"{"kind":"unify.status","base":{"root":"/srv/.unify"},"frozen":[],"#,
        r#""objects":1100,"object_bytes":8192,"unused_objects":1,"unused_bytes":4096,"saves":8192,"unprotected_objects":0,"#,
        r#""guests":[{"name":"web1","root":"/srv/web1","missing":null,"gone":false,"files":1400,"names":1500,"shared_names":1200,"unprotected_names":0,"#,
        r#""unique_bytes":4096,"elsewhere_bytes":0,"shared_bytes":8192,"freed_if_deleted":4096,"unsure_bytes":0,"unread":0,"drifted":["#,
        r#"{"path":"/usr/bin/perl","object":"HEX","exists":true},{"path":"/usr/lib/x","object":"HEX","exists":false}],"reflinked_files":0,"reflinks_written":0,"orphaned":[],"owners_unknown":null}],"maintained":[],"#,
        r#""runs":[{"run":"20260102T030405Z-0a1b2c3d","what":"apply","started":"2026-01-02T03:04:05Z","#,
        r#""end":"whole","totals":{"done":1200,"already":0,"refused":0,"failed":0,"names":0,"bytes":8192,"held":0}}],"damaged_lines":[],"unknown_names":0,"at_work":false,"writers":{"since":null,"guests":[],"often":[],"used":[]},"guard":null,"next":[{"command":["unify","gc","--base","/srv/.unify"],"why":"to remove objects that nobody uses"}]}"#,
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
    let text = written(|out| text(&status, Sizes::default(), LISTING, out));
    let want = "`unify gc --base /srv/.unify` gives back 4.00 KiB, and takes off the guard's marks
MISSING: web1: no such directory; plan it where it is now, or, if it was deleted, `unify forget --base /srv/.unify web1`
UNREAD: web1: 2 names could not be read and are not counted
UNFINISHED: run 20260102T030405Z-0a1b2c3d: run `unify recover --base /srv/.unify`

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
    let text = written(|out| text(&status, Sizes::default(), LISTING, out));
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
        sign: Sign::Flag,
        maintained: Vec::new(),
        base: "/b".into(),
        frozen: Vec::new(),
        objects: ObjectCount::default(),
        guests: vec![],
        runs: vec![],
        damaged: Vec::new(),
        unknown_names: 0,
        at_work: false,
        written: crate::model::Broken::default(),
        guard: None,
    };
    let want = "Base /b: 0 objects, 0 B; 0 B came back by sharing\n";
    assert_eq!(
        written(|out| text(&empty, Sizes::default(), LISTING, out)),
        want
    );
    let mut huge = sample();
    huge.guests[0].unique = u64::MAX;
    huge.objects.saved_bytes = u64::MAX;
    let text = written(|out| text(&huge, Sizes { exact: true }, LISTING, out));
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
    assert_tame(&written(|out| {
        text(&status, Sizes::default(), LISTING, out)
    }));
    assert_tame(&written(|out| json(&status, out)));
}

#[test]
fn long_lists_are_cut_unless_all_is_asked_for() {
    let mut status = sample();
    status.guests[0].drifted = vec![status.guests[0].drifted[0].clone(); 25];
    status.runs = vec![status.runs[0].clone(); 30];
    let cut = written(|out| text(&status, Sizes::default(), LISTING, out));
    let lists = |text: &str| {
        (
            text.matches("another file").count(),
            text.matches("apply  whole").count(),
        )
    };
    assert_eq!(lists(&cut), (20, 20));
    assert!(
        cut.contains("\n  and 5 more: --all or --json lists all\n"),
        "{cut}"
    );
    assert!(
        cut.ends_with("\n  and 10 more: --all or --json lists all\n"),
        "{cut}"
    );
    let all = written(|out| text(&status, Sizes::default(), ListLimits::on(80, true), out));
    assert_eq!(lists(&all), (25, 30));
    assert!(!all.contains(" more: "), "{all}");
}

#[test]
fn what_writers_meet_is_said_where_it_is_known() {
    let told = |level, daemon| {
        let guard = Some(crate::model::WritersMeet { level, daemon });
        let status = Status { guard, ..sample() };
        let text = written(|out| text(&status, Sizes::default(), LISTING, out));
        let mut lines = text.lines().map(str::to_owned);
        lines.find(|line| line.starts_with("A write"))
    };
    use crate::model::GuardLevel::{DenyFirst, Immutable, RestartByTaskWork};
    let said = |level, daemon| told(Some(level), daemon).unwrap();
    assert!(said(RestartByTaskWork, true).contains(" waits until "));
    assert!(said(DenyFirst, true).contains(" is denied once"));
    for level in [Immutable, DenyFirst, RestartByTaskWork] {
        assert!(said(level, false).contains(" is denied: no daemon answers"));
    }
    assert_eq!(told(None, false), None);
    let guard = Some(crate::model::WritersMeet {
        level: Some(DenyFirst),
        daemon: true,
    });
    let status = Status { guard, ..sample() };
    let want = r#","guard":{"level":"deny-first","daemon":true},"next":"#;
    assert!(written(|out| json(&status, out)).contains(want));
}
