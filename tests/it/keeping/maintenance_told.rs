//! What `maintain --json` tells: one object, whatever the command prints and however all of it ends.

use std::time::{Duration, Instant};

use rustix::fs::FlockOperation;
use serde_json::{Value, json};

use super::maintain::{is_maintained, maintain, shared};
use super::{FILES, applied};
use crate::support::{Disk, Lab, content, id, unify_with};

/// The answer; whatever `unify` prints is held against its schema by the support.
#[track_caller]
fn told(lab: &Lab, options: &[&str], script: &str, code: i32) -> (Value, String) {
    let options = [&["--json"][..], options].concat();
    let out = maintain(lab, &options, "a", script).expect(code);
    (out.json(), out.stderr)
}

fn names(answer: &Value, half: &str) -> u64 {
    answer[half]["totals"]["names"].as_u64().unwrap()
}

#[test]
fn what_was_thawed_how_it_ended_and_what_is_shared_again() {
    let lab = lab!(Disk::Own);
    let guests = applied(&lab);
    let [a, b, _] = &guests;
    let script = format!(
        "echo '{{}}'; echo more >> {}; exit 7",
        a.host(FILES[0]).display()
    );
    let (answer, said) = told(&lab, &["--path", "/usr/share/[fg]"], &script, 7);
    assert_eq!(answer["kind"], "unify.maintain");
    assert_eq!(answer["guest"], "a");
    assert!(said.contains("{}\n"), "the command speaks there: {said}");
    assert_eq!(answer["command_ended"], json!({"exit": 7, "signal": null}));
    assert_eq!(
        (names(&answer, "thawed"), names(&answer, "refrozen")),
        (2, 1)
    );
    assert_eq!(answer["not_thawed"], 0);
    assert_eq!(answer["stays_thawed"], false);
    assert_eq!(answer["next"][0]["command"][1], "status");
    assert!(a.read(FILES[0]).ends_with(b"more\n"));
    assert_eq!(b.read(FILES[0]), content(FILES[0]));
    assert!(shared(&guests, FILES[1]) && !is_maintained(&lab));

    // A signal ends it, and the guest is left thawed as it was asked for.
    let (answer, _) = told(&lab, &["--no-refreeze"], "kill -9 $$", 137);
    assert_eq!(answer["command_ended"], json!({"exit": 137, "signal": 9}));
    assert_eq!(names(&answer, "thawed"), 2);
    assert_eq!(answer["refrozen"], Value::Null);
    assert_eq!(answer["stays_thawed"], true);
    let next = answer["next"][0]["command"].as_array().unwrap();
    let next: Vec<&str> = next.iter().map(|word| word.as_str().unwrap()).collect();
    let base = lab.base();
    assert_eq!(
        next,
        ["unify", "refreeze", "--base", base.to_str().unwrap(), "a"]
    );
    assert!(is_maintained(&lab));
    unify_with(&[], &next[1..]).expect(0);
    assert!(shared(&guests, FILES[1]) && !is_maintained(&lab));

    // Where nothing is shared, the command is run all the same.
    let (answer, _) = told(&lab, &["--path", "/no/such"], "exit 0", 0);
    assert_eq!(answer["thawed"], Value::Null);
    assert_eq!(answer["command_ended"]["exit"], 0);
}

#[test]
fn a_command_that_is_not_run() {
    let lab = lab!(Disk::Own);
    let guests = applied(&lab);
    let [a, ..] = &guests;
    let base = lab.base();
    let words = ["maintain", "--json", "--base", base.to_str().unwrap(), "a"];
    for (command, code, exit) in [
        ("no-such-command", "no-command", 127),
        ("/etc/passwd", "no-program", 126),
    ] {
        let out = unify_with(&[], &[&words[..], &["--", command]].concat()).expect(exit);
        let answer = out.json();
        assert_eq!(answer["kind"], "unify.error");
        assert_eq!(
            (&answer["code"], &answer["exit"]),
            (&code.into(), &exit.into())
        );
    }
    // A dry run says what to do instead, with all words of the command.
    let dry = [&words[..], &["--dry-run", "--", "tool", "--json"]].concat();
    unify_with(&[], &dry).expect(127);
    let dry = [&words[..], &["--dry-run", "--", "true", "--json"]].concat();
    let answer = unify_with(&[], &dry).expect(0).json();
    assert_eq!(answer["kind"], "unify.undo-dry-run");
    let next = answer["next"][0]["command"].as_array().unwrap();
    assert_eq!(next[next.len() - 3..], ["--", "true", "--json"]);
    assert_eq!(next.iter().filter(|word| *word == "--json").count(), 1);

    // Names of a guest that runs cannot be thawed.
    let cgroup = cgroup!("maintained");
    let guest = cgroup.start(a.root(), "while :; do sleep 1; done");
    let ran = lab.path("ran");
    let (answer, _) = told(&lab, &[], &format!("touch {}", ran.display()), 4);
    assert_eq!(answer["not_thawed"], 3);
    assert_eq!(answer["command_ended"], Value::Null);
    assert_eq!(answer["thawed"]["not_done"][0]["code"], "guest-running");
    assert!(!ran.exists() && shared(&guests, FILES[0]));
    assert_eq!(answer["stays_thawed"], is_maintained(&lab));
    drop(guest);
}

/// Takes the lock of the base as soon as somebody wants it, and says so.
fn take_when_wanted(lab: &Lab) -> std::fs::File {
    let wanted = lab.path("wanted");
    let end = Instant::now() + Duration::from_secs(60);
    while !wanted.exists() {
        assert!(Instant::now() < end, "the command did not run");
        std::thread::sleep(Duration::from_millis(10));
    }
    let lock = std::fs::File::open(lab.base().join("lock")).unwrap();
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).unwrap();
    std::fs::remove_file(wanted).unwrap();
    lock
}

#[test]
fn what_could_not_be_shared_again_says_why() {
    let lab = lab!(Disk::Own);
    let guests = applied(&lab);
    let wanted = lab.path("wanted").display().to_string();
    let script = format!("touch {wanted}; while [ -e {wanted} ]; do sleep 0.02; done");
    let (answer, lock) = std::thread::scope(|scope| {
        let taken = scope.spawn(|| take_when_wanted(&lab));
        let (answer, _) = told(&lab, &[], &script, 4);
        (answer, taken.join().unwrap())
    });
    drop(lock);
    assert_eq!(answer["command_ended"]["exit"], 0);
    assert_eq!(names(&answer, "thawed"), 3);
    assert_eq!(answer["refrozen"], Value::Null);
    assert_eq!(answer["error"]["code"], "locked");
    assert_eq!(answer["stays_thawed"], true);
    assert!(is_maintained(&lab));
    lab.on_base("refreeze", &["a"]).expect(0);
    assert!(
        shared(&guests, FILES[0]) && id(&guests[0].host(FILES[2])) == id(&guests[1].host(FILES[2]))
    );
}
