use super::*;
use crate::model::{GuestPath, Moved, Outcome, Refusal};
use crate::report::samples::{HOSTILE, assert_tame, guest, path, written};

fn run() -> RunId {
    "20260102T030405Z-0a1b2c3d".parse().unwrap()
}

fn totals() -> RunTotals {
    RunTotals {
        reflinks: 0,
        done: 38_100,
        already: 2,
        refused: 2,
        failed: 1,
        names: 41_186,
        bytes: 3_661_459_000,
        held: 3,
        stopped: None,
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
        run: Some(&run),
        base: Path::new("/srv/.unify"),
        totals,
        command: &["unify", "apply", "my plan.json"].map(OsString::from),
        guests: &["web=/srv/web".into()],
        not_done,
        stillness: &FreezeTimes::default(),
        clearers: &[],
        spoiled: &[],
        in_use: &PartedInUse::default(),
        disk: None,
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
  failed         1  no space left on device
                    first: (no space left on device)

Next: unify plan -o new-plan.json --base /srv/.unify web=/srv/web, for what was not done
";
    assert_eq!(text, want);
    let want = concat!(
        r#"{"kind":"unify.apply","run":"20260102T030405Z-0a1b2c3d","complete":true,"#,
        r#""totals":{"done":38100,"already":2,"refused":2,"failed":1,"names":41186,"bytes":3661459000,"held":3},"#,
        r#""not_done":[{"code":"changed","sentence":"changed since the plan","times":2,"first":{"code":"changed","guest":"web2","#,
        r#""path":"/usr/bin/perl","sentence":"changed since the plan: ctime, content"}},"#,
        r#"{"code":"failed","sentence":"no space left on device","times":1,"first":{"code":"failed","sentence":"no space left on device"}}],"#,
        r#""refusals":[],"next":[{"command":["unify","plan","-o","new-plan.json","--base","/srv/.unify","web=/srv/web"],"why":"for what was not done"}]}"#,
        "\n"
    );
    assert_eq!(json, want);
}

#[test]
fn the_disk_has_its_own_word() {
    let (run, not_done, one) = (
        run(),
        NotDone::default(),
        RunTotals {
            names: 1,
            bytes: 4096,
            ..RunTotals::default()
        },
    );
    let told = |what, used_after, layered| {
        let view = RunView {
            what,
            run: Some(&run),
            base: Path::new("/b"),
            totals: Some(&one),
            command: &[],
            guests: &[],
            not_done: &not_done,
            stillness: &FreezeTimes::default(),
            clearers: &[],
            spoiled: &[],
            in_use: &PartedInUse::default(),
            disk: Some(DiskChange {
                used_before: 8192,
                used_after,
                layered,
            }),
        };
        written(|out| text(&view, Sizes::default(), out))
    };
    let said = told(RunKind::Apply, 4096, false);
    assert!(
        said.contains("1 name now refers to an object, 4.00 KiB came back\n"),
        "{said}"
    );
    assert!(
        said.contains("on the whole disk 4.00 KiB more are free than before"),
        "{said}"
    );
    let said = told(RunKind::Apply, 12288, true);
    assert!(
        said.contains(", up to 4.00 KiB came back") && said.contains("4.00 KiB less are free"),
        "{said}"
    );
    assert!(said.contains("overlay mount"), "{said}");
    let said = told(RunKind::Undo, 12288, false);
    assert!(
        said.contains("1 name is private again, 4.00 KiB are used again\n"),
        "{said}"
    );
}

#[test]
fn the_next_step_fits_what_happened() {
    let step = |what, totals, not_done: &NotDone| {
        let (text, _) = told(what, totals, not_done);
        let (_, steps) = text.split_once("\nNext: ").unwrap();
        steps.trim_end().to_owned()
    };
    let (all, none) = (totals(), NotDone::default());
    let mut running = some_not_done();
    let who = String::from("pid 7");
    running.take(None, &[], &Outcome::Refused(Refusal::GuestRunning { who }));
    let undo = "unify status --base /srv/.unify, to see what is shared now
  or: unify undo --run 20260102T030405Z-0a1b2c3d --base /srv/.unify, to take it back";
    assert_eq!(step(RunKind::Apply, Some(&all), &none), undo);
    assert_eq!(
        step(RunKind::Undo, Some(&all), &none),
        "unify gc --base /srv/.unify, to remove objects that nobody uses"
    );
    let stop = "stop the running guests, then unify apply 'my plan.json'";
    assert_eq!(step(RunKind::Apply, Some(&all), &running), stop);
    assert_eq!(
        step(RunKind::Apply, None, &running),
        "unify recover --base /srv/.unify, to heal it"
    );
}

#[test]
fn a_run_that_stopped_half_way_says_so_first() {
    let (text, json) = told(RunKind::Undo, None, &NotDone::default());
    assert!(
        text.starts_with(
            "Undo stopped half way (run 20260102T030405Z-0a1b2c3d); nothing is lost.\n"
        )
    );
    assert!(json.starts_with(
        r#"{"kind":"unify.undo","run":"20260102T030405Z-0a1b2c3d","complete":false,"totals":null,"#
    ));
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
