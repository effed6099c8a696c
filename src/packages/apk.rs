//! The database of apk (Alpine, OpenWrt): one text file.
//!
//! ```text
//! line = LETTER ":" value        ; P name, V version, F directory without leading slash, R file in the last F
//! package = { line } empty line
//! ```
//!
//! Nothing marks a file as configuration. apk protects paths: `etc`, and what the lines of
//! `/etc/apk/protected_paths.d/*.list` say (`+` protect, `@` links only, `!` always, `-` not). What makes the set
//! smaller is not used: it is the guest's word, and a file that apk would overwrite may be a guest's own
//! nevertheless.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::database::PackageDatabase;
use super::formats::globs::Globs;
use super::formats::lines::{lines, needed, trim_end, trim_start};
use super::formats::name::plain_word;
use super::listing::Listing;
use super::opkg::openwrt;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;
use super::read::source::Source;
use super::read::steady::{below, steady};

/// Where apk 2 keeps it, and apk 3 on a system with a merged `/usr`.
const DATABASES: [&[u8]; 2] = [b"lib/apk/db/installed", b"usr/lib/apk/db/installed"];
const RULES: &[u8] = b"etc/apk/protected_paths.d";

/// The backend.
pub(super) struct Apk;

impl PackageDatabase for Apk {
    fn manager(&self) -> &'static str {
        "apk"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let found = steady(source, DATABASES[0], databases, take)?;
        Ok(found.map(|gathering| gathering.listing("apk", ConfigKnownBy::Database)))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Apk {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut gathering = Gathering::default();
        let globs = Globs::new([&b"etc"[..]]).map_err(|what| what.at(0))?;
        installed(data, &globs, &mut gathering)?;
        Ok(gathering.entries())
    }
}

/// One file under two names counts once.
pub(super) fn databases(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    for file in DATABASES {
        if source.id(file)?.is_some_and(|id| seen.insert(id)) {
            files.push(file.to_vec());
        }
    }
    Ok(files)
}

/// `None` within: no database.
fn take(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Option<Option<Gathering>>, Problem> {
    if files.is_empty() {
        return Ok(Some(None));
    }
    let mut gathering = Gathering::default();
    let mut rules = rules(source)?;
    rules.extend(openwrt::kept(source)?);
    let globs = Globs::new(rules.iter().map(Vec::as_slice));
    let globs = globs.map_err(|what| Problem::malformed(RULES, what.at(0)))?;
    for file in files {
        let Some(data) = source.text(file)? else {
            return Ok(None);
        };
        let read = installed(&data, &globs, &mut gathering);
        read.map_err(|fault| Problem::malformed(file, fault))?;
        source.in_time()?;
    }
    openwrt::conffiles(source, &mut gathering)?;
    Ok(Some(Some(gathering)))
}

/// Every pattern that protects.
fn rules(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let mut all = vec![b"etc".to_vec()];
    for name in source.names(RULES, limits::PROTECTED_PREFIXES)? {
        if name.starts_with(b".") || !name.ends_with(b".list") {
            continue;
        }
        let text = source.text(&below(RULES, &name))?.unwrap_or_default();
        all.extend(text.split(|&b| b == b'\n').filter_map(rule));
        if all.len() > limits::PROTECTED_PREFIXES {
            return Err(openwrt::too_many(RULES));
        }
    }
    Ok(all)
}

fn rule(line: &[u8]) -> Option<Vec<u8>> {
    let line = trim_end(trim_start(line));
    let glob = match line.split_first()? {
        (b'#' | b'-', _) => return None,
        (b'+' | b'@' | b'!', glob) => glob,
        _ => line,
    };
    glob.iter().any(|&b| b != b'/').then(|| glob.to_vec())
}

/// The current package.
#[derive(Default)]
struct OpenPackage {
    package: Option<(u32, Arc<str>)>,
    name: Option<Arc<str>>,
    version: Option<Arc<str>>,
    /// `None` before the first `F:`, `Some(None)` for a directory that is none.
    directory: Option<Option<Vec<u8>>>,
    has_file: bool,
}

/// Reads the whole file.
fn installed(data: &[u8], globs: &Globs, gathering: &mut Gathering) -> Result<(), Fault> {
    let mut open = OpenPackage::default();
    for line in lines(data) {
        let (at, line) = line?;
        let added = match line {
            [] | [_] => {
                let ended = open.package(gathering).map(drop);
                open = OpenPackage::default();
                ended
            }
            [letter, b':', value @ ..] => {
                let (_, value) = needed((at, value))?;
                open.line(*letter, value, globs, gathering)
            }
            _ => Err(Defect::Broken("line without a letter and a colon")),
        };
        added.map_err(|what| what.at(at))?;
    }
    open.package(gathering)
        .map(drop)
        .map_err(|what| what.at(data.len()))
}

impl OpenPackage {
    fn line(
        &mut self,
        letter: u8,
        value: &[u8],
        globs: &Globs,
        gathering: &mut Gathering,
    ) -> Result<(), Defect> {
        match letter {
            b'P' if self.name.is_some() => Err(Defect::Twice),
            b'P' => {
                self.name = Some(plain_word(value).ok_or(Defect::PackageName)?);
                Ok(())
            }
            b'V' => {
                self.version = plain_word(value);
                Ok(())
            }
            b'F' => {
                (self.directory, self.has_file) = (Some(directory(value)), false);
                Ok(())
            }
            b'R' => self.file(value, globs, gathering),
            b'Z' | b'a' if !self.has_file => Err(Defect::Broken("digest or owner of no file")),
            _ => Ok(()),
        }
    }

    fn file(
        &mut self,
        name: &[u8],
        globs: &Globs,
        gathering: &mut Gathering,
    ) -> Result<(), Defect> {
        let directory = self.directory.clone();
        let directory = directory.ok_or(Defect::Broken("file before any directory"))?;
        self.has_file = true;
        let plain = !name.is_empty() && !name.contains(&b'/') && !matches!(name, b"." | b"..");
        let Some(directory) = directory.filter(|_| plain) else {
            return Ok(());
        };
        let path = [&directory, &b"/"[..], name].concat();
        let Some((package, owner)) = self.package(gathering)? else {
            return Err(Defect::NoPackage);
        };
        gathering.owns(package, &path)?;
        if globs.cover(&path) {
            gathering.config_file(&path, Some(&owner))?;
        }
        Ok(())
    }

    /// Adds the package when its first file comes, or its end: the version stands before both.
    fn package(&mut self, gathering: &mut Gathering) -> Result<Option<(u32, Arc<str>)>, Defect> {
        if let (None, Some(name)) = (&self.package, &self.name) {
            let place = gathering.package(Arc::clone(name), self.version.clone())?;
            self.package = Some((place, Arc::clone(name)));
        }
        Ok(self.package.clone())
    }
}

/// With a slash in front; the root is empty. `None` for one that climbs.
fn directory(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.strip_suffix(b"/").unwrap_or(value);
    if value.is_empty() {
        return Some(Vec::new());
    }
    let climbs = value
        .split(|&b| b == b'/')
        .any(|part| matches!(part, b"" | b"." | b".."));
    (!climbs).then(|| [b"/", value].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::database::PureParser;

    #[test]
    fn rules_that_protect() {
        let all = [
            "+opt/*.conf",
            "@etc/init.d/",
            "!etc/apk",
            "plain",
            "#x",
            "-etc/x",
            "",
            "+/",
        ];
        let got: Vec<_> = all
            .iter()
            .filter_map(|line| rule(line.as_bytes()))
            .collect();
        assert_eq!(
            got,
            [&b"opt/*.conf"[..], b"etc/init.d/", b"etc/apk", b"plain"]
        );
    }

    #[test]
    fn violations() {
        let parse = |data: &str| Apk.parse(data.as_bytes());
        assert_eq!(parse("P:a\nV:1\nF:etc\nR:b\nZ:Q1\n\n"), Ok(3));
        for bad in [
            "P:a\nR:b\n\n",
            "P:a\nF:etc\nZ:Q1\n\n",
            "nonsense\n\n",
            "F:etc\nR:b\n\n",
            "P:a\nP:b\n\n",
            "P:a b\n\n",
            "P:a\n\nP:b",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(parse("P:a\nF:../etc\nR:b\nF:etc\nR:../c\nR:..\n\n"), Ok(1));
    }
}
