//! What a database says, gathered within bounds while its files are read one after the other. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::SkipReason;
use crate::packages::listing::Claim;
use crate::packages::listing::Listing;
use crate::packages::listing::Owned;
use crate::packages::listing::Package;
use crate::packages::listing::PackageState;
use crate::packages::read::fault::Defect;
use crate::packages::read::limits;

/// How config files of packages are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigKnownBy {
    /// The database names them.
    Database,
    /// By a habit of those who make the packages; the database is silent.
    Habit,
}

/// Packages, their files, and the config files among these.
#[derive(Debug, Default)]
pub struct Gathering {
    packages: Vec<Package>,
    /// The first package that names a config file is the one that is shown with it.
    config_files: BTreeMap<Vec<u8>, Option<Arc<str>>>,
    /// Files that a package names, but the guest itself makes.
    ghosts: BTreeMap<Vec<u8>, Arc<str>>,
    owned: Vec<Owned>,
    /// Is there a package whose files are not known?
    partial: bool,
}

impl Gathering {
    /// Adds a package, and tells its place.
    pub fn package(&mut self, name: Arc<str>, version: Option<Arc<str>>) -> Result<u32, Defect> {
        if self.packages.len() >= limits::PACKAGES {
            return Err(Defect::TooMany);
        }
        let place = u32::try_from(self.packages.len()).map_err(|_| Defect::TooMany)?;
        self.packages.push(Package {
            name,
            version,
            state: PackageState::Installed,
        });
        Ok(place)
    }

    /// Says how far the package is there, if it is not installed.
    pub fn present(&mut self, package: u32, state: PackageState) {
        if let Some(package) = self.packages.get_mut(package as usize) {
            package.state = state;
        }
    }

    /// There is a package whose files nothing lists.
    pub fn lacks_files(&mut self) {
        self.partial = true;
    }

    /// Adds a file to a package.
    pub fn owns(&mut self, package: u32, path: &[u8]) -> Result<(), Defect> {
        is_file_path(path)?;
        if self.owned.len() >= limits::OWNED {
            return Err(Defect::TooMany);
        }
        let path = path.to_vec();
        self.owned.push(Owned { path, package });
        Ok(())
    }

    /// Adds a config file, existing or not.
    pub fn config_file(&mut self, path: &[u8], package: Option<&Arc<str>>) -> Result<(), Defect> {
        is_file_path(path)?;
        let entry = self.config_files.entry(path.to_vec());
        entry.or_insert_with(|| package.cloned());
        if self.config_files.len() > limits::CONFIG_FILES {
            return Err(Defect::TooMany);
        }
        Ok(())
    }

    /// Adds a file that a package names but does not bring, existing or not.
    pub fn ghost(&mut self, path: &[u8], package: &Arc<str>) -> Result<(), Defect> {
        is_file_path(path)?;
        let entry = self.ghosts.entry(path.to_vec());
        entry.or_insert_with(|| Arc::clone(package));
        if self.ghosts.len() > limits::CONFIG_FILES {
            return Err(Defect::TooMany);
        }
        Ok(())
    }

    /// How many packages, files, config files and ghosts there are, added up.
    pub fn entries(&self) -> usize {
        self.packages.len() + self.owned.len() + self.config_files.len() + self.ghosts.len()
    }

    /// Everything, as the answer of the backend `per`.
    pub fn listing(self, per: &'static str, config: ConfigKnownBy) -> Listing {
        let config_files = self.config_files.len();
        let config_file = |(path, package)| claim(per, path, package);
        let ghost = |(path, package)| Claim {
            sidecars: false,
            ..claim("rpm-ghost", path, Some(package))
        };
        let mut claims: Vec<Claim> = self.config_files.into_iter().map(config_file).collect();
        claims.extend(self.ghosts.into_iter().map(ghost));
        // Stable, so that a config file that is a ghost of another package stays a config file.
        claims.sort_by(|a, b| a.path.cmp(&b.path));
        claims.dedup_by(|later, first| later.path == first.path);
        Listing {
            silent: config == ConfigKnownBy::Habit,
            packages: self.packages,
            config_files,
            claims,
            owned: self.owned,
            partial: self.partial,
        }
    }
}

fn claim(per: &'static str, path: Vec<u8>, package: Option<Arc<str>>) -> Claim {
    Claim {
        path,
        why: SkipReason::ConfigFile,
        per,
        package,
        sidecars: true,
    }
}

fn is_file_path(path: &[u8]) -> Result<(), Defect> {
    match path {
        _ if path.len() > limits::PATH => Err(Defect::LongPath),
        b"/" => Err(Defect::RootListed),
        [b'/', ..] => Ok(()),
        _ => Err(Defect::RelativePath),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_of_bounded_length() {
        let mut gathering = Gathering::default();
        let long = vec![b'/'; limits::PATH + 1];
        let cases: [(&[u8], _); 5] = [
            (b"/etc/a", Ok(())),
            (b"/", Err(Defect::RootListed)),
            (b"", Err(Defect::RelativePath)),
            (b"etc/a", Err(Defect::RelativePath)),
            (&long, Err(Defect::LongPath)),
        ];
        for (path, want) in cases {
            assert_eq!(gathering.owns(0, path), want);
            assert_eq!(gathering.config_file(path, None), want);
        }
        assert_eq!(gathering.entries(), 2);
    }

    #[test]
    fn the_first_package_of_a_config_file_stays() {
        let mut gathering = Gathering::default();
        let (a, b) = (Arc::from("a"), Arc::from("b"));
        gathering.config_file(b"/etc/x", Some(&a)).unwrap();
        gathering.config_file(b"/etc/x", Some(&b)).unwrap();
        let listing = gathering.listing("test", ConfigKnownBy::Database);
        assert_eq!(listing.config_files, 1);
        assert_eq!(listing.claims[0].package, Some(a));
    }

    #[test]
    fn ghosts_are_private_and_no_config_files() {
        let mut gathering = Gathering::default();
        let a = Arc::from("a");
        gathering.ghost(b"/var/log/a", &a).unwrap();
        gathering.ghost(b"/etc/x", &a).unwrap();
        gathering.config_file(b"/etc/x", Some(&a)).unwrap();
        let listing = gathering.listing("test", ConfigKnownBy::Database);
        assert_eq!(listing.config_files, 1);
        let facts = listing.claims.iter().map(|c| (&*c.path, c.per, c.sidecars));
        let want = [
            (&b"/etc/x"[..], "test", true),
            (b"/var/log/a", "rpm-ghost", false),
        ];
        assert_eq!(facts.collect::<Vec<_>>(), want);
    }

    #[test]
    fn bounds() {
        let mut gathering = Gathering::default();
        let name: Arc<str> = Arc::from("a");
        let mut add = |_| gathering.package(Arc::clone(&name), None);
        let last = (0..=limits::PACKAGES).map(&mut add).last();
        assert_eq!(last, Some(Err(Defect::TooMany)));
        let mut own = |_| gathering.owns(0, b"/a");
        let last = (0..=limits::OWNED).map(&mut own).last();
        assert_eq!(last, Some(Err(Defect::TooMany)));
    }
}
