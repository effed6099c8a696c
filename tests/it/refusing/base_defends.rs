//! A base defends itself against other users of the host, against being copied, and against rot.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{IFlags, Mode, OFlags};

use crate::support::{
    Disk, File, Guest, Lab, content, id, is_immutable, listings, rot, unchanged, unify,
};

fn furnished(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[
        ("/usr/a", File::new(content(1))),
        ("/usr/b", File::new(content(2))),
    ])
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_base_is_its_owners_alone() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let base = lab.base();
    assert_eq!(std::fs::metadata(&base).unwrap().mode() & 0o7777, 0o700);
    let before = listings(&[&web, &db]);
    for (mode, code) in [(0o755, 8), (0o701, 8), (0o770, 8), (0o700, 0)] {
        chmod(&base, mode);
        for command in ["status", "recover", "gc"] {
            let out = lab.on_base(command, &[]);
            assert_eq!(
                out.code, code,
                "{command} with mode {mode:o}: {}",
                out.stderr
            );
        }
    }
    std::os::unix::fs::chown(&base, Some(7), None).unwrap();
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(8);
    std::os::unix::fs::chown(&base, Some(0), None).unwrap();
    unchanged(&[&web, &db], &before, "after the refusals");
    assert_eq!(
        id(&web.host("/usr/a")),
        id(&db.host("/usr/a")),
        "nothing was undone"
    );
}

/// Leftovers of dead runs are removed, and anybody may make what looks like one in a place like `/tmp`.
#[test]
fn what_others_put_beside_a_base_leads_no_run_astray() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let above = lab.guests();
    chmod(&above, 0o1777);
    let victim = lab.path("victim");
    std::fs::create_dir_all(victim.join("sub")).unwrap();
    std::fs::write(victim.join("sub/kept"), b"bytes").unwrap();
    let nobodys = |path: &Path| std::os::unix::fs::lchown(path, Some(65534), None).unwrap();
    // Numbers that no process has.
    let link = above.join(".unify.rehearsal.4194305.part");
    std::os::unix::fs::symlink(&victim, &link).unwrap();
    nobodys(&link);
    for (name, mode) in [("4194306", 0o755), ("4194307-00", 0o700)] {
        let part = above.join(format!(".unify.{name}.part"));
        std::fs::create_dir(&part).unwrap();
        std::os::unix::fs::symlink(victim.join("sub"), part.join("cache")).unwrap();
        chmod(&part, mode);
        nobodys(&part);
    }
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    assert_eq!(std::fs::read(victim.join("sub/kept")).unwrap(), b"bytes");
    assert_eq!(id(&web.host("/usr/a")), id(&db.host("/usr/a")));
}

#[test]
fn nobody_else_rules_above_a_base() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    let above = lab.guests();
    for (mode, uid) in [(0o777, 0), (0o775, 0), (0o755, 7)] {
        chmod(&above, mode);
        std::os::unix::fs::chown(&above, Some(uid), Some(9)).unwrap();
        assert_eq!(
            lab.try_plan(&[&web, &db], &[]).0.code,
            8,
            "plan: {mode:o} {uid}"
        );
        plan.apply().expect(8);
        assert!(
            !lab.base().exists(),
            "{mode:o} {uid}: no base is made there"
        );
    }
    // This is a place where every user may write, but none can move what is another's.
    chmod(&above, 0o1777);
    std::os::unix::fs::chown(&above, Some(0), Some(0)).unwrap();
    plan.apply().expect(0);
}

#[test]
fn a_copied_base_is_refused() {
    let lab = lab!(Disk::Own);
    let other = lab!(Disk::Ext4);
    let [web, db] = furnished(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([lab.base(), other.base()])
        .status();
    assert!(copied.unwrap().success());
    for command in ["status", "recover", "gc"] {
        other.on_base(command, &[]).expect(8);
    }
    let copy = [other.guest("web"), other.guest("db")];
    for guest in &copy {
        guest.put("/usr/a", &File::new(content(1)));
    }
    assert_eq!(other.try_plan(&[&copy[0], &copy[1]], &[]).0.code, 8);
}

#[test]
fn a_scrub_finds_rot_and_every_name_that_reaches_it() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let base = lab.base();
    let verify = |more: &[&str]| {
        unify(
            &[
                &["verify", "--json", "--base", base.to_str().unwrap()],
                more,
            ]
            .concat(),
        )
    };
    let sound = verify(&[]).expect(0).json();
    assert_eq!(sound["objects"], 2, "{sound}");
    let fresh = verify(&["--since", "1h"]).expect(0).json();
    assert_eq!(
        (&fresh["objects"], &fresh["fresh"]),
        (&0.into(), &2.into()),
        "{fresh}"
    );

    rot(&web.host("/usr/a"));
    let found = verify(&["--since", "1h"]).expect(0).json();
    assert_eq!(
        found["fresh"], 2,
        "what was read within the hour is not read again"
    );
    let found = verify(&[]).expect(6).json();
    let named = |code: &str| {
        let all = found["differences"].as_array().unwrap().iter();
        let named = all.filter(|difference| difference["code"] == code);
        named
            .map(|d| {
                format!(
                    "{}:{}",
                    d["guest"].as_str().unwrap_or(""),
                    d["path"].as_str().unwrap_or("")
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(named("object-damaged").len(), 1, "{found}");
    assert_eq!(
        named("reaches-damage"),
        ["db:/usr/a", "web:/usr/a"],
        "{found}"
    );
    assert_eq!(named("not-flagged").len(), 0);
}

#[test]
fn a_scrub_finds_a_missing_flag_and_a_stranger() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let file = rustix::fs::open(web.host("/usr/b"), OFlags::RDONLY, Mode::empty()).unwrap();
    let flags = rustix::fs::ioctl_getflags(&file).unwrap();
    rustix::fs::ioctl_setflags(&file, flags - IFlags::IMMUTABLE).unwrap();
    assert!(!is_immutable(&web.host("/usr/b")));
    let base = lab.base();
    let scrub = || unify(&["verify", "--json", "--base", base.to_str().unwrap()]).expect(6);
    let text = scrub().json().to_string();
    assert!(text.contains("not-flagged"), "{text}");
    // What is wrong is found until it is put right.
    std::fs::write(lab.base().join("objects/stranger"), "x").unwrap();
    let text = scrub().json().to_string();
    assert!(
        text.contains("not-flagged") && text.contains("stranger"),
        "{text}"
    );
}

/// A user that is not root is told what is missing, before anything is opened.
#[test]
fn who_may_not_is_told() {
    let lab = lab!(Disk::Own);
    let [web, db] = furnished(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let before = listings(&[&web, &db]);
    for command in ["undo --run all --yes", "recover"] {
        // The program is opened by root: no other user may reach the place where it lies.
        let run = format!(
            "exec 3< {} && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
             /proc/self/fd/3 {command} --base {}",
            crate::support::BIN,
            lab.base().display()
        );
        let out = std::process::Command::new("bash")
            .args(["-c", &run])
            .output();
        let out = out.unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(8), "{command}: {said}");
        let name = command.split(' ').next().unwrap();
        assert!(said.contains(&format!("{name} needs root")), "{said}");
    }
    unchanged(&[&web, &db], &before, "after refusals");
    assert_eq!(id(&web.host("/usr/a")), id(&db.host("/usr/a")));
}
