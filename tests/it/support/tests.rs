//! The kit is tested here, because all other tests rely on it.

use crate::support::{Disk, File, Listing, assert_same, content, disk_use, is_immutable, nlink};

/// Each kind of change, and one that is none.
#[test]
fn a_listing_sees_everything() {
    let lab = lab!(Disk::Own);
    let mut guests = (0..).map(|n| lab.guest(&n.to_string()));
    let mut see = |change: &str| {
        let guest = guests.next().unwrap();
        guest.put("/f", &File::new(content(1)).xattr("user.a", b"1"));
        guest.symlink("f", "/l");
        let before = Listing::of(guest.root());
        let path = guest.host("/f");
        let run = format!("set -e; cd {}; {change}", guest.root().display());
        let done = std::process::Command::new("bash")
            .args(["-c", &run])
            .status()
            .unwrap();
        assert!(done.success() && path.exists(), "{change}");
        !before.diff(&Listing::of(guest.root())).is_empty()
    };
    for change in [
        "chmod 600 f",
        "chown 1 f",
        "chgrp 1 f",
        "touch f",
        "setfattr -n user.a -v 2 f",
        "ln -sfn g l",
        "mkfifo p",
        "touch -d @1.5 f",
        "rm l",
    ] {
        assert!(see(change), "{change} is seen");
    }
    assert!(
        see("printf x | dd of=f conv=notrunc status=none; touch -d @1700000000.123456789 f"),
        "content"
    );
    assert!(
        !see("cat f > /dev/null; ls > /dev/null; chmod 644 f"),
        "what changes nothing is not seen"
    );
}

/// What `apply` does, done by hand: the kit must see the freed bytes and the flag, and no difference.
#[test]
fn every_disk_has_what_the_tests_need() {
    for disk in [Disk::Own, Disk::Ext4, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let file = File::new(content(1)).xattr("user.a", b"1");
        let [web, db] = lab.twins(&[("/usr/share/f", file)]);
        let before = Listing::of(web.root());
        let twin = Listing::of(db.root()).without_directory_times();
        assert_same(&before.clone().without_directory_times(), &twin, "twins");
        let used = disk_use(&[web.root(), db.root()]);
        let (one, other) = (web.host("/usr/share/f"), db.host("/usr/share/f"));
        std::fs::remove_file(&other).unwrap();
        std::fs::hard_link(&one, &other).unwrap();
        let flagged = std::process::Command::new("chattr")
            .arg("+i")
            .arg(&one)
            .status();
        assert!(flagged.unwrap().success() && is_immutable(&other) && nlink(&one) == 2);
        assert_eq!(disk_use(&[web.root(), db.root()]) * 2, used, "{disk:?}");
        let times = Listing::of(db.root()).without_directory_times();
        assert_same(&before.without_directory_times(), &times, "after linking");
    }
}

#[test]
fn a_tree_deeper_than_any_path_is_listed() {
    let lab = lab!(Disk::Own);
    let guest = lab.guest("deep");
    guest.deep("/usr", &"d".repeat(200), 40, b"bottom");
    let before = Listing::of(guest.root());
    assert!(
        format!("{before:?}").len() > 40 * 8_000,
        "all forty directories are in it"
    );
}
