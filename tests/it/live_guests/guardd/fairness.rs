//! No guest delays or denies writers of others: while one is searched, copied or waits for its turn, the others' files
//! are parted. What is slow here does not end before the test lets it: the order of the answers tells, and no clock.

use std::path::PathBuf;

use super::{OPEN, shared};
use crate::support::{
    Asking, Disk, File, Guest, Kernel, Lab, append, content, generation, id, nlink, until,
};

/// What is held by a fault at a call until the test lets it go.
pub struct Held(PathBuf);

impl Held {
    pub fn at(lab: &Lab) -> Held {
        Held(lab.path("goes-on"))
    }

    pub fn fault(&self, call: &str) -> String {
        format!("{call}=run:{}", until(&self.0))
    }

    pub fn let_go(&self) {
        std::fs::write(&self.0, "").unwrap();
    }
}

/// A guest that is slow to search keeps neither another guest from being searched, nor the base from being read anew.
#[test]
fn a_search_through_one_guest_delays_no_other() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    std::fs::hard_link(web.host("/usr/lib/f"), web.host("/usr/third")).unwrap();
    std::fs::hard_link(db.host("/usr/lib/one"), db.host("/usr/two")).unwrap();
    let held = Held::at(&lab);
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &held.fault("view#1"))], &[]);
    let [f, g] = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name));
    let first = kernel.ask(&Asking::to(&f).of(1));
    // Its own further search waits behind that.
    let second = kernel.ask(&Asking::to(&g).of(1));
    kernel.meets(&Asking::to(&db.host("/usr/lib/one")).of(2), "LookAgain");
    assert_eq!(nlink(&db.host("/usr/lib/one")), 2);
    assert_eq!(id(&db.host("/usr/lib/one")), id(&db.host("/usr/two")));
    // An object of which the daemon has not heard.
    let mail = lab.guest("mail");
    for guest in [&mail, &db] {
        guest.put("/usr/new", &File::new(content(5)));
    }
    let plan = lab.plan(&[&mail, &db], &OPEN);
    plan.apply().expect_one_of(&[0, 4]);
    kernel.meets(&Asking::to(&mail.host("/usr/new")).of(3), "LookAgain");
    assert_eq!(nlink(&mail.host("/usr/new")), 1);
    held.let_go();
    let mut threads = [0, 0].map(|_| {
        let (thread, word) = kernel.answer().unwrap();
        assert_eq!(word, "LookAgain");
        thread
    });
    threads.sort_unstable();
    assert_eq!(threads, [first, second]);
    assert!(id(&f) == id(&g) && id(&f) == id(&web.host("/usr/third")));
    assert_eq!(db.read("/usr/lib/f"), content(1));
}

/// A guest that asks for too much is denied itself. Others wait for the act at hand and no more, and those of another
/// base not even for that.
#[test]
fn a_flood_of_one_guest_denies_no_other() {
    armed!();
    let disk = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let [lab, elsewhere] = ["one", "other"].map(|name| disk.part(name));
    let [web, db] = shared(&lab);
    let [far, _] = shared(&elsewhere);
    let held = Held::at(&disk);
    let other_base = elsewhere.base();
    let mut kernel = Kernel::start(
        &lab,
        &[("UNIFY_FAULT", &held.fault("reflink#1"))],
        &["--base", other_base.to_str().unwrap()],
    );
    let (one, f) = (web.host("/usr/lib/one"), web.host("/usr/lib/f"));
    let first = kernel.ask(&Asking::to(&one).of(1));
    let made = generation(&f);
    let mut denied = 0;
    for round in 1..=ROUNDS {
        let asked = (0..FLOOD).map(|_| kernel.ask_about(&Asking::to(&f).of(1), made));
        let asked: Vec<u32> = asked.collect();
        while denied < (round * FLOOD).saturating_sub(MOST_OF_ONE) {
            let (thread, word) = kernel.answer().unwrap();
            assert!(asked.contains(&thread));
            assert_eq!(word, "Denied");
            denied += 1;
        }
    }
    // The thread of the other base gets what it is asked.
    kernel.meets(&Asking::to(&far.host("/usr/lib/one")).of(1), "LookAgain");
    let theirs = kernel.ask(&Asking::to(&db.host("/usr/lib/f")).of(2));
    held.let_go();
    kernel.hears(first, "LookAgain");
    kernel.hears(theirs, "LookAgain");
    for _ in 0..MOST_OF_ONE {
        assert!(kernel.answer().is_some());
    }
    assert_eq!(nlink(&db.host("/usr/lib/f")), 2);
    assert_eq!(nlink(&f), 2);
    assert!(
        kernel.said().contains("too many writes of its guest"),
        "{}",
        kernel.said()
    );
}

/// Requests in one go, how often, and how many of one asker are kept.
const FLOOD: usize = 200;
const ROUNDS: usize = 10;
const MOST_OF_ONE: usize = 256;

fn large(byte: u8) -> File {
    File::new(vec![byte; 6 << 20])
}

/// While a large file is copied, small ones of the same guest and of others are parted.
#[test]
fn a_long_copy_delays_no_other() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/large", &large(1));
        guest.put("/usr/huge", &large(2));
        guest.put("/usr/small", &File::new(content(1)));
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let [web, db] = &guests;
    let held = Held::at(&lab);
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &held.fault("truncate#1"))], &[]);
    let [its_large, huge] = ["/usr/large", "/usr/huge"].map(|name| web.host(name));
    let first = kernel.ask(&Asking::to(&its_large).of(1));
    // One at a time for each guest, whoever asks for it.
    let second = kernel.ask(&Asking::to(&huge).of(3));
    for (guest, cgroup) in [(web, 1), (db, 2)] {
        let small = guest.host("/usr/small");
        kernel.meets(&Asking::to(&small).of(cgroup), "LookAgain");
        append(&small, b"+");
    }
    kernel.meets(&Asking::to(&db.host("/usr/large")).of(2), "LookAgain");
    append(&db.host("/usr/large"), b"db");
    kernel.settled(&lab);
    assert_eq!([nlink(&its_large), nlink(&huge)], [2, 3]);
    held.let_go();
    kernel.hears(first, "LookAgain");
    kernel.hears(second, "LookAgain");
    for (name, byte) in [("/usr/large", 1), ("/usr/huge", 2)] {
        assert!(web.read(name) == vec![byte; 6 << 20]);
        assert_eq!(nlink(&web.host(name)), 1);
    }
    assert!(db.read("/usr/large") == [&vec![1; 6 << 20][..], b"db"].concat());
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
    lab.on_base("status", &["--exit-code"]).expect(0);
    undone(&lab, &guests);
}

fn undone(lab: &Lab, guests: &[Guest; 2]) {
    lab.on_base("undo", &["--run", "all", "--yes"])
        .expect_one_of(&[0, 4]);
    lab.on_base("gc", &[]).expect(0);
    assert_eq!((lab.objects().len(), lab.staged().len()), (0, 0));
    for guest in guests {
        assert!(guest.read("/usr/huge") == vec![2; 6 << 20]);
    }
}

/// A long copy that there is no room for is said to all who wait for it.
#[test]
fn a_long_copy_without_room_is_said_to_all_who_wait() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/large", &large(1));
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let held = Held::at(&lab);
    let fault = held.fault("truncate#1") + "\ntruncate#1=ENOSPC";
    // What could not be copied is not charged.
    let most = ["--most-bytes", "8M"];
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &fault)], &most);
    let file = guests[0].host("/usr/large");
    let before = id(&file);
    let asked = [0, 0].map(|_| kernel.ask(&Asking::to(&file)));
    // Both wait for it: what was asked after them is answered.
    let late = Asking {
        stale: true,
        ..Asking::to(&file)
    };
    kernel.meets(&late, "LookAgain");
    held.let_go();
    for thread in asked {
        kernel.hears(thread, "NoSpace");
    }
    assert_eq!(id(&file), before);
    // The next try has room.
    kernel.write(&file, b"x");
    assert!(guests[1].read("/usr/large") == vec![1; 6 << 20]);
}

/// The threads that answer come before the writers that wait for them, and those that copy and search do not.
#[test]
fn what_takes_long_has_no_precedence() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/large", &large(1));
        guest.put("/usr/f", &File::new(content(1)));
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let [web, db] = &guests;
    std::fs::hard_link(db.host("/usr/f"), db.host("/usr/third")).unwrap();
    let held = Held::at(&lab);
    let fault = [held.fault("truncate#1"), held.fault("view#1")].join("\n");
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &fault)], &[]);
    let ordinary = |kernel: &Kernel| {
        let all = kernel.priorities();
        let after = all
            .iter()
            .filter(|(policy, nice)| *policy != 1 && *nice >= 0);
        (after.count(), all.len())
    };
    let (after, all) = ordinary(&kernel);
    if after == all {
        skip!("no thread may precede another here");
    }
    assert_eq!(after, 0);
    let copied = kernel.ask(&Asking::to(&web.host("/usr/large")).of(1));
    let searched = kernel.ask(&Asking::to(&db.host("/usr/f")).of(2));
    let start = std::time::Instant::now();
    while ordinary(&kernel).0 < 2 {
        assert!(start.elapsed().as_secs() < 60, "{:?}", kernel.priorities());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    held.let_go();
    let mut threads = [0, 0].map(|_| kernel.answer().unwrap().0);
    threads.sort_unstable();
    assert_eq!(threads, [copied, searched]);
    assert_eq!(kernel.end(), Some(0));
}

/// A guest that lets its copies come to nothing pays for them, and for one that it gets it pays once.
#[test]
fn a_long_copy_that_comes_to_nothing_is_charged() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for (name, byte) in [("/usr/used", 1), ("/usr/in-vain", 2), ("/usr/beyond", 3)] {
            guest.put(name, &large(byte));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let [used, in_vain, beyond] =
        ["/usr/used", "/usr/in-vain", "/usr/beyond"].map(|name| guests[0].host(name));
    let held = Held::at(&lab);
    let fault = held.fault("truncate#2");
    let most = ["--most-bytes", "14M"];
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &fault)], &most);
    kernel.write(&used, b"+");
    let asked = kernel.ask(&Asking::to(&in_vain));
    // It waits for its copy: what was asked after it is answered.
    let late = Asking {
        stale: true,
        ..Asking::to(&in_vain)
    };
    kernel.meets(&late, "LookAgain");
    std::fs::remove_file(&in_vain).unwrap();
    held.let_go();
    kernel.hears(asked, "LookAgain");
    kernel.meets(&Asking::to(&beyond), "Denied");
    kernel.says("--most-bytes");
    assert_eq!([nlink(&used), nlink(&beyond)], [1, 3]);
}

/// A run that moves names for too long: all who wait are told at once, and not one after the other.
#[test]
fn who_waits_for_the_turn_is_denied_together() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = shared(&lab);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let turn = std::fs::File::open(lab.base().join("turn")).unwrap();
    let run = nix::fcntl::Flock::lock(turn, nix::fcntl::FlockArg::LockExclusive).unwrap();
    let [f, one, theirs] = [
        web.host("/usr/lib/f"),
        web.host("/usr/lib/one"),
        db.host("/usr/lib/f"),
    ];
    let asked = [(&f, 1), (&one, 1), (&theirs, 2)];
    let asked = asked.map(|(file, cgroup)| kernel.ask(&Asking::to(file).of(cgroup)));
    // What needs no turn does not wait for it.
    let late = Asking {
        stale: true,
        ..Asking::to(&f)
    };
    kernel.meets(&late, "LookAgain");
    kernel.hears(asked[0], "Denied");
    drop(run);
    kernel.hears(asked[1], "Denied");
    kernel.hears(asked[2], "Denied");
    assert_eq!([nlink(&f), nlink(&one)], [5, 3]);
    // It is free again.
    kernel.write(&f, b"x");
    kernel.write(&theirs, b"y");
    kernel.settled(&lab);
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// Of what one is denied not every line is told, and what another is denied is.
#[test]
fn who_is_denied_much_hides_no_other() {
    armed!();
    let lab = lab!(Disk::Own);
    shared(&lab);
    let objects = lab.objects();
    let [noisy, quiet] = [&objects[0], &objects[1]];
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let [much, little] = [(noisy, 1), (quiet, 2)].map(|(object, cgroup)| Asking {
        has_parent: false,
        attempt: 2,
        ..Asking::to(object).of(cgroup)
    });
    let made = generation(noisy);
    for _ in 0..DENIED {
        kernel.ask_about(&much, made);
    }
    for _ in 0..DENIED {
        let (_, word) = kernel.answer().unwrap();
        assert_eq!(word, "Denied");
    }
    kernel.meets(&little, "Denied");
    let name = |object: &PathBuf| object.file_name().unwrap().to_str().unwrap().to_owned();
    // It is told after the answer.
    kernel.says(&name(quiet));
    kernel.says("more writes of one asker were denied");
    let said = kernel.said();
    let noisy = said.lines().filter(|line| line.contains(&name(noisy)));
    assert!(noisy.count() < DENIED, "{said}");
}

/// Denials in a row, which take little time.
const DENIED: usize = 200;
