//! What an exit code says is so.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{
    BIN, Disk, File, Guest, Lab, Planned, content, interrupt, is_immutable, unify,
};

fn scene(lab: &Lab) -> ([Guest; 2], Planned) {
    let guests = lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ]);
    let plan = lab.plan(&guests.each_ref(), &[]);
    (guests, plan)
}

/// Runs a command on a terminal of its own, at which this is typed; `script` of util-linux makes one.
fn at_a_terminal(args: &[&str], typed: &str) -> Option<(i32, String)> {
    use std::io::Write;
    let word = |arg: &&str| format!("'{arg}'");
    let words: Vec<String> = [&[BIN][..], args].concat().iter().map(word).collect();
    let mut child = Command::new("script")
        .args(["-qec", &words.join(" "), "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(typed.as_bytes()).ok()?;
    let out = child.wait_with_output().ok()?;
    Some((
        out.status.code()?,
        String::from_utf8_lossy(&out.stdout).into_owned(),
    ))
}

/// No, nothing and the end of input are no yes, and nothing is said to have begun before the yes.
#[test]
fn a_question_that_is_not_answered_with_yes_is_no_success() {
    let lab = lab!(Disk::Own);
    let ([web, _], plan) = scene(&lab);
    let base = lab.base();
    let base = base.to_str().unwrap();
    let apply = ["apply", plan.path.to_str().unwrap()];
    let undo = ["undo", "--base", base, "--run", "all"];
    let forget = ["forget", "--base", base, "web"];
    let Some((code, said)) = at_a_terminal(&apply, "n\n") else {
        skip!("there is no `script`");
    };
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("WOULD APPLY") && !said.contains("APPLYING"),
        "{said}"
    );
    assert_eq!(at_a_terminal(&apply, "\n").unwrap().0, 1);
    assert_eq!(
        at_a_terminal(&apply, "\u{4}").unwrap().0,
        1,
        "the end of input"
    );
    assert!(!lab.base().exists());
    let (code, said) = at_a_terminal(&apply, "y\n").unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("APPLYING"), "{said}");
    for (args, begun) in [(&undo[..], "UNDOING"), (&forget, "FORGETTING")] {
        for typed in ["n\n", "\u{4}"] {
            let (code, said) = at_a_terminal(args, typed).unwrap();
            assert_eq!(code, 1, "{args:?}: {said}");
            assert!(!said.contains(begun), "{said}");
        }
    }
    assert!(is_immutable(&web.host("/usr/a")));
    let runs = fs::read_dir(lab.base().join("runs")).unwrap().count();
    assert_eq!(runs, 1, "nothing is left of what was declined");
}

#[test]
fn a_plan_of_which_nothing_is_applied_does_not_verify() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    plan.verify().expect(6);
    let json = ["verify".as_ref(), "--json".as_ref(), plan.path.as_os_str()];
    let said = unify(&json).expect(6).json();
    assert_eq!(
        (&said["ok"], &said["applied"]),
        (&false.into(), &false.into()),
        "{said}"
    );
    plan.apply().expect(0);
    plan.verify().expect(0);
    lab.on_base("undo", &["--run", "all", "--guest", "db", "--yes"])
        .expect(0);
    plan.verify().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    // The objects and their flags are there still.
    plan.verify().expect(6);
    lab.on_base("gc", &[]).expect(0);
    plan.verify().expect(6);
    // A plan that does nothing has nothing that could be missing.
    let alone = lab.plan(&[&guests[0]], &[]);
    alone.verify().expect(0);
}

/// Where an input could not be read, what was done without it is no whole success, in every command.
#[test]
fn what_could_not_be_read_is_said_by_the_code() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    plan.apply().expect(0);
    let [run] = &fs::read_dir(lab.base().join("runs"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect::<Vec<_>>()[..]
    else {
        panic!("one run");
    };
    // A line of the receipt that the disk has spoiled.
    let receipt = run.join("receipt.jsonl");
    let text = fs::read_to_string(&receipt).unwrap();
    fs::write(&receipt, text.replacen("/usr/a", "/usr/x", 1)).unwrap();
    let app = lab.guest("app");
    app.put("/usr/a", &File::new(content(1)));
    let (out, more) = lab.try_plan(&[&web, &db, &app], &[]);
    out.expect_one_of(&[0, 3]);
    let more = more.unwrap();
    for command in ["status", "verify"] {
        lab.on_base(command, &[]).expect(3);
    }
    lab.on_base("gc", &["--dry-run", "--keep-runs", "1"])
        .expect(3);
    lab.on_base("undo", &["--dry-run", "--run", "all"])
        .expect(3);
    let on = |args: &[&str], plan: &Path| {
        let args = args
            .iter()
            .map(|arg| (*arg).into())
            .chain([plan.as_os_str().to_owned()]);
        unify(&args.collect::<Vec<_>>())
    };
    on(&["apply", "--dry-run"], &more.path).expect(3);
    on(&["apply", "--yes"], &more.path).expect(3);
    assert!(
        is_immutable(&app.host("/usr/a")),
        "it was done all the same"
    );
    on(&["verify"], &more.path).expect(3);
    // A database that is damaged, whatever the policy makes of it.
    web.dpkg("conf", &["/etc/conf"]);
    web.put(
        "/var/lib/dpkg/status",
        &File::new("Package: conf\nno colon\n"),
    );
    let (out, _) = lab.try_plan(&[&web, &db], &["--on-damaged-database", "care-rules-only"]);
    out.expect(3);
}

#[test]
fn flags_alone_are_something_to_do() {
    let lab = lab!(Disk::Own);
    let (guests, plan) = scene(&lab);
    plan.apply().expect(0);
    crate::support::lift_flags(&lab.base().join("objects"));
    let (out, again) = lab.try_plan(&guests.each_ref(), &["--exit-code"]);
    let out = out.expect(10);
    let again = again.unwrap();
    assert_eq!(
        (again.actions("link").len(), again.actions("flag").len()),
        (0, 2)
    );
    assert!(!out.stderr.contains("Nothing to link"), "{}", out.stderr);
    let said = again.apply().expect(0);
    assert!(said.stderr.contains("2 flags"), "{}", said.stderr);
    assert!(is_immutable(&guests[0].host("/usr/a")));
}

#[test]
fn a_run_that_was_cut_short_is_no_good_state() {
    let lab = lab!(Disk::Own);
    traced!();
    let (guests, plan) = scene(&lab);
    interrupt(
        "renameat2",
        2,
        &["apply", "--yes", plan.path.to_str().unwrap()],
    );
    lab.on_base("status", &[]).expect(9);
    lab.on_base("status", &["--exit-code"])
        .expect_one_of(&[9, 10]);
    let dry = [
        "apply".as_ref(),
        "--dry-run".as_ref(),
        plan.path.as_os_str(),
    ];
    unify(&dry).expect(9);
    lab.on_base("recover", &[]).expect(0);
    lab.on_base("status", &[]).expect(0);
    // What was exchanged and taken back has another change time.
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    assert!(is_immutable(&guests[0].host("/usr/a")));
}

/// A guest that was deleted, of which no name is anywhere, was not missed: it is told, and is no failure to read.
#[test]
fn a_guest_that_was_deleted_is_told_and_not_missed() {
    let lab = lab!(Disk::Own);
    let ([web, db], plan) = scene(&lab);
    plan.apply().expect(0);
    crate::support::lift_flags(db.root());
    fs::remove_dir_all(db.root()).unwrap();
    let status = lab.on_base("status", &["--json"]);
    assert_eq!(
        status.json()["guests"][0]["gone"],
        true,
        "{}",
        status.stdout
    );
    status.expect(0);
    lab.on_base("status", &["--exit-code"]).expect(10);
    lab.on_base("forget", &["--yes", "db"]).expect(0);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    assert_eq!(status["guests"].as_array().unwrap().len(), 1);
    // One that was moved has its names somewhere.
    fs::rename(web.root(), lab.guests().join("elsewhere")).unwrap();
    lab.on_base("status", &[]).expect(3);
}

/// What a limit ended is whole as far as it goes, and not all.
#[test]
fn a_run_that_did_not_come_to_its_end_is_told_from_one_that_did() {
    let lab = lab!(Disk::Own);
    let (_, plan) = scene(&lab);
    let args = [
        "apply",
        "--yes",
        "--json",
        "--max-actions",
        "1",
        plan.path.to_str().unwrap(),
    ];
    let said = unify(&args).expect(4).json();
    assert_eq!(said["totals"]["stopped"], "limit", "{said}");
    plan.apply().expect(0);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let ends: Vec<&str> = status["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["end"].as_str().unwrap())
        .collect();
    assert_eq!(ends, ["limit", "whole"]);
}
