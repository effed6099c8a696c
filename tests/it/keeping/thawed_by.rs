//! A thaw is known by its run; one of an earlier version by the second in which it began.

use serde_json::Value;

use super::maintain::{is_maintained, shared};
use super::{FILES, applied};
use crate::support::{Disk, Guest, Lab, id};

const SECOND: &str = "2026-01-02T03:04:05Z";

/// Gives a guest a file of its own, for good.
fn undo(lab: &Lab, guest: &str, path: &str) {
    let options = ["--run", "all", "--yes", "--guest", guest, "--path", path];
    lab.on_base("undo", &options).expect(0);
}

fn thaw(lab: &Lab, path: &str) {
    lab.on_base("thaw", &["--path", path, "a"]).expect(0);
}

/// Makes all runs of undo that are there say that they began in this second. A line without a check is one of an
/// earlier version, too.
fn all_undone_in(lab: &Lab, second: &str) {
    for run in std::fs::read_dir(lab.base().join("runs")).unwrap() {
        let path = run.unwrap().path().join("receipt.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = text.split_once('\n').unwrap();
        let mut head: Value = serde_json::from_str(head).unwrap();
        let fields = head.as_object_mut().unwrap();
        if fields["what"] != "undo" {
            continue;
        }
        fields.remove("check");
        fields.insert("started".into(), second.into());
        std::fs::write(&path, format!("{head}\n{rest}")).unwrap();
    }
}

/// As an earlier version wrote it.
fn write_old_paper(lab: &Lab) {
    std::fs::write(lab.base().join("maintained"), format!("{SECOND} a\n")).unwrap();
}

/// The first was undone by somebody who wanted that; the second and the third were thawed.
#[track_caller]
fn only_what_was_thawed_is_shared(lab: &Lab, guests: &[Guest; 3]) {
    assert!(!is_maintained(lab));
    assert!(!shared(guests, FILES[0]), "it was undone");
    assert!(shared(guests, FILES[1]), "it was thawed");
    let [a, b, c] = guests.each_ref().map(|guest| id(&guest.host(FILES[2])));
    assert!(a == c && a != b, "it was thawed; b's was undone");
    lab.on_base("verify", &[]).expect(0);
}

#[test]
fn no_clock_decides() {
    let lab = lab!(Disk::Own);
    let guests = applied(&lab);
    undo(&lab, "a", FILES[0]);
    undo(&lab, "b", FILES[2]);
    thaw(&lab, FILES[1]);
    thaw(&lab, FILES[2]);
    let paper = std::fs::read_to_string(lab.base().join("maintained")).unwrap();
    assert!(
        paper.contains(" run:") && paper.ends_with(" a\n"),
        "{paper}"
    );
    // Neither runs of one second nor a clock that went back.
    all_undone_in(&lab, SECOND);
    lab.on_base("refreeze", &["a"]).expect(0);
    only_what_was_thawed_is_shared(&lab, &guests);
}

#[test]
fn a_thaw_of_an_earlier_version() {
    let lab = lab!(Disk::Own);
    let guests = applied(&lab);
    undo(&lab, "a", FILES[0]);
    all_undone_in(&lab, "2026-01-02T03:04:04Z");
    let before = lab.base().join("runs");
    let older = std::fs::read_dir(before).unwrap().count();
    thaw(&lab, FILES[1]);
    thaw(&lab, FILES[2]);
    assert_eq!(
        older + 2,
        std::fs::read_dir(lab.base().join("runs")).unwrap().count()
    );
    // They began later than that second, or in it.
    write_old_paper(&lab);
    let out = lab.on_base("refreeze", &["a"]).expect(0);
    assert!(!out.stderr.contains("more than once"), "{}", out.stderr);
    assert!(!shared(&guests, FILES[0]));
    assert!(shared(&guests, FILES[1]) && shared(&guests, FILES[2]));
    assert!(!is_maintained(&lab));
}

/// It cannot be told which of the runs thawed: what may have been undone for good stays so, and that is said.
#[test]
fn of_several_runs_in_one_second_the_last_counts() {
    let lab = lab!(Disk::Own);
    let guests = applied(&lab);
    undo(&lab, "a", FILES[0]);
    undo(&lab, "b", FILES[2]);
    thaw(&lab, "/usr/share/[gh]");
    all_undone_in(&lab, SECOND);
    write_old_paper(&lab);
    let out = lab.on_base("refreeze", &["a"]).expect(0);
    assert!(out.stderr.contains("more than once"), "{}", out.stderr);
    only_what_was_thawed_is_shared(&lab, &guests);
}
