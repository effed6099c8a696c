//! Which base is meant where none is named, or where its parent is.

use std::path::{Path, PathBuf};

use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::error::BadUse;
use crate::rules::root::{self, RootLooks};
use crate::sys::{Dir, SysResult, canonical};

/// What a base is called where no other name is given.
const USUAL: &str = ".unify";

/// So many names of a directory are looked at.
const MOST_NAMES: usize = 1 << 16;

/// The base that is meant by `asked`: this directory, or the base in it that has the usual name.
pub fn base_at(asked: &Path) -> PathBuf {
    let within = asked.join(USUAL);
    match !Base::is_at(asked) && Base::is_at(&within) {
        true => within,
        false => asked.to_owned(),
    }
}

/// Is there anything at this place?
pub fn is_there(base: &Path) -> bool {
    canonical(base).is_ok()
}

/// The one base at or above these places, or the current directory where there are none.
pub fn base_near(places: &[PathBuf]) -> Result<PathBuf, EngineError> {
    let near = real(places)?;
    match one(near.iter().flat_map(|place| above(place)).collect())? {
        Some(base) => Ok(base),
        None => Err(BadUse::NoBase { near }.into()),
    }
}

/// The same; `None` where there is none.
pub fn any_base_near(places: &[PathBuf]) -> Result<Option<PathBuf>, EngineError> {
    let near = real(places)?;
    one(near.iter().flat_map(|place| above(place)).collect())
}

/// Where guests are kept on a host.
const PLACES: [&str; 3] = ["/srv", "/var/lib/lxc", "/var/lib/machines"];

/// All bases of the usual name there. The directories there may be guests, and one of those could put a base of its own
/// making into its root: whoever has a base there names it.
pub fn bases_of_host() -> Result<Vec<PathBuf>, EngineError> {
    let places = PLACES.map(PathBuf::from);
    let bases = bases_in(&places);
    match bases.is_empty() {
        true => Err(BadUse::NoBase {
            near: places.to_vec(),
        }
        .into()),
        false => Ok(bases),
    }
}

/// What lies in something that looks like the root of a system does not count.
fn bases_in(places: &[PathBuf]) -> Vec<PathBuf> {
    let all = places.iter().map(|place| place.join(USUAL));
    let no_guests = |base: &PathBuf| base.parent().is_some_and(|at| root_around(at).is_none());
    let mut bases: Vec<PathBuf> = all
        .filter_map(|base| canonical(&base).ok())
        .filter(|base| Base::is_at(base) && no_guests(base))
        .collect();
    bases.sort();
    bases.dedup();
    bases
}

fn real(places: &[PathBuf]) -> SysResult<Vec<PathBuf>> {
    match places {
        [] => Ok(vec![canonical(Path::new("."))?]),
        _ => places.iter().map(|place| canonical(place)).collect(),
    }
}

fn one(mut found: Vec<PathBuf>) -> Result<Option<PathBuf>, EngineError> {
    found.sort();
    found.dedup();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(BadUse::ManyBases(found).into()),
    }
}

/// Bases at a place and in the directories above it. What lies within something that looks like the root of a system
/// does not count: a guest could have put it there.
fn above(place: &Path) -> Vec<PathBuf> {
    let root = root_around(place);
    let outside = place.ancestors().skip_while(|directory| {
        root.as_ref()
            .is_some_and(|root| directory.starts_with(root))
    });
    let places = outside.flat_map(|directory| [directory.to_owned(), directory.join(USUAL)]);
    places.filter(|path| Base::is_at(path)).collect()
}

/// The directory that looks like the root of a system and in which this place lies, or that it is. Of several it is the
/// one that holds the others. The host's own is none.
pub fn root_around(place: &Path) -> Option<PathBuf> {
    let within = place.ancestors().filter(|above| above.parent().is_some());
    let roots = within.filter(|above| looks_like_a_root(above));
    roots.last().map(Path::to_owned)
}

/// What cannot be read is taken for none.
fn looks_like_a_root(directory: &Path) -> bool {
    let entries = Dir::open(directory).and_then(|dir| dir.some_entries(MOST_NAMES));
    entries.is_ok_and(|entries| root::looks(&entries) == RootLooks::Fully)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(at: &Path) -> PathBuf {
        std::fs::create_dir_all(at).unwrap();
        std::fs::write(at.join("format"), "unify base 1\n").unwrap();
        canonical(at).unwrap()
    }

    #[test]
    fn a_base_is_found_from_within_and_never_in_a_guest() {
        let top = tempfile::tempdir().unwrap();
        let top = canonical(top.path()).unwrap();
        let near = |place: &Path| any_base_near(&[place.to_owned()]);
        assert_eq!(near(&top).unwrap(), None);
        let there = base(&top.join(".unify"));
        for place in [&top, &there] {
            assert_eq!(near(place).unwrap(), Some(there.clone()), "{place:?}");
        }
        assert_eq!(
            (base_at(&top), base_at(&there)),
            (there.clone(), there.clone())
        );
        assert_eq!(base_at(&top.join("none")), top.join("none"));
        for name in ["etc", "usr"] {
            std::fs::create_dir_all(top.join("web/in").join(name)).unwrap();
        }
        base(&top.join("web/in/.unify"));
        base(&top.join("web/in/usr/.unify"));
        let usr = top.join("web/in/usr");
        assert_eq!(
            near(&usr).unwrap(),
            Some(there),
            "the guest's own are no bases"
        );
        base(&top.join("web/.unify"));
        let places = [top.clone(), top.join("web"), top.join("web/in")];
        let of_host = [top.join(".unify"), top.join("web/.unify")];
        assert_eq!(bases_in(&places), of_host);
        assert!(near(&usr).is_err(), "two bases");
    }
}
