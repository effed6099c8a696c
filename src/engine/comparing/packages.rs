//! What the package databases of two guests list.

use std::collections::BTreeMap;

use crate::model::{Database, DatabaseState, FileKind, PackageDifference};
use crate::packages::{Owners, ask_owners};
use crate::sys::guest::GuestFiles;

/// What the databases of one guest say.
pub(super) struct Packages {
    databases: Vec<Database>,
    /// Whose a file is.
    pub owners: Owners,
}

impl Packages {
    /// Asks them, without running anything.
    pub fn of(files: &dyn GuestFiles) -> Packages {
        let is_directory = |path: &[u8]| {
            let name = path.strip_prefix(b"/").unwrap_or(path);
            let seen = files.look(name).ok().flatten();
            seen.is_some_and(|state| state.kind == FileKind::Directory)
        };
        let (databases, owners) = ask_owners(files, &is_directory);
        Packages { databases, owners }
    }

    /// How many are installed, where that is known.
    pub fn count(&self) -> Option<u64> {
        let known = !self.databases.is_empty() && self.problem().is_none();
        known.then(|| self.owners.installed().count() as u64)
    }

    /// What is wrong with a database, if anything is.
    pub fn problem(&self) -> Option<String> {
        let mut all = self.databases.iter();
        let damaged = all.find(|database| database.state == DatabaseState::Damaged)?;
        let problem = damaged.problem.as_deref().unwrap_or("it cannot be read");
        Some(format!(
            "the {} database is damaged: {problem}",
            damaged.manager
        ))
    }

    /// Versions by package. Several may be installed, of one name or of several architectures.
    fn versions(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for package in self.owners.installed() {
            let all = versions.entry(&package.name).or_default();
            all.extend(package.version.as_deref());
        }
        for all in versions.values_mut() {
            all.sort_unstable();
            all.dedup();
        }
        versions
    }
}

/// Packages that only one has, or has in another version, by name.
pub(super) fn differences(old: &Packages, new: &Packages) -> Vec<PackageDifference> {
    let (old, new) = (old.versions(), new.versions());
    let only_new = new.keys().filter(|name| !old.contains_key(*name));
    let mut names: Vec<&&str> = old.keys().chain(only_new).collect();
    names.sort_unstable();
    let differ = names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name));
    let owned =
        |all: Option<&Vec<&str>>| all.into_iter().flatten().map(ToString::to_string).collect();
    let difference = |name: &&str| PackageDifference {
        name: (*name).to_owned(),
        old: owned(old.get(name)),
        new: owned(new.get(name)),
        in_old: old.contains_key(*name),
        in_new: new.contains_key(*name),
    };
    differ.map(difference).collect()
}
