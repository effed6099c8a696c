//! `forget` takes a guest's names of shared files from it, so that it can be deleted by any means, or forgets what is
//! gone.

use std::fs;
use std::process::Command;

use super::{FILES, alike, are_protected};
use crate::support::{
    Disk, File, Guest, Lab, content, is_immutable, lift_flags, listings, nlink, unchanged,
    unify_with, unmount,
};

/// Three guests that share all their files; `a` has two names of the first, and another file equal to the second.
fn three(lab: &Lab) -> [Guest; 3] {
    let guests = alike(lab);
    guests[0].hard_link(FILES[0], "/usr/share/f2");
    guests[0].put("/usr/share/g2", &File::new(content(FILES[1])));
    guests[0].put("/usr/share/own", &File::new("its own"));
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    guests
}

fn guests_in_status(lab: &Lab) -> Vec<String> {
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let guests = status["guests"].as_array().unwrap().iter();
    guests
        .map(|guest| guest["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_guest_that_is_about_to_be_deleted() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    let before = listings(&[&b, &c]);
    let said = lab.on_base("forget", &["a", "--yes", "--json"]).expect(0);
    assert!(said.stderr.contains("5 names of shared files"), "{said:?}");
    let said = said.json();
    assert_eq!(
        (&said["kind"], &said["totals"]["names"]),
        (&"unify.forget".into(), &5.into())
    );
    assert!(FILES.iter().all(|path| !a.host(path).exists()));
    assert!(!a.host("/usr/share/f2").exists() && !a.host("/usr/share/g2").exists());
    assert_eq!(fs::read(a.host("/usr/share/own")).unwrap(), b"its own");
    fs::remove_dir_all(a.root()).expect("nothing in it is immutable");
    assert!(are_protected(&lab) && lab.staged().is_empty());
    unchanged(&[&b, &c], &before, "after forget");
    assert!(lab.objects().iter().all(|object| nlink(object) == 3));
    assert_eq!(guests_in_status(&lab), ["b", "c"]);
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
}

/// By `lxc-destroy`, or by `chattr -R -i` and `rm -rf`.
#[test]
fn a_guest_that_was_deleted() {
    let lab = lab!(Disk::Own);
    let [a, ..] = three(&lab);
    lift_flags(a.root());
    fs::remove_dir_all(a.root()).unwrap();
    let said = lab.on_base("status", &[]).expect(0);
    assert!(said.stdout.contains("MISSING: a: ") && said.stdout.contains("unify forget --base"));
    lab.on_base("forget", &["a", "--yes"]).expect(0);
    assert_eq!(guests_in_status(&lab), ["b", "c"]);
    assert!(are_protected(&lab), "flags are on again at once");
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// One that was moved has its names still.
#[test]
fn a_guest_that_was_moved_is_not_forgotten_without_a_word() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    let moved = lab.renamed(&a, "moved");
    let said = lab.on_base("forget", &["a"]).expect(2);
    assert!(
        said.stderr.contains("WAS IT MOVED? 4 files of a"),
        "{said:?}"
    );
    lab.plan(&[&moved, &b, &c], &[]).apply().expect(0);
    let said = lab.on_base("forget", &["a", "--yes"]).expect(0);
    assert!(!said.stderr.contains("WAS IT MOVED?"), "{said:?}");
    assert_eq!(guests_in_status(&lab), ["b", "c", "moved"]);
    assert!(are_protected(&lab));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert!(FILES.iter().all(|path| nlink(&b.host(path)) == 1));
}

/// What the guest has put in a name's place is its own.
#[test]
fn files_that_are_not_shared_stay() {
    let lab = lab!(Disk::Own);
    let [a, ..] = three(&lab);
    lift_flags(a.root());
    fs::remove_file(a.host(FILES[1])).unwrap();
    a.put(FILES[1], &File::new("another"));
    lab.on_base("forget", &["a", "--yes"]).expect(0);
    assert_eq!(fs::read(a.host(FILES[1])).unwrap(), b"another");
    assert!(!a.host(FILES[0]).exists());
    let status = lab
        .on_base("status", &["--exit-code", "--json"])
        .expect(0)
        .json();
    assert_eq!(status["guests"][0]["drifted"], serde_json::json!([]));
}

#[test]
fn nothing_is_taken_from_a_guest_that_runs_or_from_one_whose_neighbour_does() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    let before = listings(&[&a, &b, &c]);
    for guest in [&a, &c] {
        let mut inside = Command::new("sleep")
            .arg("60")
            .current_dir(guest.root())
            .spawn()
            .unwrap();
        lab.on_base("forget", &["a", "--yes"]).expect(4);
        inside.kill().unwrap();
        inside.wait().unwrap();
        unchanged(&[&a, &b, &c], &before, "a guest runs");
        assert!(are_protected(&lab));
    }
    lab.on_base("forget", &["x", "--yes"]).expect(2);
    lab.on_base("forget", &["a"]).expect(2);
    unchanged(&[&a, &b, &c], &before, "nobody agreed");
    assert!(lab.staged().is_empty());
}

/// Killed at any call: the others keep what they have, under its flag, after `recover`, and the same command goes on.
#[test]
fn a_forget_that_is_killed_goes_on() {
    let lab = lab!(Disk::Own);
    for call in ["setflags", "move", "unlink", "write", "sync"] {
        for at in [2, 4, 6] {
            let part = lab.part("killed");
            let [_, b, c] = three(&part);
            let before = listings(&[&b, &c]);
            let base = part.base();
            let cut = format!("{call}#{at}=kill");
            let args = ["forget", "--base", base.to_str().unwrap(), "a", "--yes"];
            unify_with(&[("UNIFY_FAULT", &cut)], &args);
            part.on_base("recover", &[]).expect(0);
            assert!(are_protected(&part), "{cut}");
            unchanged(&[&b, &c], &before, &cut);
            part.on_base("forget", &["a", "--yes"])
                .expect_one_of(&[0, 2]);
            assert!(
                part.staged().is_empty() && part.quarantined().is_empty(),
                "{cut}"
            );
            let a = part.guests().join("a");
            assert!(
                !a.join("usr/share/f").exists() && a.join("usr/share/own").exists(),
                "{cut}"
            );
            lift_flags(&part.guests());
        }
    }
}

/// Papers of runs on which nothing rests go, and the others lose what only people read.
#[test]
fn papers_of_old_runs_go() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    lab.on_base("undo", &["--run", "all", "--guest", "a", "--yes"])
        .expect(0);
    lab.plan(&[&a, &b, &c], &[]).apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--guest", "a", "--yes"])
        .expect(0);
    let runs = || fs::read_dir(lab.base().join("runs")).unwrap().count();
    let before = runs();
    let said = lab
        .on_base("gc", &["--keep-runs", "1", "--dry-run", "--json"])
        .expect(0)
        .json();
    assert_eq!(said["papers"]["needed_runs"], 1, "{said}");
    assert_eq!(
        (said["papers"]["gone_runs"].as_u64(), runs()),
        (Some(1), before)
    );
    lab.on_base("gc", &["--keep-runs", "1"]).expect(0);
    assert_eq!(runs(), before - 1);
    let copies = |name: &str| {
        let all = fs::read_dir(lab.base().join("runs")).unwrap();
        all.filter(|run| run.as_ref().unwrap().path().join(name).exists())
            .count()
    };
    assert_eq!(
        (copies("journal"), copies("receipt.jsonl")),
        (2, before - 1)
    );
    let status = lab
        .on_base("status", &["--json", "--exit-code"])
        .expect(0)
        .json();
    assert_eq!(
        status["guests"][0]["shared_names"], 0,
        "what was undone stays undone"
    );
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert!(!is_immutable(&b.host(FILES[0])) && nlink(&b.host(FILES[0])) == 1);
}

/// What stands under the name of a guest must be that guest, and nobody else's.
#[test]
fn nothing_is_taken_through_a_link_or_from_a_guest_of_another_name() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    let moved = lab.renamed(&a, "moved");
    std::os::unix::fs::symlink(moved.root(), a.root()).unwrap();
    lab.plan(&[&moved, &b, &c], &[]).apply().expect(0);
    let before = listings(&[&moved, &b, &c]);
    let said = lab.on_base("forget", &["a", "--yes"]).expect(2);
    assert!(said.stderr.contains("is a link to"), "{said:?}");
    unchanged(&[&moved, &b, &c], &before, "the name is a link");
    assert!(are_protected(&lab));
}

/// What cannot be read cannot be taken, and is not called gone.
#[test]
fn a_guest_that_cannot_be_read_whole_is_not_forgotten() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    let before = listings(&[&b, &c]);
    let share = a.host("/usr/share");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "none"])
        .arg(&share)
        .status();
    assert!(mounted.unwrap().success());
    let out = lab.on_base("forget", &["a", "--yes"]);
    unmount(&share);
    assert!([4, 8].contains(&out.code), "{out:?}");
    assert!(a.host(FILES[0]).exists());
    unchanged(&[&b, &c], &before, "a guest was not read");
    lab.on_base("forget", &["a", "--yes"]).expect(0);
}

/// The papers that say where guests are now are needed, whatever else they say.
#[test]
fn papers_that_know_where_guests_are_stay() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = three(&lab);
    let place = lab.guests().join("elsewhere");
    fs::create_dir(&place).unwrap();
    fs::rename(a.root(), place.join("a")).unwrap();
    let arg = format!("a={}", place.join("a").display());
    let base = lab.base();
    let base = base.to_str().unwrap();
    let plan = lab.path("moved.json");
    let plan = plan.to_str().unwrap();
    let args = ["plan", "--base", base, "-o", plan, &arg, &b.arg(), &c.arg()];
    crate::support::unify(&args).expect(0);
    crate::support::unify(&["apply", "--yes", plan]).expect(0);
    for _ in 0..2 {
        lab.plan(&[&b, &c], &[]).apply().expect(0);
    }
    lab.on_base("gc", &["--keep-runs", "1"]).expect(0);
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert!(FILES.iter().all(|path| nlink(&b.host(path)) == 1));
}
