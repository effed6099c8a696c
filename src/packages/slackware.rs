//! The database of Slackware: one text file a package, with a list of its files.
//!
//! ```text
//! name = PACKAGE "-" VERSION "-" ARCH "-" BUILD [ "-upgraded-" time ]       ; very old ones: PACKAGE alone
//! file = { header line } "FILE LIST:" LF { path LF }                        ; no leading slash, directories end in one
//! ```
//!
//! It lies in `/var/lib/pkgtools/packages`, before 15.0 in `/var/log/packages`, which has been a link to the
//! first since.
//!
//! The database says nothing about configuration, so the answer is marked as silent. What is claimed is a habit:
//! a config file is shipped as `NAME.new`, which the package's script moves to `NAME` if there is none. So all
//! listed files below `/etc` and all of the form `NAME.new` count, under both names.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::database::PackageDatabase;
use super::formats::lines::{TextLine, lines, needed};
use super::formats::name::plain_word;
use super::listing::Listing;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;
use super::read::source::Source;
use super::read::steady::{below, steady};

const DIRECTORIES: [&[u8]; 2] = [b"var/lib/pkgtools/packages", b"var/log/packages"];

/// The backend.
pub(super) struct Slackware;

impl PackageDatabase for Slackware {
    fn manager(&self) -> &'static str {
        "slackware"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let gathering = steady(source, DIRECTORIES[0], files, take)?;
        let listing = gathering.listing("slackware", ConfigKnownBy::Habit);
        Ok(Some(listing).filter(|listing| !listing.packages.is_empty()))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Slackware {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut gathering = Gathering::default();
        add(b"a-1-noarch-1", data, &mut gathering)?;
        Ok(gathering.entries())
    }
}

/// The files of all packages. One directory under two names counts once.
fn files(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for directory in DIRECTORIES {
        let is_new = source.id(directory)?.is_some_and(|id| seen.insert(id));
        if is_new {
            let names = source.names(directory, limits::PACKAGES)?;
            files.extend(names.iter().map(|name| below(directory, name)));
        }
    }
    Ok(files)
}

/// `None`: a file that was listed has vanished.
fn take(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Option<Gathering>, Problem> {
    let mut gathering = Gathering::default();
    for file in files {
        let Some(data) = source.text(file)? else {
            return Ok(None);
        };
        let named = file.rsplit(|&b| b == b'/').next().unwrap_or_default();
        add(named, &data, &mut gathering).map_err(|fault| Problem::malformed(file, fault))?;
    }
    Ok(Some(gathering))
}

fn add(named: &[u8], data: &[u8], gathering: &mut Gathering) -> Result<(), Fault> {
    let (name, version) = name_and_version(named).ok_or(Defect::PackageName.at(0))?;
    let package = gathering
        .package(Arc::clone(&name), version)
        .map_err(|what| what.at(0))?;
    for line in file_list(data) {
        let (at, line) = line?;
        for path in paths(line) {
            let mut put = || {
                gathering.owns(package, &path)?;
                match is_config(&path) {
                    true => gathering.config_file(installed(&path), Some(&name)),
                    false => Ok(()),
                }
            };
            put().map_err(|what: Defect| what.at(at))?;
        }
    }
    Ok(())
}

/// The lines after `FILE LIST:`, which must be there.
fn file_list(data: &[u8]) -> impl Iterator<Item = Result<TextLine<'_>, Fault>> {
    let mut rest = lines(data);
    let heading = rest.find(|line| match line {
        Ok((_, line)) => *line == b"FILE LIST:",
        Err(_) => true,
    });
    let missing = match heading {
        Some(Ok(_)) => None,
        Some(Err(fault)) => Some(Err(fault)),
        None => Some(Err(Defect::Broken("no FILE LIST").at(data.len()))),
    };
    let listed = rest.map(|line| line.and_then(needed));
    missing.into_iter().chain(listed)
}

/// What a line may mean; nothing for a directory. The list was made by tar, which writes bytes that are no
/// printable ASCII as `\ooo`; where the line has a backslash, the name as it stands counts as well.
fn paths(line: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let line = line.strip_prefix(b"./").unwrap_or(line);
    let is_file = !line.is_empty() && !line.ends_with(b"/");
    let plain = is_file.then_some(Cow::Borrowed(line));
    let meant = plain
        .clone()
        .and_then(|line| unescaped(&line).map(Cow::Owned));
    let both = plain.into_iter().chain(meant);
    both.map(|path| [b"/", &*path].concat())
}

/// Without tar's escapes, if there is one (GNU tar, `--quoting-style=escape`).
fn unescaped(line: &[u8]) -> Option<Vec<u8>> {
    if !line.contains(&b'\\') {
        return None;
    }
    let mut plain = Vec::new();
    let mut rest = line;
    loop {
        rest = match rest {
            [] => return Some(plain),
            [b'\\', after @ ..] => {
                let (byte, after) = escape(after)?;
                plain.push(byte);
                after
            }
            [byte, after @ ..] => {
                plain.push(*byte);
                after
            }
        };
    }
}

/// The byte that is meant by what follows a backslash, and the rest.
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, rest) = text.split_first()?;
    let byte = match first {
        b'0'..=b'7' => return octal(text),
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        b'\\' => b'\\',
        _ => return None,
    };
    Some((byte, rest))
}

fn octal(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_at_checked(3)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let byte = u8::from_str_radix(digits, 8).ok().filter(|&b| b != 0)?;
    Some((byte, rest))
}

fn is_config(path: &[u8]) -> bool {
    path.starts_with(b"/etc/") || path.ends_with(b".new")
}

/// The name that a file shipped as `NAME.new` has in the end. `NAME.new` itself is found beside it.
fn installed(path: &[u8]) -> &[u8] {
    let name = path.strip_suffix(b".new");
    name.filter(|name| !name.ends_with(b"/")).unwrap_or(path)
}

fn name_and_version(named: &[u8]) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let upgraded = named.windows(10).position(|ten| ten == b"-upgraded-");
    let named = upgraded.and_then(|n| named.get(..n)).unwrap_or(named);
    let mut parts = named.rsplitn(4, |&b| b == b'-').skip(2);
    match (parts.next(), parts.next()) {
        (Some(version), Some(name)) => Some((plain_word(name)?, plain_word(version))),
        _ => Some((plain_word(named)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::database::PureParser;

    #[test]
    fn names_and_versions() {
        let cases = [
            ("lab-1-noarch-1", "lab", Some("1")),
            (
                "xf86-video-ati-19.1.0-x86_64-4",
                "xf86-video-ati",
                Some("19.1.0"),
            ),
            ("a-1-noarch-1-upgraded-2024-01-01,12:00:00", "a", Some("1")),
            ("aaa_base", "aaa_base", None),
        ];
        for (named, name, version) in cases {
            let got = name_and_version(named.as_bytes()).unwrap();
            assert_eq!((&*got.0, got.1.as_deref()), (name, version));
        }
        assert_eq!(name_and_version(b"a b-1-noarch-1"), None);
    }

    #[test]
    fn lines_of_the_list() {
        let read = |line: &str| {
            let all = paths(line.as_bytes());
            all.map(|p| p.escape_ascii().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(read("etc/a b"), ["/etc/a b"]);
        assert_eq!(read("./etc/a"), ["/etc/a"]);
        assert_eq!(
            read(r"etc/\303\251\\"),
            [r"/etc/\\303\\251\\\\", r"/etc/\xc3\xa9\\"]
        );
        assert_eq!(read(r"etc/\999"), [r"/etc/\\999"]);
        assert_eq!(read(r"etc/\000"), [r"/etc/\\000"]);
        assert_eq!(read(r"etc/a\"), [r"/etc/a\\"]);
        for none in ["./", "etc/", ""] {
            assert!(read(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn the_name_in_the_end() {
        assert_eq!(installed(b"/etc/a.new"), b"/etc/a");
        assert_eq!(installed(b"/etc/a.new.gz"), b"/etc/a.new.gz");
        assert_eq!(installed(b"/etc/.new"), b"/etc/.new");
        assert!(is_config(b"/etc/a") && is_config(b"/usr/a.new") && !is_config(b"/usr/a"));
    }

    #[test]
    fn the_heading_is_needed() {
        let parse = |data: &str| Slackware.parse(data.as_bytes());
        assert_eq!(parse("X: y\nFILE LIST:\n./\netc/a\nusr/a\n"), Ok(4));
        assert_eq!(parse("X: y\n"), Err(Defect::Broken("no FILE LIST").at(5)));
        assert_eq!(parse(""), Err(Defect::Broken("no FILE LIST").at(0)));
        assert_eq!(
            parse("FILE LIST:\netc/a"),
            Err(Defect::NoFinalNewline.at(11))
        );
    }
}
