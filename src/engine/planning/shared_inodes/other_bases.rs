//! Other bases near the guests, for people to look at: nothing is decided by it, and what a guest holds is not asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::engine::Guest;
use crate::model::FileKind;
use crate::sys::Dir;
use crate::sys::own::papers;

/// A directory with more entries is not searched.
const MOST_ENTRIES: usize = 10_000;

/// The usual name of a base, beside guests.
const USUAL: &str = ".unify";

/// Bases beside the guests, and in directories that lie beside them, without the plan's own.
pub fn near(guests: &[Guest], own: &Path) -> Vec<PathBuf> {
    let roots: BTreeSet<&Path> = guests.iter().map(|guest| guest.path.as_path()).collect();
    let parents: BTreeSet<&Path> = roots.iter().filter_map(|root| root.parent()).collect();
    let mut found = BTreeSet::new();
    for parent in parents {
        let Ok(dir) = Dir::open(parent) else { continue };
        let names = papers::entries(parent).unwrap_or_default();
        let beside = names.iter().filter(|_| names.len() <= MOST_ENTRIES);
        let beside = beside.map(|name| format!("{name}/{USUAL}"));
        let all = std::iter::once(USUAL.to_owned()).chain(beside);
        let bases = all.filter(|place| {
            let path = parent.join(place);
            let in_guest = path.parent().is_some_and(|top| roots.contains(top));
            path != own && !in_guest && is_base(&dir, place)
        });
        found.extend(bases.map(|place| parent.join(place)));
    }
    found.into_iter().collect()
}

/// As far as names say.
fn is_base(dir: &Dir, place: &str) -> bool {
    let mark = dir.look(format!("{place}/format").as_bytes());
    mark.is_ok_and(|state| state.kind == FileKind::Regular)
}
