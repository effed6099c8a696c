use std::collections::BTreeMap;

use super::*;
use crate::model::{GuestName, Pattern, PatternKind};
use crate::rules::pattern::{Patterns, parse_list};

/// Directories and links of a guest; a link of one step, with an absolute target.
struct Sketch(BTreeMap<&'static str, Option<&'static str>>);

impl Links for Sketch {
    fn resolve(&self, path: &[u8]) -> Option<Place> {
        let text = str::from_utf8(path).ok()?;
        let mut at = String::new();
        let mut is_directory = true;
        for part in text.split('/').filter(|part| !part.is_empty()) {
            at = format!("{at}/{part}");
            if let Some(target) = self.0.get(at.as_str())? {
                at = target.trim_end_matches('/').to_owned();
            }
            is_directory = !at.ends_with('1');
        }
        let path = GuestPath::new(if at.is_empty() { b"/" } else { at.as_bytes() }).ok()?;
        Some(Place { path, is_directory })
    }

    fn names_in(&self, directory: &GuestPath) -> Vec<Vec<u8>> {
        let top = GuestPath::as_bytes(directory);
        let names = self.0.keys().filter_map(|name| {
            let path = GuestPath::new(name.as_bytes()).ok()?;
            (path.parent().as_bytes() == top).then(|| path.file_name().to_vec())
        });
        names.collect()
    }

    fn not_looked(&self) -> u64 {
        0
    }
}

fn guest() -> Sketch {
    let names = [
        ("/usr", None),
        ("/usr/lib", None),
        ("/usr/lib/x", None),
        ("/usr/lib/x/f1", None),
        ("/usr/bin", None),
        ("/usr/bin/file1", None),
        ("/lib", Some("/usr/lib")),
        ("/lib64", Some("/usr/lib")),
        ("/etc", None),
        ("/etc/alt", None),
        ("/etc/alt/vi", Some("/usr/bin/file1")),
        ("/usr/bin/vi", Some("/usr/bin/file1")),
        ("/top", Some("/")),
    ];
    Sketch(names.into())
}

fn covers(patterns: &[Pattern], path: &str) -> bool {
    let all = Patterns::new(patterns).unwrap();
    let all = all.of_guest(&GuestName::new("web").unwrap(), &guest());
    all.decide(path.as_bytes()).is_some()
}

fn glob(text: &str) -> [Pattern; 1] {
    [Pattern::of(PatternKind::Exclude, text, false, "--exclude")]
}

#[test]
fn globs_mean_what_the_guest_means() {
    for (text, path) in [
        ("/lib/x/f1", "/usr/lib/x/f1"),
        ("/lib", "/usr/lib/x/f1"),
        ("/lib/", "/usr/lib/x/f1"),
        ("/lib/**/f1", "/usr/lib/x/f1"),
        ("/lib*", "/usr/lib/x/f1"),
        ("/l?b/x/*", "/usr/lib/x/f1"),
        ("/*/x/f1", "/usr/lib/x/f1"),
        ("/usr/bin/vi", "/usr/bin/file1"),
        ("/top/lib/x", "/usr/lib/x/f1"),
        ("web:/lib/x", "/usr/lib/x/f1"),
        ("/usr/lib/x", "/usr/lib/x/f1"),
    ] {
        assert!(covers(&glob(text), path), "{text} misses {path}");
    }
}

#[test]
fn globs_mean_no_more() {
    for (text, path) in [
        ("/etc/alt/*", "/usr/bin/file1"),
        ("/etc/**", "/usr/bin/file1"),
        ("/top", "/usr/bin/file1"),
        ("/to*", "/usr/bin/file1"),
        ("**/lib/x", "/usr/bin/file1"),
        ("/lib/y", "/usr/lib/x/f1"),
        ("db:/lib/x", "/usr/lib/x/f1"),
        ("db:/usr/lib", "/usr/lib/x/f1"),
    ] {
        assert!(!covers(&glob(text), path), "{text} covers {path}");
    }
}

#[test]
fn lists_are_followed_up_to_their_first_wildcard() {
    let list = |text: &str| parse_list(text.as_bytes(), "list").unwrap();
    for (text, path) in [
        ("/lib", "/usr/lib/x/f1"),
        ("/lib/", "/usr/lib/x/f1"),
        ("/lib/*1", "/usr/lib/x/f1"),
        ("+/lib/x/f1", "/usr/lib/x/f1"),
        ("-web:/lib/x", "/usr/lib/x/f1"),
    ] {
        assert!(covers(&list(text), path), "{text} misses {path}");
    }
    for (text, path) in [
        ("+/lib", "/usr/lib/x/f1"),
        ("/top", "/usr/lib/x"),
        ("db:/lib", "/usr/lib/x/f1"),
    ] {
        assert!(!covers(&list(text), path), "{text} covers {path}");
    }
}

/// Homes are many. Of each the cache is a link to one place, and the mail to a place of its own.
#[test]
fn directories_that_are_passed_are_no_links_that_are_followed() {
    let mut all = BTreeMap::from([("/home", None), ("/data", None), ("/data/c", None)]);
    let text = |text: String| -> &'static str { text.leak() };
    for number in 0..1_100 {
        let home = text(format!("/home/u{number}x"));
        let mail = text(format!("/data/m{number}x"));
        all.extend([(home, None), (mail, None)]);
        all.insert(text(format!("{home}/cache")), Some("/data/c"));
        all.insert(text(format!("{home}/mail")), Some(mail));
    }
    let (web, guest) = (GuestName::new("web").unwrap(), Sketch(all));
    let followed = |text: &str| Patterns::new(&glob(text)).unwrap().of_guest(&web, &guest);
    let cache = followed("/home/*/cache");
    assert!(cache.decide(b"/data/c/f").is_some());
    assert!(cache.cut_short(&web).next().is_none());
    let mail = followed("/home/*/mail");
    let (kind, bad) = mail.cut_short(&web).next().unwrap();
    assert_eq!(
        (kind, bad.pattern.as_str()),
        (PatternKind::Exclude, "/home/*/mail")
    );
    assert!(followed("/data/*").cut_short(&web).next().is_none());
}
