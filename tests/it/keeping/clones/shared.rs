//! A guest that shares files with others: its clone shares them as well, and the base knows it.

use super::{assert_equal, clone, meant};
use crate::keeping::{FILES, alike, are_protected};
use crate::support::{
    Disk, File, Guest, Inside, Lab, Listing, assert_same, chattr, content, debian, id, inside,
    is_immutable, nlink,
};

/// Two real guests that share what they can, and a clone of one.
#[test]
fn a_real_guest_and_its_clone_go_their_own_ways() {
    let lab = memory_lab!(Disk::Ext4);
    let [web, db] = debian(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let (out, new) = clone(&lab, &web, "new", &["--json"]);
    let said = out.expect(0).json();
    assert_eq!(
        said["linked"]["totals"]["done"], said["shared_files"],
        "{said}"
    );
    assert!(said["shared_files"].as_u64().unwrap() > 3_000, "{said}");
    let perl = "/usr/bin/perl";
    assert_eq!(id(&new.host(perl)), id(&web.host(perl)));
    assert!(is_immutable(&new.host(perl)) && are_protected(&lab));
    let used = |key: &str| said["disk"][key].as_u64().unwrap();
    let grew = used("used_after") - used("used_before");
    assert!(
        grew < said["allocated_bytes"].as_u64().unwrap() / 2,
        "{said}"
    );
    lab.on_base("verify", &[]).expect(0);
    let both = [Listing::of(web.root()), Listing::of(new.root())];
    let differs = meant(both[0].diff(&both[1]), &web);
    assert!(differs.is_empty(), "{differs:#?}");
    lab.on_base("undo", &["--run", "all", "--guest", "web", "--yes"])
        .expect(0);
    assert_same(
        &both[1],
        &Listing::of(new.root()),
        "after an undo in the source",
    );
    assert!(is_immutable(&new.host(perl)) && !is_immutable(&web.host(perl)));
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_same(&both[1], &Listing::of(new.root()), "undone in the clone");
    assert!(!is_immutable(&new.host(perl)));
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// Files that receipts know to have several names keep them; equal files of one guest part, for they were two.
fn with_names(lab: &Lab) -> [Guest; 3] {
    let guests = alike(lab);
    guests[0].hard_link(FILES[0], "/usr/share/f2");
    guests[0].put("/usr/share/g2", &File::new(content(FILES[1])));
    guests[0].put(
        "/usr/share/late",
        &File::new(content("late")).mtime(1_600_000_000, 5),
    );
    guests[1].put("/usr/share/late", &File::new(content("late")));
    guests
}

fn names_are_kept(disk: Disk) {
    let lab = memory_lab!(disk);
    let guests = with_names(&lab);
    lab.plan(&guests.each_ref(), &["--ignore", "mtime"])
        .apply()
        .expect(0);
    let a = &guests[0];
    let (out, new) = clone(&lab, a, "new", &["--json", "--not-a-root"]);
    let said = out.expect(0).json();
    assert_eq!(
        (&said["shared_files"], &said["more_names"]),
        (&5.into(), &1.into()),
        "{said}"
    );
    assert_equal(a, &new);
    for path in ["/usr/share/f2", "/usr/share/g2", "/usr/share/late"] {
        assert_eq!(id(&a.host(path)), id(&new.host(path)), "{path}");
    }
    assert!(are_protected(&lab));
    let before = Listing::of(a.root());
    lab.on_base("undo", &["--run", "all", "--guest", "new", "--yes"])
        .expect(0);
    assert_same(&before, &Listing::of(a.root()), "undone in the clone");
    assert_eq!(id(&new.host(FILES[0])), id(&new.host("/usr/share/f2")));
    assert_ne!(id(&new.host(FILES[1])), id(&new.host("/usr/share/g2")));
    assert_eq!(
        (nlink(&new.host(FILES[0])), nlink(&new.host(FILES[1]))),
        (2, 1)
    );
    let late = rustix::fs::stat(new.host("/usr/share/late")).unwrap();
    assert_eq!(
        (late.st_mtime, late.st_mtime_nsec),
        (1_600_000_000, 5),
        "its own time came along"
    );
}

#[test]
fn names_are_kept_on_ext4() {
    names_are_kept(Disk::Ext4);
}

#[test]
fn names_are_kept_on_btrfs() {
    names_are_kept(Disk::Btrfs);
}

/// Where nobody is to be kept from a shared file, the copy stays private, and that is told.
#[test]
fn holders_that_run_keep_their_files_to_themselves() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    let [a, b, _] = &guests;
    let _at_work: Inside = match inside("sh", &["-c", "echo inside; read x"], b.root()) {
        Some(inside) => inside,
        None => skip!("no process can be started in a guest"),
    };
    let (out, new) = clone(&lab, a, "new", &["--json", "--not-a-root"]);
    let said = out.expect(4).json();
    assert_eq!(said["linked"]["totals"]["refused"], 3, "{said}");
    assert_eq!(said["refusals"].as_array().unwrap().len(), 3);
    assert_equal(a, &new);
    assert!(
        FILES
            .iter()
            .all(|path| nlink(&new.host(path)) == 1 && !is_immutable(&new.host(path)))
    );
    assert!(are_protected(&lab));
}

/// An object that lost its flag is open to its holders: a clone gets no name of it.
#[test]
fn what_has_lost_its_protection_is_copied() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    let (bare, sound) = (FILES[0], FILES[1]);
    chattr("-i", &guests[0].host(bare));
    let (out, new) = clone(&lab, &guests[0], "new", &["--not-a-root"]);
    let said = out.expect(0).stderr.clone();
    assert!(said.contains("lost their protection"), "{said}");
    assert_ne!(id(&new.host(bare)), id(&guests[0].host(bare)));
    assert_eq!(nlink(&new.host(bare)), 1);
    assert_eq!(id(&new.host(sound)), id(&guests[0].host(sound)));
    assert!(is_immutable(&new.host(sound)));
}
