//! `strace` kills a run at a chosen system call, and so brings about what a random kill meets once in a thousand times.

use std::fs::Permissions;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::{
    Disk, File, Guest, Lab, Listing, assert_same, content, id, inside, interrupt, is_immutable,
    listings, make_fifo, nlink, unchanged,
};

/// Two guests that share one file, which has two names in each.
fn with_two_names(lab: &Lab) -> [Guest; 2] {
    ["a", "b"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(7)));
        guest.hard_link("/usr/f", "/usr/g");
        guest
    })
}

#[test]
fn names_of_one_file_stay_together() {
    traced!();
    for nth in [1, 2] {
        let lab = lab!(Disk::Own);
        let [a, b] = with_two_names(&lab);
        let before = listings(&[&a, &b]);
        let plan = lab.plan(&[&a, &b], &[]);
        interrupt(
            "renameat2",
            nth,
            &["apply", "--yes", plan.path.to_str().unwrap()],
        );
        lab.on_base("recover", &[]).expect(0);
        for guest in [&a, &b] {
            assert_eq!(
                id(&guest.host("/usr/f")),
                id(&guest.host("/usr/g")),
                "{}",
                guest.name()
            );
        }
        unchanged(&[&a, &b], &before, "after recover");
        assert_eq!(lab.staged().len(), 0, "nothing is left in staging");
        plan.apply().expect_one_of(&[0, 4]);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects().len(), 0, "no name was forgotten");
        unchanged(&[&a, &b], &before, "after undo");
    }
}

/// Journal and plan are gone: names and inodes tell enough.
#[test]
fn a_cut_run_without_its_journal_is_healed() {
    traced!();
    for (call, nth) in [("renameat2", 1), ("renameat2", 2), ("unlinkat", 1)] {
        let lab = lab!(Disk::Own);
        let [a, b] = with_two_names(&lab);
        let listings = || [&a, &b].map(|guest| Listing::of(guest.root()).without_directory_times());
        let before = listings();
        let plan = lab.plan(&[&a, &b], &["--objects", "copy"]);
        interrupt(call, nth, &["apply", "--yes", plan.path.to_str().unwrap()]);
        for paper in ["journal", "plan"] {
            for run in std::fs::read_dir(lab.base().join("runs")).unwrap() {
                std::fs::remove_file(run.unwrap().path().join(paper)).unwrap();
            }
        }
        let healed = lab.on_base("recover", &["--json"]).expect(0).json();
        let flags = u64::from(nth == 2);
        assert_eq!(healed["flags"], flags, "{call} {nth}: {healed}");
        assert_eq!(lab.staged().len(), 0, "{call} {nth}: staging is empty");
        for (before, after) in before.iter().zip(listings()) {
            assert_same(before, &after, &format!("{call} {nth}"));
        }
        for object in lab.objects().iter().filter(|object| nlink(object) > 1) {
            assert!(is_immutable(object), "{call} {nth}: shared and unprotected");
        }
        // The base does not know the names any more: a plan finds them, and apply teaches them.
        lab.plan(&[&a, &b], &[]).apply().expect_one_of(&[0, 4]);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(
            lab.objects().len(),
            0,
            "{call} {nth}: no name was forgotten"
        );
    }
}

/// What healing finishes knows each file's own time, for undo to give back: before the receipt has it, and after.
#[test]
fn a_time_of_its_own_survives_a_cut() {
    traced!();
    for (call, nth) in [("syncfs", 2), ("unlinkat", 1), ("unlinkat", 2)] {
        let lab = lab!(Disk::Own);
        let [a, b] = ["a", "b"].map(|name| lab.guest(name));
        for (n, path) in [(7, "/usr/f"), (8, "/usr/g")] {
            a.put(path, &File::new(content(n)).mtime(1_000, 1));
            b.put(path, &File::new(content(n)).mtime(2_000, 2));
        }
        let before = listings(&[&a, &b]);
        let plan = lab.plan(&[&a, &b], &["--ignore", "mtime"]);
        interrupt(call, nth, &["apply", "--yes", plan.path.to_str().unwrap()]);
        lab.on_base("recover", &[]).expect(0);
        for path in ["/usr/f", "/usr/g"] {
            assert_eq!(id(&a.host(path)), id(&b.host(path)), "{path} is shared");
        }
        // Nothing is left to do, and that is no news of any file.
        plan.apply().expect(0);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        unchanged(&[&a, &b], &before, "after undo");
    }
}

/// What came out in an interrupted run and is not what the object is any more goes back to its name, whatever differs.
#[test]
fn what_somebody_did_to_a_file_that_came_out_is_not_lost() {
    traced!();
    let write: fn(&Path) = |file| std::fs::write(file, content(8)).unwrap();
    let open: fn(&Path) =
        |file| std::fs::set_permissions(file, Permissions::from_mode(0o777)).unwrap();
    for change in [write, open] {
        let lab = lab!(Disk::Own);
        let (guest, out) = half_way(&lab, ("syncfs", 2));
        change(&out);
        let was = Listing::of(&out);
        let healed = lab.on_base("recover", &["--json"]).expect(0).json();
        assert_same(&was, &Listing::of(&guest.host("/usr/f")), "after recover");
        assert_eq!(healed["flags"], 1, "{healed}");
        assert_eq!(lab.staged().len(), 0);
    }
}

/// What the guest itself did to a directory after the kill is seen, what the run and its healing did is not.
#[test]
fn times_of_directories_are_those_that_the_guest_gave() {
    traced!();
    let hour = Duration::from_secs(3_600);
    for used in [false, true] {
        let lab = lab!(Disk::Own);
        let (guest, out) = half_way(&lab, ("syncfs", 2));
        std::fs::write(out, content(8)).unwrap();
        let moved = SystemTime::now() - hour;
        if used {
            set_modified(&guest.host("/usr"), moved);
        }
        lab.on_base("recover", &[]).expect(0);
        let now = std::fs::metadata(guest.host("/usr")).unwrap().modified();
        let wanted = if used { moved } else { OLD };
        assert_eq!(now.unwrap(), wanted, "used meanwhile: {used}");
    }
}

fn set_modified(path: &Path, time: SystemTime) {
    let file = std::fs::File::open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Where its name is another file's now, a person must look at it.
#[test]
fn what_came_out_and_has_no_name_any_more_is_put_aside() {
    traced!();
    let lab = lab!(Disk::Own);
    let (guest, out) = half_way(&lab, ("renameat2", 2));
    std::fs::write(&out, content(8)).unwrap();
    std::fs::remove_file(guest.host("/usr/f")).unwrap();
    guest.put("/usr/f", &File::new("newer"));
    lab.on_base("recover", &[]).expect(12);
    assert_eq!(std::fs::read(guest.host("/usr/f")).unwrap(), b"newer");
    let kept = lab.quarantined();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(std::fs::read(&kept[0]).unwrap(), content(8));
}

/// The time of `/usr` before the run.
const OLD: SystemTime = SystemTime::UNIX_EPOCH;

/// A run over one file of two guests, killed when a name had been exchanged: the guest of that name, and the file that
/// came out.
fn half_way(lab: &Lab, (call, nth): (&str, usize)) -> (Guest, PathBuf) {
    let guests = ["a", "b"].map(|name| lab.guest(name));
    let before = guests.each_ref().map(|guest| {
        guest.put("/usr/f", &File::new(content(7)));
        set_modified(&guest.host("/usr"), OLD);
        id(&guest.host("/usr/f"))
    });
    let plan = lab.plan(&[&guests[0], &guests[1]], &["--objects", "copy"]);
    interrupt(call, nth, &["apply", "--yes", plan.path.to_str().unwrap()]);
    let staged = lab.staged();
    let out = |was: &(u64, u64)| staged.iter().find(|path| id(path) == *was).cloned();
    let found = guests.into_iter().zip(&before);
    let mut found = found.filter_map(|(guest, was)| Some((guest, out(was)?)));
    found.next().expect("a file came out")
}

/// Healing exchanges names and lifts flags, so it waits until no process is inside.
#[test]
fn a_running_guest_is_not_healed() {
    traced!();
    let lab = lab!(Disk::Own);
    let [a, b] = with_two_names(&lab);
    let before = listings(&[&a, &b]);
    let plan = lab.plan(&[&a, &b], &[]);
    interrupt(
        "renameat2",
        2,
        &["apply", "--yes", plan.path.to_str().unwrap()],
    );
    let left = lab.staged();
    let process = inside("sh", &["-c", "echo inside; read wait"], &b.host("/usr"));
    assert!(process.is_some());
    lab.on_base("recover", &[]).expect(9);
    plan.apply().expect(9);
    assert_eq!(lab.staged(), left, "nothing was touched");
    drop(process);
    lab.on_base("recover", &[]).expect(0);
    unchanged(&[&a, &b], &before, "after recover");
    assert_eq!(lab.staged().len(), 0);
}

/// Guests that had no part in the interrupted run hold names of its object, and healing knows them.
#[test]
fn holders_outside_of_the_cut_run_are_known() {
    traced!();
    let lab = lab!(Disk::Own);
    let [a, b] = with_two_names(&lab);
    lab.plan(&[&a, &b], &[]).apply().expect(0);
    let third = lab.guest("third");
    third.put("/usr/f", &File::new(content(7)));
    let plan = lab.plan(&[&third], &[]);
    interrupt(
        "syncfs",
        2,
        &["apply", "--yes", plan.path.to_str().unwrap()],
    );
    assert!(is_immutable(&a.host("/usr/f")), "it must come off again");
    lab.on_base("recover", &[]).expect(0);
    assert!(is_immutable(&a.host("/usr/f")));
    plan.apply().expect(0);
    assert_eq!(id(&third.host("/usr/f")), id(&a.host("/usr/f")));
}

/// What was made of a base by a run that was killed goes with the next one.
#[test]
fn half_a_base_is_removed() {
    let lab = lab!(Disk::Own);
    let [a, b] = with_two_names(&lab);
    let part = lab.guests().join(".unify.4194305.part");
    std::fs::create_dir_all(part.join("objects")).unwrap();
    std::fs::write(part.join("format"), "unify base 1\n").unwrap();
    // Bases are made for root alone; what others could enter is none of ours.
    std::fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    lab.plan(&[&a, &b], &[]).apply().expect(0);
    assert!(!part.exists());
}

#[test]
fn a_plan_does_not_take_the_place_of_a_fifo() {
    let lab = lab!(Disk::Own);
    let [a, b] = with_two_names(&lab);
    let fifo = lab.path("fifo");
    make_fifo(&fifo);
    let roots = [a.root(), b.root()].map(|root| root.to_str().unwrap().to_owned());
    crate::support::unify(&["plan", "-o", fifo.to_str().unwrap(), &roots[0], &roots[1]]).expect(1);
    assert!(
        std::fs::symlink_metadata(&fifo)
            .unwrap()
            .file_type()
            .is_fifo()
    );
}

/// An inode that was adopted and that no other guest shares yet is its guest's alone, and that guest may have
/// changed it since: it is no object, and gets no flag.
#[test]
fn what_was_adopted_and_is_not_shared_stays_the_guests() {
    traced!();
    for nth in [1, 2] {
        let lab = lab!(Disk::Own);
        let [a, b] = lab.twins(&[("/usr/f", File::new(content(7)))]);
        let plan = lab.plan(&[&a, &b], &[]);
        interrupt(
            if nth == 1 { "syncfs" } else { "renameat2" },
            1,
            &["apply", "--yes", plan.path.to_str().unwrap()],
        );
        for guest in [&a, &b] {
            let file = guest.host("/usr/f");
            let open = std::fs::File::options().append(true).open(&file);
            std::io::Write::write_all(&mut open.unwrap(), b"more").unwrap();
        }
        lab.on_base("recover", &[]).expect(0);
        assert_eq!(lab.objects(), Vec::<PathBuf>::new(), "cut {nth}");
        for guest in [&a, &b] {
            let file = guest.host("/usr/f");
            assert!(!is_immutable(&file), "cut {nth}");
            let now = std::fs::read(file).unwrap();
            assert_eq!(now, [&content(7)[..], b"more"].concat(), "cut {nth}");
        }
        lab.on_base("verify", &[]).expect(0);
    }
}
