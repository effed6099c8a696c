//! `info/PACKAGE.list` and `status.d/PACKAGE.md5sums`: the names that a package has brought.
//!
//! Only people who read the plan profit from it, so what is no list, or cannot be read, is passed over and
//! damages nothing. One list is held at a time.

use std::collections::HashMap;

use super::diversions::Diversion;
use super::places::{DISTROLESS, INFO};
use crate::packages::listing::Owned;
use crate::packages::listing::Package;
use crate::packages::read::limits;
use crate::packages::read::source::Source;
use crate::packages::read::steady::below;

/// The files of all packages, as far as they can be read within the source's budget.
pub fn owned(source: &Source<'_>, packages: &[Package], diversions: &[Diversion]) -> Vec<Owned> {
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
    files.owned
}

/// Gathers the files of all packages.
struct Files<'a> {
    places: HashMap<&'a [u8], (u32, &'a Package)>,
    diversions: HashMap<&'a [u8], &'a Diversion>,
    owned: Vec<Owned>,
}

impl<'a> Files<'a> {
    fn new(packages: &'a [Package], diversions: &'a [Diversion]) -> Files<'a> {
        let mut places = HashMap::new();
        for (place, package) in (0u32..).zip(packages) {
            // Of several architectures of one package the first one is shown.
            places
                .entry(package.name.as_bytes())
                .or_insert((place, package));
        }
        let from = |diversion: &'a Diversion| (diversion.from.as_slice(), diversion);
        Files {
            places,
            diversions: diversions.iter().map(from).collect(),
            owned: Vec::new(),
        }
    }

    /// Adds the file `PACKAGE.list` or `PACKAGE:ARCHITECTURE.list`: absolute paths, one a line.
    fn list(&mut self, owner: &[u8], data: &[u8]) {
        for line in data.split(|&b| b == b'\n') {
            if line.first() == Some(&b'/') {
                self.add(owner, line);
            }
        }
    }

    /// Adds the file `PACKAGE.md5sums`: a digest, two blanks, and a path without its slash.
    fn sums(&mut self, owner: &[u8], data: &[u8]) {
        for line in data.split(|&b| b == b'\n') {
            if let Some((_, path)) = line.split_at_checked(34) {
                self.add(owner, &[b"/", path].concat());
            }
        }
    }

    /// A file that another package has diverted lies under its other name.
    fn add(&mut self, owner: &[u8], path: &[u8]) {
        let name = owner.split(|&b| b == b':').next().unwrap_or_default();
        let Some(&(package, known)) = self.places.get(name) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            name: name.into(),
            version: None,
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
}
