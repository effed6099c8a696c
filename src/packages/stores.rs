//! NixOS and Guix System: packages lie in a store, `/nix/store` or `/gnu/store`, each below a name of its own.
//!
//! ```text
//! /nix/store/HASH-NAME-VERSION            ; HASH: 32 digits and letters; NAME ends before a hyphen and a digit
//! /etc/X -> /etc/static/X -> /nix/store/HASH-etc/etc/X
//! ```
//!
//! No database says what is configuration, so the answer is marked as silent. What is generated is a link into
//! the store; what else lies in `/etc` of such a system is local: `machine-id`, `passwd`, keys. That is claimed,
//! but only if the guest *is* such a system: a store alone may belong to a nix that a person has put on a Debian.
//!
//! Store files themselves are never claimed. They are what unification is best for: read-only, of one time, and
//! the same under the same name everywhere. Whose they are is in their paths, so no owners are listed.

use std::collections::BTreeSet;

use super::database::PackageDatabase;
use super::formats::name::plain_word;
use super::listing::Claim;
use super::listing::Listing;
use super::listing::Package;
use super::listing::PackageState;
use super::read::fault::Problem;
use super::read::limits;
use super::read::lookup::{find, is_out_of_reach};
use super::read::source::Source;
use super::read::steady::below;
use crate::model::{FileKind, SkipReason};
use crate::sys::guest::shown;

/// The backend for one kind of store.
pub(super) struct Store {
    manager: &'static str,
    directory: &'static [u8],
    /// One of these leads to something in `marks_lead_to`: the whole system is made from the store.
    marks: &'static [&'static [u8]],
    marks_lead_to: &'static [u8],
}

/// Nix and NixOS.
pub(super) const NIXOS: Store = Store {
    manager: "nix",
    directory: b"nix/store",
    marks: &[b"etc/NIXOS"],
    marks_lead_to: b"/",
};

/// Guix and Guix System.
pub(super) const GUIX: Store = Store {
    manager: "guix",
    directory: b"gnu/store",
    marks: &[b"run/current-system", b"var/guix/profiles/system"],
    marks_lead_to: b"/gnu/store/",
};

impl PackageDatabase for Store {
    fn manager(&self) -> &'static str {
        self.manager
    }

    fn lists_files(&self) -> bool {
        false
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let names = entries(source, self.directory)?;
        let is_system = self.is_system(source)?;
        if names.is_empty() && !is_system {
            return Ok(None);
        }
        let local = match is_system {
            true => local_files(source, self.directory)?,
            false => Vec::new(),
        };
        Ok(Some(Listing {
            silent: true,
            packages: self.packages(&names)?,
            config_files: local.len(),
            claims: local.into_iter().map(|path| self.claim(path)).collect(),
            owned: Vec::new(),
            partial: false,
        }))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Store {
    /// There is no file to parse; a list of names in the store, one a line, takes its place.
    fn parse(&self, data: &[u8]) -> Result<usize, super::read::fault::Fault> {
        let names = data.split(|&b| b == b'\n');
        Ok(names.filter_map(package).collect::<BTreeSet<_>>().len())
    }
}

impl Store {
    fn is_system(&self, source: &Source<'_>) -> Result<bool, Problem> {
        for mark in self.marks {
            let found = find(source, mark)?;
            if found.is_some_and(|found| found.path.as_bytes().starts_with(self.marks_lead_to)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn packages(&self, names: &[Vec<u8>]) -> Result<Vec<Package>, Problem> {
        let packages: BTreeSet<_> = names.iter().filter_map(|name| package(name)).collect();
        if packages.len() > limits::PACKAGES {
            return Err(too_many(self.directory, limits::PACKAGES, "packages"));
        }
        Ok(packages.into_iter().collect())
    }

    fn claim(&self, path: Vec<u8>) -> Claim {
        Claim {
            path,
            why: SkipReason::ConfigFile,
            per: self.manager,
            package: None,
            sidecars: false,
        }
    }
}

fn too_many(file: &[u8], max: usize, what: &'static str) -> Problem {
    let file = shown(file);
    Problem::TooMany { file, max, what }
}

/// Nothing if the directory lies on another file system: then it is not scanned either.
fn entries(source: &Source<'_>, directory: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    source.in_time()?;
    match source.names(directory, limits::ENTRIES) {
        Err(Problem::Unreadable(error)) if is_out_of_reach(&error) => Ok(Vec::new()),
        names => names,
    }
}

/// All files below `/etc` that do not come from the store. Links to directories are not followed.
fn local_files(source: &Source<'_>, store: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    let store = [b"/", store, b"/"].concat();
    let mut found = Vec::new();
    let mut todo = vec![b"/etc".to_vec()];
    while let Some(directory) = todo.pop() {
        for name in entries(source, &directory)? {
            source.in_time()?;
            let path = below(&directory, &name);
            let Some(entry) = find(source, &path)? else {
                continue;
            };
            let is_link = entry.path.as_bytes() != path;
            match entry.kind {
                FileKind::Directory if !is_link => todo.push(path),
                FileKind::Regular if !entry.path.as_bytes().starts_with(&store) => found.push(path),
                _ => {}
            }
            if found.len() + todo.len() > limits::CONFIG_FILES {
                return Err(too_many(b"/etc", limits::CONFIG_FILES, "files"));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Of a name in the store; `None` for one without a version, and for what only builds a package.
fn package(entry: &[u8]) -> Option<Package> {
    let (hash, rest) = entry.split_at_checked(32)?;
    let named = rest.strip_prefix(b"-")?;
    let is_hash = hash.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'z'));
    let builds = [
        b".drv".as_slice(),
        b".lock",
        b".chroot",
        b".check",
        b".patch",
    ];
    if !is_hash || builds.iter().any(|end| named.ends_with(end)) {
        return None;
    }
    let two_are_cut = |two: &[u8]| matches!(two, [b'-', b'0'..=b'9']);
    let hyphen = named.windows(2).position(two_are_cut)?;
    let (name, version) = named.split_at_checked(hyphen)?;
    Some(Package {
        name: plain_word(name)?,
        version: Some(plain_word(version.get(1..)?)?),
        state: PackageState::Installed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::database::PureParser;

    #[test]
    fn packages_of_names() {
        let hash = "0c7zhn6cnbhlfqzhl6mbwknx6a6xbqfm";
        let cases = [
            ("openssl-3.0.13", Some(("openssl", "3.0.13"))),
            ("python3.11-pip-24.0", Some(("python3.11-pip", "24.0"))),
            ("etc", None),
            ("unit-a.service", None),
            ("openssl-3.0.13.drv", None),
            ("-1", None),
            ("a b-1", None),
        ];
        for (named, want) in cases {
            let got = package(format!("{hash}-{named}").as_bytes());
            let got = got.map(|p| (p.name.to_string(), p.version.unwrap().to_string()));
            assert_eq!(
                got,
                want.map(|(n, v)| (n.to_owned(), v.to_owned())),
                "{named}"
            );
        }
        for none in [".links", "openssl-3.0.13", "0000-etc-1", ""] {
            assert_eq!(package(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_package_counts_once() {
        let two = b"0c7zhn6cnbhlfqzhl6mbwknx6a6xbqfm-a-1\n1c7zhn6cnbhlfqzhl6mbwknx6a6xbqfm-a-1\n";
        assert_eq!(NIXOS.parse(two), Ok(1));
    }
}
