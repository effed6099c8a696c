//! The power goes while a daemon breaks shared files, or soon after: every name of the guest that writes leads to the
//! shared object or to a whole copy of it, `recover` brings the names of one file together, and what a guest synced is
//! there. No other guest's name has changed, and what the base records is what the disk shows.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::cuts::{Amount, Cut, cuts};
use super::medium::Recording;
use super::rig::{Kind, Rig};
use super::{Evidence, NONE, seed};
use crate::support::{
    Asking, File, Guest, Kernel, Lab, Listing, append, assert_same, content, is_long, nlink,
};

/// Nothing but the daemon protects, so that a kernel without programs will do.
const OPEN: [&str; 4] = ["--protect", "none", "--protect", "none"];

/// Names of one file each.
const TWO_NAMES: [&str; 2] = ["/usr/lib/f", "/usr/other/g"];
const THREE_NAMES: [&str; 3] = ["/usr/lib/a", "/usr/lib/b", "/usr/other/c"];
/// The guest writes to this one and syncs it.
const WRITTEN: &str = "/usr/lib/one";
/// The step in which another process syncs the disk before each exchange. Else all names of a file are on the disk at
/// once, or none.
const SYNCED: &str = "three names";
/// Nobody writes to this one.
const KEPT: &str = "/usr/kept";

#[test]
fn breaks_on_ext4() {
    cut_everywhere(&rig!(Kind::Ext4));
}

#[test]
fn breaks_on_xfs() {
    cut_everywhere(&rig!(Kind::Xfs));
}

#[test]
fn breaks_on_btrfs() {
    cut_everywhere(&rig!(Kind::Btrfs));
}

/// Two guests that share files on a recorded disk, and how they were.
struct BreakScene<'a> {
    rig: &'a Rig,
    lab: Lab,
    guests: [Guest; 2],
    before: [Listing; 2],
    /// The inode of each name as long as it is shared.
    shared: BTreeMap<&'static str, u64>,
}

/// What was recorded, and after how many flushes a guest began to write to its own copy, and had it synced.
struct Played {
    recording: Recording,
    written: usize,
    synced: usize,
}

fn names() -> impl Iterator<Item = &'static str> {
    let all = TWO_NAMES.into_iter().chain(THREE_NAMES);
    all.chain([WRITTEN, KEPT])
}

fn inode(file: &Path) -> u64 {
    std::fs::symlink_metadata(file).unwrap().ino()
}

fn furnish(guest: &Guest) {
    // In several pieces of the disk.
    let large = File::new(content("two").repeat(30)).owner(3, 4);
    guest.put(TWO_NAMES[0], &large.mtime(1_700_000_000, 5).mode(0o755));
    let with_xattr = File::new(content("three")).xattr("user.a", b"1");
    guest.put(THREE_NAMES[0], &with_xattr);
    guest.dir("/usr/other");
    guest.hard_link(TWO_NAMES[0], TWO_NAMES[1]);
    guest.hard_link(THREE_NAMES[0], THREE_NAMES[1]);
    guest.hard_link(THREE_NAMES[0], THREE_NAMES[2]);
    guest.put(WRITTEN, &File::new(content("one")));
    guest.put(KEPT, &File::new(content("kept")));
}

fn cut_everywhere(rig: &Rig) {
    armed!();
    let scene = BreakScene::new(rig);
    let played = scene.play();
    if rig.kind() == Kind::Ext4 {
        rig.renumber();
    }
    let (mut flushes, mut subsets, mut open, mut split, mut parted) = (0, 0, 0, 0, 0);
    for (number, cut) in cuts_of(&played.recording).enumerate() {
        let met = scene.survives(&played, &cut, number % 5 == 0);
        open += usize::from(met.open);
        split += usize::from(met.split);
        parted += usize::from(met.parted);
        flushes += usize::from(cut.at_flush);
        subsets += usize::from(!cut.at_flush);
    }
    crate::support::figure(&format!(
        "POWER breaks {}: cut at {flushes} of {} flushes, and {subsets} times between two; {open} of these disks had \
         something to heal, {split} some names of a file without the others; on {parted} a file was parted",
        rig.kind().name(),
        played.recording.intervals.len(),
    ));
    assert!(
        flushes + subsets >= 20 && open >= 3 && split >= 2 && parted >= 3,
        "too little to say anything"
    );
}

/// Some of all moments, and each of those in which another process has synced names that are on their way.
fn cuts_of(recording: &Recording) -> Box<dyn Iterator<Item = Cut> + '_> {
    if is_long() {
        return Box::new(cuts(recording, Amount::asked(), seed()));
    }
    let [all, some] = [usize::MAX, 8].map(|flushes| Amount {
        flushes,
        subsets: 1,
    });
    let is_synced = |cut: &Cut| cut.name.starts_with(SYNCED);
    let synced = cuts(recording, all, seed()).filter(is_synced);
    Box::new(synced.chain(cuts(recording, some, seed())))
}

/// What a disk was like whose power went.
struct Met {
    open: bool,
    split: bool,
    parted: bool,
}

impl BreakScene<'_> {
    fn new(rig: &Rig) -> BreakScene<'_> {
        rig.mount();
        let lab = Lab::at(&rig.top());
        let guests = ["web", "db"].map(|name| lab.guest(name));
        guests.iter().for_each(furnish);
        let before = guests.each_ref().map(listing);
        lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
        let shared = names().map(|name| (name, inode(&guests[0].host(name))));
        let shared: BTreeMap<_, _> = shared.collect();
        for name in names() {
            assert_eq!(inode(&guests[1].host(name)), shared[name]);
        }
        rig.unmount();
        BreakScene {
            rig,
            lab,
            guests,
            before,
            shared,
        }
    }

    /// Breaks in a row, one whose copy is written to and synced by its guest at once, and one that goes on with the run
    /// of the others.
    fn play(&self) -> Played {
        let [web, db] = &self.guests;
        self.rig.record();
        self.rig.mount();
        self.rig.step("start");
        let top = self.rig.top();
        let sync = |exchange| format!("exchange#{exchange}=run:sync -f {}", top.display());
        let syncs = [1, 2, 3].map(sync).join("\n");
        let env = [("UNIFY_FAULT", syncs.as_str())];
        let mut kernel = Kernel::start_at(self.rig.beside(), &self.lab, &env);
        self.rig.step(SYNCED);
        kernel.meets(&Asking::to(&web.host(THREE_NAMES[1])), "LookAgain");
        self.rig.step("one name after it");
        kernel.meets(&Asking::to(&web.host(WRITTEN)), "LookAgain");
        let written = self.rig.flushes();
        append(&web.host(WRITTEN), b"+");
        let file = std::fs::File::open(web.host(WRITTEN)).unwrap();
        file.sync_all().unwrap();
        drop(file);
        let synced = self.rig.flushes();
        self.rig.step("papers");
        kernel.settled(&self.lab);
        self.rig.step("two names in the same run");
        kernel.meets(&Asking::to(&db.host(TWO_NAMES[0])), "LookAgain");
        self.rig.step("two names after it");
        kernel.meets(&Asking::to(&web.host(TWO_NAMES[1])), "LookAgain");
        self.rig.step("papers of the same run");
        kernel.settled(&self.lab);
        assert_eq!(kernel.end(), Some(0));
        assert!(self.lab.quarantined().is_empty());
        self.rig.unmount();
        let recording = self.rig.recorded();
        Played {
            recording,
            written,
            synced,
        }
    }

    fn survives(&self, played: &Played, cut: &Cut, check: bool) -> Met {
        let evidence = Evidence { rig: self.rig, cut };
        self.rig.load(&cut.image);
        self.rig.mount();
        self.whole(played, cut, "before anything is healed");
        self.others_are_untouched();
        let web = &self.guests[0];
        let is_split = |names: &[&str]| {
            let ids = names.iter().map(|name| inode(&web.host(name)));
            ids.collect::<std::collections::BTreeSet<_>>().len() > 1
        };
        let met = Met {
            open: !self.lab.staged().is_empty(),
            split: is_split(&TWO_NAMES) || is_split(&THREE_NAMES),
            parted: names().any(|name| self.is_parted(web, name)),
        };
        self.lab.on_base("recover", &[]).expect(0);
        self.recovered(played, cut);
        if check {
            self.goes_on();
        }
        self.rig.unmount();
        if check {
            self.rig.check();
        }
        drop(evidence);
        met
    }

    fn is_parted(&self, guest: &Guest, name: &'static str) -> bool {
        inode(&guest.host(name)) != self.shared[name]
    }

    /// Content and metadata of every name are what they were, but for what the guest wrote itself.
    #[track_caller]
    fn whole(&self, played: &Played, cut: &Cut, when: &str) {
        let [web, db] = &self.guests;
        assert_same(&self.before[1], &listing(db), when);
        let differs = self.before[0].diff(&listing(web));
        let is_written = cut.flushes >= played.written;
        let of_writer = |line: &String| is_written && line.starts_with(&format!("{WRITTEN}: "));
        let others: Vec<_> = differs.iter().filter(|line| !of_writer(line)).collect();
        assert!(others.is_empty(), "{when}: {others:?}");
        let (is, was) = (web.read(WRITTEN), content("one"));
        let is_kept = is == [&was[..], b"+"].concat();
        assert!(is_kept || is == was, "{when}: {} bytes", is.len());
        assert!(
            is_kept || cut.flushes < played.synced,
            "{when}: what was synced is lost"
        );
    }

    /// Of every guest, all but the files that it wrote to.
    #[track_caller]
    fn others_are_untouched(&self) {
        let [web, db] = &self.guests;
        let of_db = THREE_NAMES.into_iter().chain([WRITTEN, KEPT]);
        for name in of_db {
            assert!(!self.is_parted(db, name), "{name} of db");
        }
        assert!(!self.is_parted(web, KEPT), "{KEPT} of web");
    }

    fn recovered(&self, played: &Played, cut: &Cut) {
        self.whole(played, cut, "after recover");
        self.others_are_untouched();
        assert_eq!(self.lab.staged(), NONE, "staging");
        let staging = std::fs::read_dir(self.lab.base().join("staging")).unwrap();
        assert_eq!(staging.count(), 0, "a run is left");
        assert_eq!(self.lab.quarantined(), NONE, "quarantine");
        for guest in &self.guests {
            for names in [&TWO_NAMES[..], &THREE_NAMES[..], &[WRITTEN], &[KEPT]] {
                self.together(guest, names);
            }
        }
        self.recorded();
    }

    /// All names of a file lead to one inode, which is the object, or has no other names.
    #[track_caller]
    fn together(&self, guest: &Guest, names: &[&'static str]) {
        let first = guest.host(names[0]);
        for name in names {
            assert_eq!(inode(&guest.host(name)), inode(&first), "{names:?}");
        }
        if self.is_parted(guest, names[0]) {
            assert_eq!(nlink(&first), names.len() as u64, "{names:?}");
        }
    }

    /// What the base says of itself is what the disk shows.
    #[track_caller]
    fn recorded(&self) {
        let status = self.lab.on_base("status", &["--json"]).expect(0).json();
        assert_eq!(status["unknown_names"], 0, "{status}");
        assert_eq!(status["damaged_lines"].as_array().unwrap().len(), 0);
        for (guest, said) in self.guests.iter().zip(["web", "db"]) {
            let all = |list: &serde_json::Value| list.as_array().unwrap().clone();
            let of = |list: &serde_json::Value, key: &str| {
                let mut all = all(list).into_iter();
                all.find(|one| one[key] == said)
            };
            let its = of(&status["guests"], "name").unwrap();
            assert!(all(&its["drifted"]).is_empty(), "{status}");
            let shared = names().filter(|name| !self.is_parted(guest, name));
            assert_eq!(its["shared_names"], shared.count(), "{status}");
            let Some(wrote) = of(&status["writers"]["guests"], "guest") else {
                continue;
            };
            for path in all(&wrote["paths"]) {
                let name = names().find(|name| path["path"] == *name).unwrap();
                assert!(self.is_parted(guest, name), "{name} of {said}: {status}");
            }
        }
        let again = self.lab.on_base("recover", &["--json"]).expect(0).json();
        assert_eq!(again["healed_runs"], 0, "{again}");
    }

    /// A daemon answers on what is left, all of it can be given back, and nothing is forgotten.
    fn goes_on(&self) {
        let mut kernel = Kernel::start_at(self.rig.beside(), &self.lab, &[]);
        for guest in &self.guests {
            kernel.write(&guest.host(KEPT), b"");
        }
        kernel.settled(&self.lab);
        assert_eq!(kernel.end(), Some(0));
        self.lab.on_base("status", &["--exit-code"]).expect(0);
        self.lab
            .on_base("undo", &["--run", "all", "--yes"])
            .expect_one_of(&[0, 4]);
        self.lab.on_base("gc", &[]).expect(0);
        assert_eq!(self.lab.objects(), NONE, "a name was forgotten");
        for guest in &self.guests {
            for name in names() {
                assert!(self.is_parted(guest, name), "{name} is shared still");
            }
        }
    }
}

fn listing(guest: &Guest) -> Listing {
    Listing::of(guest.root()).without_directory_times()
}
