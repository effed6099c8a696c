//! The database of pacman (Arch): one directory a package, `/var/lib/pacman/local/NAME-VERSION-RELEASE`, whose file
//! `files` lists its files and its config files.
//!
//! ```text
//! section = "%FILES%" LF { path LF } LF  |  "%BACKUP%" LF { path TAB md5 LF } LF       ; no leading slash
//! ```
//!
//! Of `/etc/pacman.conf` two settings are read: where the database is, and `NoUpgrade`, which makes more files the
//! administrator's. `Include` is not followed.

use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::database::PackageDatabase;
use super::formats::globs::Globs;
use super::formats::lines::{lines, needed, trim_end, trim_start};
use super::formats::name::plain_word;
use super::listing::Listing;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;
use super::read::source::Source;
use super::read::steady::{below, steady};

const SETTINGS: &[u8] = b"etc/pacman.conf";
const DATABASE: &[u8] = b"var/lib/pacman";
const VERSION: &[u8] = b"ALPM_DB_VERSION";

/// The backend.
pub(super) struct Pacman;

impl PackageDatabase for Pacman {
    fn manager(&self) -> &'static str {
        "pacman"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let settings = source.text(SETTINGS)?.unwrap_or_default();
        let settings = Settings::read(&settings).map_err(|f| Problem::malformed(SETTINGS, f))?;
        let local = below(&settings.database, b"local");
        let packages = |source: &Source<'_>| packages(source, &local);
        let take = |source: &Source<'_>, files: &[Vec<u8>]| take(source, files, &settings);
        let gathering = steady(source, &local, packages, take)?;
        let listing = gathering.listing("pacman", ConfigKnownBy::Database);
        Ok(Some(listing).filter(|listing| !listing.packages.is_empty()))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Pacman {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let settings = Settings::read(b"")?;
        let mut gathering = Gathering::default();
        add(b"a-1-1", data, &settings, &mut gathering)?;
        Ok(gathering.entries())
    }
}

/// What the administrator has set.
struct Settings {
    /// Where the database is, without the leading slash.
    database: Vec<u8>,
    no_upgrade: Globs,
}

impl Settings {
    fn read(text: &[u8]) -> Result<Settings, Fault> {
        let mut database = DATABASE.to_vec();
        let mut globs: Vec<&[u8]> = Vec::new();
        for line in text.split(|&b| b == b'\n') {
            let line = trim_end(trim_start(line));
            let Some(equals) = line.iter().position(|&b| b == b'=') else {
                continue;
            };
            let (key, value) = line.split_at(equals);
            let value = trim_start(value.get(1..).unwrap_or_default());
            match trim_end(key) {
                b"DBPath" if value.starts_with(b"/") => database = inside(value),
                // `!` would take a file out again, which only makes the set smaller.
                b"NoUpgrade" => {
                    let words = value.split(|&b| b == b' ' || b == b'\t');
                    globs.extend(words.filter(|word| !word.is_empty() && !word.starts_with(b"!")));
                }
                _ => {}
            }
        }
        let no_upgrade = Globs::new(globs).map_err(|what| what.at(0))?;
        Ok(Settings {
            database,
            no_upgrade,
        })
    }
}

/// An absolute path of the guest without the slashes at its ends.
fn inside(path: &[u8]) -> Vec<u8> {
    let start = path.iter().position(|&b| b != b'/').unwrap_or(path.len());
    let end = path
        .iter()
        .rposition(|&b| b != b'/')
        .map_or(start, |end| end + 1);
    path.get(start..end).unwrap_or_default().to_vec()
}

/// The file `files` of every package, and the database's own version.
fn packages(source: &Source<'_>, local: &[u8]) -> Result<Vec<Vec<u8>>, Problem> {
    let names = source.names(local, limits::PACKAGES)?;
    let file = |name: Vec<u8>| match name.as_slice() {
        VERSION => below(local, VERSION),
        _ => below(&below(local, &name), b"files"),
    };
    Ok(names.into_iter().map(file).collect())
}

/// The list of the content of every package.
pub(super) fn trees(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let settings = source.text(SETTINGS)?.unwrap_or_default();
    let settings = Settings::read(&settings).map_err(|f| Problem::malformed(SETTINGS, f))?;
    let local = below(&settings.database, b"local");
    let names = source.names(&local, limits::PACKAGES)?;
    let packages = names.into_iter().filter(|name| name != VERSION);
    let tree = |name: Vec<u8>| below(&below(&local, &name), b"mtree");
    Ok(packages.map(tree).collect())
}

/// Always an answer: a package without `files` has none that are known.
fn take(
    source: &Source<'_>,
    files: &[Vec<u8>],
    settings: &Settings,
) -> Result<Option<Gathering>, Problem> {
    let mut gathering = Gathering::default();
    for file in files {
        let found = source.text(file)?;
        if found.is_none() {
            gathering.lacks_files();
        }
        let data = found.unwrap_or_default();
        let mut parts = file.rsplit(|&b| b == b'/');
        let last = parts.next().unwrap_or_default();
        let added = if last == VERSION {
            known_version(&data)
        } else {
            add(
                parts.next().unwrap_or_default(),
                &data,
                settings,
                &mut gathering,
            )
        };
        added.map_err(|fault| Problem::malformed(file, fault))?;
    }
    Ok(Some(gathering))
}

fn known_version(data: &[u8]) -> Result<(), Fault> {
    match trim_end(data) {
        b"9" => Ok(()),
        _ => Err(Defect::Broken("a version of pacman's database that is not known").at(0)),
    }
}

/// What the lines of a section are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DescSection {
    None,
    Files,
    Backup,
}

/// `named` is `NAME-VERSION-RELEASE`.
fn add(
    named: &[u8],
    data: &[u8],
    settings: &Settings,
    gathering: &mut Gathering,
) -> Result<(), Fault> {
    let (name, version) = name_and_version(named).ok_or(Defect::PackageName.at(0))?;
    let package = gathering
        .package(Arc::clone(&name), version)
        .map_err(|what| what.at(0))?;
    let mut section = DescSection::None;
    for line in lines(data) {
        let (at, line) = needed(line?)?;
        section = match (line, section) {
            (b"", _) => DescSection::None,
            (b"%FILES%", _) => DescSection::Files,
            (b"%BACKUP%", _) => DescSection::Backup,
            (_, DescSection::None) => continue,
            (path, section) => {
                let digest = path
                    .iter()
                    .position(|&b| b == b'\t' && section == DescSection::Backup);
                let path = path.get(..digest.unwrap_or(path.len())).unwrap_or_default();
                let put = put(path, section, package, &name, settings, gathering);
                put.map_err(|what| what.at(at))?;
                section
            }
        };
    }
    Ok(())
}

/// Directories end in a slash. A path that climbs or has a slash of its own in front is nothing that pacman wrote.
fn put(
    path: &[u8],
    section: DescSection,
    package: u32,
    name: &Arc<str>,
    settings: &Settings,
    gathering: &mut Gathering,
) -> Result<(), Defect> {
    let climbs = path
        .split(|&b| b == b'/')
        .any(|part| matches!(part, b"" | b"." | b".."));
    if climbs {
        return Ok(());
    }
    let path = [b"/", path].concat();
    match section {
        DescSection::Backup => return gathering.config_file(&path, Some(name)),
        DescSection::Files if settings.no_upgrade.cover(&path) => {
            gathering.config_file(&path, Some(name))?;
        }
        _ => {}
    }
    gathering.owns(package, &path)
}

fn name_and_version(named: &[u8]) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let hyphen = |bytes: &[u8]| bytes.iter().rposition(|&b| b == b'-');
    let release = hyphen(named)?;
    let version = hyphen(named.get(..release)?)?;
    let name = plain_word(named.get(..version)?)?;
    Some((name, plain_word(named.get(version + 1..)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::database::PureParser;

    #[test]
    fn settings_of_the_administrator() {
        let text = b"[options]\n# DBPath = /no\nDBPath=/srv/pacman/\nNoUpgrade = etc/passwd !etc/x etc/*.cfg\n";
        let settings = Settings::read(text).unwrap();
        assert_eq!(settings.database, b"srv/pacman");
        assert!(settings.no_upgrade.cover(b"/etc/passwd"));
        assert!(settings.no_upgrade.cover(b"/etc/a.cfg"));
        assert!(!settings.no_upgrade.cover(b"/etc/x"));
    }

    #[test]
    fn names_and_versions() {
        let (name, version) = name_and_version(b"lib32-gcc-libs-1:13.2.1-3").unwrap();
        assert_eq!(
            (&*name, version.as_deref()),
            ("lib32-gcc-libs", Some("1:13.2.1-3"))
        );
        assert_eq!(name_and_version(b"nothing"), None);
    }

    #[test]
    fn sections() {
        let parse = |data: &str| Pacman.parse(data.as_bytes());
        let data = "%FILES%\netc/\netc/a b\n\n%OTHER%\nx\n\n%BACKUP%\netc/a b\tmd5\netc/old\n../x\tmd5\n\n";
        assert_eq!(parse(data), Ok(1 + 1 + 2));
        assert_eq!(parse("%FILES%\netc/a"), Err(Defect::NoFinalNewline.at(8)));
    }
}
