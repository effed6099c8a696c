//! Which lines are meant, by every kind of selector and by several together.

use super::*;
use crate::model::{
    Before, Digest, Flag, Making, MetadataDigest, ObjectFlag, ObjectId, Owner, Skip, Time,
};
use crate::rules::pattern::links::Place;

fn path(text: &str) -> GuestPath {
    GuestPath::new(text.as_bytes()).unwrap()
}

fn object(byte: u8) -> ObjectId {
    ObjectId {
        content: Digest([byte; 32]),
        metadata: MetadataDigest([byte; 16]),
        generation: 0,
    }
}

fn link(guest: &str, names: &[&str], of: u8, package: Option<&str>) -> Action {
    let time = Time { sec: 1, nsec: 2 };
    Action::Link(Link {
        guest: GuestName::new(guest).unwrap(),
        path: path(names[0]),
        also: names[1..].iter().map(|name| path(name)).collect(),
        object: object(of),
        makes: None,
        size: 9_000,
        saves: 12_288,
        reason: LinkReason::Identical,
        owner: package.map(|package| Owner {
            package: package.into(),
            version: None,
        }),
        before: Some(Before {
            dev: 1,
            ino: 2,
            nlink: 1,
            mode: 0o755,
            uid: 0,
            gid: 0,
            size: 9_000,
            mtime: time,
            ctime: time,
        }),
        note: None,
    })
}

fn flag(of: u8) -> Action {
    Action::Flag(Flag {
        object: object(of),
        set: vec![ObjectFlag::Immutable],
        names: 2,
        reason: FlagReason::ProtectShared,
        note: None,
    })
}

fn skip(guest: &str, at: &str, reason: SkipReason, package: Option<&str>) -> Action {
    Action::Skip(Skip {
        package: package.map(str::to_owned),
        ..Skip::new(GuestName::new(guest).unwrap(), path(at), reason)
    })
}

/// Two guests that share two files, one of them of a package.
fn plan() -> Vec<Action> {
    vec![
        link(
            "web1",
            &["/usr/bin/perl", "/usr/bin/perl5"],
            1,
            Some("perl"),
        ),
        flag(1),
        link("web1", &["/usr/share/doc"], 2, None),
        flag(2),
        skip(
            "web1",
            "/etc/perl.conf",
            SkipReason::ConfigFile,
            Some("perl"),
        ),
        link("web2", &["/usr/bin/perl"], 1, Some("perl")),
        skip("web2", "/var/cache", SkipReason::Cache, None),
        // Of an object that is shared already.
        flag(3),
    ]
}

/// The numbers of the lines that are selected.
fn selected(selectors: &Selectors) -> Vec<usize> {
    let selection = Selection::new(selectors).unwrap();
    let (plan, mut lines) = (plan(), SelectedLines::of(selection));
    plan.iter().for_each(|action| lines.learn(action));
    let all = plan.iter().enumerate();
    let has = all.filter(|(_, action)| lines.has(action));
    has.map(|(number, _)| number).collect()
}

fn given(one: &str) -> Vec<String> {
    one.split(' ').map(str::to_owned).collect()
}

/// Selectors as they are typed.
fn typed(line: &str) -> Selectors {
    let mut all = Selectors::default();
    let words: Vec<&str> = line.split(' ').collect();
    for pair in words.chunks_exact(2) {
        let value = pair[1].to_owned();
        match pair[0] {
            "--guest" => all.guests.push(value),
            "--not-guest" => all.not_guests.push(value),
            "--path" => all.paths.push(value),
            "--not-path" => all.not_paths.push(value),
            "--reason" => all.reasons.push(value),
            "--not-reason" => all.not_reasons.push(value),
            "--package" => all.packages.push(value),
            "--not-package" => all.not_packages.push(value),
            "--min-saves" => all.min_saves = value.parse().ok(),
            other => panic!("{other}"),
        }
    }
    all
}

#[test]
fn each_kind_of_selector_selects_and_its_opposite_leaves_out() {
    let cases: [(&str, &[usize]); 20] = [
        ("", &[0, 1, 2, 3, 4, 5, 6, 7]),
        ("--guest web2", &[1, 5, 6]),
        ("--guest web*", &[0, 1, 2, 3, 4, 5, 6]),
        ("--not-guest web1", &[1, 5, 6, 7]),
        ("--path /usr/bin", &[0, 1, 5]),
        ("--path perl5", &[0, 1]),
        ("--not-path perl5", &[1, 2, 3, 4, 5, 6, 7]),
        ("--path web2:/usr/bin", &[1, 5]),
        ("--not-path web1:/usr/bin --path /usr", &[1, 2, 3, 5]),
        ("--reason config-file --reason cache", &[4, 6]),
        ("--not-reason identical", &[4, 6, 7]),
        ("--reason identical", &[0, 1, 2, 3, 5]),
        ("--package perl", &[0, 1, 4, 5]),
        ("--not-package per*", &[2, 3, 6, 7]),
        ("--min-saves 12288", &[0, 1, 2, 3, 5]),
        ("--min-saves 12289", &[]),
        // Kinds narrow each other.
        ("--guest web2 --package perl", &[1, 5]),
        (
            "--guest web1 --not-path /usr/bin --reason identical",
            &[2, 3],
        ),
        // A flag goes with the links of its object, and is asked about by itself where there are none.
        ("--reason protect-shared", &[7]),
        ("--not-reason protect-shared", &[0, 1, 2, 3, 4, 5, 6]),
    ];
    for (line, want) in cases {
        assert_eq!(selected(&typed(line)), want, "{line}");
    }
}

/// Without the file that an object is made from, its twins give nothing back.
#[test]
fn a_file_that_an_object_is_made_from_counts_as_one_of_its_twins() {
    let least = Selectors {
        min_saves: Some(9_000),
        ..Selectors::default()
    };
    let Action::Link(mut maker) = link("web1", &["/a"], 1, None) else {
        panic!("a link");
    };
    (maker.makes, maker.saves) = (Some(Making::Copy), 0);
    let selection = Selection::new(&least).unwrap();
    assert!(selection.has_line(&Action::Link(maker)));
}

#[test]
fn a_guest_that_is_none_of_the_plan_is_a_slip() {
    let known = ["web1", "db"].map(|name| GuestName::new(name).unwrap());
    let unknown = |guests: &str, not: &str| {
        let selectors = Selectors {
            guests: given(guests),
            not_guests: given(not),
            ..Selectors::default()
        };
        let selection = Selection::new(&selectors).unwrap();
        selection.among(&known.iter()).err()
    };
    assert_eq!(unknown("web1 d?", "w*"), None);
    assert_eq!(unknown("web1 web2", "db").as_deref(), Some("web2"));
    assert_eq!(unknown("web1", "x*").as_deref(), Some("x*"));
    let of_one = Selection::new(&typed("--path web2:/usr")).unwrap();
    assert_eq!(of_one.among(&known.iter()).err().as_deref(), Some("web2"));
    let bad = Selectors {
        paths: vec![String::new()],
        ..Selectors::default()
    };
    assert!(Selection::new(&bad).is_err());
}

#[test]
fn the_name_of_a_guest_is_no_glob() {
    let known = ["web[1]", "web1", "we*", "x\\"].map(|name| GuestName::new(name).unwrap());
    for (line, want) in [
        ("--guest web[1]", &["web[1]"][..]),
        ("--not-guest web[1]", &["web1", "we*", "x\\"]),
        ("--guest we*", &["we*"]),
        ("--guest web*", &["web[1]", "web1"]),
        ("--guest x\\", &["x\\"]),
    ] {
        let selection = Selection::new(&typed(line)).unwrap();
        let selection = selection.among(&known.iter()).unwrap();
        let has = known.iter().filter(|name| selection.has_guest(name));
        let has: Vec<&str> = has.map(GuestName::as_str).collect();
        assert_eq!(has, want, "{line}");
    }
    let gone = Selection::new(&typed("--guest x\\")).unwrap();
    assert!(gone.among(&known[..3].iter()).is_err());
}

/// `/lib` is a link to `/usr/lib`.
struct Merged;

impl Links for Merged {
    fn resolve(&self, path: &[u8]) -> Option<Place> {
        let path = match path.strip_prefix(b"/lib") {
            Some(rest) => [b"/usr/lib", rest].concat(),
            None => path.to_vec(),
        };
        Some(Place {
            path: GuestPath::new(&path).ok()?,
            is_directory: !path.ends_with(b".so"),
        })
    }

    fn names_in(&self, _: &GuestPath) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn not_looked(&self) -> u64 {
        0
    }
}

#[test]
fn a_path_leads_where_the_links_of_its_guest_lead() {
    let selection = Selection::new(&Selectors {
        paths: vec!["/lib/b.so".into()],
        ..Selectors::default()
    })
    .unwrap();
    let mut lines = SelectedLines::of(selection);
    lines
        .paths()
        .follow(&GuestName::new("web").unwrap(), &Merged)
        .unwrap();
    let (web, db) = (
        link("web", &["/usr/lib/b.so"], 1, None),
        link("db", &["/usr/lib/b.so"], 1, None),
    );
    lines.learn(&web);
    assert!(lines.has(&web), "there /lib is /usr/lib");
    assert!(!lines.has(&db), "of this guest no link is known");
    assert!(lines.has(&flag(1)));
}
