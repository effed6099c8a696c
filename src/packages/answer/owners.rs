//! Which package a file belongs to, by the name that the walk sees. It is a help for people who read the plan, and says
//! what packages have left behind: nothing is decided by it, and what cannot be resolved has no owner.

use std::collections::HashMap;

use crate::packages::listing::Listing;
use crate::packages::listing::Package;
use crate::packages::read::lookup::find;
use crate::packages::read::source::Source;
use crate::sys::hash::path_key;

/// Files and their packages, small: a key of eight bytes and a place for every file. Two paths of one guest could have
/// one key, if that guest's root wants them to; it can lie about its own packages in simpler ways.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owners {
    packages: Vec<Package>,
    /// Sorted by key.
    files: Vec<(u64, u32)>,
    /// Are there files whose owners are not known?
    partial: bool,
}

impl Owners {
    /// The package of a file; `path` is absolute and has no links in it.
    pub fn of(&self, path: &[u8]) -> Option<&Package> {
        let key = path_key(path);
        let at = self
            .files
            .binary_search_by_key(&key, |(key, _)| *key)
            .ok()?;
        let (_, package) = self.files.get(at)?;
        self.packages.get(*package as usize)
    }

    /// The packages that are installed, wholly or half.
    pub fn installed(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.owns())
    }

    /// All packages, also those that are not installed any more.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// Does a file that has no owner here belong to no package? False where a list is missing, or names were not
    /// resolved.
    pub fn are_whole(&self) -> bool {
        !self.partial
    }

    /// Adds the files of a database. What an earlier one said of a file stays, but a package that is installed comes
    /// before one that was removed. When the time of the guest is over, what would have to be resolved has no owner.
    pub fn add(
        &mut self,
        source: &Source<'_>,
        is_directory: &dyn Fn(&[u8]) -> bool,
        listing: Listing,
    ) {
        let first = u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        self.packages.extend(listing.packages);
        self.partial |= listing.partial;
        let mut places = Places::new(source, is_directory);
        for owned in listing.owned {
            let Some(package) = first.checked_add(owned.package) else {
                continue;
            };
            if let Some(path) = places.settle(&owned.path) {
                self.files.push((path_key(&path), package));
            }
        }
        self.partial |= places.unresolved;
        let packages = &self.packages;
        let owns = |package: u32| packages.get(package as usize).is_some_and(Package::owns);
        // Stable, so that the first word about a file comes first.
        self.files
            .sort_by_key(|(key, package)| (*key, !owns(*package)));
        self.files.dedup_by_key(|(key, _)| *key);
        self.files.shrink_to_fit();
    }
}

/// Where directories of the database really are: on a merged `/usr`, `/bin` is `/usr/bin`.
pub(in crate::packages) struct Places<'r> {
    source: &'r Source<'r>,
    is_directory: &'r dyn Fn(&[u8]) -> bool,
    known: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Was there a directory of which it could not be said where it is?
    unresolved: bool,
}

impl<'r> Places<'r> {
    pub fn new(source: &'r Source<'r>, is_directory: &'r dyn Fn(&[u8]) -> bool) -> Places<'r> {
        Places {
            source,
            is_directory,
            known: HashMap::new(),
            unresolved: false,
        }
    }

    /// The path with all links of its directory resolved.
    pub fn settle(&mut self, path: &[u8]) -> Option<Vec<u8>> {
        let slash = path.iter().rposition(|&b| b == b'/')?;
        let (directory, name) = path.split_at_checked(slash)?;
        if matches!(name, b"/" | b"/." | b"/..") {
            return None;
        }
        if !self.known.contains_key(directory) {
            let real = self.resolve(directory);
            self.known.insert(directory.to_vec(), real);
        }
        let real = self.known.get(directory)?.as_deref()?;
        Some([real, name].concat())
    }

    fn resolve(&mut self, directory: &[u8]) -> Option<Vec<u8>> {
        let relative = directory.strip_prefix(b"/").unwrap_or(directory);
        if relative.is_empty() {
            return Some(Vec::new());
        }
        if (self.is_directory)(directory) {
            return Some(directory.to_vec());
        }
        let in_time = self.source.in_time();
        let found = in_time.and_then(|()| find(self.source, relative));
        let Ok(found) = found else {
            self.unresolved = true;
            return None;
        };
        let found = found?;
        Some(if found.path.is_root() {
            Vec::new()
        } else {
            found.path.as_bytes().to_vec()
        })
    }
}
