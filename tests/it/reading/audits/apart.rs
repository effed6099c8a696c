//! Guests that are not together: on disks of their own, where nothing can be written, or of which not all may be read.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{audit, furnish, try_audit};
use crate::support::{BIN, Disk, File, Guest, Lab, Planned, content, id, unify};

fn remount(lab: &Lab, how: &str) {
    let done = Command::new("mount")
        .args(["-o", &format!("remount,{how}")])
        .arg(lab.path(""))
        .status();
    assert!(done.unwrap().success(), "remount,{how}");
}

/// Two images on disks that can be read alone. On both, different files have the same inode numbers, and names
/// outside of their guests: they are no inode that the guests share.
#[test]
fn mounted_images_are_compared() {
    let labs = [lab!(Disk::Ext4), lab!(Disk::Ext4)];
    let [web, db] = [(&labs[0], "web"), (&labs[1], "db")].map(|(lab, name)| {
        let guest = lab.guest(name);
        guest.put("/usr/share/tied", &File::new(content(name)));
        std::fs::hard_link(guest.host("/usr/share/tied"), lab.path("outside")).unwrap();
        furnish(&guest);
        guest
    });
    let same = |path: &str| id(&web.host(path)).1 == id(&db.host(path)).1;
    assert!(
        same("/usr/share/tied"),
        "the numbers of inodes tell nothing apart"
    );
    labs.iter().for_each(|lab| remount(lab, "ro"));
    let out = lab!(Disk::Own);
    let (said, audit) = try_audit(&out, "audit.json", &[&web, &db], &["--skips", "all"]);
    said.clone().expect(0);
    let apart = "APART: hard links between db and web would need one file system";
    assert!(said.stderr.contains(apart), "{}", said.stderr);
    for path in ["/usr/bin/tool", "/usr/lib/second"] {
        let [a, b] = ["web", "db"].map(|guest| audit.link(guest, path).unwrap());
        assert_eq!(a["object"], b["object"], "{path}");
    }
    assert_eq!(audit.names().len(), 2 * 3, "{:?}", audit.names());
    for guest in ["web", "db"] {
        let tied = audit.skip(guest, "/usr/share/tied").unwrap();
        assert_eq!(tied["reason"], "names-outside", "{tied}");
        assert_eq!(
            audit.skip(guest, "/etc/ssh/config").unwrap()["reason"],
            "config-file"
        );
    }
    let summary = &audit.json["summary"];
    assert_eq!(summary["same_secrets"].as_array().unwrap().len(), 1);
    assert!(summary["unprotected"].is_null(), "{summary}");
    let plan = audit.path.to_str().unwrap();
    let told = unify(&["explain", "--plan", plan, "web:/usr/share/near"]);
    let told = told.expect(0).stdout;
    assert!(told.contains("db: mtime differ"), "{told}");
    is_refused(&["plan", &web.arg(), &db.arg()]);
    is_refused(&["plan", &web.arg()]);
    labs.iter().for_each(|lab| remount(lab, "rw"));
}

/// Without the word nothing is planned, and the word is named; no lack of protection is advised.
#[track_caller]
fn is_refused(args: &[&str]) {
    let said = unify(args);
    assert!(matches!(said.code, 2 | 8), "{}: {}", said.code, said.stderr);
    assert!(said.stderr.contains("--audit"), "{}", said.stderr);
    assert!(!said.stderr.contains("--protect none"), "{}", said.stderr);
}

/// Copies that share their extents are compared by where these lie: the same places of two disks hold other data.
#[test]
fn places_on_two_disks_are_two() {
    let labs = [lab!(Disk::Xfs), lab!(Disk::Xfs)];
    let guests = [(&labs[0], "web"), (&labs[1], "db")].map(|(lab, name)| {
        let guest = lab.guest(name);
        // The beginnings are the same, so that all of them are read.
        let bytes = [content("same").repeat(30), name.as_bytes()[..2].to_vec()].concat();
        guest.put("/usr/f", &File::new(bytes));
        run(
            "cp",
            &["--reflink=always", "--preserve=all"],
            &guest,
            &["/usr/f", "/usr/g"],
        );
        guest
    });
    run("sync", &[], &guests[0], &[]);
    let [web, db] = &guests;
    assert_eq!(extents(web), extents(db), "the places tell nothing apart");
    assert!(!extents(web).is_empty());
    let audit = audit(&labs[0], &[web, db], &[]);
    let objects = |guest: &str| {
        let link = |path| audit.link(guest, path).unwrap()["object"].clone();
        assert_eq!(link("/usr/f"), link("/usr/g"), "{guest}");
        link("/usr/f")
    };
    assert_ne!(
        objects("web"),
        objects("db"),
        "they differ in their last byte"
    );
}

/// Where the shared data of the file lie.
fn extents(guest: &Guest) -> Vec<String> {
    let text = run("filefrag", &["-v"], guest, &["/usr/f"]);
    let lines = text.lines().skip(2);
    let shared = lines.filter(|line| line.contains("shared"));
    shared.map(str::to_owned).collect()
}

/// What a program says of files of a guest.
#[track_caller]
fn run(program: &str, options: &[&str], guest: &Guest, paths: &[&str]) -> String {
    let paths = paths.iter().map(|path| guest.host(path));
    let out = Command::new(program).args(options).args(paths).output();
    let out = out.unwrap();
    assert!(out.status.success(), "{program}: {out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// Whoever may read may audit: what cannot be read is said, and the exit code says so.
#[test]
fn nobody_needs_to_be_root() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[
        ("/usr/bin/tool", File::new(content(1)).mode(0o755)),
        ("/usr/share/f", File::new(content(2))),
        ("/etc/shadow", File::new(content(3)).mode(0o600)),
    ]);
    db.put("/root/inner/f", &File::new(content(4)));
    set_permissions(db.host("/root"), Permissions::from_mode(0o700)).unwrap();
    let top = lab.path("");
    for dir in [Some(top.as_path()), top.parent()].into_iter().flatten() {
        set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    }
    let nobody = |program: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
        command
    };
    let reaches = nobody("test").arg("-x").arg(BIN).status();
    if !reaches.is_ok_and(|reached| reached.success()) {
        skip!("another user cannot run the program here");
    }
    let out = nobody(BIN)
        .args(["plan", "--audit", "-o", "-", &web.arg(), &db.arg()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(
        said.starts_with("AUDIT ONLY: ") && said.contains("NOT SEEN: trusted.*"),
        "{said}"
    );
    let path = lab.path("audit.json");
    std::fs::write(&path, &out.stdout).unwrap();
    let audit = Planned::read(&path);
    assert_eq!(audit.names().len(), 4, "{:?}", audit.names());
    assert_eq!(audit.skip("db", "/root").unwrap()["reason"], "unreadable");
}
