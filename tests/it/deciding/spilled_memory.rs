//! What a base remembers and what a run learns may be more than memory holds. Then the program keeps it in a file
//! without a name, and nothing else is different.

use crate::support::{
    Disk, File, Guest, Lab, content, fill_disk, id, is_immutable, listings, unchanged, unify_with,
};

/// Not a byte is held in memory.
const ON_DISK: (&str, &str) = ("UNIFY_MOST_HELD", "0");

/// No file takes it.
const DISK_FULL: (&str, &str) = ("UNIFY_FAULT", "shelve#1+=ENOSPC");

/// What was put there cannot be read.
const UNREADABLE: (&str, &str) = ("UNIFY_FAULT", "read shelf#1+=EIO");

fn furnished(lab: &Lab, name: &str) -> Guest {
    let guest = lab.guest(name);
    for n in 0..8 {
        guest.put(format!("/usr/f{n}"), &File::new(content(n)));
        guest.hard_link(format!("/usr/f{n}"), format!("/usr/g{n}"));
    }
    guest
}

fn on_base(lab: &Lab, env: &[(&str, &str)], args: &[&str]) -> crate::support::Out {
    let base = lab.base();
    unify_with(env, &[args, &["--base", base.to_str().unwrap()]].concat())
}

fn inodes(guests: &[&Guest], n: usize) -> Vec<(u64, u64)> {
    let names = ["f", "g"].map(|name| format!("/usr/{name}{n}"));
    let of = |guest: &&Guest| names.each_ref().map(|name| id(&guest.host(name)));
    guests.iter().flat_map(of).collect()
}

/// Apply, a guest that is renamed and taught, apply to one more, status, verify, undo of a run and of all.
#[test]
fn a_base_with_a_past_is_known_from_disk() {
    armed!();
    for env in [&[ON_DISK][..], &[ON_DISK, DISK_FULL]] {
        let lab = lab!(Disk::Own);
        let [a, b] = ["a", "b"].map(|name| furnished(&lab, name));
        lab.plan(&[&a, &b], &[]).apply().expect(0);
        let c = furnished(&lab, "c");
        let moved = lab.renamed(&b, "moved");
        let all = [&a, &moved, &c];
        let before = listings(&all);

        let plan = lab.plan(&all, &[]);
        let path = plan.path.to_str().unwrap();
        unify_with(env, &["apply", "--yes", path]).expect(0);
        for n in 0..8 {
            let inodes = inodes(&all, n);
            assert!(inodes.iter().all(|id| *id == inodes[0]), "{n}: {inodes:?}");
            assert!(is_immutable(&a.host(format!("/usr/f{n}"))));
        }
        unify_with(env, &["verify", path]).expect(0);
        let status = on_base(&lab, env, &["status", "--json"]).expect(0).json();
        assert_eq!(status["guests"].as_array().unwrap().len(), 4, "{status}");

        // The run before has names in `a`, the last one in the others.
        let last = on_base(&lab, env, &["undo", "--yes", "--run", "last"]).expect_one_of(&[0, 4]);
        for n in 0..8 {
            let inodes = inodes(&all, n);
            assert!(
                inodes[0] == inodes[1] && inodes[0] != inodes[4],
                "{n}: {}",
                last.stdout
            );
            assert!(
                inodes[2] == inodes[3] && inodes[4] == inodes[5],
                "{n}: {inodes:?}"
            );
        }
        on_base(&lab, env, &["undo", "--yes", "--run", "all"]).expect_one_of(&[0, 4]);
        for n in 0..8 {
            let inodes = inodes(&all, n);
            let own = [inodes[0], inodes[2], inodes[4]];
            assert!(
                own[0] != own[1] && own[1] != own[2] && own[0] != own[2],
                "{n}"
            );
            assert!(!is_immutable(&a.host(format!("/usr/f{n}"))));
        }
        unchanged(&all, &before, "after undo");
        on_base(&lab, env, &["gc"]).expect(0);
        assert_eq!(lab.objects().len(), 0);
    }
}

/// Which guests hold an object is not known then: no flag comes off, and nothing of a guest is changed.
#[test]
fn what_cannot_be_read_again_stops_the_run() {
    armed!();
    let lab = lab!(Disk::Own);
    let [a, b, c] = ["a", "b", "c"].map(|name| furnished(&lab, name));
    lab.plan(&[&a, &b], &[]).apply().expect(0);
    let all = [&a, &b, &c];
    let before = listings(&all);
    let was: Vec<_> = (0..8).map(|n| inodes(&all, n)).collect();
    let plan = lab.plan(&all, &[]);
    let env = [ON_DISK, UNREADABLE];
    // By chance two names have one place in the table: then it is read before the run begins.
    let out = unify_with(&env, &["apply", "--yes", plan.path.to_str().unwrap()]);
    let out = out.expect_one_of(&[1, 9]);
    assert!(out.stderr.contains("Input/output error"), "{}", out.stderr);
    on_base(&lab, &env, &["undo", "--yes", "--run", "all"]).expect_one_of(&[1, 9]);
    assert!((0..8).map(|n| inodes(&all, n)).eq(was));
    for n in 0..8 {
        assert!(is_immutable(&a.host(format!("/usr/f{n}"))));
    }
    unchanged(&all, &before, "after runs that failed");
    assert_eq!(lab.staged().len(), 0);
    lab.on_base("recover", &[]).expect(0);
    plan.apply().expect(0);
}

/// The room beside the base belongs to the guests.
#[test]
fn a_disk_that_is_nearly_full_is_not_filled() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [a, b] = ["a", "b"].map(|name| lab.guest(name));
    for guest in [&a, &b] {
        for n in 0..300 {
            guest.put(format!("/usr/{n}"), &File::new(content(n)));
        }
    }
    lab.plan(&[&a, &b], &[]).apply().expect(0);
    let written = |name: &str| {
        let trace = lab.path(name);
        let env = [ON_DISK, ("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
        let nothing = ["undo", "--yes", "--run", "all", "--path", "/none"];
        on_base(&lab, &env, &nothing).expect(1);
        let calls = std::fs::read_to_string(trace).unwrap();
        calls.lines().filter(|call| *call == "shelve").count()
    };
    let with_room = written("with-room");
    fill_disk(&lab.path("ballast"), 512);
    let without = written("without");
    std::fs::remove_dir_all(lab.path("ballast")).unwrap();
    // A sixteenth of 512 KiB are some 300 entries, and what is reserved for root is not free.
    assert!(with_room > 1_000 && without < 500, "{with_room}, {without}");
}
