//! The database of portage (Gentoo): one directory a package, `/var/db/pkg/CATEGORY/NAME-VERSION`, whose `CONTENTS`
//! lists its files.
//!
//! Nothing marks a file as configuration. Portage protects what lies below `/etc` and below the paths in
//! `CONFIG_PROTECT`, less those in `CONFIG_PROTECT_MASK`. The masks are not used here: they only make the set
//! smaller, and a file that portage would overwrite unasked may be a guest's own nevertheless.
//!
//! `-MERGING-NAME-VERSION` is a package on its way in, maybe for ever; what it has installed counts too.

mod config_protect;
mod contents;

use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::database::PackageDatabase;
use super::formats::name::plain_word;
use super::listing::Listing;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;
use super::read::source::Source;
use super::read::steady::{below, steady};
use crate::model::FileKind;
use crate::sys::guest::shown;
use config_protect::{Prefixes, values};
use contents::{ContentsEntry, entries};

const DIRECTORY: &[u8] = b"var/db/pkg";
const MERGING: &[u8] = b"-MERGING-";
/// Files that set `CONFIG_PROTECT`, or directories of such files.
const SETTINGS: [&[u8]; 3] = [
    b"etc/profile.env",
    b"etc/portage/make.conf",
    b"etc/make.conf",
];

/// The backend.
pub(super) struct Portage;

impl PackageDatabase for Portage {
    fn manager(&self) -> &'static str {
        "portage"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let listing = steady(source, DIRECTORY, packages, take)?;
        Ok(Some(listing).filter(|listing| !listing.packages.is_empty()))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Portage {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        entries(data).try_fold(0, |count, entry| entry.map(|_| count + 1))
    }
}

/// The directories of all packages.
fn packages(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let mut packages = Vec::new();
    for category in directories(source, DIRECTORY)? {
        packages.extend(directories(source, &category)?);
        if packages.len() > limits::PACKAGES {
            return Err(Problem::TooMany {
                file: shown(DIRECTORY),
                max: limits::PACKAGES,
                what: "packages",
            });
        }
    }
    Ok(packages)
}

/// Hidden names are portage's locks and left by `.keep`; plain files are nothing that it reads.
fn directories(source: &Source<'_>, directory: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    let mut found = Vec::new();
    for name in source.names(directory, limits::ENTRIES)? {
        let path = below(directory, &name);
        let visible = !name.starts_with(b".");
        if visible && kind(source, &path)? == Some(FileKind::Directory) {
            found.push(path);
        }
    }
    Ok(found)
}

fn kind(source: &Source<'_>, path: &[u8]) -> Result<Option<FileKind>, Problem> {
    source.in_time()?;
    Ok(source.guest().resolve(path)?.map(|found| found.kind))
}

/// Always an answer: a package without `CONTENTS` has no files that are known.
fn take(source: &Source<'_>, packages: &[Vec<u8>]) -> Result<Option<Listing>, Problem> {
    let mut gathering = Gathering::default();
    let protected = match packages {
        [] => Prefixes::new(&[]), // other guests may have anything under these names
        _ => protected(source)?,
    };
    for package in packages {
        let file = below(package, b"CONTENTS");
        let found = source.text(&file)?;
        if found.is_none() {
            gathering.lacks_files();
        }
        let data = found.unwrap_or_default();
        let named = package.get(DIRECTORY.len() + 1..).unwrap_or_default();
        let added = add(named, &data, &protected, &mut gathering);
        added.map_err(|fault| Problem::malformed(&file, fault))?;
    }
    Ok(Some(gathering.listing("portage", ConfigKnownBy::Database)))
}

/// `named` is `CATEGORY/NAME-VERSION`.
fn add(
    named: &[u8],
    contents: &[u8],
    protected: &Prefixes,
    gathering: &mut Gathering,
) -> Result<(), Fault> {
    let (name, version) = name_and_version(named).ok_or(Defect::PackageName.at(0))?;
    let package = gathering
        .package(Arc::clone(&name), version)
        .map_err(|what| what.at(0))?;
    for entry in entries(contents) {
        let (at, entry) = entry?;
        let path = match entry {
            ContentsEntry::Directory => continue,
            ContentsEntry::File(path) | ContentsEntry::Other(path) => path,
        };
        let mut put = || {
            gathering.owns(package, path)?;
            match entry {
                ContentsEntry::File(_) if protected.cover(path) => {
                    gathering.config_file(path, Some(&name))
                }
                _ => Ok(()),
            }
        };
        put().map_err(|what: Defect| what.at(at))?;
    }
    Ok(())
}

/// Splits where the version begins: at the last hyphen before a digit, not counting that of a revision `-rN`.
fn name_and_version(named: &[u8]) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let slash = named.iter().position(|&b| b == b'/')?;
    let (category, package) = named.split_at_checked(slash + 1)?;
    let package = package.strip_prefix(MERGING).unwrap_or(package);
    let bare = without_revision(package);
    let hyphen = bare.iter().rposition(|&b| b == b'-').filter(|&n| n > 0);
    let begins = hyphen.filter(|n| bare.get(n + 1).is_some_and(u8::is_ascii_digit));
    let (name, version) = match begins.and_then(|n| package.split_at_checked(n)) {
        Some((name, version)) => (name, plain_word(version.get(1..)?)),
        None => (package, None),
    };
    Some((plain_word(&[category, name].concat())?, version))
}

fn without_revision(package: &[u8]) -> &[u8] {
    let hyphen = package.iter().rposition(|&b| b == b'-');
    let parts = hyphen.and_then(|n| package.split_at_checked(n));
    match parts {
        Some((bare, [b'-', b'r', digits @ ..]))
            if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) =>
        {
            bare
        }
        _ => package,
    }
}

/// What portage protects, as far as the guest's settings can be read without running a shell.
fn protected(source: &Source<'_>) -> Result<Prefixes, Problem> {
    let mut prefixes = vec![b"/etc".to_vec()];
    let mut todo = SETTINGS.map(<[u8]>::to_vec).to_vec();
    let mut seen = 0;
    while let Some(path) = todo.pop() {
        seen += 1;
        match kind(source, &path)? {
            None => {}
            Some(FileKind::Directory) => {
                let names = source.names(&path, limits::PROTECTED_PREFIXES)?;
                todo.extend(names.iter().map(|name| below(&path, name)));
            }
            Some(_) => prefixes.extend(values(&source.text(&path)?.unwrap_or_default())),
        }
        if seen + prefixes.len() > limits::PROTECTED_PREFIXES {
            return Err(Problem::TooMany {
                file: shown(&path),
                max: limits::PROTECTED_PREFIXES,
                what: "protected paths",
            });
        }
    }
    Ok(Prefixes::new(&prefixes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        let cases: [(&str, &str, Option<&str>); 8] = [
            ("a-b/c-1", "a-b/c", Some("1")),
            ("x/gtk+-3.24.1-r2", "x/gtk+", Some("3.24.1-r2")),
            (
                "x/font-adobe-100dpi-1.0.3",
                "x/font-adobe-100dpi",
                Some("1.0.3"),
            ),
            ("x/libX11-1_rc1", "x/libX11", Some("1_rc1")),
            ("x/-MERGING-a-2", "x/a", Some("2")),
            ("x/a-r1", "x/a-r1", None),
            ("x/a", "x/a", None),
            ("x/-1", "x/-1", None),
        ];
        for (named, name, version) in cases {
            let got = name_and_version(named.as_bytes()).unwrap();
            assert_eq!((&*got.0, got.1.as_deref()), (name, version), "{named}");
        }
        assert_eq!(name_and_version(b"x/a b-1"), None);
    }
}
