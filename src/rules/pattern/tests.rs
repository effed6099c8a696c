use super::*;
use PatternKind::{Exclude, Include};

fn list(text: &str) -> Patterns {
    Patterns::new(&parse_list(text.as_bytes(), "list").unwrap()).unwrap()
}

fn globs(given: &[(PatternKind, &str)]) -> Patterns {
    let pattern = |&(kind, glob): &(PatternKind, &str)| Pattern {
        kind,
        glob: glob.to_owned(),
        guest: None,
        star_crosses_slash: false,
        from: "--exclude".to_owned(),
    };
    Patterns::new(&given.iter().map(pattern).collect::<Vec<_>>()).unwrap()
}

fn kind(patterns: &Patterns, path: &str) -> Option<PatternKind> {
    patterns.decide(path.as_bytes()).map(|d| d.kind)
}

#[test]
fn lines_of_a_list() {
    let text = b"+/a\n-/b\n~/c  \t\n/d\r\n# comment\n\n   \n/#e\n/ f\n*\n/last";
    let read = parse_list(text, "x").unwrap();
    let got: Vec<_> = read
        .iter()
        .map(|p| (p.kind, p.glob.as_str(), p.from.as_str()))
        .collect();
    let want = [
        (Include, "/a", "x:1"),
        (Exclude, "/b", "x:2"),
        (Exclude, "/c", "x:3"),
        (Exclude, "/d", "x:4"),
        (Exclude, "/#e", "x:8"),
        (Exclude, "/ f", "x:9"),
        (Exclude, "*", "x:10"),
        (Exclude, "/last", "x:11"),
    ];
    assert_eq!(got, want);
    assert!(read.iter().all(|p| p.star_crosses_slash));
}

#[test]
fn bad_lines_are_named() {
    let cases: [(&[u8], &str); 8] = [
        (b"/a\n+\n", "x:2"),
        (b"x", "x:1"),
        (b"\n\nls-R", "x:3"),
        (b"- /etc", "x:1"),
        (b"+/etc/", "x:1"),
        (b"/a//b", "x:1"),
        (b"/caf\xe9", "x:1"),
        (b"/a\\", "x:1"),
    ];
    for (text, from) in cases {
        assert_eq!(parse_list(text, "x").unwrap_err().from, from, "{text:?}");
    }
}

#[test]
fn first_match_wins_in_lists() {
    let patterns = list("+/etc/termcap\n+*/keep\n/etc\n+/etc/late\n*.iso");
    let cases = [
        ("/etc/termcap", Some(Include)),
        ("/etc/ssh/keep", Some(Include)),
        ("/etc/ssh/moduli", Some(Exclude)),
        ("/etc/late", Some(Exclude)),
        ("/etcetera", None),
        ("/srv/a/b.iso", Some(Exclude)),
        ("/srv/b.iso/inner", Some(Exclude)),
    ];
    for (path, want) in cases {
        assert_eq!(kind(&patterns, path), want, "{path}");
    }
}

#[test]
fn an_include_of_a_list_does_not_cover_what_is_below() {
    let patterns = list("+/root\n+/root/.ssh\n-/root/*");
    assert_eq!(kind(&patterns, "/root/secret"), Some(Exclude));
    assert_eq!(kind(&patterns, "/root/.ssh"), Some(Include));
    assert_eq!(kind(&patterns, "/root/.ssh/id_rsa"), Some(Exclude));
}

#[test]
fn an_exclude_of_a_list_names_the_directory_that_it_matched() {
    let cases: [(&str, &str, Option<&str>); 7] = [
        ("/etc", "/etc/ssh/moduli", Some("/etc")),
        ("/etc/", "/etc/ssh/moduli", Some("/etc")),
        ("/etc", "/etc", None),
        ("/e*", "/etc/ssh/moduli", Some("/etc")),
        ("/etc/*", "/etc/ssh/moduli", Some("/etc/ssh")),
        ("/etc/*", "/etc/fstab", None),
        ("/", "/etc/fstab", Some("/")),
    ];
    for (pattern, path, under) in cases {
        let patterns = list(pattern);
        let decision = patterns.decide(path.as_bytes());
        let decision = decision.unwrap_or_else(|| panic!("{pattern} misses {path}"));
        assert_eq!(decision.under, under.map(str::as_bytes), "{pattern}");
    }
    assert_eq!(list("/etc/").decide(b"/etc"), None);
}

#[test]
fn globs_cover_what_is_below_whether_they_include_or_exclude() {
    let patterns = globs(&[
        (Include, "/opt/app"),
        (Exclude, "/opt/*"),
        (Exclude, "*.iso"),
    ]);
    let cases = [
        ("/opt/app/bin/x", Some(Include)),
        ("/opt/app", Some(Include)),
        ("/opt/apps/bin/x", Some(Exclude)),
        ("/opt", None),
        ("/srv/a.iso", Some(Exclude)),
    ];
    for (path, want) in cases {
        assert_eq!(kind(&patterns, path), want, "{path}");
    }
    let decision = patterns.decide(b"/opt/x/y/z").unwrap();
    assert_eq!(decision.pattern, "/opt/*");
    assert_eq!(decision.under, Some(b"/opt/x".as_slice()));
}

#[test]
fn bytes_that_are_not_text_are_matched() {
    let patterns = globs(&[(Exclude, "/a/caf?")]);
    assert!(patterns.decide(b"/a/caf\xe9").is_some());
}

#[test]
fn too_many_patterns_are_refused() {
    let line = "/a\n";
    let many = parse_list(line.repeat(MAX_PATTERNS + 1).as_bytes(), "x").unwrap();
    assert_eq!(Patterns::new(&many).unwrap_err().from, "x:10001");
    assert!(Patterns::new(&many[..MAX_PATTERNS]).is_ok());
}
