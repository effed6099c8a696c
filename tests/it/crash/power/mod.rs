//! The power goes at any moment: no guest loses a byte, and `recover` heals what is left.
//!
//! A file system lies on a disk that records every write and every flush. The main job is done on it once. Then
//! disks are made as a power cut could have left them: everything up to a flush, and any part of what was written
//! after it. On each of them all guests must be whole before anything is healed, and healing, `undo` and `gc`
//! must go through.
//!
//! A run makes some thirty disks of each file system; `UNIFY_LONG=1` takes all flushes and twenty parts after
//! each, `UNIFY_SEED` other parts. A disk that fails is kept, and its path is told.

/// A rig, or a test skipped aloud.
macro_rules! rig {
    ($kind:expr) => {
        match $crate::crash::power::rig::Rig::new($kind) {
            Ok(rig) => rig,
            Err(why) => skip!("{why}"),
        }
    };
}

mod bites;
mod breaks;
mod cuts;
mod medium;
mod reflinks;
mod rig;
mod served;

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use cuts::{Amount, Cut, cuts};
use rig::{Kind, Rig};

use crate::support::{File, Guest, Lab, Listing, assert_same, content, id, is_immutable, nlink};

/// No files.
const NONE: [PathBuf; 0] = [];

#[test]
fn on_ext4() {
    cut_everywhere(&rig!(Kind::Ext4));
}

#[test]
fn on_xfs() {
    cut_everywhere(&rig!(Kind::Xfs));
}

#[test]
fn on_btrfs() {
    cut_everywhere(&rig!(Kind::Btrfs));
}

/// A machine may find its disks in another order, and btrfs has a new number with every mount.
#[test]
fn other_device_numbers_lose_nothing() {
    let rig = rig!(Kind::Ext4);
    let scene = Scene::new(&rig);
    let recording = scene.play();
    rig.renumber();
    for cut in cuts(&recording, Amount::asked(), seed()) {
        scene.survives(&cut, false);
    }
}

/// All the moments of the main job on one file system.
fn cut_everywhere(rig: &Rig) {
    let scene = Scene::new(rig);
    let recording = scene.play();
    let (start, mut flushes, mut subsets, mut open, mut checked) = (Instant::now(), 0, 0, 0, 0);
    for (n, cut) in cuts(&recording, Amount::asked(), seed()).enumerate() {
        let check = n % 5 == 0;
        open += usize::from(scene.survives(&cut, check));
        flushes += usize::from(cut.at_flush);
        subsets += usize::from(!cut.at_flush);
        checked += usize::from(check);
    }
    let line = format!(
        "POWER {}: {} flushes recorded; cut at {flushes} of them, and {subsets} times between two (seed {}); \
         {open} of these disks had something to heal; {checked} were checked for damage; {:.1} s\n",
        rig.kind().name(),
        recording.intervals.len(),
        seed(),
        start.elapsed().as_secs_f32(),
    );
    crate::support::figure(line.trim_end());
    assert!(
        flushes + subsets >= 20 && open >= 3,
        "too little to say anything"
    );
}

/// Which parts of what no flush came for are kept.
fn seed() -> u64 {
    std::env::var("UNIFY_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// Three guests on a recorded disk, and how they were.
struct Scene<'a> {
    rig: &'a Rig,
    lab: Lab,
    guests: [Guest; 3],
    before: Vec<Listing>,
}

impl Scene<'_> {
    /// Furnishes the guests, and makes all of it durable.
    fn new(rig: &Rig) -> Scene<'_> {
        rig.mount();
        let lab = Lab::at(&rig.top());
        let guests = ["a", "b", "c"].map(|name| lab.guest(name));
        guests.iter().for_each(furnish);
        let before = listings(&guests);
        rig.unmount();
        Scene {
            rig,
            lab,
            guests,
            before,
        }
    }

    /// The main job, recorded: objects are copied, then adopted, then joined; and all of it is undone.
    fn play(&self) -> medium::Recording {
        let [a, b, c] = &self.guests;
        self.rig.record();
        self.rig.mount();
        self.plan_and_apply(
            "copy",
            &[a, b],
            &["--objects", "copy", "--exclude", "/opt/**"],
        );
        self.plan_and_apply("adopt", &[a, b], &["--objects", "adopt"]);
        self.plan_and_apply("join", &[a, b, c], &["--objects", "adopt"]);
        for path in ["/usr/bin/tool", "/usr/lib/names", "/opt/tool"] {
            let ids = [a, b, c].map(|guest| id(&guest.host(path)));
            assert!(ids[0] == ids[1] && ids[1] == ids[2], "{path} is shared");
        }
        self.rig.step("undo");
        self.lab
            .on_base("undo", &["--run", "all", "--yes"])
            .expect(0);
        self.rig.step("gc");
        self.lab.on_base("gc", &[]).expect(0);
        self.unchanged("after everything");
        self.rig.unmount();
        self.rig.recorded()
    }

    fn plan_and_apply(&self, step: &str, guests: &[&Guest], options: &[&str]) {
        self.rig.step(&format!("plan {step}"));
        let plan = self.lab.plan(guests, options);
        self.rig.step(&format!("apply {step}"));
        plan.apply().expect(0);
        let links = plan.actions("link");
        let makes = links.iter().any(|link| link["makes"] == step);
        assert_eq!(makes, step != "join", "objects are made by: {step}");
        assert!(!links.is_empty());
    }

    /// Checks everything that must hold on a disk whose power went, and says whether something was in flight
    /// there.
    fn survives(&self, cut: &Cut, check: bool) -> bool {
        let evidence = Evidence { rig: self.rig, cut };
        self.rig.load(&cut.image);
        self.rig.mount();
        self.unchanged("before anything is healed");
        if check {
            self.rig.unmount();
            self.rig.check();
            self.rig.mount();
        }
        let open = !self.lab.staged().is_empty();
        if self.lab.base().exists() {
            self.heals();
        }
        self.rig.unmount();
        drop(evidence);
        open
    }

    fn recovered(&self) {
        self.unchanged("after recover");
        assert_eq!(self.lab.staged(), NONE, "staging is empty after recover");
        let objects = self.lab.objects();
        for object in objects.iter().filter(|object| nlink(object) > 1) {
            assert!(is_immutable(object), "shared and unprotected: {object:?}");
        }
    }

    /// Nothing is left for a person, and everything can be undone.
    fn heals(&self) {
        let lab = &self.lab;
        lab.on_base("recover", &[]).expect(0);
        self.recovered();
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        self.unchanged("after undo");
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects(), NONE, "a name was forgotten");
        self.unchanged("after gc");
    }

    #[track_caller]
    fn unchanged(&self, when: &str) {
        for (before, after) in self.before.iter().zip(listings(&self.guests)) {
            assert_same(before, &after, when);
        }
    }

    /// What guests lost or got.
    fn differences(&self) -> Vec<String> {
        let after = listings(&self.guests);
        let pairs = self.before.iter().zip(&after);
        pairs
            .flat_map(|(before, after)| before.diff(after))
            .collect()
    }
}

/// A run that was interrupted cannot put the times of directories back; everything else must hold.
fn listings(guests: &[Guest; 3]) -> Vec<Listing> {
    guests
        .iter()
        .map(|guest| Listing::of(guest.root()).without_directory_times())
        .collect()
}

fn furnish(guest: &Guest) {
    guest.put("/usr/bin/tool", &File::new(content("tool")).mode(0o755));
    guest.put("/usr/bin/own", &File::new(content("own")).owner(33, 34));
    guest.put("/usr/lib/names", &File::new(content("names")));
    guest.hard_link("/usr/lib/names", "/usr/lib/other/names");
    let file = File::new(content("xattr")).xattr("user.note", b"a\0b");
    guest.put("/usr/share/xattr", &file);
    guest.put("/usr/share/unique", &File::new(content(guest.name())));
    guest.put("/opt/tool", &File::new(content("other tool")).mode(0o755));
    guest.put("/opt/names", &File::new(content("other names")));
    guest.hard_link("/opt/names", "/opt/other/names");
    guest.put("/opt/large", &File::new(content("large").repeat(20)));
}

/// Keeps the disk that a test failed on.
struct Evidence<'a> {
    rig: &'a Rig,
    cut: &'a Cut,
}

impl Drop for Evidence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kind = self.rig.kind().name();
            let name = format!("power-{kind}-{}.img", self.cut.name.replace(' ', "-"));
            let path = self.rig.save(&self.cut.image, &name);
            let line = format!(
                "the power went at: {}; the disk is {path:?}\n",
                self.cut.name
            );
            std::io::stderr().write_all(line.as_bytes()).ok();
        }
    }
}
