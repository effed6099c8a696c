//! Which shared names of a guest a command will touch, by the packages that it is about.
//!
//! Beside the files of the packages these are names that no package owns, in directories where these have files: what
//! their scripts make there, such as compiled modules, is theirs to remove.

use std::collections::{BTreeSet, HashSet};

use crate::engine::error::BadUse;
use crate::engine::records::Linked;
use crate::engine::{EngineError, Guest};
use crate::model::{DatabaseState, GuestPath, nearest_of};
use crate::packages::{Owners, Package, ask_owners, upgradable};

/// What stands for all packages of which the guest's lists know a later version.
pub const UPGRADABLE: &str = "upgradable";

/// Names of these shared files that packages which were asked for own, or may have made.
pub(super) fn of_packages(
    guest: &Guest,
    files: &[Linked],
    asked: &[String],
) -> Result<HashSet<GuestPath>, EngineError> {
    let read = guest.files()?;
    let (databases, owners) = ask_owners(&*read, &|_| false);
    let damaged = databases
        .iter()
        .find(|one| one.state == DatabaseState::Damaged);
    if let Some(damaged) = damaged {
        let why = damaged.problem.as_deref().unwrap_or("it cannot be read");
        let manager = &damaged.manager;
        return Err(unknown(
            guest,
            format!("its {manager} database is damaged: {why}"),
        ));
    }
    let mut wanted = BTreeSet::new();
    for word in asked {
        if word == UPGRADABLE {
            if !databases.iter().any(|one| one.manager == "dpkg") {
                return Err(unknown(guest, "it has no dpkg: name packages".to_owned()));
            }
            let later = upgradable(&*read, owners.packages());
            wanted.extend(later.map_err(|why| unknown(guest, why))?);
        } else {
            wanted.insert(named(guest, &owners, word)?);
        }
    }
    Ok(touched(files, &owners, &wanted))
}

/// The package that a word means; `NAME:ARCHITECTURE` is NAME.
fn named(guest: &Guest, owners: &Owners, word: &str) -> Result<String, EngineError> {
    let is = |name: &str| owners.installed().any(|package| &*package.name == name);
    let plain = word.split_once(':').map_or(word, |(name, _)| name);
    if let Some(name) = [word, plain].into_iter().find(|name| is(name)) {
        return Ok(name.to_owned());
    }
    let known: BTreeSet<&str> = owners.installed().map(|package| &*package.name).collect();
    Err(BadUse::NoSuchPackage {
        guest: guest.name.clone(),
        package: word.to_owned(),
        near: nearest_of(word, known.iter().copied(), 3).join(", "),
    }
    .into())
}

fn touched(files: &[Linked], owners: &Owners, wanted: &BTreeSet<String>) -> HashSet<GuestPath> {
    let owner = |path: &GuestPath| owners.of(path.as_bytes()).filter(|one| one.owns());
    let is_wanted = |package: &Package| wanted.contains(&*package.name);
    let paths = || files.iter().flat_map(|file| &file.paths);
    let owned = || paths().filter(|path| owner(path).is_some_and(is_wanted));
    let places: HashSet<&[u8]> = owned().map(place).collect();
    let made = paths().filter(|path| owner(path).is_none() && places.contains(place(path)));
    owned().chain(made).cloned().collect()
}

/// The directory of a name. Compiled modules of Python are as if they lay beside their sources.
fn place(path: &GuestPath) -> &[u8] {
    let parent = |path: &'_ [u8]| path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    let bytes = path.as_bytes();
    let directory = &bytes[..parent(bytes)];
    directory.strip_suffix(b"/__pycache__").unwrap_or(directory)
}

fn unknown(guest: &Guest, why: String) -> EngineError {
    let guest = guest.name.clone();
    BadUse::PackagesUnknown { guest, why }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_modules_lie_beside_their_sources() {
        let place_of = |text: &str| {
            let path = GuestPath::new(text.as_bytes()).unwrap();
            String::from_utf8(place(&path).to_vec()).unwrap()
        };
        assert_eq!(place_of("/usr/lib/a/b.py"), "/usr/lib/a");
        assert_eq!(place_of("/usr/lib/a/__pycache__/b.pyc"), "/usr/lib/a");
        assert_eq!(place_of("/top"), "");
    }
}
