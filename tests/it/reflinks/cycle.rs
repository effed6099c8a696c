//! From plan to undo: the disk gives back what was promised and takes it again, and no guest sees anything of it.

use std::path::Path;
use std::process::Command;

use crate::support::{
    Disk, File, Guest, Lab, Listing, Planned, assert_exact, assert_same, content, debian_apart,
    disk_use, exact, shares_blocks, soon_has_its_own, unify,
};

const REFLINK: &[&str] = &["--method", "reflink"];

/// The largest difference that counting may make: a block a file, and what the base and the file system remember.
fn tolerance(lab: &Lab, plan: &Planned) -> u64 {
    let files = plan.actions("link").len() as u64;
    files * 4096 + disk_use(&[&lab.base()]) + (4 << 20)
}

#[track_caller]
fn near(now: u64, then: u64, tolerance: u64, what: &str) {
    let apart = now.abs_diff(then);
    assert!(
        apart <= tolerance,
        "{what}: {now} is not {then}, {apart} apart, {tolerance} allowed"
    );
}

/// All that must hold on the way, with guests as they are.
fn whole_way(lab: &Lab, guests: &[&Guest]) {
    let listed: Vec<Listing> = guests
        .iter()
        .map(|guest| Listing::of(guest.root()))
        .collect();
    let before: Vec<_> = guests.iter().map(|guest| exact(guest.root())).collect();
    let stored = lab.stored();
    let plan = lab.plan(guests, REFLINK);
    let promised = plan.promised();
    assert!(promised > 0, "something is shared");
    plan.apply().expect(0);
    assert_exact(&before, guests, "after apply");
    let tolerance = tolerance(lab, &plan);
    near(
        stored - lab.stored(),
        promised,
        tolerance,
        "bytes that came back",
    );
    let told = lab.receipt();
    let saved = told.last().unwrap()["bytes"].as_u64().unwrap();
    near(
        saved,
        promised,
        tolerance,
        "bytes that the receipt tells of",
    );
    plan.verify().expect(0);
    assert_eq!(lab.objects().len(), 0, "no object is made");

    let again = plan.apply().expect(0);
    assert!(again.stdout.contains("already done"), "{}", again.stdout);
    assert_exact(&before, guests, "after a second apply");

    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_exact(&before, guests, "after undo");
    near(
        lab.stored(),
        stored,
        tolerance,
        "bytes that are stored after undo",
    );
    for link in plan.actions("link").iter().take(50) {
        let guest = guests
            .iter()
            .find(|guest| guest.name() == link["guest"])
            .unwrap();
        let path = guest.host(link["path"].as_str().unwrap());
        assert!(soon_has_its_own(&path), "{path:?} has blocks of its own");
    }
    for (listed, guest) in listed.iter().zip(guests) {
        assert_same(listed, &Listing::of(guest.root()), "in the end");
    }
    lab.on_base("status", &[]).expect(0);
}

#[test]
fn debian_guests_on_xfs() {
    let lab = lab!(Disk::Xfs);
    let [web, db] = debian_apart(&lab);
    whole_way(&lab, &[&web, &db]);
}

#[test]
fn debian_guests_in_subvolumes_of_btrfs() {
    let lab = lab!(Disk::Btrfs);
    let [web, db] = debian_apart(&lab);
    whole_way(&lab, &[&web, &db]);
}

/// Files that differ in owner, mode, times and attributes, and have more than one name, share all the same.
#[test]
fn files_of_different_metadata_share() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let guests = ["a", "b"].map(|name| lab.apart(name));
        let [a, b] = &guests;
        let large: Vec<u8> = (0..40).flat_map(content).collect();
        a.put("/usr/share/one", &File::new(&*large));
        let other = File::new(&*large).mode(0o755).owner(7, 8).mtime(5, 6);
        b.put("/usr/share/one", &other.xattr("user.x", b"y"));
        b.hard_link("/usr/share/one", "/usr/share/other");
        a.put("/usr/share/holes", &File::new(&*large).in_holes_of(1 << 20));
        b.put("/usr/share/holes", &File::new(&*large).in_holes_of(1 << 20));
        whole_way(&lab, &[a, b]);
    }
}

/// What a guest has written to since is its own affair: told, left alone by undo, and no difference.
#[test]
fn what_guests_write_since_is_no_difference() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let guests = ["a", "b"].map(|name| lab.apart(name));
        let [a, b] = &guests;
        let names = [
            "kept", "appended", "replaced", "removed", "patched", "source",
        ];
        for name in names {
            let text: Vec<u8> = (0..400)
                .flat_map(|n| content(format!("{name}{n}")))
                .collect();
            a.put(format!("/usr/share/{name}"), &File::new(&*text));
            b.put(format!("/usr/share/{name}"), &File::new(&*text));
        }
        let plan = lab.plan(&[a, b], REFLINK);
        plan.apply().expect(0);
        let host = |name: &str| b.host(format!("/usr/share/{name}"));
        append(&host("appended"));
        b.put("/usr/share/new", &File::new(content(9)));
        std::fs::rename(host("new"), host("replaced")).unwrap();
        std::fs::remove_file(host("removed")).unwrap();
        patch(&host("patched"));
        a.put("/usr/share/new", &File::new(content(8)));
        std::fs::rename(a.host("/usr/share/new"), a.host("/usr/share/source")).unwrap();
        let told = unify(&["verify", "--json", plan.path.to_str().unwrap()])
            .expect(0)
            .json();
        assert_eq!(told["differences"].as_array().unwrap().len(), 0, "{told}");
        let since = told["changed_since"].as_array().unwrap();
        let code = |name: &str| {
            let path = format!("/usr/share/{name}");
            let line = since.iter().find(|line| line["path"] == *path);
            line.map(|line| line["code"].as_str().unwrap().to_owned())
        };
        let codes = names.map(|name| code(name).unwrap_or_default());
        let want = [
            "",
            "written-since",
            "replaced-since",
            "replaced-since",
            "written-since",
            "source-written",
        ];
        assert_eq!(codes, want, "{disk:?}");

        let before = exact(b.root());
        let listed = Listing::of(b.root());
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(4);
        assert_exact(&[before], &[b], "after undo");
        assert_same(&listed, &Listing::of(b.root()), "after undo");
        for name in ["kept", "appended", "patched", "source"] {
            assert!(soon_has_its_own(&host(name)), "{disk:?}: {name}");
        }
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let left = status["guests"].as_array().unwrap().iter();
        let left = left.map(|guest| guest["reflinked_files"].as_u64().unwrap());
        assert_eq!(left.sum::<u64>(), 0, "{status}");
    }
}

fn append(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    file.write_all(b"more").unwrap();
}

fn patch(path: &Path) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(b"patched", 1_000_000).unwrap();
}

/// A snapshot that was made since holds what was shared: undo gives blocks to the guest, and takes none from it.
#[test]
fn a_snapshot_keeps_what_it_holds() {
    let lab = lab!(Disk::Btrfs);
    let guests = ["a", "b"].map(|name| lab.apart(name));
    let [a, b] = &guests;
    let large: Vec<u8> = (0..400).flat_map(content).collect();
    for guest in [a, b] {
        guest.put("/usr/share/one", &File::new(&*large));
    }
    let plan = lab.plan(&[a, b], REFLINK);
    plan.apply().expect(0);
    let kept = lab.path("snapshot");
    let snapshot = ["-q", "subvolume", "snapshot", "-r"].map(AsRef::<std::ffi::OsStr>::as_ref);
    let made = Command::new("btrfs")
        .args(snapshot)
        .arg(b.root())
        .arg(&kept)
        .status();
    assert!(made.unwrap().success());
    let before = [exact(b.root()), exact(&kept)];
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert!(soon_has_its_own(&b.host("/usr/share/one")));
    assert!(
        shares_blocks(&kept.join("usr/share/one")),
        "with the source"
    );
    assert_eq!(std::fs::read(kept.join("usr/share/one")).unwrap(), large);
    assert_eq!(before, [exact(b.root()), exact(&kept)]);
}
