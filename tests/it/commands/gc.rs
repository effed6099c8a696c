//! `gc` removes objects that no guest uses, and only those.

use crate::support::{Disk, File, content, id, is_immutable, listings, nlink, unchanged};

#[test]
fn only_unused_objects_go() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[
        ("/usr/share/f", File::new(content(1))),
        ("/usr/share/g", File::new(content(2))),
    ]);
    let before = listings(&[&web, &db]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert_eq!(
        lab.on_base("gc", &["--json"]).expect(0).json()["objects"],
        0
    );
    assert_eq!(lab.objects().len(), 2, "objects in use stay");

    lab.on_base("undo", &["--run", "all", "--path", "/usr/share/g", "--yes"])
        .expect(0);
    assert_eq!(
        id(&web.host("/usr/share/f")),
        id(&db.host("/usr/share/f")),
        "other paths stay shared"
    );
    let unused: Vec<_> = lab
        .objects()
        .into_iter()
        .filter(|object| nlink(object) == 1)
        .collect();
    assert_eq!(unused.len(), 1);

    let said = lab.on_base("gc", &["--dry-run", "--json"]).expect(0).json();
    assert_eq!((&said["objects"], &said["kept"]), (&1.into(), &1.into()));
    assert_eq!(lab.objects().len(), 2, "a dry run removes nothing");

    let said = lab.on_base("gc", &["--json"]).expect(0).json();
    assert_eq!((&said["objects"], &said["kept"]), (&1.into(), &1.into()));
    assert_eq!(lab.objects().len(), 1);
    assert!(
        !unused[0].exists() && is_immutable(&lab.objects()[0]),
        "the other one is still protected"
    );
    unchanged(&[&web, &db], &before, "after gc");
}

/// `gc` does not remove what lies in the base and is no object of ours.
#[test]
fn strangers_in_the_base_stay() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let stranger = lab.base().join("objects/README");
    std::fs::write(&stranger, "kept").unwrap();
    let outside = lab.path("outside");
    std::fs::write(&outside, "kept").unwrap();
    std::os::unix::fs::symlink(&outside, lab.base().join("objects/00-link")).unwrap();
    lab.on_base("gc", &[]).expect_one_of(&[0, 3]);
    assert!(stranger.exists() && outside.exists());
}

/// Without its flag, who has it open could write to it, though no name is left, and what another guest runs would
/// change.
#[test]
fn what_a_process_has_open_keeps_its_protection() {
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/share/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    let object = &lab.objects()[0];
    let open = std::fs::File::open(object).unwrap();
    let collected = || lab.on_base("gc", &["--json"]).expect(0).json();
    let said = collected();
    assert_eq!((&said["objects"], &said["kept"]), (&0.into(), &1.into()));
    assert!(is_immutable(object), "it is open");
    drop(open);
    assert_eq!(collected()["objects"], 1);
    assert!(!object.exists());
}
