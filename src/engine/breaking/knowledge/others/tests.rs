use std::io::Write;

use super::*;
use crate::base::Run;
use crate::engine::exchange::journal::JournalFile;
use crate::engine::receipt_file::{ReceiptFile, receipt_head};
use crate::engine::records::History;
use crate::ledger::journal::Intent;
use crate::model::{
    About, Digest, GuestPath, MetadataDigest, Outcome, Quiet, ReceiptGuest, ReceiptLine, RunKind,
};
use crate::sys::own::papers;

fn object(content: u8) -> ObjectId {
    ObjectId {
        content: Digest([content; 32]),
        metadata: MetadataDigest([0; 16]),
        generation: 0,
    }
}

fn web() -> GuestName {
    GuestName::new("web").expect("a name")
}

fn inode(ino: u64) -> FileId {
    FileId { dev: 1, ino }
}

fn path(text: &str) -> GuestPath {
    GuestPath::new(text.as_bytes()).expect("a path")
}

/// A run of another process, which says what it does.
struct AtWork {
    run: Run,
    journal: JournalFile,
    receipt: ReceiptFile<'static>,
}

impl AtWork {
    fn begin(base: &Base, root: &str) -> AtWork {
        AtWork::of(base.begin_run().expect("a run"), root)
    }

    fn of(run: Run, root: &str) -> AtWork {
        let guest = ReceiptGuest {
            name: web(),
            root: root.into(),
        };
        let head = receipt_head(&run.id, RunKind::Apply, vec![guest]);
        let receipt = run.papers.join(RECEIPT);
        AtWork {
            journal: JournalFile::begin(&run, RunKind::Apply).expect("room"),
            receipt: ReceiptFile::create(&receipt, &head, &Quiet).expect("room"),
            run,
        }
    }

    fn announces(&mut self, content: u8, becomes: u64) {
        let intent = Intent {
            seq: self.journal.number(),
            guest: web(),
            path: path("/f"),
            parent: inode(2),
            was: inode(3),
            becomes: inode(becomes),
            object: object(content),
        };
        let records = [Record::Intent(intent)];
        self.journal.write_durably(&records).expect("room");
    }

    fn says(&mut self, content: u8) {
        let line = ReceiptLine {
            about: About::Names {
                guest: web(),
                paths: vec![path("/f")],
                object: object(content),
            },
            outcome: Outcome::AlreadyDone,
        };
        self.receipt.add(&line).expect("room");
        self.receipt.sync().expect("room");
    }

    fn ends(self, base: &Base) {
        self.receipt.finish().expect("room");
        base.end_run(&self.run).expect("nothing is in flight");
    }
}

struct Scene {
    _place: tempfile::TempDir,
    base: Base,
    names: ObjectNames,
}

impl Scene {
    /// A base that knows where `web` is.
    fn new() -> Scene {
        let place = tempfile::tempdir().expect("a directory");
        let base = Base::ensure(&place.path().join("base")).expect("a base");
        let mut first = AtWork::begin(&base, "/web");
        first.says(1);
        first.ends(&base);
        let history = History::read(&base).expect("it can be read");
        let names = ObjectNames::read(&base, &history, &|| Ok(())).expect("it can be read");
        assert!(names.number_of(&web()).is_some());
        Scene {
            _place: place,
            base,
            names,
        }
    }

    fn look(&self, own: &[RunId]) -> OtherRuns {
        OtherRuns::look(&self.base, own).expect("it can be read")
    }

    fn follow(&self, others: &mut OtherRuns, own: &[RunId]) {
        let followed = others.follow(&self.base, own, &self.names);
        followed.expect("it can be read");
    }
}

/// Which of these objects it has said nothing of.
fn known(others: &OtherRuns) -> Vec<u8> {
    let all = 1..=4;
    let is_known = |content: &u8| others.told_of(&object(*content)) == ToldSince::Nothing;
    all.filter(is_known).collect()
}

#[test]
fn only_what_a_run_has_named_since_is_not_known() {
    let scene = Scene::new();
    let mut at_work = AtWork::begin(&scene.base, "/web");
    at_work.announces(1, 11);
    at_work.says(1);
    let mut others = scene.look(&[]);
    for _ in 0..2 {
        scene.follow(&mut others, &[]);
        assert_eq!(known(&others), [1, 2, 3, 4]);
        assert!(!others.may_have_added(inode(11)));
    }
    // It may have been moved already, though no receipt says so.
    at_work.announces(2, 12);
    scene.follow(&mut others, &[]);
    assert_eq!(known(&others), [1, 3, 4]);
    assert!(others.may_have_added(inode(12)) && !others.may_have_added(inode(13)));
    at_work.says(3);
    scene.follow(&mut others, &[]);
    assert_eq!(known(&others), [1, 4]);
    at_work.ends(&scene.base);
    // One that began since.
    let mut next = AtWork::begin(&scene.base, "/web");
    let own = [next.run.id.clone()];
    next.says(4);
    scene.follow(&mut others, &own);
    assert_eq!(known(&others), [1, 4], "it is our own");
    scene.follow(&mut others, &[]);
    assert_eq!(known(&others), [1]);
    assert_eq!(known(&scene.look(&[])), [1, 2, 3, 4]);
}

#[test]
fn what_cannot_be_told_apart_is_all() {
    // A guest is elsewhere.
    let scene = Scene::new();
    let mut others = scene.look(&[]);
    let moved = AtWork::begin(&scene.base, "/elsewhere");
    scene.follow(&mut others, &[]);
    assert!(known(&others).is_empty() && others.may_have_added(inode(1)));
    // It was healed meanwhile, and that has a receipt of its own.
    let mut others = scene.look(&[]);
    scene.follow(&mut others, &[]);
    assert_eq!(known(&others), [1, 2, 3, 4]);
    let papers = moved.run.papers.clone();
    papers::write_whole(&papers.join(RECOVERED), b"healed\n").expect("room");
    scene.follow(&mut others, &[]);
    assert!(known(&others).is_empty());
    // A line of it is not what was written.
    let mut others = scene.look(&[]);
    let mut journal = papers::Growing::open(&papers.join(JOURNAL)).expect("it is there");
    journal.write_all(b"{}\n").expect("room");
    scene.follow(&mut others, &[]);
    assert!(known(&others).is_empty());
}

/// What is in flight by another process may come into the base behind the reading.
#[test]
fn what_was_in_flight_may_be_on_the_disk_since() {
    let scene = Scene::new();
    let other = Base::existing(scene.base.path()).expect("a base");
    let turn = other.turn().expect("nobody has it");
    let others = scene.look(&[]);
    assert!(others.may_have_added(inode(1)));
    assert_eq!(known(&others), [1, 2, 3, 4]);
    drop(turn);
    let _own = scene.base.turn().expect("nobody has it");
    assert!(!scene.look(&[]).may_have_added(inode(1)));
}

/// One that was called off gives its name to the next.
#[test]
fn a_run_of_the_same_name_is_another_one() {
    let scene = Scene::new();
    let mut others = scene.look(&[]);
    let first = AtWork::begin(&scene.base, "/web");
    scene.follow(&mut others, &[]);
    scene.base.forget_run(&first.run).expect("it is its own");
    scene.follow(&mut others, &[]);
    let mut next = AtWork::begin(&scene.base, "/web");
    next.says(2);
    scene.follow(&mut others, &[]);
    assert_eq!(known(&others), [1, 3, 4]);
}

/// Its papers have a place before it has one for what is in flight.
#[test]
fn a_run_that_begins_at_that_moment_is_followed() {
    let scene = Scene::new();
    let run = scene.base.begin_run().expect("a run");
    let in_flight = scene.base.path().join("staging").join(run.id.to_string());
    std::fs::remove_dir(&in_flight).expect("it is empty");
    let mut others = scene.look(&[]);
    std::fs::create_dir(&in_flight).expect("room");
    let mut at_work = AtWork::of(run, "/web");
    at_work.announces(2, 12);
    scene.follow(&mut others, &[]);
    assert_eq!(known(&others), [1, 3, 4]);
}
