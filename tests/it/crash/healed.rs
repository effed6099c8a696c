//! Guests ran on between the interruption of a run and its healing. What a guest wrote meanwhile stays with the
//! guests that had the file then, and reaches no other guest.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use crate::support::{
    Disk, File, Guest, Lab, content, id, interrupt, interrupt_apply, is_immutable, nlink,
    three_guests,
};

/// The guest has its own files again, and no receipt says so.
fn undo_of_a_is_cut(lab: &Lab) {
    let base = lab.base();
    let undo = ["undo", "--run", "all", "--guest", "a", "--yes", "--base"];
    let undo = [&undo[..], &[base.to_str().unwrap()]].concat();
    interrupt("syncfs", 2, &undo);
}

fn append(guest: &Guest, path: &str) {
    let file = std::fs::File::options().append(true).open(guest.host(path));
    file.unwrap().write_all(b"more").unwrap();
}

fn written() -> Vec<u8> {
    [&content(1)[..], b"more"].concat()
}

/// An undo gave a guest its own file back. What another guest does to the object since reaches neither that guest nor
/// the third one: all have what they had, and what was written is kept.
#[test]
fn what_others_wrote_since_does_not_come_to_a_guest_that_had_left() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    let [a, b, c] = &guests;
    undo_of_a_is_cut(&lab);
    let own = id(&a.host("/usr/f"));
    assert_ne!(own, id(&b.host("/usr/f")), "it had left");
    append(b, "/usr/f");
    let evil = std::fs::Permissions::from_mode(0o4755);
    std::fs::set_permissions(b.host("/usr/f"), evil).unwrap();
    let healed = lab.on_base("recover", &["--json"]).expect(12).json();
    let [spoiled] = &healed["spoiled"].as_array().unwrap()[..] else {
        panic!("whom it reached is told: {healed}");
    };
    let parted = spoiled["parted"].as_array().unwrap().iter();
    let parted: Vec<&str> = parted.map(|one| one["guest"].as_str().unwrap()).collect();
    assert_eq!(parted, ["b", "c"], "{healed}");
    assert_eq!(lab.objects().len(), 0, "nobody shares it any more");
    assert_eq!(id(&a.host("/usr/f")), own);
    for guest in [a, b, c] {
        assert!(guest.read("/usr/f") == content(1), "{}", guest.name());
        assert!(!is_immutable(&guest.host("/usr/f")));
        assert_eq!(nlink(&guest.host("/usr/f")), 1);
    }
    // What was in staging, and the object: nobody may use either.
    let aside = lab.quarantined();
    assert!(!aside.is_empty());
    for kept in &aside {
        assert!(std::fs::read(kept).unwrap() == written());
    }
    assert_eq!(lab.staged().len(), 0);
    lab.on_base("recover", &[]).expect(12);
}

/// The same where the guest has taken away one of its file's names since, or moved it.
#[test]
fn a_name_that_is_gone_does_not_bring_the_others_back() {
    traced!();
    for moves in [false, true] {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        let [a, b, _] = &guests;
        a.hard_link("/usr/f", "/usr/g");
        lab.plan(&guests.each_ref(), &[]).apply().expect(0);
        undo_of_a_is_cut(&lab);
        let own = id(&a.host("/usr/f"));
        append(a, "/usr/f");
        if moves {
            std::fs::rename(a.host("/usr/g"), a.host("/usr/h")).unwrap();
        } else {
            std::fs::remove_file(a.host("/usr/g")).unwrap();
        }
        let mut evil = std::fs::File::options()
            .append(true)
            .open(b.host("/usr/f"))
            .unwrap();
        evil.write_all(b"evil").unwrap();
        drop(evil);
        lab.on_base("recover", &[]).expect(12);
        assert_eq!(id(&a.host("/usr/f")), own, "{moves}");
        assert!(a.read("/usr/f") == written(), "{moves}");
        assert_eq!(lab.staged().len(), 0);
    }
}

/// Another guest was given the inode, and keeps it by a name that no journal knows.
#[test]
fn an_object_that_another_guest_has_kept_stays_protected() {
    traced!();
    for moves in [false, true] {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        let [a, b, _] = &guests;
        interrupt_apply(&lab, &guests, &[], ("utimensat", 2));
        if moves {
            std::fs::rename(b.host("/usr/f"), b.host("/usr/keep")).unwrap();
        } else {
            b.hard_link("/usr/f", "/usr/keep");
        }
        append(a, "/usr/f");
        lab.on_base("recover", &[]).expect(12);
        let [object] = &lab.objects()[..] else {
            panic!("one object, {moves}");
        };
        assert_eq!(id(&b.host("/usr/keep")), id(object), "{moves}");
        assert!(is_immutable(object), "{moves}");
    }
}

/// An interrupted healing has kept something under the name that is wanted now.
#[test]
fn what_is_kept_twice_is_kept_under_two_names() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    let [a, ..] = &guests;
    interrupt_apply(&lab, &guests, &["--objects", "copy"], ("utimensat", 2));
    append(a, "/usr/f");
    let base = lab.base();
    interrupt(
        "renameat2",
        1,
        &["recover", "--base", base.to_str().unwrap()],
    );
    let other = a.host("/usr/other");
    std::fs::write(&other, "the guest's own").unwrap();
    std::fs::rename(&other, a.host("/usr/f")).unwrap();
    lab.on_base("recover", &[]).expect(12);
    lab.on_base("recover", &[]).expect(12);
    assert_eq!(lab.staged().len(), 0);
    assert!(a.read("/usr/f") == b"the guest's own");
    let kept: Vec<Vec<u8>> = lab
        .quarantined()
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(kept.contains(&written()), "what it had written");
}

/// Healing takes no longer because a guest made its file long, and keeps what many names show once.
#[test]
fn what_is_kept_of_an_object_is_kept_once_and_quickly() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    let [a, ..] = &guests;
    interrupt_apply(&lab, &guests, &["--objects", "copy"], ("utimensat", 4));
    let file = std::fs::File::options()
        .append(true)
        .open(a.host("/usr/f"))
        .unwrap();
    file.set_len(8 << 40).unwrap();
    file.set_times(
        std::fs::FileTimes::new()
            .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)),
    )
    .unwrap();
    drop(file);
    // Reading that much takes hours; the tests' program is killed long before.
    lab.on_base("recover", &[]).expect(12);
    let aside = lab.quarantined();
    assert_eq!(aside.len(), 1);
    assert_eq!(std::fs::metadata(&aside[0]).unwrap().len(), 8 << 40);
    for guest in &guests {
        assert!(guest.read("/usr/f") == content(1));
    }
}

/// The healing is killed after its own exchange, and goes on from there.
#[test]
fn what_a_guest_wrote_is_not_lost_when_healing_is_cut() {
    traced!();
    for (call, nth) in [
        ("utimensat", 1),
        ("mkdirat", 1),
        ("linkat", 1),
        ("fsync", 1),
        ("unlinkat", 1),
    ] {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        interrupt_apply(&lab, &guests, &["--objects", "copy"], ("utimensat", 2));
        append(&guests[0], "/usr/f");
        let base = lab.base();
        interrupt(call, nth, &["recover", "--base", base.to_str().unwrap()]);
        lab.on_base("recover", &[]).expect(12);
        assert!(guests[0].read("/usr/f") == content(1), "{call}");
        let aside = lab.quarantined();
        assert!(!aside.is_empty(), "{call}");
        for one in aside {
            assert!(std::fs::read(one).unwrap() == written(), "{call}");
        }
        assert_eq!(lab.staged().len(), 0);
    }
}

/// The guest whose inode is the object removes its names. The others share it nevertheless.
#[test]
fn an_object_that_others_share_stays_one() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    let [a, b, c] = &guests;
    a.hard_link("/usr/f", "/usr/g");
    interrupt_apply(&lab, &guests, &[], ("utimensat", 2));
    std::fs::remove_file(a.host("/usr/f")).unwrap();
    std::fs::remove_file(a.host("/usr/g")).unwrap();
    lab.on_base("recover", &[]).expect(0);
    let [object] = &lab.objects()[..] else {
        panic!("one object");
    };
    for guest in [b, c] {
        assert_eq!(id(&guest.host("/usr/f")), id(object));
    }
    assert!(is_immutable(object));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert!(b.read("/usr/f") == content(1));
}

/// A guest's inode was to be an object, and the guest wrote to it before another guest was given it, or while one
/// was.
#[test]
fn a_file_that_its_guest_changed_is_its_own() {
    traced!();
    for (at, exit) in [(("utimensat", 1), 12), (("renameat2", 1), 0)] {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        let [a, b, _] = &guests;
        interrupt_apply(&lab, &guests, &[], at);
        append(a, "/usr/f");
        lab.on_base("recover", &[]).expect(exit);
        assert!(!is_immutable(&a.host("/usr/f")), "{at:?}");
        assert!(a.read("/usr/f") == written());
        assert_eq!(nlink(&a.host("/usr/f")), 1);
        assert!(b.read("/usr/f") == content(1));
        assert_eq!(lab.objects().len(), 0, "{at:?}");
        assert_eq!(lab.staged().len(), 0);
        let aside = lab.quarantined();
        assert_eq!(aside.is_empty(), exit == 0);
        for one in aside {
            assert!(std::fs::read(&one).unwrap() == written());
            assert_eq!(nlink(&one), 1);
        }
    }
}

/// A healing that is killed after its receipt does not forget what the receipt says.
#[test]
fn own_times_are_told_by_a_healing_that_was_cut() {
    traced!();
    for (call, nth) in [("unlinkat", 1), ("unlinkat", 2)] {
        let lab = lab!(Disk::Own);
        let times = [1_500_000_000, 1_600_000_000, 1_700_000_000];
        let guests = three_guests(&lab);
        for (guest, time) in guests.iter().zip(times) {
            guest.put("/usr/f", &File::new(content(1)).mtime(time, 5));
        }
        interrupt_apply(&lab, &guests, &["--ignore", "mtime"], ("syncfs", 2));
        let base = lab.base();
        interrupt(call, nth, &["recover", "--base", base.to_str().unwrap()]);
        lab.on_base("recover", &[]).expect(0);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        for (guest, time) in guests.iter().zip(times) {
            let now = std::fs::metadata(guest.host("/usr/f")).unwrap();
            let now = std::os::unix::fs::MetadataExt::mtime(&now);
            assert_eq!(now, time, "{call} {nth}");
        }
    }
}

/// The commit is on disk and the receipt is not; what came out has a writer. Its own time is known nevertheless.
#[test]
fn the_time_of_a_file_that_is_kept_is_told() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    for (guest, time) in guests
        .iter()
        .zip([1_500_000_000, 1_600_000_000, 1_700_000_000])
    {
        guest.put("/usr/f", &File::new(content(1)).mtime(time, 5));
    }
    interrupt_apply(&lab, &guests, &["--ignore", "mtime"], ("unlinkat", 1));
    let run = std::fs::read_dir(lab.base().join("runs")).unwrap().next();
    let receipt = run.unwrap().unwrap().path().join("receipt.jsonl");
    let lines = std::fs::read_to_string(&receipt).unwrap();
    let (first, _) = lines.split_once('\n').unwrap();
    std::fs::write(&receipt, format!("{first}\n")).unwrap();
    let staged = lab.staged();
    let open = |path| std::fs::File::options().append(true).open(path).unwrap();
    let writers: Vec<std::fs::File> = staged.iter().map(open).collect();
    assert_eq!(writers.len(), 2);
    lab.on_base("recover", &[]).expect(12);
    drop(writers);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    for (guest, time) in guests
        .iter()
        .zip([1_500_000_000, 1_600_000_000, 1_700_000_000])
    {
        let now = std::fs::metadata(guest.host("/usr/f")).unwrap();
        assert_eq!(std::os::unix::fs::MetadataExt::mtime(&now), time);
    }
}
