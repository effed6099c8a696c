//! Inode flags: what a directory hands down is no property of a guest's file, and how a file is stored is none either.

use std::process::Command;

use crate::support::{Disk, File, Guest, Lab, chattr, content, cycle, id, listings, unchanged};

fn twins(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[
        ("/usr/lib/a", File::new(content("a"))),
        ("/usr/lib/b", File::new(content("b")).xattr("user.x", b"1")),
        ("/usr/lib/tiny", File::new(&b"tiny"[..])),
    ])
}

/// The letters that `lsattr` shows.
fn flags_of(guest: &Guest, path: &str) -> String {
    let out = Command::new("lsattr").arg(guest.host(path)).output();
    let text = String::from_utf8(out.unwrap().stdout).unwrap();
    let letters = text.split(' ').next().unwrap_or_default();
    letters.chars().filter(|c| *c != '-').collect()
}

/// The directory in which guests and base lie hands flags down; the files of the guests have none of them.
fn handed_down(lab: &Lab, flags: &str) {
    let [web, db] = twins(lab);
    let before = flags_of(&web, "/usr/lib/a");
    chattr(flags, &lab.guests());
    for objects in ["adopt", "copy"] {
        let options = ["--min-size", "1", "--objects", objects];
        let (plan, saved) = cycle(lab, &[&web, &db], &options);
        assert!(saved > 0 && plan.link("db", "/usr/lib/a").is_some());
        for guest in [&web, &db] {
            assert_eq!(flags_of(guest, "/usr/lib/a"), before, "{flags}, {objects}");
        }
    }
}

#[test]
fn flags_that_a_directory_hands_down_are_no_hindrance_on_ext4() {
    handed_down(&lab!(Disk::Ext4), "+AdS");
}

#[test]
fn flags_that_a_directory_hands_down_are_no_hindrance_on_btrfs() {
    handed_down(&lab!(Disk::Btrfs), "+C");
}

/// A base that has such flags since before: its copies have none.
#[test]
fn a_base_that_was_given_flags_makes_plain_copies() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = twins(&lab);
    let before = listings(&[&web, &db]);
    let flags = flags_of(&web, "/usr/lib/a");
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    for dir in ["", "objects", "staging"] {
        chattr("+AdS", &lab.base().join(dir));
    }
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&[&web, &db], &before, "after undo");
    assert_eq!(flags_of(&web, "/usr/lib/a"), flags);
    assert_ne!(id(&web.host("/usr/lib/a")), id(&db.host("/usr/lib/a")));
}

/// An ext4 that was an ext3: its old files are stored by block maps, and copies by extents.
#[test]
fn files_of_an_ext3_are_shared_and_come_back() {
    let old = ["-O", "^extents,^64bit,^metadata_csum,^flex_bg"];
    let lab = match Lab::formatted("ext4", &old, "loop") {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let [web, db] = twins(&lab);
    lab.with_image(|image| {
        let run = |program: &str, args: &[&str]| {
            let status = Command::new(program).args(args).arg(image).output();
            status.unwrap().status.code().unwrap()
        };
        assert_eq!(run("tune2fs", &["-O", "extents"]), 0);
        assert!(run("e2fsck", &["-fp"]) < 4);
    });
    assert!(!flags_of(&web, "/usr/lib/a").contains('e'));
    for objects in ["adopt", "copy"] {
        let (_, saved) = cycle(&lab, &[&web, &db], &["--objects", objects]);
        assert!(saved > 0, "{objects}");
    }
    assert!(flags_of(&web, "/usr/lib/a").contains('e'), "it is a copy");
}
