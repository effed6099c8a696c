//! The database of xbps (Void Linux): property lists below `/var/db/xbps`.
//!
//! | file | says |
//! | --- | --- |
//! | `pkgdb-VERSION.plist` | dictionary of packages, each with `pkgver` and maybe `conf_files`, an array of paths |
//! | `.NAME-files.plist` | `conf_files`, `files` and `links`, each an array of dictionaries with the path as `file` |
//!
//! The number in the first name is that of the format and may change, so every such file is read. Both kinds name
//! config files (lib/package_config_files.c asks the second); the union counts. Packages in every state count.

mod plist;
mod plist_markup;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::database::PackageDatabase;
use super::formats::name::plain_word;
use super::listing::Listing;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;
use super::read::source::Source;
use super::read::steady::{below, steady};
use crate::sys::guest::shown;
use plist::{Step, strings};

const DIRECTORY: &[u8] = b"var/db/xbps";

/// The backend.
pub(super) struct Xbps;

impl PackageDatabase for Xbps {
    fn manager(&self) -> &'static str {
        "xbps"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let reading = steady(source, DIRECTORY, files, XbpsReading::take)?;
        match reading {
            _ if reading.lists == 0 && reading.gathering.entries() == 0 => Ok(None),
            _ if reading.lists == 0 => Err(Problem::Missing {
                file: shown(&below(DIRECTORY, b"pkgdb-0.38.plist")),
                witness: shown(DIRECTORY),
            }),
            _ => Ok(Some(
                reading.gathering.listing("xbps", ConfigKnownBy::Database),
            )),
        }
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Xbps {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut list = XbpsReading::default();
        list.packages(data)?;
        let mut package = XbpsReading::default(); // either kind of file may be the one that is mutated
        package.files(b"package", data)?;
        Ok(list.gathering.entries() + package.gathering.entries() - 1)
    }
}

/// What a file of the directory is, by its name.
#[derive(Debug, PartialEq, Eq)]
enum Content<'n> {
    Packages,
    /// Of the package of this name.
    Files(&'n [u8]),
}

fn content(name: &[u8]) -> Option<Content<'_>> {
    let stem = name.strip_suffix(b".plist")?;
    if stem.starts_with(b"pkgdb-") {
        return Some(Content::Packages);
    }
    let package = stem.strip_prefix(b".")?.strip_suffix(b"-files")?;
    Some(Content::Files(package))
}

/// The names that matter, lists of packages first.
fn files(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let mut names = source.names(DIRECTORY, limits::ENTRIES)?;
    names.retain(|name| content(name).is_some());
    names.sort_by_key(|name| content(name) != Some(Content::Packages));
    let paths = names.iter().map(|name| below(DIRECTORY, name));
    Ok(paths.collect())
}

#[derive(Debug, Default)]
struct XbpsReading {
    /// Lists of packages that were read.
    lists: usize,
    places: BTreeMap<Arc<str>, u32>,
    /// Packages whose files were read.
    listed: BTreeSet<u32>,
    gathering: Gathering,
}

impl XbpsReading {
    /// `None`: a file that was listed has vanished.
    fn take(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Option<Self>, Problem> {
        let mut reading = XbpsReading::default();
        for file in files {
            let Some(data) = source.text(file)? else {
                return Ok(None);
            };
            let name = file.get(DIRECTORY.len() + 1..).and_then(content);
            let read = match name {
                Some(Content::Files(package)) => reading.files(package, &data),
                _ => reading.packages(&data),
            };
            read.map_err(|fault| Problem::malformed(file, fault))?;
        }
        if reading.listed.len() < reading.places.len() {
            reading.gathering.lacks_files();
        }
        Ok(Some(reading))
    }

    fn packages(&mut self, data: &[u8]) -> Result<(), Fault> {
        self.lists += 1;
        strings(data, |way, text| match way {
            [Step::Key(key), ..] if key.starts_with(b"_XBPS_") => Ok(()), // not a package
            [Step::Key(package), what] if what.is("pkgver") => {
                let version = version(package, text);
                self.place(package, version).map(|_| ())
            }
            [Step::Key(package), what, Step::Array] if what.is("conf_files") => {
                let package = plain_word(package).ok_or(Defect::PackageName)?;
                self.gathering.config_file(text, Some(&package))
            }
            _ => Ok(()),
        })
    }

    fn files(&mut self, package: &[u8], data: &[u8]) -> Result<(), Fault> {
        let place = self.place(package, None).map_err(|what| what.at(0))?;
        self.listed.insert(place);
        let package = plain_word(package);
        strings(data, |way, text| {
            let [kind, Step::Array, what] = way else {
                return Ok(());
            };
            let is_config = kind.is("conf_files");
            let is_file = is_config || kind.is("files") || kind.is("links");
            if !is_file || !what.is("file") {
                return Ok(());
            }
            self.gathering.owns(place, text)?;
            match is_config {
                true => self.gathering.config_file(text, package.as_ref()),
                false => Ok(()),
            }
        })
    }

    fn place(&mut self, name: &[u8], version: Option<Arc<str>>) -> Result<u32, Defect> {
        let name = plain_word(name).ok_or(Defect::PackageName)?;
        if let Some(place) = self.places.get(&name) {
            return Ok(*place);
        }
        let place = self.gathering.package(Arc::clone(&name), version)?;
        self.places.insert(name, place);
        Ok(place)
    }
}

/// Of `NAME-VERSION_REVISION`.
fn version(name: &[u8], pkgver: &[u8]) -> Option<Arc<str>> {
    pkgver
        .strip_prefix(name)?
        .strip_prefix(b"-")
        .and_then(plain_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::database::PureParser;

    #[test]
    fn names_of_files() {
        assert_eq!(content(b"pkgdb-0.38.plist"), Some(Content::Packages));
        assert_eq!(content(b".a-b-files.plist"), Some(Content::Files(b"a-b")));
        for other in [
            "pkgdb-0.38.plist.tmp",
            "a-files.plist",
            ".a.plist",
            "https___x",
        ] {
            assert_eq!(content(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn versions() {
        assert_eq!(version(b"a-b", b"a-b-1.0_1").as_deref(), Some("1.0_1"));
        assert_eq!(version(b"a", b"b-1.0_1"), None);
        assert_eq!(version(b"a", b"a-"), None);
    }

    #[test]
    fn groups_of_alternatives_are_no_packages() {
        let list = b"<plist><dict><key>_XBPS_ALTERNATIVES_</key><dict><key>pkgver</key>\
                     <string>x</string></dict></dict></plist>";
        assert_eq!(Xbps.parse(list), Ok(0));
    }
}
