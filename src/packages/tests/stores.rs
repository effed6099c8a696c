//! NixOS, Guix System, and stores that other systems have.

use std::os::unix::fs::symlink;

use super::*;
use crate::packages::stores::{GUIX, NIXOS};

const HASH: &str = "0c7zhn6cnbhlfqzhl6mbwknx6a6xbqfm";

/// `/etc/hosts` is made by the system; three files, one of them behind a link, are the guest's.
pub(super) fn system(store: &str) -> Root {
    let root = Root::empty();
    let etc = format!("{store}/{HASH}-etc/etc");
    root.put(&format!("{etc}/hosts"), "made");
    root.put(&format!("{etc}/deep/made"), "made");
    root.put(&format!("{store}/{HASH}-harbor-1.0/bin/harbor"), "program");
    root.put(&format!("{store}/{HASH}-harbor-1.0.drv"), "recipe");
    root.put("etc/machine-id", "local");
    root.put("etc/ssh/key", "local");
    root.put("srv/moved.conf", "local");
    symlink(format!("/{etc}"), root.path.join("etc/static")).unwrap();
    for (link, target) in [
        ("etc/hosts", "/etc/static/hosts"),
        ("etc/deep", "/etc/static/deep"),
        ("etc/moved.conf", "../srv/moved.conf"),
        ("etc/nowhere", "/nowhere"),
        ("etc/loop", "loop"),
        ("etc/up", ".."),
    ] {
        symlink(target, root.path.join(link)).unwrap();
    }
    root
}

fn claimed(backend: &dyn PackageDatabase, root: &Root) -> Vec<String> {
    let listing = fixture::read(backend, &root.path).unwrap().unwrap();
    assert!(listing.silent, "no store says what is configuration");
    let [package] = &listing.packages[..] else {
        panic!("{:?}", listing.packages)
    };
    assert_eq!(
        (&*package.name, package.version.as_deref()),
        ("harbor", Some("1.0"))
    );
    fixture::claimed(&listing)
}

#[test]
fn local_files_of_nixos() {
    let root = system("nix/store");
    root.put("etc/NIXOS", "");
    let want = [
        "/etc/NIXOS",
        "/etc/machine-id",
        "/etc/moved.conf",
        "/etc/ssh/key",
    ];
    assert_eq!(claimed(&NIXOS, &root), want);
    let answer = root.ask();
    let config = (SkipReason::ConfigFile, "nix", None);
    let want = [
        "/etc/NIXOS",
        "/etc/machine-id",
        "/etc/ssh/key",
        "/srv/moved.conf",
    ];
    assert_eq!(
        facts(&answer),
        want.map(|path| (path.to_owned(), config)).into()
    );
    let [database] = &answer.databases[..] else {
        panic!()
    };
    let sum = (&*database.manager, database.state, database.packages);
    assert_eq!(sum, ("nix", DatabaseState::Silent, 1));
}

#[test]
fn local_files_of_guix() {
    let root = system("gnu/store");
    assert!(
        claimed(&GUIX, &root).is_empty(),
        "a store alone is no system"
    );
    root.put(&format!("gnu/store/{HASH}-system/profile"), "");
    fs::create_dir_all(root.path.join("var/guix/profiles")).unwrap();
    let profiles = root.path.join("var/guix/profiles");
    symlink("system-1-link", profiles.join("system")).unwrap();
    symlink(
        format!("/gnu/store/{HASH}-system"),
        profiles.join("system-1-link"),
    )
    .unwrap();
    let want = ["/etc/machine-id", "/etc/moved.conf", "/etc/ssh/key"];
    assert_eq!(claimed(&GUIX, &root), want);
    assert_eq!(root.ask().databases[0].manager, "guix");
}

#[test]
fn nix_on_another_system_claims_nothing() {
    let root = system("nix/store");
    assert!(claimed(&NIXOS, &root).is_empty());
    root.put("run/current-system", "of neither");
    assert!(fixture::read(&GUIX, &root.path).unwrap().is_none());
}

#[test]
fn no_store_is_no_answer() {
    let root = Root::empty();
    root.put("etc/passwd", "");
    assert_eq!(root.ask(), Answer::default());
}

#[test]
fn names_only_are_mutated() {
    let names = format!("{HASH}-harbor-1.0\n{HASH}-etc\n.links\n{HASH}-x-2.drv\n");
    mutate::rounds(3, &[names.as_bytes()], 10_000, |data| {
        assert!(NIXOS.parse(data).unwrap() <= data.len());
    });
}
