//! A guest holds an inode by something that no receipt tells of, an open file or a moved name, while a run heals.

use std::io::Write;

use crate::support::{
    Disk, File, content, id, interrupt_apply, is_immutable, nlink, three_guests, unify_with,
};

/// A guest that was given another's inode opened it. It would keep that over everything, so the inode stays an object.
#[test]
fn an_inode_that_somebody_has_open_stays_protected() {
    traced!();
    for keeps in [true, false] {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        let [a, b, _] = &guests;
        interrupt_apply(&lab, &guests, &[], ("utimensat", 1));
        let given = id(&a.host("/usr/f"));
        assert_eq!(id(&b.host("/usr/f")), given, "it was given");
        let mut open = std::fs::File::options()
            .write(true)
            .open(b.host("/usr/f"))
            .unwrap();
        std::fs::remove_file(b.host("/usr/f")).unwrap();
        if !keeps {
            drop(open);
            lab.on_base("recover", &[]).expect(0);
            assert!(!is_immutable(&a.host("/usr/f")), "it is its guest's alone");
            assert_eq!(lab.objects().len(), 0);
            continue;
        }
        // Whoever has a file of a guest open is inside of it, so nothing is healed, but the flag is set.
        lab.on_base("recover", &[]).expect(9);
        assert!(open.write_all(b"evil").is_err());
        assert!(a.read("/usr/f") == content(1));
        assert!(is_immutable(&a.host("/usr/f")));
        drop(open);
        lab.on_base("recover", &[]).expect(0);
        assert!(a.read("/usr/f") == content(1));
        assert!(!is_immutable(&a.host("/usr/f")), "it is its guest's alone");
    }
}

/// A guest moves its names away before the healing: they are found where they are, and no guest's work stops.
#[test]
fn a_guest_that_moves_its_names_stops_nobody() {
    traced!();
    for (call, nth, exit) in [("unlinkat", 1, 0), ("syncfs", 2, 0), ("renameat2", 2, 0)] {
        let lab = lab!(Disk::Own);
        let guests = ["a", "b", "c"].map(|name| {
            let guest = lab.guest(name);
            guest.put("/usr/lib/f", &File::new(content(1)));
            guest
        });
        let [_, b, _] = &guests;
        interrupt_apply(&lab, &guests, &["--objects", "copy"], (call, nth));
        std::fs::rename(b.host("/usr/lib"), b.host("/usr/elsewhere")).unwrap();
        lab.on_base("recover", &[]).expect(exit);
        assert_eq!(lab.staged().len(), 0, "{call}");
        assert!(b.read("/usr/elsewhere/f") == content(1));
        for object in lab.objects().iter().filter(|object| nlink(object) > 1) {
            assert!(is_immutable(object), "{call}");
        }
        lab.plan(&guests.each_ref(), &[]).apply().expect(0);
        lab.on_base("undo", &["--run", "all", "--yes"])
            .expect_one_of(&[0, 4]);
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects().len(), 0, "{call}: no name was forgotten");
    }
}

/// A healing takes a flag off for as long as it exchanges a name of that object: after a commit, for no moment.
#[test]
fn behind_a_commit_no_flag_comes_off() {
    armed!();
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    interrupt_apply(&lab, &guests, &["--objects", "copy"], ("unlinkat", 1));
    let base = lab.base();
    let seen = lab.path("flags");
    let objects = base.join("objects");
    let look = format!("lsattr -R {} >> {}", objects.display(), seen.display());
    let calls = ["lease#1", "lease#2", "sync#1", "unlink#1"];
    let faults = calls.map(|call| format!("{call}=run:{look}"));
    let healed = unify_with(
        &[("UNIFY_FAULT", &faults.join("\n"))],
        &["recover", "--base", base.to_str().unwrap()],
    );
    healed.expect(0);
    let seen = std::fs::read_to_string(seen).unwrap();
    let lines = seen
        .lines()
        .filter(|line| line.rsplit('/').next().is_some_and(|name| name.len() > 60));
    let flags: Vec<bool> = lines
        .map(|line| line.split(' ').next().unwrap().contains('i'))
        .collect();
    assert!(!flags.is_empty() && flags.iter().all(|on| *on), "{seen}");
}

/// After a commit guests may run while it is healed: what one of them writes to an old file, by a descriptor that
/// it has, is kept until the very end.
#[test]
fn what_is_written_while_it_is_healed_is_kept() {
    armed!();
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    interrupt_apply(&lab, &guests, &["--objects", "copy"], ("unlinkat", 1));
    let staged = lab.staged();
    let [first, ..] = &staged[..] else {
        panic!("files are in flight");
    };
    // It waits for the lease, and must not keep the healing waiting; the healing must not be over before it waits.
    let waits = format!("BREAKING.*:{} ", id(first).1);
    let write = format!(
        "rename#1=run:(echo lost >> {}) & for n in $(seq 6000); do grep -q '{waits}' /proc/locks && break; sleep 0.01; done",
        first.display()
    );
    let base = lab.base();
    let healed = unify_with(
        &[("UNIFY_FAULT", &write)],
        &["recover", "--base", base.to_str().unwrap()],
    );
    healed.expect_one_of(&[0, 12]);
    let written = [&content(1)[..], b"lost\n"].concat();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(120);
    loop {
        let kept = lab.quarantined();
        if kept
            .iter()
            .any(|path| std::fs::read(path).unwrap() == written)
        {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "it is lost: {kept:?}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(lab.staged().len(), 0);
}

/// Without a journal, too, a file that a process has open for writing is not dropped.
#[test]
fn what_is_open_to_write_is_kept_without_a_journal() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = three_guests(&lab);
    interrupt_apply(&lab, &guests, &["--objects", "copy"], ("unlinkat", 1));
    let run = std::fs::read_dir(lab.base().join("runs")).unwrap().next();
    std::fs::remove_file(run.unwrap().unwrap().path().join("journal")).unwrap();
    let staged = lab.staged();
    let open = std::fs::File::options().append(true).open(&staged[0]);
    let mut open = open.unwrap();
    lab.on_base("recover", &[]).expect(12);
    open.write_all(b"more").unwrap();
    let [kept] = &lab.quarantined()[..] else {
        panic!("one file is kept");
    };
    assert!(std::fs::read(kept).unwrap() == [&content(1)[..], b"more"].concat());
}
