use std::cell::RefCell;
use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn covers(pattern: &str, path: &str) -> Option<usize> {
    let glob = PathGlob::new(pattern).unwrap();
    glob.covers(&components(path.as_bytes()))
}

#[test]
fn wildcards() {
    let cases = [
        ("", "a", false),
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a?c", "a/c", true),
        ("a?c", "ac", false),
        ("*", "", true),
        ("/etc/*", "/etc/ssh/sshd_config", true),
        ("*.pid", ".pid", true),
        ("*.pid", "x.pidx", false),
        ("[abc]x", "bx", true),
        ("[abc]x", "dx", false),
        ("[a-c]", "b", true),
        ("[!a-c]", "b", false),
        ("[^a-c]", "d", true),
        ("[a-]", "-", true),
        ("[]x]", "]", true),
        ("[!]x]", "]", false),
        ("[\\]]", "]", true),
        ("[a", "[a", true),
        ("[a", "a", false),
        ("[", "[", true),
        ("\\*", "*", true),
        ("\\*", "x", false),
        ("a\\[b]", "a[b]", true),
    ];
    for (pattern, name, want) in cases {
        let got = Wildcard::new(pattern).is_ok_and(|w| w.matches(name.as_bytes()));
        assert_eq!(got, want, "{pattern} on {name}");
    }
}

#[test]
fn classes_hold_bytes_above_ascii_only_by_negation() {
    assert!(Wildcard::new("[!a]").unwrap().matches(b"\xff"));
    assert!(!Wildcard::new("[!a]").unwrap().matches(b"a"));
    assert!(Wildcard::new("[b-é]").is_err());
}

#[test]
fn paths() {
    let cases = [
        ("/etc", "/etc", Some(1)),
        ("/etc", "/etc/ssh/moduli", Some(1)),
        ("/etc", "/etcetera", None),
        ("/etc", "/usr/etc", None),
        ("/opt/*/etc", "/opt/foo/etc/x", Some(3)),
        ("/opt/*/etc", "/opt/foo/bar/etc/x", None),
        ("/a/**/z", "/a/z", Some(2)),
        ("/a/**/z", "/a/b/c/z/y", Some(4)),
        ("/a/**/z", "/b/z", None),
        ("/a/**", "/a", None),
        ("/a/**", "/a/b/c", Some(2)),
        ("/a/", "/a", None),
        ("/a/", "/a/b", Some(2)),
        ("/", "/a", Some(0)),
        ("/**", "/a", Some(1)),
        ("**", "/a/b", Some(1)),
        ("foo", "/x/foo", Some(2)),
        ("foo", "/x/foo/y", Some(2)),
        ("foo", "/x/foot", None),
        ("foo/bar", "/x/foo/bar/y", Some(3)),
        ("foo/bar", "/x/foo/y/bar", None),
        ("*.pid", "/x/y.pid", Some(2)),
        ("a**z", "/abcz", Some(1)),
        ("a**z", "/ab/cz", None),
        ("foo**", "/foobar", Some(1)),
        ("foo**", "/fo", None),
        ("**/foo", "/foo", Some(1)),
        ("/[a/b]", "/[a/b]", Some(2)),
    ];
    for (pattern, path, want) in cases {
        assert_eq!(covers(pattern, path), want, "{pattern} on {path}");
    }
}

#[test]
fn patterns_that_cannot_mean_what_they_say_are_refused() {
    let long = "x".repeat(MAX_LENGTH + 1);
    for bad in [
        "",
        "//",
        "//**",
        "/a//b",
        "/a/../b",
        "./a",
        "a\\",
        "a\\/b",
        "[[:digit:]]",
        "[z-a]",
        "a\0",
        &long,
        &"/x".repeat(MAX_LENGTH),
    ] {
        assert!(PathGlob::new(bad).is_err(), "{bad:?}");
    }
    assert!(PathGlob::new(&long[..MAX_LENGTH]).is_ok());
}

#[test]
fn ancestors() {
    let path = b"/opt/foo/etc";
    let parts = components(path);
    let want: [&[u8]; 4] = [b"/", b"/opt", b"/opt/foo", b"/opt/foo/etc"];
    for (count, want) in want.into_iter().enumerate() {
        assert_eq!(ancestor(path, &parts, count), want);
    }
}

/// The obvious matcher, exponential and right.
fn oracle(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], _) => name.is_empty(),
        ([b'*', rest @ ..], _) => {
            oracle(rest, name) || (!name.is_empty() && oracle(pattern, &name[1..]))
        }
        ([p, rest @ ..], [n, tail @ ..]) => (*p == b'?' || p == n) && oracle(rest, tail),
        _ => false,
    }
}

/// The same for components, with everything below a match.
fn path_oracle(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], _) => true,
        (["**", rest @ ..], _) => {
            path_oracle(rest, path) || (!path.is_empty() && path_oracle(pattern, &path[1..]))
        }
        ([p, rest @ ..], [n, tail @ ..]) => {
            oracle(p.as_bytes(), n.as_bytes()) && path_oracle(rest, tail)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn wildcards_agree_with_the_oracle(pattern in "[ab*?/]{1,8}", name in "[ab/]{0,10}") {
        let wildcard = Wildcard::new(&pattern).unwrap();
        prop_assert_eq!(wildcard.matches(name.as_bytes()), oracle(pattern.as_bytes(), name.as_bytes()));
    }

    #[test]
    fn shortest_prefixes_match_and_no_shorter_one_does(pattern in "[ab*?]{1,6}", name in "[ab]{0,8}") {
        let wildcard = Wildcard::new(&pattern).unwrap();
        let shortest = (0..=name.len()).find(|&n| oracle(pattern.as_bytes(), &name.as_bytes()[..n]));
        prop_assert_eq!(wildcard.shortest_prefix(name.as_bytes()), shortest);
    }

    #[test]
    fn paths_agree_with_the_oracle(
        pattern in prop::collection::vec("\\*\\*|[ab*]{1,2}", 1..5),
        path in prop::collection::vec("[ab]{1,2}", 1..6),
    ) {
        let (pattern, path): (Vec<&str>, Vec<&str>) = (
            pattern.iter().map(String::as_str).collect(),
            path.iter().map(String::as_str).collect(),
        );
        let glob = format!("/{}", pattern.join("/"));
        let want = match pattern.split_last() {
            // At the end `**` stands for what is below, so it needs something.
            Some((&"**", rest)) => path_oracle(&[rest, &["*"]].concat(), &path),
            _ => path_oracle(&pattern, &path),
        };
        prop_assert_eq!(covers(&glob, &format!("/{}", path.join("/"))).is_some(), want);
    }
}

#[test]
fn each_pair_of_elements_is_compared_once_and_none_beyond_an_end() {
    let stars = "*a".repeat(100) + "b";
    let name = vec![b'a'; 5_000];
    for pattern in [stars.as_bytes(), b"a", b"", b"*", &name, b"a*a"] {
        let seen = RefCell::new(HashSet::new());
        let same = |p: usize, n: usize| {
            assert!(seen.borrow_mut().insert((p, n)), "{p} and {n} again");
            pattern[p] == name[n]
        };
        let star = |p: usize| pattern[p] == b'*';
        let found = greedy(pattern.len(), name.len(), Reach::Whole, star, same);
        let ends = pattern.ends_with(b"*") || pattern == name || pattern == b"a*a";
        assert_eq!(found, ends.then_some(name.len()), "{}", pattern.len());
        let all = pattern.contains(&b'a') && pattern.contains(&b'*');
        assert!(!all || seen.borrow().len() >= name.len());
    }
}
