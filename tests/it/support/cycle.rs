//! The main job from plan to gc, with everything that must hold in between.

use std::path::{Path, PathBuf};

use super::{Guest, Lab, Listing, Planned, assert_same, disk_use, nlink};

/// No files.
const NONE: [PathBuf; 0] = [];

/// Plans, shows, applies, verifies, applies again, undoes and collects. After each step every path of every
/// guest must be as it was, and the disk must be used as promised. Gives the plan and what it saved.
#[track_caller]
pub fn cycle(lab: &Lab, guests: &[&Guest], options: &[&str]) -> (Planned, u64) {
    let before = listings(guests);
    let used_before = used(lab, guests);
    let plan = lab.plan(guests, options);
    let promised = plan.promised();

    plan.apply().expect(0);
    unchanged(guests, &before, "after apply");
    let saved = used_before - used(lab, guests);
    assert_eq!(saved, promised, "bytes freed, against what `show` promised");
    plan.verify().expect(0);
    assert_eq!(lab.staged(), NONE, "nothing is left in staging");

    plan.apply().expect(0);
    assert_eq!(
        used_before - used(lab, guests),
        saved,
        "applying twice is applying once"
    );
    unchanged(guests, &before, "after the second apply");

    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(guests, &before, "after undo");
    assert!(
        lab.objects().iter().all(|object| nlink(object) == 1),
        "no guest name refers to an object"
    );
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects(), NONE, "gc removes what nobody uses");
    let shared_before = plan
        .actions("link")
        .iter()
        .any(|link| link["reason"] == "shared-inode");
    let used_now = used(lab, guests);
    // What guests shared before each of them has for itself then.
    assert!(
        used_now == used_before || shared_before && used_now > used_before,
        "undo and gc give the disk use of before: {used_before}, not {used_now}"
    );
    (plan, saved)
}

/// One listing for each guest.
pub fn listings(guests: &[&Guest]) -> Vec<Listing> {
    guests
        .iter()
        .map(|guest| Listing::of(guest.root()))
        .collect()
}

/// Fails if anything in any guest differs from the listings.
#[track_caller]
pub fn unchanged(guests: &[&Guest], before: &[Listing], when: &str) {
    for (guest, before) in guests.iter().zip(before) {
        assert_same(
            before,
            &Listing::of(guest.root()),
            &format!("{} {when}", guest.name()),
        );
    }
}

/// Allocated bytes of the guests' files and the base's objects. Receipts and journals are not counted.
fn used(lab: &Lab, guests: &[&Guest]) -> u64 {
    let objects = lab.base().join("objects");
    let roots: Vec<&Path> = guests
        .iter()
        .map(|guest| guest.root())
        .chain([&*objects])
        .collect();
    disk_use(&roots)
}
