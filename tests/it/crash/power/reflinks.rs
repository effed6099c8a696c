//! The same of runs that share blocks, and of those that give each file its own: on every disk that a power cut leaves,
//! all guests are whole, `recover` knows what is shared, and `undo` gives back all of it.

use super::cuts::{Amount, Cut, cuts};
use super::rig::{Kind, Rig};
use super::{Evidence, seed};
use crate::support::{File, Guest, Lab, Listing, assert_same, content, shares_blocks};

const FILES: usize = 6;

#[test]
fn reflinks_on_xfs() {
    cut_everywhere(&rig!(Kind::Xfs));
}

#[test]
fn reflinks_on_btrfs() {
    cut_everywhere(&rig!(Kind::Btrfs));
}

fn amount() -> Amount {
    match crate::support::is_long() {
        true => Amount::asked(),
        false => Amount {
            flushes: 8,
            subsets: 1,
        },
    }
}

/// Two guests on a recorded disk, and how they were.
struct BlocksScene<'a> {
    rig: &'a Rig,
    lab: Lab,
    guests: [Guest; 2],
    before: [Listing; 2],
}

fn cut_everywhere(rig: &Rig) {
    rig.mount();
    let lab = Lab::at(&rig.top());
    let guests = ["a", "b"].map(|name| lab.guest(name));
    for (at, guest) in guests.iter().enumerate() {
        for file in 0..FILES {
            // More than lies beside the metadata; some large enough to be in several pieces of a journal.
            let text = content(format!("{file}")).repeat(3 + 20 * (file % 2));
            let owned = File::new(text).owner(at as u32, 0);
            guest.put(
                format!("/usr/share/{file}"),
                &owned.xattr("user.kept", b"yes"),
            );
        }
    }
    let before = guests.each_ref().map(|guest| Listing::of(guest.root()));
    rig.unmount();
    let scene = BlocksScene {
        rig,
        lab,
        guests,
        before,
    };
    let recording = scene.play();
    let (mut flushes, mut subsets, mut shared) = (0, 0, 0);
    for cut in cuts(&recording, amount(), seed()) {
        shared += usize::from(scene.survives(&cut));
        flushes += usize::from(cut.at_flush);
        subsets += usize::from(!cut.at_flush);
    }
    let all = recording.intervals.len();
    crate::support::figure(&format!(
        "POWER reflinks {}: cut at {flushes} of {all} flushes, and {subsets} times between two; {shared} of these disks had shared blocks",
        rig.kind().name(),
    ));
    assert!(
        flushes + subsets >= 12 && shared >= 2,
        "too little to say anything: {shared}"
    );
}

impl BlocksScene<'_> {
    fn play(&self) -> super::medium::Recording {
        self.rig.record();
        self.rig.mount();
        self.rig.step("plan");
        let plan = self
            .lab
            .plan(&self.guests.each_ref(), &["--method", "reflink"]);
        assert_eq!(plan.actions("link").len(), FILES);
        self.rig.step("apply in two");
        let path = plan.path.to_str().unwrap();
        crate::support::unify(&["apply", "--yes", "--max-actions", "3", path]).expect(4);
        plan.apply().expect(0);
        assert_eq!(self.shared(), FILES);
        self.rig.step("undo");
        self.undo();
        self.unchanged("after everything");
        self.rig.unmount();
        self.rig.recorded()
    }

    fn undo(&self) {
        self.lab
            .on_base("undo", &["--run", "all", "--yes"])
            .expect(0);
    }

    /// Were blocks shared on a disk whose power went?
    fn survives(&self, cut: &Cut) -> bool {
        let evidence = Evidence { rig: self.rig, cut };
        self.rig.load(&cut.image);
        self.rig.mount();
        self.unchanged("before anything is healed");
        let mut shared = self.shared();
        if self.lab.base().join("format").exists() {
            self.lab.on_base("recover", &[]).expect(0);
            self.unchanged("after recover");
            shared = self.shared();
            assert!(
                self.known() >= shared,
                "{} are known of {shared}",
                self.known()
            );
            self.undo();
            self.unchanged("after undo");
            assert_eq!(
                (self.settled(), self.known()),
                (0, 0),
                "what was shared is given back"
            );
        } else {
            assert_eq!(shared, 0, "nothing is shared that no base knows of");
        }
        self.rig.unmount();
        drop(evidence);
        shared > 0
    }

    fn shared(&self) -> usize {
        let shares =
            |file: &usize| shares_blocks(&self.guests[1].host(format!("/usr/share/{file}")));
        (0..FILES).filter(shares).count()
    }

    /// The same when what is freed in the background is freed.
    fn settled(&self) -> usize {
        let mut left = self.shared();
        for _ in 0..200 {
            if left == 0 {
                break;
            }
            rustix::fs::sync();
            std::thread::sleep(std::time::Duration::from_millis(50));
            left = self.shared();
        }
        left
    }

    fn known(&self) -> usize {
        let status = self.lab.on_base("status", &["--json"]).expect(0).json();
        let guests = status["guests"].as_array().unwrap().iter();
        guests
            .map(|guest| guest["reflinked_files"].as_u64().unwrap() as usize)
            .sum()
    }

    #[track_caller]
    fn unchanged(&self, when: &str) {
        for (before, guest) in self.before.iter().zip(&self.guests) {
            assert_same(before, &Listing::of(guest.root()), when);
        }
    }
}
