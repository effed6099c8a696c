//! What is refused before anything is made.

use std::os::unix::fs::symlink;

use super::{clone, left_in};
use crate::keeping::alike;
use crate::support::{Disk, File, Lab, Listing, assert_same, content, inside, unify};

#[test]
fn places_that_cannot_be() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    let [a, b, _] = &guests;
    symlink("nowhere", lab.guests().join("dangling")).unwrap();
    std::fs::write(lab.guests().join("file"), "").unwrap();
    let before = Listing::of(&lab.path(""));
    let places = [
        (a.root().to_owned(), 2),
        (b.root().to_owned(), 2),
        (lab.guests().join("dangling"), 2),
        (lab.guests().join("file"), 2),
        (a.host("/usr/new"), 2),
        (b.host("/usr/new"), 2),
        (lab.base().join("new"), 2),
        (lab.guests().join("none/new"), 1),
        ("/".into(), 2),
    ];
    for (place, code) in &places {
        let to = format!("new={}", place.display());
        unify(&["clone", "--not-a-root", &a.arg(), &to]).expect(*code);
    }
    // Names of others, and the guest's own.
    for name in ["b", "a"] {
        let to = format!("{name}={}", lab.guests().join("new").display());
        unify(&["clone", "--not-a-root", &a.arg(), &to]).expect(2);
    }
    // No root.
    let top = format!("all={}", lab.guests().display());
    unify(&["clone", &top, lab.path("new").to_str().unwrap()]).expect_one_of(&[2]);
    let differs = before.diff(&Listing::of(&lab.path("")));
    let differs: Vec<_> = differs
        .iter()
        .filter(|line| !line.contains("/lock"))
        .collect();
    assert!(differs.is_empty(), "{differs:#?}");
}

#[test]
fn a_guest_that_runs() {
    let lab = lab!(Disk::Own);
    let guest = lab.guest("web");
    guest.put("/usr/f", &File::new(content(1)));
    let Some(_at_work) = inside("sh", &["-c", "echo inside; read x"], guest.root()) else {
        skip!("no process can be started in a guest");
    };
    let (out, new) = clone(&lab, &guest, "new", &["--not-a-root"]);
    assert!(out.expect(1).stderr.contains("one after the other"));
    assert!(!new.root().exists());
    let (out, new) = clone(&lab, &guest, "new", &["--not-a-root", "--allow-running"]);
    assert!(out.expect(0).stdout.contains("NOT OF ONE MOMENT"));
    super::assert_equal(&guest, &new);
}

/// What is told before changes nothing, and is what is done then; without room that is said.
#[test]
fn plan_only_changes_nothing() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    let before = Listing::of(&lab.path(""));
    let planned = clone(
        &lab,
        &guests[0],
        "new",
        &["--not-a-root", "--plan-only", "--json"],
    )
    .0;
    let planned = planned.expect(0).json();
    let text = clone(&lab, &guests[0], "new", &["--not-a-root", "--plan-only"])
        .0
        .expect(0)
        .stdout;
    assert!(
        text.starts_with("PLAN ONLY, nothing was changed."),
        "{text}"
    );
    assert_same(&before, &Listing::of(&lab.path("")), "after --plan-only");
    let done = clone(&lab, &guests[0], "new", &["--not-a-root", "--json"])
        .0
        .expect(0)
        .json();
    for key in [
        "directories",
        "files",
        "more_names",
        "bytes",
        "shared_files",
        "shares_blocks",
        "cloned",
        "made",
    ] {
        assert_eq!(planned[key], done[key], "{key}");
    }
    assert_eq!(
        (&planned["dry_run"], &done["dry_run"]),
        (&true.into(), &false.into())
    );
}

/// A disk without room: nothing is begun.
#[test]
fn no_room() {
    let lab = match Lab::formatted("ext4", &["-N", "64"], "loop") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let guest = lab.guest("web");
    // The program that makes it rounds up.
    for n in 0..300 {
        guest.put(format!("/usr/{n}"), &File::new("one inode"));
    }
    let (out, new) = clone(&lab, &guest, "new", &["--not-a-root"]);
    assert!(out.expect(8).stderr.contains("inodes"));
    assert!(!new.root().exists() && left_in(&lab.guests()).is_empty());
    clone(&lab, &guest, "new", &["--not-a-root", "--plan-only"])
        .0
        .expect(1);
}
