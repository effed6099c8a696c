//! All packages that dpkg knows, put together from `status`, the journal and `info/`. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::PackageRecord;
use crate::packages::listing::{Package, PackageState};
use crate::packages::read::limits;

/// Name and architecture: `Multi-Arch: same` packages are there twice.
type PackageKey = (Arc<str>, Vec<u8>);

/// Packages, and the config files of each.
#[derive(Debug, Default)]
pub struct Catalog {
    packages: BTreeMap<PackageKey, Body>,
    /// Conffile entries held, all packages together.
    entries: usize,
}

#[derive(Debug)]
struct Body {
    present: bool,
    state: PackageState,
    version: Option<Arc<str>>,
    conffiles: Vec<Vec<u8>>,
}

/// A bound is passed; the text says of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    Packages,
    ConfigFiles,
}

impl Catalog {
    /// Adds a record of `status`. If a package has two records, both count.
    pub fn add(&mut self, record: PackageRecord) -> Result<(), Full> {
        let body = self.packages.entry((record.package, record.architecture));
        let body = body.or_insert(Body {
            present: false,
            state: PackageState::Removed,
            version: None,
            conffiles: Vec::new(),
        });
        body.present |= record.present;
        body.state = body.state.min(record.state);
        body.version = record.version.or(body.version.take());
        self.entries += record.conffiles.len();
        body.conffiles.extend(record.conffiles);
        self.within_bounds()
    }

    /// Adds a record of the journal: it replaces all that was said about the package.
    pub fn replace(&mut self, record: PackageRecord) -> Result<(), Full> {
        let key = (Arc::clone(&record.package), record.architecture.clone());
        if let Some(old) = self.packages.remove(&key) {
            self.entries -= old.conffiles.len();
        }
        self.add(record)
    }

    /// Packages that are installed or have left something.
    pub fn packages(&self) -> Vec<Package> {
        let present = self.packages.iter().filter(|(_, body)| body.present);
        let package = |((name, _), body): (&PackageKey, &Body)| Package {
            name: Arc::clone(name),
            version: body.version.clone(),
            state: body.state,
        };
        present.map(package).collect()
    }

    /// Every conffile once, with its package; the first by name where several share it.
    pub fn into_conffiles(self) -> BTreeMap<Vec<u8>, Arc<str>> {
        let mut all = BTreeMap::new();
        for ((package, _), body) in self.packages {
            for path in body.conffiles {
                all.entry(path).or_insert_with(|| Arc::clone(&package));
            }
        }
        all
    }

    fn within_bounds(&self) -> Result<(), Full> {
        match self {
            _ if self.packages.len() > limits::PACKAGES => Err(Full::Packages),
            _ if self.entries > limits::CONFIG_FILES => Err(Full::ConfigFiles),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::formats::record::records;

    fn record(package: &str, architecture: &str, path: &str) -> PackageRecord {
        let text =
            format!("Package: {package}\nArchitecture: {architecture}\nConffiles:\n {path} 0\n");
        records(text.as_bytes()).next().unwrap().unwrap()
    }

    #[test]
    fn status_unites_and_the_journal_replaces() {
        let mut catalog = Catalog::default();
        catalog.add(record("x", "amd64", "/etc/a")).unwrap();
        catalog.add(record("x", "i386", "/etc/b")).unwrap();
        catalog.add(record("x", "i386", "/etc/c")).unwrap();
        catalog.replace(record("x", "amd64", "/etc/d")).unwrap();
        assert_eq!((catalog.packages().len(), catalog.entries), (2, 3));
        let paths: Vec<_> = catalog.into_conffiles().into_keys().collect();
        assert_eq!(paths, [b"/etc/b", b"/etc/c", b"/etc/d"]);
    }

    #[test]
    fn bounds() {
        let mut catalog = Catalog::default();
        let last =
            (0..=limits::PACKAGES).map(|i| catalog.add(record(&format!("p{i}"), "", "/etc/a")));
        assert_eq!(last.last(), Some(Err(Full::Packages)));
    }
}
