//! Names that refer to objects, found by walking whole guests: the way back where no receipt tells of them, because it
//! is lost or damaged, or because the guests came here without it.
//!
//! Nothing of a guest is changed. What is found and not known is written into a receipt of its own, each name for
//! itself: whether two names of one object were names of one file cannot be seen, and a name that is its guest's own
//! again must not change with another one.

use std::collections::{BTreeMap, HashSet};

use super::History;
use crate::base::{Base, Index, RECEIPT};
use crate::engine::error::CannotHere;
use crate::engine::receipt_file::{ReceiptFile, receipt_head};
use crate::engine::{EngineError, Guest};
use crate::model::{
    About, Event, GuestName, GuestPath, ObjectId, Observer, Outcome, Protect, Receipt, ReceiptLine,
    RunKind, Scan, Stage, Unit, Unread,
};
use crate::scan::scan;
use crate::sys::View;

/// The names of a guest that refer to objects, by object.
#[derive(Debug, Default)]
pub struct Walked {
    pub names: BTreeMap<ObjectId, Vec<GuestPath>>,
    /// Names and directories that could not be read.
    pub unread: u64,
    /// The first of them.
    pub first_unread: Option<Unread>,
}

impl Walked {
    /// How many names.
    pub fn count(&self) -> u64 {
        self.names.values().map(|names| names.len() as u64).sum()
    }
}

/// Walks guests, and says of each what it holds.
pub fn walk(
    guests: &[Guest],
    index: &Index,
    observer: &dyn Observer,
) -> Result<Vec<Walked>, EngineError> {
    observer.notice(&Event::Begin(Stage::Scan, Unit::Names, None));
    let all = guests.iter().map(|guest| walk_one(guest, index, observer));
    let all = all.collect();
    observer.notice(&Event::End);
    all
}

/// The same of one guest.
pub fn walk_one(
    guest: &Guest,
    index: &Index,
    observer: &dyn Observer,
) -> Result<Walked, EngineError> {
    let found = scan(&View::of(&guest.root)?, observer)?;
    let found = found.map_err(|error| CannotHere::GuestTooLarge {
        name: guest.name.clone(),
        why: error.to_string(),
    })?;
    let mut walked = Walked {
        names: BTreeMap::new(),
        unread: (found.unread.len() + found.beyond().count()) as u64,
        first_unread: first_unread(&found),
    };
    let tree = &found.tree;
    for file in 0..tree.files() {
        if let Some(held) = index.of_inode(tree.state(file).id) {
            let names = tree.names_of(file).map(|name| tree.guest_path(name));
            walked.names.entry(held.id).or_default().extend(names);
        }
    }
    Ok(walked)
}

fn first_unread(found: &Scan) -> Option<Unread> {
    let foreign = || {
        let path = found.beyond().next()?.clone();
        let why = "it is on another file system, or a subvolume".to_owned();
        Some(Unread { path, why })
    };
    found.unread.first().cloned().or_else(foreign)
}

/// Writes down what was found and not known, and where these guests are now; says of each guest how many names are new.
/// The caller holds the lock.
pub fn remember(
    base: &Base,
    history: &History,
    guests: &[Guest],
    walked: &[Walked],
    observer: &dyn Observer,
) -> Result<Vec<u64>, EngineError> {
    let known = known_names(history, guests)?;
    let run = base.begin_run()?;
    let known_here = guests.iter().map(Guest::for_receipt).collect();
    let head = Receipt {
        protect: Some(protect_of(history)?),
        ..receipt_head(&run.id, RunKind::Apply, known_here)
    };
    let mut receipt = ReceiptFile::create(&run.papers.join(RECEIPT), &head, observer)?;
    let mut learned = Vec::new();
    for (guest, walked) in guests.iter().zip(walked) {
        let mut new = 0;
        for (object, path) in names(walked) {
            if !known.contains(&(&guest.name, *object, path.clone())) {
                receipt.add(&line(guest, *object, path))?;
                new += 1;
            }
        }
        learned.push(new);
    }
    receipt.finish()?;
    base.end_run(&run)?;
    Ok(learned)
}

/// Says what is not known of names that were found on the disk.
pub fn tell(learned: u64, observer: &dyn Observer) {
    if learned > 0 {
        observer.notice(&Event::Warning(&format!(
            "{learned} names were found on the disk and stand in no receipt: each is taken for a file of its own, with the time of the shared file"
        )));
    }
}

fn names(walked: &Walked) -> impl Iterator<Item = (&ObjectId, &GuestPath)> {
    let all = walked.names.iter();
    all.flat_map(|(object, names)| names.iter().map(move |name| (object, name)))
}

fn line(guest: &Guest, object: ObjectId, path: &GuestPath) -> ReceiptLine {
    ReceiptLine {
        about: About::Names {
            guest: guest.name.clone(),
            paths: vec![path.clone()],
            object,
        },
        outcome: Outcome::AlreadyDone,
    }
}

fn known_names<'h>(
    history: &'h History,
    guests: &[Guest],
) -> Result<HashSet<(&'h GuestName, ObjectId, GuestPath)>, EngineError> {
    let mut known = HashSet::new();
    for file in history.files() {
        let (name, file) = file?;
        if guests.iter().any(|guest| guest.name == *name) {
            let names = file.paths.into_iter();
            known.extend(names.map(|path| (name, file.object, path)));
        }
    }
    Ok(known)
}

/// Objects that nobody knows shall be as all others are: protected, unless every run said otherwise.
fn protect_of(history: &History) -> Result<Protect, EngineError> {
    let known = history.protection()?;
    let without = !known.is_empty() && known.values().all(|protected| !protected);
    Ok(if without {
        Protect::None
    } else {
        Protect::Immutable
    })
}
