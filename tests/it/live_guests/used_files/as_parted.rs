//! A guest gets files of its own while it uses the shared ones: what it locks, watches or reads it has still, and that
//! is told by `undo`, `thaw` and `maintain`, and in the receipt.

use serde_json::{Value, json};

use super::{KEPT, READS, is_shared, start, two};
use crate::support::{Disk, Guest, LONG, Lab, Out, line_of, listings, unchanged};

/// Runs a command on the base about this file of `db`, which runs.
fn run(lab: &Lab, command: &str, options: &[&str], path: &str, rest: &[&str]) -> Out {
    let path = ["--path", path];
    lab.on_base(command, &[options, &LONG, &path, rest].concat())
        .expect(0)
}

fn used(path: &str) -> Value {
    let (path, code, who) = KEPT.iter().find(|(kept, ..)| *kept == path).unwrap();
    json!({"guest": "db", "path": path, "code": code, "who": who})
}

#[track_caller]
fn tells(in_use: &Value, path: &str) {
    let told = in_use.as_array().unwrap();
    assert!(told.contains(&used(path)), "{path}: {in_use}");
    assert!(told.iter().all(|one| one["path"] == path), "{in_use}");
}

fn shared(lab: &Lab) -> [Guest; 2] {
    let [web, db] = two(lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    [web, db]
}

#[test]
fn what_was_in_use_is_told() {
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let cgroup = cgroup!("parted");
    let before = listings(&[&web, &db]);
    let _guest = start(&lab, &cgroup, &db, READS);

    let all = ["--run", "all", "--yes", "--json", "--guest", "db"];
    let out = run(&lab, "undo", &all, "/usr/locked", &["--path", "/usr/free"]);
    tells(&out.json()["in_use"], "/usr/locked");
    let receipt = lab.receipt();
    let uses = &line_of(&receipt, "db", "/usr/locked")["uses"];
    let locked = json!({"code": "locked", "who": "flock of flock"});
    assert!(uses.as_array().unwrap().contains(&locked), "{uses}");
    assert_eq!(line_of(&receipt, "db", "/usr/free")["uses"], Value::Null);
    for path in ["/usr/locked", "/usr/free"] {
        assert!(!is_shared([&web, &db], path), "{path}");
    }
    // Of what nobody uses nothing is said.
    let out = run(&lab, "undo", &all, "/usr/sleep", &[]);
    assert_eq!(out.json()["in_use"], Value::Null);
    assert!(!is_shared([&web, &db], "/usr/sleep"));

    let out = run(
        &lab,
        "maintain",
        &["--json"],
        "/usr/posix",
        &["db", "--", "true"],
    );
    tells(&out.json()["thawed"]["in_use"], "/usr/posix");
    let out = run(&lab, "maintain", &[], "/usr/watched", &["db", "--", "true"]);
    let want = "first db:/usr/watched (a process watches it for changes: inotify of tail)";
    assert!(out.stderr.contains(want), "{}", out.stderr);

    let out = run(&lab, "thaw", &[], "/usr/ofd", &["db"]);
    let want = "first db:/usr/ofd (a process holds a lock on it: OFD lock)";
    assert!(out.stdout.contains(want), "{}", out.stdout);
    let out = run(&lab, "thaw", &[], "/usr/read", &["db"]);
    let want = "open: 1 file, first db:/usr/read (a process has it open: sh)";
    assert!(out.stdout.contains(want), "{}", out.stdout);
    for path in ["/usr/locked", "/usr/ofd", "/usr/read"] {
        assert!(!is_shared([&web, &db], path), "{path}");
    }
    unchanged(&[&web, &db], &before, "all keep what they hold");
}

/// Nobody uses anything of it.
#[test]
fn of_a_quiet_guest_nothing_is_told() {
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let all = ["--run", "all", "--yes", "--json", "--guest", "db"];
    let answer = lab.on_base("undo", &all).expect(0).json();
    assert_eq!(answer["in_use"], Value::Null);
    assert_eq!(answer["in_use_unknown"], Value::Null);
    for (path, ..) in KEPT {
        assert!(!is_shared([&web, &db], path), "{path}");
    }
    for line in lab.receipt() {
        assert_eq!(line["uses"], Value::Null);
    }
}
