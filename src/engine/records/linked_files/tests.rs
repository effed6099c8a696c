//! A name belongs to the file that got it last: the records are compared with a plain list of files.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::model::MetadataDigest;
use crate::sys::hash::sha256;

fn path(name: usize) -> GuestPath {
    GuestPath::new(format!("/usr/{name}").as_bytes()).unwrap()
}

fn linked(run: u32, names: &[usize]) -> Linked {
    Linked {
        paths: names.iter().map(|name| path(*name)).collect(),
        object: ObjectId {
            content: sha256(b"content"),
            metadata: MetadataDigest([7; 16]),
            generation: run,
        },
        run: RunId::new("20260101T000000Z", run).unwrap(),
        mtime: run.is_multiple_of(2).then_some(Time { sec: -5, nsec: 9 }),
        protected: run.is_multiple_of(3),
    }
}

/// Guest, run and names of each file.
type Files = Vec<(u32, u32, Vec<GuestPath>)>;

#[derive(Default)]
struct Model(Files);

impl Model {
    fn link(&mut self, guest: u32, run: u32, names: &[usize]) {
        let mut own: Vec<GuestPath> = Vec::new();
        for name in names.iter().map(|name| path(*name)) {
            if !own.contains(&name) {
                own.push(name);
            }
        }
        for (_, _, paths) in self.0.iter_mut().filter(|file| file.0 == guest) {
            paths.retain(|path| !own.contains(path));
        }
        self.0.push((guest, run, own));
        self.0.retain(|(_, _, paths)| !paths.is_empty());
    }

    fn forget(&mut self, guest: u32, names: &[usize]) {
        let at = names.iter().find_map(|name| {
            let has = |file: &(u32, u32, Vec<_>)| file.0 == guest && file.2.contains(&path(*name));
            self.0.iter().position(has)
        });
        at.map(|at| self.0.remove(at));
    }

    fn run_of(&self, guest: u32, name: usize) -> Option<u32> {
        let first =
            |file: &&(u32, u32, Vec<_>)| file.0 == guest && file.2.first() == Some(&path(name));
        self.0.iter().find(first).map(|file| file.1)
    }
}

fn all(files: &Remembered) -> Files {
    let read = files.all().map(|file| {
        let (guest, file) = file.unwrap();
        let run = file.object.generation;
        let whole = linked(run, &[]);
        assert_eq!((&file.run, file.object), (&whole.run, whole.object));
        assert_eq!((file.mtime, file.protected), (whole.mtime, whole.protected));
        (guest, run, file.paths)
    });
    let mut all: Vec<_> = read.collect();
    all.sort();
    all
}

#[test]
fn a_name_is_the_file_s_that_had_it_last() {
    let dir = tempfile::tempdir().unwrap();
    let mut chance = 5_u64;
    let mut below = move |end: u64| {
        chance = chance
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((chance >> 33) % end) as usize
    };
    for compacted in [false, true] {
        let (mut files, mut model) = (Remembered::new(dir.path()), Model::default());
        for run in 1..1_500 {
            let guest = below(2) as u32;
            let names: Vec<usize> = (0..below(7)).map(|_| below(25)).collect();
            if compacted {
                files.most = 0;
            }
            if below(4) == 0 {
                let paths: Vec<GuestPath> = names.iter().map(|name| path(*name)).collect();
                files.forget(guest, &paths).unwrap();
                model.forget(guest, &names);
            } else {
                files.link(guest, &linked(run, &names)).unwrap();
                model.link(guest, run, &names);
            }
            let mut due = model.0.clone();
            due.sort();
            assert_eq!(all(&files), due, "after {run}");
            for guest in 0..3 {
                let of_guest = model.0.iter().filter(|file| file.0 == guest);
                assert_eq!(files.count(guest), of_guest.count() as u64);
                for name in 0..25 {
                    let found = files.run_of(guest, &path(name)).unwrap();
                    let due = model.run_of(guest, name).map(|run| linked(run, &[]).run);
                    assert_eq!(found, due.as_ref(), "after {run}");
                }
            }
        }
    }
}

/// A guest gives a file very many names, and then each to a file of its own.
#[test]
fn names_that_leave_a_file_one_by_one_cost_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Remembered::new(dir.path());
    files
        .link(0, &linked(1, &(0..5_000).collect::<Vec<_>>()))
        .unwrap();
    let before = files.table.length();
    for name in 0..5_000 {
        files.link(0, &linked(2, &[name])).unwrap();
    }
    assert_eq!(files.count(0), 5_000);
    let length = files.table.length();
    assert!(length < 5 * before, "{length} bytes, and {before} at first");
}

/// What counts no more goes, however often names change hands.
#[test]
fn what_counts_no_more_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Remembered::new(dir.path());
    let names: Vec<usize> = (0..40).collect();
    files.most = 100_000;
    for run in 1..2_000 {
        files.link(0, &linked(run, &names)).unwrap();
        // As it would be with a smaller reserve.
        files.most = files.most.min(100_000);
    }
    assert!(files.table.length() <= 110_000, "{}", files.table.length());
    assert_eq!(all(&files).len(), 1);
}

/// Each file keeps one name of its own, and the others go on to the next.
#[test]
fn names_that_went_on_are_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Remembered::new(dir.path());
    for run in 1..200 {
        let mut names: Vec<usize> = (0..100).collect();
        names.push(1_000 + run as usize);
        files.link(0, &linked(run, &names)).unwrap();
    }
    assert_eq!(files.count(0), 199);
    let live = files.table.compacted().unwrap().length();
    assert!(live < 100_000, "{live} bytes for 299 names");
}
