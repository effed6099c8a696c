//! A process of which nothing on the host tells changes a shared file in the very moment in which its flag is off: by a
//! truncation that breaks no lease, by its metadata, by an open for writing that waits.
//!
//! Nobody's bytes or metadata may change by that. What was hit is said with exit code 12, every holder is named, and
//! all of them have what they had, in a file of their own.

mod attack;
mod healed;
mod soak;

use std::os::unix::fs::PermissionsExt;

use crate::support::{
    Disk, Guest, Lab, Listing, Out, id, is_immutable, listings, three_guests, unchanged, unify_with,
};
use attack::{ATTACKS, Attack};

/// `a` and `b` share `/usr/f`; `c` has an equal file.
struct Scene {
    lab: Lab,
    guests: [Guest; 3],
    before: Vec<Listing>,
}

impl Scene {
    fn new(lab: Lab) -> Scene {
        let guests = three_guests(&lab);
        let [a, b, _] = &guests;
        lab.plan(&[a, b], &[]).apply().expect(0);
        let before = listings(&guests.each_ref());
        Scene {
            lab,
            guests,
            before,
        }
    }

    fn with_all_shared(lab: Lab) -> Scene {
        let scene = Scene::new(lab);
        let all = scene.guests.each_ref();
        scene.lab.plan(&all, &[]).apply().expect(0);
        scene
    }

    fn under_fault(&self, fault: &str, command: &str, options: &[&str]) -> Out {
        let base = self.lab.base();
        let args = [&[command][..], options, &["--base", base.to_str().unwrap()]].concat();
        unify_with(&[("UNIFY_FAULT", fault)], &args)
    }

    fn join(&self, fault: &str) -> Out {
        let plan = self.lab.plan(&self.guests.each_ref(), &[]);
        let args = ["apply", "--yes", plan.path.to_str().unwrap()];
        unify_with(&[("UNIFY_FAULT", fault)], &args)
    }

    /// A run that gives the third guest its name dies at a call with the flag off. The fourth time that a flag is
    /// changed is when it is set again: it was set and cleared on a scratch file, and cleared on the object.
    fn is_cut(&self, call: &str) {
        self.join(&format!("{call}=kill"));
        assert!(!is_immutable(&self.guests[0].host("/usr/f")));
        assert_eq!(self.lab.staged().len(), 1);
    }

    /// Everybody has what he had, what was made of it is kept, and the next plan shares the files again.
    #[track_caller]
    fn is_put_right(&self, out: &Out, parted: &[&str], what: &str) {
        let all = self.guests.each_ref();
        unchanged(&all, &self.before, &format!("{what}: {}", out.stdout));
        for name in parted {
            let line = format!("has a file of its own again, as it was: {name}:/usr/f");
            assert!(
                out.stdout.contains(&line),
                "{what}: {name} is not named: {}",
                out.stdout
            );
        }
        let aside = self.lab.quarantined();
        assert!(!aside.is_empty(), "{what}: the changed file is kept");
        assert!(
            aside.iter().any(|path| mode(path) == 0),
            "{what}: nobody may use it"
        );
        assert_eq!(self.lab.staged().len(), 0, "{what}");
        let first = id(&all[0].host("/usr/f"));
        assert!(
            all[1..]
                .iter()
                .all(|guest| id(&guest.host("/usr/f")) != first),
            "{what}"
        );
        self.lab.on_base("status", &[]).expect(0);
        self.lab.plan(&all, &[]).apply().expect(0);
        unchanged(&all, &self.before, &format!("{what}, shared again"));
        let shared = all.map(|guest| id(&guest.host("/usr/f")));
        assert!(shared.iter().all(|inode| *inode == shared[0]), "{what}");
        assert!(is_immutable(&all[0].host("/usr/f")), "{what}");
    }

    /// Everybody has what he had, and those who shared the file share it still.
    fn is_unharmed(&self, what: &str) {
        let all = self.guests.each_ref();
        unchanged(&all, &self.before, what);
        let [a, b, _] = &self.guests;
        assert_eq!(id(&a.host("/usr/f")), id(&b.host("/usr/f")), "{what}");
        assert!(is_immutable(&a.host("/usr/f")), "{what}");
        assert_eq!(self.lab.staged().len(), 0, "{what}");
    }
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Every attack, right after the flag came off and right before it goes on again, while a third guest joins.
fn a_third_guest_joins(disk: Disk) {
    for attack in ATTACKS {
        for moment in ["exchange#1", "setflags#4"] {
            let lab = match Lab::on(disk) {
                Ok(lab) => lab,
                Err(why) => return crate::support::skipped("unseen_writers", &why),
            };
            let scene = Scene::new(lab);
            let hit = scene.guests[0].host("/usr/f");
            let out = scene.join(&format!("{moment}=run:{}", attack.on(&hit)));
            let what = format!("{disk:?}, {attack:?} at {moment}: {}", out.code);
            assert_eq!(out.code, 12, "{what}: {}{}", out.stdout, out.stderr);
            scene.is_put_right(&out, &["a", "b"], &what);
        }
    }
}

#[test]
fn while_a_guest_joins() {
    armed!();
    a_third_guest_joins(Disk::Own);
}

#[test]
fn while_a_guest_joins_on_xfs() {
    armed!();
    a_third_guest_joins(Disk::Xfs);
}

#[test]
fn while_a_guest_joins_on_btrfs() {
    armed!();
    a_third_guest_joins(Disk::Btrfs);
}

/// An undo of one guest exposes the two others.
#[test]
fn while_a_guest_leaves() {
    armed!();
    for attack in ATTACKS {
        for moment in ["exchange#1", "setflags#2"] {
            let scene = Scene::with_all_shared(lab!(Disk::Own));
            let hit = scene.guests[0].host("/usr/f");
            let fault = format!("{moment}=run:{}", attack.on(&hit));
            let undo = ["--yes", "--run", "all", "--guest", "c"];
            let out = scene.under_fault(&fault, "undo", &undo);
            let what = format!("{attack:?} at {moment}: {}", out.code);
            assert_eq!(out.code, 12, "{what}: {}{}", out.stdout, out.stderr);
            scene.is_put_right(&out, &["a", "b"], &what);
        }
    }
}

/// The object is new in this batch, and its first holders are those that share it now: each gets his own file back.
#[test]
fn an_object_that_was_made_a_moment_ago() {
    armed!();
    for attack in ATTACKS {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        let before = listings(&guests.each_ref());
        let plan = lab.plan(&guests.each_ref(), &["--objects", "copy"]);
        let hit = guests[0].host("/usr/f");
        // All three names are exchanged, and the object's flag was never on.
        let fault = format!("setflags#3=run:{}", attack.on(&hit));
        let args = ["apply", "--yes", plan.path.to_str().unwrap()];
        let out = unify_with(&[("UNIFY_FAULT", &fault)], &args);
        let what = format!("{attack:?}: {}{}", out.stdout, out.stderr);
        assert_eq!(out.code, 12, "{what}");
        unchanged(&guests.each_ref(), &before, &what);
        assert_eq!(lab.objects().len(), 0, "{what}");
        assert_eq!(lab.quarantined().len(), 1, "{what}");
    }
}

/// An adopted file is changed by its own guest before it is protected: it stays that guest's, as it is now, and the
/// others make an object of theirs.
#[test]
fn a_file_that_is_adopted() {
    armed!();
    for attack in ATTACKS {
        let lab = lab!(Disk::Own);
        let guests = three_guests(&lab);
        let plan = lab.plan(&guests.each_ref(), &[]);
        let makes = |guest: &&Guest| plan.link(guest.name(), "/usr/f").unwrap()["makes"] == "adopt";
        let maker = guests.iter().find(makes).expect("one is adopted");
        let others: Vec<&Guest> = guests
            .iter()
            .filter(|guest| guest.name() != maker.name())
            .collect();
        let before = listings(&others);
        let fault = format!("setflags#3=run:{}", attack.on(&maker.host("/usr/f")));
        let args = ["apply", "--yes", plan.path.to_str().unwrap()];
        let out = unify_with(&[("UNIFY_FAULT", &fault)], &args);
        let what = format!("{attack:?}: {}{}", out.stdout, out.stderr);
        assert_eq!(out.code, 4, "{what}");
        unchanged(&others, &before, &what);
        assert!(
            !is_immutable(&maker.host("/usr/f")),
            "{what}: it is its guest's own"
        );
        let [one, other] = &others[..] else {
            panic!("two others");
        };
        assert_eq!(id(&one.host("/usr/f")), id(&other.host("/usr/f")), "{what}");
        assert_eq!(lab.quarantined().len(), 0, "{what}");
    }
}

/// The file that came out is changed after it was compared, when no name of a guest refers to it any more.
#[test]
fn a_file_that_came_out() {
    armed!();
    for attack in ATTACKS {
        let scene = Scene::new(lab!(Disk::Own));
        let staged = scene.lab.base().join("staging");
        let fault = format!("syncfs#2=run:{}", attack.on_all_in(&staged));
        let out = scene.join(&fault);
        let what = format!("{attack:?}: {}{}", out.stdout, out.stderr);
        assert_eq!(out.code, 12, "{what}");
        scene.is_unharmed(&what);
        let [a, _, c] = &scene.guests;
        assert_eq!(id(&a.host("/usr/f")), id(&c.host("/usr/f")), "{what}");
        assert_eq!(
            scene.lab.quarantined().len(),
            1,
            "{what}: what was made of it is kept"
        );
    }
}

/// Some hand takes the flag off once more when all is proven, changes the file and sets the flag again.
#[test]
fn after_all_was_proven() {
    armed!();
    for attack in ATTACKS {
        let scene = Scene::new(lab!(Disk::Own));
        let hit = scene.guests[0].host("/usr/f");
        let shown = hit.display();
        let fault = format!(
            "syncfs#2=run:chattr -i {shown}; {}; chattr +i {shown}",
            attack.on(&hit)
        );
        let out = scene.join(&fault);
        let what = format!("{attack:?}: {}", out.code);
        assert_eq!(out.code, 12, "{what}: {}{}", out.stdout, out.stderr);
        unchanged(&scene.guests.each_ref(), &scene.before, &what);
        for name in ["a", "b", "c"] {
            assert!(
                out.stdout.contains(&format!("as it was: {name}:/usr/f")),
                "{what}: {}",
                out.stdout
            );
        }
    }
}

/// A hand that may clear flags writes to the object after it was read and before the run has a lease on it: its size,
/// its times and its flag are what they were.
#[test]
fn bytes_that_no_lease_could_keep() {
    armed!();
    let scene = Scene::new(lab!(Disk::Own));
    let hit = scene.guests[0].host("/usr/f");
    // The first lease is that of the third guest's file.
    let out = scene.join(&format!("lease#2=run:{}", Attack::rewrite(&hit)));
    let what = format!("{}{}", out.stdout, out.stderr);
    assert_eq!(out.code, 12, "{what}");
    assert!(out.stdout.contains("(content)"), "{what}");
    scene.is_put_right(&out, &["a", "b"], &what);
}

/// A process waits to write when the flag goes on. ext4 keeps it out; elsewhere it writes, and to a file that is
/// nobody's any more.
fn a_writer_waits(disk: Disk) {
    let lab = match Lab::on(disk) {
        Ok(lab) => lab,
        Err(why) => return crate::support::skipped("unseen_writers", &why),
    };
    let holds = lab.flag_holds_against_all();
    let scene = Scene::new(lab);
    let hit = scene.guests[0].host("/usr/f");
    let over = scene.lab.path("over");
    let waits = Attack::waiting_writer(&hit, &over);
    let out = scene.join(&format!("exchange#1=run:{waits}"));
    let what = format!("{disk:?}: {}{}", out.stdout, out.stderr);
    for _ in 0..6000 {
        if over.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(over.exists(), "the writer waits for ever, {what}");
    if holds {
        assert_eq!(out.code, 4, "{what}");
        scene.is_unharmed(&what);
    } else {
        assert_eq!(out.code, 12, "{what}");
        scene.is_put_right(&out, &["a", "b"], &what);
    }
}

#[test]
fn a_writer_that_waits() {
    armed!();
    a_writer_waits(Disk::Own);
    a_writer_waits(Disk::Xfs);
    a_writer_waits(Disk::Btrfs);
}
