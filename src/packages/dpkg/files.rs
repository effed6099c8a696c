//! `info/PACKAGE.list` and `status.d/PACKAGE.md5sums`: the names that a package has brought.
//!
//! No config file is known by it, so what is no list, or cannot be read, is passed over and damages nothing; but it is
//! said that something is missing, because whoever asks which files have no owner must not believe such an answer. One
//! list is held at a time.

use std::collections::HashMap;

use super::diversions::Diversion;
use super::places::{DISTROLESS, INFO};
use crate::packages::listing::Owned;
use crate::packages::listing::Package;
use crate::packages::listing::PackageState;
use crate::packages::read::limits;
use crate::packages::read::source::Source;
use crate::packages::read::steady::below;

/// The files of all packages, as far as they can be read within the source's budget, and whether some are missing.
pub fn owned(
    source: &Source<'_>,
    packages: &[Package],
    diversions: &[Diversion],
) -> (Vec<Owned>, bool) {
    let mut files = Files::new(packages, diversions);
    for (directory, suffix) in [(INFO, &b".list"[..]), (DISTROLESS, b".md5sums")] {
        for name in source.names(directory, limits::ENTRIES).unwrap_or_default() {
            let Some(owner) = name.strip_suffix(suffix) else {
                continue;
            };
            if let Ok(Some(data)) = source.text(&below(directory, &name)) {
                match directory {
                    INFO => files.list(owner, &data),
                    _ => files.sums(owner, &data),
                }
            }
        }
    }
    let partial = files.partial();
    (files.owned, partial)
}

/// Gathers the files of all packages.
struct Files<'a> {
    places: HashMap<&'a [u8], (u32, &'a Package)>,
    diversions: HashMap<&'a [u8], &'a Diversion>,
    /// Of installed packages, each architecture counted, how many lists were not read.
    unlisted: HashMap<&'a [u8], u32>,
    owned: Vec<Owned>,
}

impl<'a> Files<'a> {
    fn new(packages: &'a [Package], diversions: &'a [Diversion]) -> Files<'a> {
        let mut places: HashMap<&[u8], (u32, &Package)> = HashMap::new();
        for (place, package) in (0u32..).zip(packages) {
            // Of several architectures of one package the first one that is installed is shown.
            let one = places
                .entry(package.name.as_bytes())
                .or_insert((place, package));
            if package.state < one.1.state {
                *one = (place, package);
            }
        }
        let mut unlisted: HashMap<&[u8], u32> = HashMap::new();
        let installed = packages
            .iter()
            .filter(|package| package.state == PackageState::Installed);
        installed.for_each(|package| *unlisted.entry(package.name.as_bytes()).or_default() += 1);
        let from = |diversion: &'a Diversion| (diversion.from.as_slice(), diversion);
        Files {
            places,
            diversions: diversions.iter().map(from).collect(),
            unlisted,
            owned: Vec::new(),
        }
    }

    /// Is a list missing, or one that cannot be read; or were there more files than are taken?
    fn partial(&self) -> bool {
        self.unlisted.values().any(|lists| *lists > 0) || self.owned.len() >= limits::OWNED
    }

    /// Adds the file `PACKAGE.list` or `PACKAGE:ARCHITECTURE.list`: absolute paths, one a line.
    fn list(&mut self, owner: &[u8], data: &[u8]) {
        self.read_of(owner);
        for line in data.split(|&b| b == b'\n') {
            if line.first() == Some(&b'/') {
                self.add(owner, line);
            }
        }
    }

    fn read_of(&mut self, owner: &[u8]) {
        if let Some(lists) = self.unlisted.get_mut(package_of(owner)) {
            *lists = lists.saturating_sub(1);
        }
    }

    /// Adds the file `PACKAGE.md5sums`: a digest, two blanks, and a path without its slash.
    fn sums(&mut self, owner: &[u8], data: &[u8]) {
        self.read_of(owner);
        for line in data.split(|&b| b == b'\n') {
            if let Some((_, path)) = line.split_at_checked(34) {
                self.add(owner, &[b"/", path].concat());
            }
        }
    }

    /// A file that another package has diverted lies under its other name.
    fn add(&mut self, owner: &[u8], path: &[u8]) {
        let Some(&(package, known)) = self.places.get(package_of(owner)) else {
            return;
        };
        if path.len() > limits::PATH || self.owned.len() >= limits::OWNED {
            return;
        }
        let diverted = self.diversions.get(path);
        let by_another = diverted.filter(|d| d.package.as_ref() != Some(&known.name));
        let path = by_another.map_or(path, |diversion| &diversion.to).to_vec();
        self.owned.push(Owned { path, package });
    }
}

/// Without the architecture.
fn package_of(owner: &[u8]) -> &[u8] {
    owner.split(|&b| b == b':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.into(),
            version: None,
            state: PackageState::Installed,
        }
    }

    #[test]
    fn files_lie_where_diversions_put_them() {
        let packages = ["dash", "bash", "bash"].map(package);
        let diversions = [Diversion {
            from: b"/bin/sh".to_vec(),
            to: b"/bin/sh.distrib".to_vec(),
            local: false,
            package: Some("dash".into()),
        }];
        let mut files = Files::new(&packages, &diversions);
        files.list(b"dash", b"/.\n/bin/sh\nrubbish\n\n");
        files.list(b"bash:amd64", b"/bin/sh\n/bin/bash");
        files.list(b"nobody", b"/bin/x\n");
        files.sums(
            b"bash",
            b"0123456789abcdef0123456789abcdef  usr/share/f\nshort\n",
        );
        let got: Vec<_> = files
            .owned
            .iter()
            .map(|o| (o.path.escape_ascii().to_string(), o.package))
            .collect();
        let want = [
            ("/.", 0),
            ("/bin/sh", 0),
            ("/bin/sh.distrib", 1),
            ("/bin/bash", 1),
            ("/usr/share/f", 1),
        ];
        assert_eq!(got, want.map(|(path, place)| (path.to_owned(), place)));
    }

    #[test]
    fn a_missing_list_is_noticed_and_an_installed_package_owns_first() {
        let mut packages = ["gone", "two", "two"].map(package);
        packages[0].state = PackageState::Half;
        packages[1].state = PackageState::Removed;
        let mut files = Files::new(&packages, &[]);
        assert!(files.partial(), "two of the second architecture");
        files.list(b"two:i386", b"/usr/lib/two\n");
        assert!(
            !files.partial(),
            "what was removed needs no list, and what is there by half"
        );
        assert_eq!(files.owned[0].package, 2);
        packages[1].state = PackageState::Installed;
        let mut files = Files::new(&packages, &[]);
        files.list(b"two:i386", b"/usr/lib/two\n");
        assert!(files.partial(), "two of the first");
    }
}
