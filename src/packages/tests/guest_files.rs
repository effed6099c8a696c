//! The answer about a guest is the same wherever the guest is: in a directory, or in memory, as an image would be.

use std::os::unix::fs::symlink;

use super::*;
use crate::model::Quiet;
use crate::sys::guest::tests::in_memory::InMemory;

/// What the databases say. Only the device of an inode may depend on where the guest is.
fn asked(guest: &dyn GuestFiles) -> Answer {
    let tree = guest.tree(&Quiet).unwrap().unwrap().tree;
    let mut answer = ask_all(guest, OnDamaged::CareRulesOnly, &|path| {
        tree.has_directory(path)
    });
    for protected in &mut answer.protected {
        protected.id.dev = 0;
    }
    answer
}

/// The answer about a directory, which is that about its copy in memory.
fn asked_both(root: &Root) -> Answer {
    let on_disk = asked(&guest_at(&root.path));
    let in_memory = asked(&InMemory::copy_of(&root.path).unwrap());
    assert_eq!(on_disk, in_memory, "{}", root.path.display());
    on_disk
}

#[test]
fn every_sample_is_answered_alike() {
    for root in samples::roots() {
        assert!(!asked_both(&root).databases.is_empty());
    }
}

#[test]
fn links_are_followed_alike() {
    let root = Root::empty();
    let status = "Package: x\nStatus: install ok installed\nConffiles:\n /etc/a 0\n /lib/b 0\n /etc/absolute 0\n \
        /etc/sub/climbing 0\n /etc/loop 0\n /etc/dangling 0\n /etc/sub 0\n /etc/a/x 0\n /etc/../../etc/named 0\n\n";
    root.put("var/lib/dpkg/status", status);
    for file in [
        "etc/a",
        "etc/named",
        "usr/lib/b",
        "srv/target",
        "srv/top",
        "etc/a.dpkg-old",
    ] {
        root.put(file, file);
    }
    fs::create_dir(root.path.join("etc/sub")).unwrap();
    fs::hard_link(root.path.join("etc/a"), root.path.join("srv/second")).unwrap();
    for (target, link) in [
        ("usr/lib", "lib"),
        ("/srv/target", "etc/absolute"),
        ("../../../srv/./top", "etc/sub/climbing"),
        ("loop", "etc/loop"),
        ("/nowhere", "etc/dangling"),
    ] {
        symlink(target, root.path.join(link)).unwrap();
    }
    let answer = asked_both(&root);
    let names = answer.protected.iter().map(|p| p.path.to_string());
    let expected = [
        "/etc/a",
        "/etc/a.dpkg-old",
        "/etc/named",
        "/srv/target",
        "/srv/top",
        "/usr/lib/b",
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[test]
fn damage_has_one_wording() {
    let status = "var/lib/dpkg/status";
    let cut = Root::empty();
    cut.put(status, "Package: x\nConffiles:\n /etc/a 0");
    let directory = Root::empty();
    fs::create_dir_all(directory.path.join(status)).unwrap();
    let no_directory = Root::empty();
    no_directory.put(status, "");
    no_directory.put("var/lib/dpkg/updates", "");
    let looping = Root::empty();
    looping.put("var/lib/dpkg/info/x.list", "/etc\n");
    symlink("status", looping.path.join(status)).unwrap();
    for root in [cut, directory, no_directory, looping] {
        assert_ne!(problem(&asked_both(&root)), "");
    }
}
