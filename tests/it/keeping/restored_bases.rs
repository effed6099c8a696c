//! A base that is not where it was made: brought back from a backup with its guests, beside the original or on another
//! disk, on a file system that got another identity, or without its guests.

use std::path::Path;
use std::process::Command;

use crate::support::{
    Disk, File, Guest, Lab, Listing, Out, assert_same, content, id, is_immutable, listings, nlink,
    skipped,
};

const NAMES: [&str; 3] = ["/usr/f", "/usr/g", "/usr/h"];

/// Three guests that share three files, two of them names of one file.
fn shared(lab: &Lab) -> ([Guest; 3], Vec<Listing>) {
    let guests = ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)).xattr("user.kept", b"yes"));
        guest.hard_link("/usr/f", "/usr/g");
        guest.put("/usr/h", &File::new(content(2)).owner(7, 8).mode(0o755));
        guest.put("/etc/own", &File::new(content(name)));
        guest
    });
    let before = listings(&guests.each_ref());
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    (guests, before)
}

/// Runs a shell script with these as `$1` and `$2`.
#[track_caller]
fn sh(script: &str, from: &Path, to: &Path) {
    let done = Command::new("sh")
        .args(["-ec", script, "sh"])
        .args([from, to])
        .output();
    let done = done.unwrap();
    assert!(done.status.success(), "{script}: {done:?}");
}

fn has(tool: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .output();
    found.is_ok_and(|found| found.status.success())
}

/// Every command refuses the base, and names the one that goes on.
#[track_caller]
fn refused(lab: &Lab) {
    let guest = lab.there("a");
    for out in [
        lab.on_base("status", &[]),
        lab.on_base("undo", &["--run", "all", "--yes"]),
        lab.on_base("recover", &[]),
        lab.on_base("verify", &[]),
        lab.try_plan(&[&guest], &[]).0,
    ] {
        let said = out.expect(8).stderr;
        let advice = format!("`unify recover --restored --base {}`", lab.base().display());
        assert!(said.contains(&advice), "{said}");
    }
}

#[track_caller]
fn take_over(lab: &Lab, guests: &[&str]) -> Out {
    lab.on_base("recover", &[&["--restored"], guests].concat())
}

/// All names are protected, all commands content, and undo gives everything back.
#[track_caller]
fn is_whole(lab: &Lab, before: &[Listing]) {
    let guests = ["a", "b", "c"].map(|name| lab.there(name));
    for guest in &guests {
        for name in NAMES {
            let file = guest.host(name);
            assert!(is_immutable(&file), "{}: not protected", file.display());
            assert_eq!(id(&file), id(&guests[0].host(name)));
        }
    }
    let status = lab
        .on_base("status", &["--exit-code", "--json"])
        .expect(0)
        .json();
    for (guest, told) in guests.iter().zip(status["guests"].as_array().unwrap()) {
        assert_eq!(told["root"], guest.root().to_str().unwrap(), "{status}");
        assert_eq!(told["shared_names"], 3, "{status}");
    }
    lab.on_base("verify", &[]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    for guest in &guests {
        for (name, names) in [("/usr/f", 2), ("/usr/h", 1)] {
            let file = guest.host(name);
            assert!(
                !is_immutable(&file) && nlink(&file) == names,
                "{}",
                file.display()
            );
        }
    }
    // Not every tool brings back the times of directories.
    let now = listings(&guests.each_ref());
    for (before, now) in before.iter().cloned().zip(now) {
        let (before, now) = (
            before.without_directory_times(),
            now.without_directory_times(),
        );
        assert_same(&before, &now, "after undo");
    }
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0);
}

/// Programs that know hard links bring back inodes that guests share, and no flag.
#[test]
fn a_backup_that_was_brought_back_is_taken_over() {
    let lab = lab!(Disk::Own);
    let other = lab!(Disk::Ext4);
    let (_guests, before) = shared(&lab);
    for (tool, script) in [
        ("rsync", "rsync -aHAX \"$1/\" \"$2/\""),
        (
            "tar",
            "tar --xattrs --acls -C \"$1\" -cf - . | tar --xattrs --acls --numeric-owner -C \"$2\" -xpf -",
        ),
        ("cp", "cp -a \"$1/.\" \"$2/\""),
    ] {
        if !has(tool) {
            let here = "keeping::restored_bases::a_backup_that_was_brought_back_is_taken_over";
            skipped(here, &format!("{tool} is not here"));
            continue;
        }
        let back = other.part(tool);
        sh(script, &lab.guests(), &back.guests());
        let file = back.there("b").host("/usr/f");
        assert!(
            nlink(&file) == 7 && !is_immutable(&file),
            "{tool}: links and no flag"
        );
        refused(&back);
        let taken = take_over(&back, &["--json"]).expect(0).json();
        assert_eq!(taken["taken"]["settled"], true, "{taken}");
        assert_eq!(taken["flags"], 2, "{taken}");
        is_whole(&back, &before);
    }
    is_whole(&lab, &before);
}

/// Two bases with one past on one disk: each knows its own guests.
#[test]
fn a_base_restored_beside_the_original_leaves_that_alone() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    let back = lab.part("restore");
    sh("cp -a \"$1/.\" \"$2/\"", &lab.guests(), &back.guests());
    let originals = guests.each_ref().map(|guest| id(&guest.host("/usr/f")));
    refused(&back);
    take_over(&back, &[]).expect(0);
    is_whole(&back, &before);
    assert_eq!(
        guests.each_ref().map(|guest| id(&guest.host("/usr/f"))),
        originals
    );
    is_whole(&lab, &before);
}

#[test]
fn a_file_system_with_a_new_identity_keeps_its_base() {
    let lab = lab!(Disk::Ext4);
    let (_guests, before) = shared(&lab);
    lab.with_image(|image| {
        sh(
            "e2fsck -fp \"$1\" > /dev/null; tune2fs -U random \"$1\" > /dev/null",
            image,
            image,
        );
    });
    refused(&lab);
    let taken = take_over(&lab, &["--json"]).expect(0).json();
    assert_eq!(taken["flags"], 0, "all are on: {taken}");
    is_whole(&lab, &before);
}

/// A disk that was cloned bit by bit is known by nothing but where its guests are.
#[test]
fn a_cloned_disk_is_not_taken_for_the_original() {
    let lab = lab!(Disk::Ext4);
    let (guests, before) = shared(&lab);
    let clone = lab!(Disk::Ext4);
    clone.with_image(|image| {
        let original = lab.guests().ancestors().nth(2).unwrap().join("disk.img");
        rustix::fs::sync();
        sh("cp --sparse=always \"$1\" \"$2\"", &original, image);
    });
    let status = clone.on_base("status", &[]).expect(3).stdout;
    assert_eq!(status.matches("MISSING: ").count(), 3, "{status}");
    assert!(status.contains("recover --restored --base"), "{status}");
    take_over(&clone, &[]).expect(0);
    is_whole(&clone, &before);
    assert!(is_immutable(&guests[0].host("/usr/f")));
    is_whole(&lab, &before);
}

/// A guest that came back elsewhere is missing until a person says where it is; what it holds stays protected.
#[test]
fn a_guest_that_is_elsewhere_is_named() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    let back = lab.part("restore");
    sh("cp -a \"$1/.\" \"$2/\"", &lab.guests(), &back.guests());
    let away = lab.path("away");
    std::fs::rename(back.there("c").root(), &away).unwrap();
    let taken = take_over(&back, &["--json"]).expect(3).json();
    assert_eq!(taken["taken"]["lost"][0]["name"], "c", "{taken}");
    assert_eq!(taken["taken"]["unknown_names"], 3, "{taken}");
    assert!(is_immutable(&away.join("usr/f")));
    back.on_base("undo", &["--run", "all", "--guest", "a", "--yes"])
        .expect(4);
    assert!(is_immutable(&away.join("usr/f")));
    take_over(&back, &[&format!("c={}", away.display())]).expect(0);
    back.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert!(!is_immutable(&away.join("usr/f")) && nlink(&away.join("usr/f")) == 2);
    // A guest of the original is no guest of the copy.
    take_over(&lab, &[&format!("d={}", away.display())]).expect(0);
    drop(guests);
    is_whole(&lab, &before);
}

/// A file that came back wrong is found, and its holders are told of it.
#[test]
fn what_came_back_damaged_is_said() {
    let lab = lab!(Disk::Own);
    let _guests = shared(&lab);
    let back = lab.part("restore");
    sh("cp -a \"$1/.\" \"$2/\"", &lab.guests(), &back.guests());
    let spoiled = back.there("a").host("/usr/f");
    std::fs::write(&spoiled, "not what it was").unwrap();
    let out = take_over(&back, &["--json"]).expect(12).json();
    let told = out["spoiled"][0]["left"].as_array().unwrap();
    assert_eq!(told.len(), 6, "every name: {out}");
    assert!(is_immutable(&spoiled), "and it goes no further");
}

/// Nothing refers to its objects, so there is nothing to go back to, and nothing is changed.
#[test]
fn a_base_without_its_guests_is_not_taken_over() {
    let lab = lab!(Disk::Own);
    let other = lab!(Disk::Ext4);
    let (guests, before) = shared(&lab);
    sh("cp -a \"$1\" \"$2\"", &lab.base(), &other.base());
    let format = std::fs::read(other.base().join("format")).unwrap();
    let said = take_over(&other, &[]).expect(8).stderr;
    assert!(said.contains("without the links"), "{said}");
    assert!(std::fs::read(other.base().join("format")).unwrap() == format);
    let copy = other.guest("a");
    sh("cp -a \"$1/.\" \"$2/\"", guests[0].root(), copy.root());
    take_over(&other, &[&copy.arg()]).expect(8);
    refused(&other);
    is_whole(&lab, &before);
}
