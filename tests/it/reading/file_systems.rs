//! The main job is done on every file system that the program is for, with the protection that `auto` finds there.

use std::process::Command;

use crate::support::{Disk, File, Guest, Lab, content, cycle};

/// A guest with a bit of everything that a link could lose.
fn furnish(guest: &Guest) {
    guest.put("/usr/bin/tool", &File::new(content("tool")).mode(0o755));
    guest.put(
        "/usr/bin/other-owner",
        &File::new(content("owned")).owner(33, 33),
    );
    guest.put(
        "/usr/share/before-1970",
        &File::new(content("old")).mtime(-86_400, 999_999_999),
    );
    guest.put(
        "/usr/share/attributes",
        &File::new(content("attributes"))
            .xattr("user.note", b"a\0b")
            .xattr("trusted.note", b""),
    );
    guest.put("/usr/share/large", &File::new(content("large").repeat(500)));
    guest.put("/usr/share/small", &File::new(&b"small\n"[..]));
    guest.put("/usr/share/empty", &File::new(&b""[..]));
    guest.put("/usr/share/unique", &File::new(content(guest.name())));
    guest.put("/usr/lib/two-names", &File::new(content("two names")));
    guest.hard_link("/usr/lib/two-names", "/usr/lib/other/second");
    guest.put("/etc/config", &File::new(content("config")));
    guest.put("/root/secret", &File::new(content("secret")).mode(0o600));
    guest.symlink("/usr/bin/tool", "/usr/bin/alias");
    guest.fifo("/run/fifo");
    guest.dir("/srv/empty directory");
}

fn whole_way(lab: &Lab) {
    let guests = ["web", "db", "third"].map(|name| lab.guest(name));
    guests.iter().for_each(furnish);
    let [web, db, third] = &guests;
    let (plan, saved) = cycle(lab, &[web, db, third], &["--min-size", "1"]);
    assert!(saved > 0);
    for path in [
        "/usr/bin/tool",
        "/usr/bin/other-owner",
        "/usr/share/attributes",
        "/usr/share/large",
        "/usr/share/small",
    ] {
        assert!(plan.link("db", path).is_some(), "{path} is shared");
    }
    for path in [
        "/usr/share/empty",
        "/usr/share/unique",
        "/etc/config",
        "/root/secret",
    ] {
        assert!(plan.link("db", path).is_none(), "{path} is not shared");
    }
    assert!(
        plan.link("db", "/usr/lib/other/second")
            .is_some_and(|link| link["also"][0]["path"] == "/usr/lib/two-names")
    );
    let (plan, _) = cycle(lab, &[web, db, third], &["--objects", "copy"]);
    assert!(
        plan.actions("link")
            .iter()
            .all(|link| link["makes"] != "adopt")
    );
}

#[test]
fn on_ext4() {
    whole_way(&lab!(Disk::Ext4));
}

#[test]
fn on_xfs() {
    whole_way(&lab!(Disk::Xfs));
}

#[test]
fn on_btrfs() {
    whole_way(&lab!(Disk::Btrfs));
}

/// Memory has no inode flags on older kernels and is no place for guests: whatever `unify` says, it changes nothing.
#[test]
fn guests_on_two_file_systems_do_not_share() {
    let (one, other) = (lab!(Disk::Ext4), lab!(Disk::Xfs));
    let (web, db) = (one.guest("web"), other.guest("db"));
    for guest in [&web, &db] {
        guest.put("/usr/share/f", &File::new(content(1)));
    }
    let (out, plan) = one.try_plan(&[&web, &db], &[]);
    assert!(
        matches!(out.code, 0 | 3 | 8),
        "exit code {}: {}",
        out.code,
        out.stderr
    );
    assert!(
        plan.is_some() || out.code != 0,
        "no plan, and no word about it"
    );
    assert!(
        plan.is_none_or(|plan| plan.actions("link").is_empty()),
        "nothing can be linked across file systems"
    );
}

/// A subvolume has a device number of its own and is no mount. What lies in it is not the guest's, what lies beside and
/// behind it is.
#[test]
fn a_subvolume_in_a_guest_hides_nothing_beside_it() {
    let lab = lab!(Disk::Btrfs);
    let [web, db] = lab.twins(&[
        ("/usr/lib/a", File::new(content(1))),
        ("/usr/lib/z", File::new(content(2))),
        ("/usr/z", File::new(content(3))),
    ]);
    let inner = web.host("/usr/lib/m");
    let made = Command::new("btrfs")
        .args(["subvolume", "create"])
        .arg(&inner)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::write(inner.join("f"), content(4)).unwrap();
    db.put("/usr/lib/m/f", &File::new(content(4)));
    let plan = lab.plan(&[&web, &db], &[]);
    for path in ["/usr/lib/a", "/usr/lib/z", "/usr/z"] {
        assert!(plan.link("web", path).is_some(), "{path}: {plan:?}");
    }
    assert!(plan.link("web", "/usr/lib/m/f").is_none());
    let skip = plan.skip("web", "/usr/lib/m").unwrap();
    assert_eq!(skip["reason"], "subvolume");
    assert_eq!(plan.json["summary"]["skipped"]["subvolume"]["files"], 1);
}
