//! Which packages could be upgraded: those of which one of apt's lists has a later version than is installed.
//!
//! The lists are those that the guest's last `apt-get update` has left. What is pinned or held back counts as well, and
//! what an upgrade would bring or take away besides does not: whoever wants to be sure asks for more.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::super::formats::deb822::{StanzaEvent, events};
use super::super::listing::Package;
use super::super::read::fault::Problem;
use super::super::read::limits;
use super::super::read::source::Source;
use super::super::read::steady::below;
use crate::sys::guest::GuestFiles;

const LISTS: &[u8] = b"var/lib/apt/lists";
const LIST: &[u8] = b"_Packages";

/// Names of packages among `installed` that could be upgraded. An error says why that is not known.
pub fn upgradable(
    guest: &dyn GuestFiles,
    installed: &[Package],
) -> Result<BTreeSet<String>, String> {
    let source = Source::new(guest, Instant::now() + limits::TIME);
    let unread = |problem: Problem| format!("its lists of packages cannot be read: {problem}");
    let all = source.names(LISTS, limits::ENTRIES).map_err(unread)?;
    let packed = |name: &Vec<u8>| {
        let at = name.windows(LIST.len()).position(|part| part == LIST);
        at.is_some_and(|at| name[at + LIST.len()..].starts_with(b"."))
    };
    if all.iter().any(packed) {
        return Err("its lists of packages are packed".into());
    }
    let mut lists = all.iter().filter(|name| name.ends_with(LIST)).peekable();
    if lists.peek().is_none() {
        return Err(
            "it has no lists of packages: `apt-get update` in the guest fetches them".into(),
        );
    }
    let known = versions(installed);
    let mut later = BTreeSet::new();
    for list in lists {
        let file = below(LISTS, list);
        let text = source.again().text(&file).map_err(unread)?;
        read(
            &text.unwrap_or_default(),
            &source,
            &file,
            &mut |name, version| {
                let older = known.get(name).is_some_and(|installed| {
                    let mut installed = installed.iter();
                    installed.any(|one| compare(version, one.as_bytes()) == Ordering::Greater)
                });
                if older {
                    later.insert(String::from_utf8_lossy(name).into_owned());
                }
            },
        )
        .map_err(unread)?;
    }
    Ok(later)
}

/// Installed versions, by name: a package may be there for several architectures.
fn versions(installed: &[Package]) -> HashMap<&[u8], Vec<&str>> {
    let mut known: HashMap<&[u8], Vec<&str>> = HashMap::new();
    for package in installed.iter().filter(|package| package.owns()) {
        if let Some(version) = &package.version {
            known
                .entry(package.name.as_bytes())
                .or_default()
                .push(version);
        }
    }
    known
}

/// Hands out name and version of every stanza that has both.
fn read(
    text: &[u8],
    source: &Source<'_>,
    file: &[u8],
    each: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), Problem> {
    let (mut name, mut version) = (None, None);
    for event in events(text) {
        match event.map_err(|fault| Problem::malformed(file, fault))? {
            StanzaEvent::Field {
                name: field, value, ..
            } => {
                if field.eq_ignore_ascii_case(b"Package") {
                    name = Some(value);
                } else if field.eq_ignore_ascii_case(b"Version") {
                    version = Some(value);
                }
            }
            StanzaEvent::More { .. } => {}
            StanzaEvent::End { .. } => {
                source.in_time()?;
                if let (Some(name), Some(version)) = (name.take(), version.take()) {
                    each(name, version);
                }
            }
        }
    }
    Ok(())
}

/// Which version is later, by Debian policy 5.6.12: epoch, upstream version, revision.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (epoch_a, rest_a) = epoch(a);
    let (epoch_b, rest_b) = epoch(b);
    let (upstream_a, revision_a) = revision(rest_a);
    let (upstream_b, revision_b) = revision(rest_b);
    number(epoch_a, epoch_b)
        .then_with(|| part(upstream_a, upstream_b))
        .then_with(|| part(revision_a, revision_b))
}

fn epoch(version: &[u8]) -> (&[u8], &[u8]) {
    match version.iter().position(|&byte| byte == b':') {
        Some(at) => (&version[..at], &version[at + 1..]),
        None => (b"", version),
    }
}

fn revision(version: &[u8]) -> (&[u8], &[u8]) {
    match version.iter().rposition(|&byte| byte == b'-') {
        Some(at) => (&version[..at], &version[at + 1..]),
        None => (version, b""),
    }
}

/// Alternating runs of other bytes and digits are compared, one after the other.
fn part(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, text_b) = (run(&mut a, false), run(&mut b, false));
        let (number_a, number_b) = (run(&mut a, true), run(&mut b, true));
        let ordering = text(text_a, text_b).then_with(|| number(number_a, number_b));
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    Ordering::Equal
}

/// The digits, or what are none, that come first.
fn run<'a>(rest: &mut &'a [u8], digits: bool) -> &'a [u8] {
    let end = rest.iter().position(|byte| byte.is_ascii_digit() != digits);
    let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
    *rest = after;
    run
}

/// A tilde comes before the end, the end before letters, and letters before all else.
fn text(a: &[u8], b: &[u8]) -> Ordering {
    let order = |text: &[u8], at: usize| match text.get(at) {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let both = (0..a.len().max(b.len())).map(|at| order(a, at).cmp(&order(b, at)));
    both.fold(Ordering::Equal, Ordering::then)
}

fn number(a: &[u8], b: &[u8]) -> Ordering {
    let plain = |digits: &'_ [u8]| digits.iter().position(|&digit| digit != b'0');
    let (a, b) = (
        &a[plain(a).unwrap_or(a.len())..],
        &b[plain(b).unwrap_or(b.len())..],
    );
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_dpkg_does() {
        let rising = [
            "1~rc1",
            "1",
            "1.0",
            "1.0+b1",
            "1.1~~",
            "1.1~",
            "1.1",
            "1.1a",
            "1.1+x",
            "1.9-1",
            "1.10-1",
            "1.10-1+deb12u1",
            "1.10-2",
            "1:0.1",
            "2:0",
            "10:0",
        ];
        for (at, one) in rising.iter().enumerate() {
            for (other_at, other) in rising.iter().enumerate() {
                let told = compare(one.as_bytes(), other.as_bytes());
                assert_eq!(told, at.cmp(&other_at), "{one} and {other}");
            }
        }
        assert_eq!(compare(b"01.002", b"1.2"), Ordering::Equal);
        assert_eq!(compare(b"0:1", b"1"), Ordering::Equal);
    }
}
