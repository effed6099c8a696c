//! `diff` of images: two of them, one and a guest, and one file of each.

use std::process::{Command, Stdio};

use super::archives::*;
use super::make_tar;
use crate::support::{BIN, Disk, File, unify};

fn status(version: &str) -> Vec<u8> {
    format!("Package: ssh\nStatus: install ok installed\nVersion: {version}\n\n").into_bytes()
}

/// A root: what differs is the version, a program with more rights, and the lines of two files, of which one is kept
/// when an image is read and the other is not.
fn root(version: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let lines: String = (0..50).map(|n| format!("line {n}\n")).collect();
    let mut entries = vec![
        directory("etc"),
        link(b'2', "lib", "usr/lib"),
        file(
            "etc/config",
            format!("{lines}version {version}\n").as_bytes(),
        ),
        file(
            "usr/lib/script",
            format!("{version} first\n{lines}").as_bytes(),
        ),
        file("usr/lib/same", b"same"),
        file("var/lib/dpkg/status", &status(version)),
    ];
    entries.extend_from_slice(more);
    archive(&entries)
}

fn setuid(name: &str) -> Vec<u8> {
    let size = octal(4);
    let header = Header {
        mode: b"0004755",
        size: &size,
        ..Header::of(b'0', name.as_bytes())
    };
    [header.block(), padded(b"root")].concat()
}

#[test]
fn two_images_and_an_image_and_a_guest() {
    let lab = lab!(Disk::Ext4);
    let (old, new) = (lab.path("old.tar"), lab.path("new.tar.zst"));
    std::fs::write(&old, root("1", &[])).unwrap();
    let newer = root("2", &[setuid("usr/bin/su")]);
    std::fs::write(&new, zstd::encode_all(&*newer, 3).unwrap()).unwrap();
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let answer = unify(&["diff", "--json", "--exit-code", old, new])
        .expect(10)
        .json();
    assert_eq!(answer["old_guest"]["guest"], "old");
    assert_eq!(answer["new_guest"]["guest"], "new");
    assert_eq!(answer["package_changes"][0]["package"], "ssh");
    assert_eq!(answer["by"]["content"], 3);
    assert_eq!(answer["privileged"], 1);
    assert_eq!(answer["only_new"]["files"], 1);
    unify(&["diff", "--exit-code", old, &format!("x={old}")]).expect(0);
    // A guest that was unpacked from it is the same, but for what a plan calls it.
    let guest = lab.guest("unpacked");
    let unpacked = Command::new("tar")
        .args(["-xf", old, "-C"])
        .arg(guest.root())
        .status();
    assert!(unpacked.unwrap().success());
    let args = [
        "diff",
        "--exit-code",
        "--not-path",
        "/usr",
        "--not-path",
        "/var",
        old,
        &guest.arg(),
    ];
    unify(&args).expect(0);
    std::fs::write(guest.host("/usr/lib/same"), "else").unwrap();
    unify(&["diff", "--exit-code", old, &guest.arg()]).expect(10);
    // Standard input is one of the two.
    let mut child = Command::new(BIN)
        .args(["diff", "--exit-code", "--json", "new=-", old])
        .stdin(Stdio::from(std::fs::File::open(new).unwrap()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(10));
    // What is no image, or a bad one, is no equality.
    let bad = lab.path("bad.tar");
    std::fs::write(&bad, &root("1", &[])[..2000]).unwrap();
    unify(&["diff", "--exit-code", old, bad.to_str().unwrap()]).expect(1);
}

/// The bytes of an image came by once: those of the file are read again, wherever in it they lie.
#[test]
fn one_file_of_two_images_line_by_line() {
    let lab = lab!(Disk::Own);
    let layers = [
        root("1", &[]),
        archive(&[file("usr/lib/same", b"of the second layer")]),
    ];
    let one = [Image {
        name: "web:1",
        platform: "linux/amd64",
        layers: &layers,
    }];
    let (oci, saved_as, tar) = (
        lab.path("web.oci"),
        lab.path("web.saved"),
        lab.path("db.tar"),
    );
    std::fs::write(&oci, packed(&oci_layout(&one))).unwrap();
    std::fs::write(&saved_as, packed(&saved(&one))).unwrap();
    std::fs::write(&tar, root("2", &[])).unwrap();
    let tar = tar.to_str().unwrap();
    for image in [&oci, &saved_as] {
        for (path, minus, plus) in [
            ("/lib/script", "-1 first", "+2 first"),
            ("/etc/config", "-version 1", "+version 2"),
            ("/usr/lib/same", "-of the second layer", "+same"),
        ] {
            let (web, db) = (
                format!("web={}:{path}", image.display()),
                format!("db=tar:{tar}:{path}"),
            );
            let out = unify(&["diff", "--exit-code", &web, &db]).expect(10);
            assert!(
                out.stdout.contains(minus) && out.stdout.contains(plus),
                "{}",
                out.stdout
            );
            assert!(
                !out.stdout.contains("\n-line 30"),
                "only what differs: {}",
                out.stdout
            );
        }
    }
}

#[test]
fn a_file_of_an_image_is_found_by_a_plan() {
    let lab = lab!(Disk::Own);
    let (web, db) = (lab.path("web.tar"), lab.path("db.tar"));
    std::fs::write(&web, root("1", &[])).unwrap();
    std::fs::write(&db, root("2", &[])).unwrap();
    let (web, tar) = (web.to_str().unwrap(), db.to_str().unwrap());
    let plan = lab.path("plan.json");
    let plan = plan.to_str().unwrap();
    unify(&["plan", "-o", plan, web, tar]).expect(0);
    let out = unify(&[
        "diff",
        "--plan",
        plan,
        "web:/usr/lib/script",
        "db:/usr/lib/script",
    ])
    .expect(0);
    assert!(out.stdout.contains("-1 first"), "{}", out.stdout);
    let (missing, there) = (format!("{tar}:/no/such"), format!("x={tar}:/etc/config"));
    unify(&["diff", "--exit-code", &missing, &there]).expect(10);
}

/// Escapes of a terminal are as harmless out of an image as out of a guest.
#[test]
fn a_text_of_an_image_moves_no_cursor() {
    let lab = lab!(Disk::Ext4);
    let guest = lab.guest("web");
    guest.put("/usr/lib/text", &File::new("a\x1b[2Jb\n"));
    let tar = lab.path("old.tar");
    make_tar(guest.root(), &tar, &[]);
    guest.put("/usr/lib/text", &File::new("c\x1b]0;x\x07d\n"));
    let (old, new) = (
        format!("{}:/usr/lib/text", tar.display()),
        format!("{}:/usr/lib/text", guest.arg()),
    );
    let out = unify(&["diff", &old, &new]).expect(0);
    assert!(
        !out.stdout.contains('\x1b') && out.stdout.contains("[2Jb"),
        "{:?}",
        out.stdout
    );
}
