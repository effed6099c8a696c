//! Other bases near the guests, for people to look at: nothing is decided by it, and what a guest holds is not asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::Guest;
use crate::model::FileKind;
use crate::sys::Dir;

/// The usual name of a base, beside guests.
const USUAL: &str = ".unify";

/// Bases beside the guests, without the plan's own. What lies in a directory beside them may be a guest's word.
pub fn near(guests: &[Guest], own: Option<&Path>) -> Vec<PathBuf> {
    let parents = guests.iter().filter_map(|guest| guest.path.parent());
    let parents: BTreeSet<&Path> = parents.collect();
    let bases = parents.into_iter().filter_map(|parent| {
        let dir = Dir::open(parent).ok()?;
        let path = parent.join(USUAL);
        (Some(&*path) != own && is_base(&dir, USUAL)).then_some(path)
    });
    bases.collect()
}

/// As far as names say.
fn is_base(dir: &Dir, place: &str) -> bool {
    let mark = dir.look(format!("{place}/format").as_bytes());
    mark.is_ok_and(|state| state.kind == FileKind::Regular)
}
