//! From plan to undo: the disk gives back what was promised and takes it again, and no guest sees anything of it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use crate::support::{
    Disk, Exact, File, Guest, Inside, Lab, Listing, Planned, assert_exact, assert_same, content,
    debian_apart, disk_use, exact, figure, inside, shares_blocks, soon_has_its_own, unify,
};

const REFLINK: &[&str] = &["--method", "reflink"];

/// A file of each guest that runs, which its process writes to; it was there before.
const LIVE: &str = "/var/log/live";

/// What the file system counts differently with the same files: its own trees grow and shrink.
const TREES: u64 = 256 << 10;

/// The largest difference that counting may make: a block a file.
fn tolerance(plan: &Planned) -> u64 {
    plan.actions("link").len() as u64 * 4096 + TREES
}

#[track_caller]
fn near(now: u64, then: u64, tolerance: u64, what: &str) {
    let apart = now.abs_diff(then);
    assert!(
        apart <= tolerance,
        "{what}: {now} is not {then}, {apart} apart, {tolerance} allowed"
    );
}

/// What is stored but for the records of the base.
fn stored_by_guests(lab: &Lab) -> u64 {
    lab.stored() - disk_use(&[&lab.base()])
}

/// The same as soon as it is near what is wanted.
fn near_soon(lab: &Lab, wanted: u64, tolerance: u64) -> u64 {
    let records = || disk_use(&[&lab.base()]);
    let is_near = |stored: u64| (stored - records()).abs_diff(wanted) <= tolerance;
    lab.stored_soon(is_near) - records()
}

/// All but what the guest's own process changes.
fn at_rest(guest: &Guest) -> Exact {
    let mut all = exact(guest.root());
    all.retain(|path, _| !path.ends_with(LIVE.as_bytes()));
    all
}

#[track_caller]
fn assert_at_rest(before: &[Exact], guests: &[&Guest], when: &str) {
    for (before, guest) in before.iter().zip(guests) {
        let now = at_rest(guest);
        let mut all = before.iter();
        let moved = all.find(|(path, was)| now.get(*path) != Some(*was));
        let moved = moved.map(|(path, _)| path.escape_ascii().to_string());
        assert_eq!(moved, None, "{} {when}", guest.name());
        assert_eq!(now.len(), before.len(), "{} {when}", guest.name());
    }
}

/// All that must hold on the way. What is started when the guests were listed is ended before they are listed again.
fn whole_way<S: FnOnce()>(
    lab: &Lab,
    guests: &[&Guest],
    options: &[&str],
    start: impl FnOnce() -> S,
) {
    let listed = guests.iter().map(|guest| Listing::of(guest.root()));
    let listed: Vec<Listing> = listed.collect();
    let before: Vec<Exact> = guests.iter().map(|guest| at_rest(guest)).collect();
    let stop = start();
    let stored = stored_by_guests(lab);
    let plan = lab.plan(guests, options);
    let promised = plan.promised();
    assert!(promised > 0, "something is shared");
    plan.apply().expect(0);
    assert_at_rest(&before, guests, "after apply");
    let tolerance = tolerance(&plan);
    let back = stored - near_soon(lab, stored - promised, tolerance);
    near(back, promised, tolerance, "bytes that came back");
    let told = lab.receipt();
    let saved = told.last().unwrap()["bytes"].as_u64().unwrap();
    near(saved, back, tolerance, "bytes that the receipt tells of");
    plan.verify().expect(0);
    assert_eq!(lab.objects().len(), 0, "no object is made");

    let again = plan.apply().expect(0);
    assert!(again.stdout.contains("already done"), "{}", again.stdout);
    assert_at_rest(&before, guests, "after a second apply");

    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_at_rest(&before, guests, "after undo");
    let now = near_soon(lab, stored, tolerance);
    near(now, stored, tolerance, "bytes that are stored after undo");
    for link in plan.actions("link").iter().take(50) {
        let mut named = guests.iter().filter(|guest| guest.name() == link["guest"]);
        let path = named.next().unwrap().host(link["path"].as_str().unwrap());
        assert!(soon_has_its_own(&path), "{path:?} has blocks of its own");
    }
    stop();
    for (listed, guest) in listed.iter().zip(guests) {
        assert_same(listed, &Listing::of(guest.root()), "in the end");
    }
    lab.on_base("status", &[]).expect(0);
    figure(&format!(
        "reflinks: {} lines promise {promised} bytes, {back} came back, {saved} by the receipt, {} more are stored after undo",
        plan.actions("link").len(),
        i128::from(now) - i128::from(stored)
    ));
}

/// Two real guests, of which the first runs: a process in it writes, and reads what comes to share blocks.
fn debian_guests(disk: Disk) {
    let lab = memory_lab!(disk);
    let [web, db] = debian_apart(&lab);
    web.put(LIVE, &File::new(""));
    let script =
        format!("echo inside; while :; do cksum < /usr/bin/dpkg >> {LIVE}; sleep 0.1; done");
    let root = web.root().to_str().unwrap();
    let start = || inside("chroot", &[root, "/bin/sh", "-c", &script], web.root()).unwrap();
    whole_way(&lab, &[&web, &db], REFLINK, || {
        let living = start();
        || end(&web, living)
    });
}

/// Ends the process of a guest, which saw nothing of what was done, and leaves its file as it was.
fn end(guest: &Guest, living: Inside) {
    let read = || std::fs::read_to_string(guest.host(LIVE)).unwrap();
    // On a busy machine it comes to write more seldom.
    let since = Instant::now();
    while read().lines().count() <= 10 && since.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(living);
    let written = read();
    let (first, lines) = (written.lines().next(), written.lines().count());
    assert!(lines > 10, "it wrote all the time: {lines}");
    let same = written.lines().all(|line| Some(line) == first);
    assert!(same, "it read the same all the time");
    let live = std::fs::File::create(guest.host(LIVE)).unwrap();
    let made = Duration::new(1_700_000_000, 123_456_789);
    live.set_modified(SystemTime::UNIX_EPOCH + made).unwrap();
}

#[test]
fn debian_guests_on_xfs() {
    debian_guests(Disk::Xfs);
}

#[test]
fn debian_guests_in_subvolumes_of_btrfs() {
    debian_guests(Disk::Btrfs);
}

/// What comes back is what was promised, also of files that only one guest has, and of those without a whole block.
#[test]
fn copies_within_a_guest_give_their_blocks_back() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let guests = ["a", "b"].map(|name| lab.apart(name));
        let [a, b] = &guests;
        for n in 0..30 {
            let file = |of: &str| {
                let text = (0..=n).flat_map(|at| content(format!("{of}{n}.{at}")));
                File::new(text.collect::<Vec<u8>>())
            };
            let (own, both) = (file("a"), file("both"));
            for copy in ["one", "two", "three"] {
                a.put(format!("/usr/share/{copy}{n}"), &own);
            }
            for guest in [a, b] {
                guest.put(format!("/usr/share/both{n}"), &both);
            }
        }
        whole_way(&lab, &[a, b], &[REFLINK, &["--within"]].concat(), || || ());
    }
}

/// Files that differ in owner, mode, times and attributes, and have more than one name, share all the same.
#[test]
fn files_of_different_metadata_share() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
        let guests = ["a", "b"].map(|name| lab.apart(name));
        let [a, b] = &guests;
        let large: Vec<u8> = (0..40).flat_map(content).collect();
        a.put("/usr/share/one", &File::new(&*large));
        let other = File::new(&*large).mode(0o755).owner(7, 8).mtime(5, 6);
        b.put("/usr/share/one", &other.xattr("user.x", b"y"));
        b.hard_link("/usr/share/one", "/usr/share/other");
        a.put("/usr/share/holes", &File::new(&*large).in_holes_of(1 << 20));
        b.put("/usr/share/holes", &File::new(&*large).in_holes_of(1 << 20));
        whole_way(&lab, &[a, b], REFLINK, || || ());
    }
}

/// What a guest has written to since is its own affair: told, left alone by undo, and no difference.
#[test]
fn what_guests_write_since_is_no_difference() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = memory_lab!(disk);
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
    let lab = memory_lab!(Disk::Btrfs);
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
