//! Each guest as it was given: a directory, a root as far as one can see, and none of the others.

use std::path::{Path, PathBuf};

use super::likely::{AtTheDoor, judge};
use crate::engine::error::BadUse;
use crate::engine::{EngineError, GuestArg};
use crate::model::FileId;
use crate::rules::root::{HEAD, no_directory};
use crate::sys::own::papers;
use crate::sys::{Dir, DiskPlace, HostMounts, Meaning, canonical};

/// How many better roots a message names.
const MOST_NAMED: usize = 10;

/// Refuses what cannot be meant as a guest, or not beside the others. `insists`: they are roots, whatever they look
/// like.
pub fn meet(args: &[GuestArg], insists: bool) -> Result<(), EngineError> {
    let mut met = Vec::with_capacity(args.len());
    for arg in args {
        met.push(meet_one(&arg.path, insists)?);
    }
    each_for_itself(&met)
}

/// A guest that may be one.
struct MetRoot<'a> {
    given: &'a Path,
    path: PathBuf,
    id: FileId,
}

fn meet_one(given: &Path, insists: bool) -> Result<MetRoot<'_>, EngineError> {
    let path = canonical(given)?;
    let dir = match Dir::open(&path) {
        Err(error) if error.meaning() == Meaning::PathChanged => {
            let head = papers::first_bytes(&path, HEAD).ok();
            let found = no_directory(head.as_deref());
            let (what, remedy) = (found.what, found.remedy);
            let given = given.to_owned();
            return Err(BadUse::NotADirectory {
                given,
                what,
                remedy,
            }
            .into());
        }
        other => other?,
    };
    if !insists {
        looks_like_one(given, &dir)?;
    }
    let id = dir.state()?.id;
    Ok(MetRoot { given, path, id })
}

fn looks_like_one(given: &Path, dir: &Dir) -> Result<(), BadUse> {
    let owned = given.to_owned();
    match judge(dir) {
        AtTheDoor::Root | AtTheDoor::Unlikely => Ok(()),
        AtTheDoor::Packed(layout) => Err(BadUse::PackedImage {
            given: owned,
            layout,
        }),
        AtTheDoor::Above { lacks, roots } => Err(BadUse::NotARoot {
            given: owned,
            lacks,
            more: roots.len() > MOST_NAMED,
            likely: roots
                .into_iter()
                .take(MOST_NAMED)
                .map(|root| given.join(root))
                .collect(),
        }),
    }
}

/// No guest may be another, or lie within it, by whichever mounts and links it is given.
fn each_for_itself(met: &[MetRoot<'_>]) -> Result<(), EngineError> {
    let mounts = HostMounts::read().ok();
    let place = |root: &MetRoot<'_>| mounts.as_ref()?.place(&root.path);
    let places: Vec<Option<DiskPlace>> = met.iter().map(place).collect();
    for (at, one) in met.iter().enumerate() {
        for (behind, other) in met.iter().enumerate().skip(at + 1) {
            let given = || (one.given.to_owned(), other.given.to_owned());
            if one.path == other.path {
                return Err(BadUse::GivenTwice(one.path.clone()).into());
            }
            if one.id == other.id {
                let (one, other) = given();
                return Err(BadUse::SameDirectory(one, other).into());
            }
            let overlap = |place: &DiskPlace| {
                let other = places[behind].as_ref();
                other.is_some_and(|other| place.overlaps(other))
            };
            if places[at].as_ref().is_some_and(overlap) {
                let (one, other) = given();
                return Err(BadUse::Nested(one, other).into());
            }
        }
    }
    Ok(())
}
