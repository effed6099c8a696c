//! One line at a time: round trips, hand edits, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::sample::*;
use crate::ledger::json::BadValue;
use crate::ledger::plan::line::{Decoded, Edit, encode};
use crate::model::*;

/// A line of a plan that can be applied.
fn decode(line: &[u8]) -> Result<Decoded, BadValue> {
    crate::ledger::plan::line::decode(line, PlanKind::Plan)
}

fn text(action: &Action) -> String {
    let mut out = Vec::new();
    encode(action, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn unchanged(action: Action) -> Decoded {
    let edit = Edit::None;
    Decoded { action, edit }
}

/// Evidence and nothing else tells the link lines of the two kinds of plans apart.
#[test]
fn a_line_of_one_kind_is_none_of_the_other() {
    let decode = crate::ledger::plan::line::decode;
    let proven = Action::Link(link("web1", b"/usr/bin/perl"));
    let audited = Action::Link(Link {
        before: None,
        ..link("web1", b"/usr/bin/perl")
    });
    for (action, own, other) in [
        (proven, PlanKind::Plan, PlanKind::ImagePlan),
        (audited, PlanKind::ImagePlan, PlanKind::Plan),
    ] {
        let line = text(&action);
        assert_eq!(decode(line.as_bytes(), own), Ok(unchanged(action)));
        assert_eq!(decode(line.as_bytes(), other).unwrap_err().field, "before");
        let sized = line.replace("\"size\":3970312,\"saves\"", "\"size\":7,\"saves\"");
        let edit = decode(sized.as_bytes(), own).unwrap().edit;
        assert_eq!(edit, Edit::Changed(vec!["size".to_owned()]));
    }
    let null = text(&Action::Flag(flag()));
    assert!(decode(null.as_bytes(), PlanKind::ImagePlan).is_ok());
}

/// A reviewer's hand on the JSON of a line.
type Change = fn(&mut Value);

fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key);
}

/// The line of `action` after `edit` of its JSON.
fn edited(action: &Action, edit: impl Fn(&mut Value)) -> Result<Decoded, BadValue> {
    let mut value: Value = serde_json::from_str(&text(action)).unwrap();
    edit(&mut value);
    decode(value.to_string().as_bytes())
}

#[test]
fn the_lines_are_those_of_the_manual() {
    let before = r#""before":{"dev":"64768","ino":"18446744073709551615","nlink":1,"mode":"0755","uid":0,"gid":0,"size":3970312,"mtime":"-2.120000000","ctime":"1763600000.120000000"},"seal":""#;
    let id = object(0x5b);
    let want = format!(
        r#"{{"action":"link","guest":"web2","path":"/bin/�(","path_b64":"L2Jpbi/DKA==","method":"hardlink","object":"{id}","size":3970312,"saves":3973120,"reason":"identical",{before}"#
    );
    let line = text(&Action::Link(link("web2", b"/bin/\xc3\x28")));
    assert!(line.starts_with(&want), "{line}");
    assert_eq!(line.len(), want.len() + 40 + 2);

    let want = format!(
        r#"{{"action":"flag","object":"{id}","set":["immutable"],"names":4,"reason":"protect-shared","seal":""#
    );
    let line = text(&Action::Flag(flag()));
    assert!(line.starts_with(&want), "{line}");
    assert_eq!(line.len(), want.len() + 16 + 2);

    let config = actions().swap_remove(0);
    assert_eq!(
        text(&config),
        r#"{"action":"skip","guest":"web1","path":"/etc/ssh/sshd_config","reason":"config-file","per":"ucf","package":"openssh-server","size":3223}"#
    );
}

#[test]
fn every_kind_round_trips() {
    for action in actions() {
        assert_eq!(decode(text(&action).as_bytes()), Ok(unchanged(action)));
    }
}

proptest! {
    #[test]
    fn any_link_round_trips(link in any_link()) {
        let action = Action::Link(link);
        let line = text(&action);
        prop_assert!(!line.chars().any(needs_escape));
        prop_assert_eq!(decode(line.as_bytes()), Ok(unchanged(action)));
    }

    #[test]
    fn any_skip_round_trips(path in any_path(), with in prop::option::of(any_path()), note in any::<Option<String>>(), files in any::<Option<u64>>()) {
        let left = match files {
            None => Left::Name { guest: guest("web1"), path, object: None, size: None },
            Some(files) => beneath(guest("web1"), path, files),
        };
        let skip = Skip { with, note, ..Skip::of(left, SkipReason::Unreadable) };
        let action = Action::Skip(skip);
        prop_assert_eq!(decode(text(&action).as_bytes()), Ok(unchanged(action)));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _answer = decode(&bytes);
    }
}

#[test]
fn every_changed_field_is_named() {
    let other = object(1).to_string();
    let link_edits: [(&'static str, Value); 8] = [
        ("guest", json!("web9")),
        ("path", json!("/usr/bin/perl6")),
        ("object", json!(other)),
        ("makes", json!("copy")),
        ("size", json!(1)),
        ("saves", json!(1)),
        ("reason", json!("identical-object")),
        (
            "before",
            serde_json::to_value(Before {
                uid: 1,
                ..link("a", b"/x").before.unwrap()
            })
            .unwrap(),
        ),
    ];
    let action = Action::Link(link("web1", b"/usr/bin/perl"));
    for (field, value) in link_edits {
        let decoded = edited(&action, |line| line[field] = value.clone()).unwrap();
        assert_eq!(decoded.edit, Edit::Changed(vec![field.to_owned()]));
    }
    let also = edited(&action, |line| line["also"] = json!([{"path": "/z"}])).unwrap();
    assert_eq!(also.edit, Edit::Changed(vec!["path".to_owned()]));

    let action = Action::Flag(flag());
    let flag_edits = [
        ("object", json!(other)),
        ("names", json!(5)),
        ("set", json!(["immutable", "immutable"])),
    ];
    for (field, value) in flag_edits {
        let decoded = edited(&action, |line| line[field] = value.clone()).unwrap();
        assert_eq!(decoded.edit, Edit::Changed(vec![field.to_owned()]));
    }
}

#[test]
fn notes_are_free_and_seals_are_not() {
    for action in [Action::Link(link("web1", b"/a")), Action::Flag(flag())] {
        let noted = edited(&action, |line| line["note"] = json!("why?")).unwrap();
        assert_eq!(noted.edit, Edit::None);
        let without = edited(&action, |line| {
            line.as_object_mut().unwrap().remove("seal");
        });
        assert_eq!(without.unwrap().edit, Edit::Unsealed);
        let broken = edited(&action, |line| line["seal"] = json!("é")).unwrap();
        assert_eq!(broken.edit, Edit::Changed(vec!["seal".to_owned()]));
    }
}

#[test]
fn a_link_or_flag_becomes_a_skip_by_its_word_alone() {
    let full = Link {
        also: vec![path(b"/b")],
        makes: Some(Making::Adopt),
        ..link("web1", b"/a\xff")
    };
    let line = text(&Action::Link(full)).replace(r#""action":"link""#, r#""action":"skip""#);
    let held = decode(line.as_bytes()).unwrap();
    assert_eq!(held.edit, Edit::Held);
    let Action::Skip(skip) = held.action else {
        panic!("not a skip");
    };
    assert_eq!(skip.path(), Some(&path(b"/a\xff")));
    assert_eq!(skip.reason, SkipReason::Held);
    assert_eq!(skip.object(), Some(&object(0x5b)));

    let line = text(&Action::Flag(flag())).replace(r#""action":"flag""#, r#""action":"skip""#);
    let held = decode(line.as_bytes()).unwrap();
    assert_eq!(held.edit, Edit::Held);
    // And what became of it is written and read as held again.
    assert_eq!(decode(text(&held.action).as_bytes()), Ok(held));
}

#[test]
fn a_held_line_may_have_any_reason_and_a_plain_skip_may_not() {
    let action = Action::Link(link("web1", b"/a"));
    let codes = LinkReason::ALL.iter().map(|r| r.code());
    let codes = codes.chain(FlagReason::ALL.iter().map(|r| r.code()));
    for code in codes.chain(SkipReason::ALL.iter().map(|r| r.code())) {
        let held = edited(&action, |line| {
            line["action"] = json!("skip");
            line["reason"] = json!(code);
        });
        assert_eq!(held.unwrap().edit, Edit::Held, "{code}");
    }
    let plain = r#"{"action":"skip","guest":"a","path":"/x","reason":"just-so"}"#;
    assert_eq!(decode(plain.as_bytes()).unwrap_err().field, "reason");
}

#[test]
fn what_is_refused_names_its_field() {
    let action = Action::Link(Link {
        also: vec![path(b"/b")],
        ..link("web1", b"/a\xff")
    });
    let cases: [(&str, Change); 16] = [
        ("before.ctime", |v| remove(&mut v["before"], "ctime")),
        ("before", |v| remove(v, "before")),
        ("size", |v| remove(v, "size")),
        ("before.mode", |v| v["before"]["mode"] = json!("755")),
        ("before.ino", |v| v["before"]["ino"] = json!("+1")),
        ("before.more", |v| v["before"]["more"] = json!(1)),
        ("more", |v| v["more"] = json!(1)),
        ("size", |v| v["size"] = json!(-1)),
        ("object", |v| v["object"] = json!("sha256:x")),
        ("method", |v| v["method"] = json!("copy")),
        ("guest", |v| v["guest"] = json!("../etc")),
        ("path_b64", |v| v["path"] = json!("/other")),
        ("path_b64", |v| v["path_b64"] = json!("L2H")),
        ("also[0].path", |v| v["also"][0]["path"] = json!("/../x")),
        ("also[0]", |v| v["also"][0]["path"] = json!("/A")),
        ("action", |v| v["action"] = json!("\u{1b}delete")),
    ];
    for (field, edit) in cases {
        let bad = edited(&action, edit).unwrap_err();
        assert_eq!(bad.field, field, "{bad}");
        assert!(!bad.to_string().chars().any(needs_escape));
    }
    let skip = |text: &str| decode(text.as_bytes()).unwrap_err().field;
    assert_eq!(
        skip(r#"{"action":"skip","path":"/x","reason":"var"}"#),
        "guest"
    );
    assert_eq!(
        skip(r#"{"action":"skip","guest":"a","reason":"var"}"#),
        "path"
    );
    assert_eq!(skip(r#"{"guest":"a","reason":"var"}"#), "action");
    assert_eq!(
        skip(r#"{"action":"flag","object":"sha256:","set":[]}"#),
        "object"
    );
}

#[test]
fn a_key_given_twice_is_refused() {
    let line = text(&Action::Link(link("web1", b"/a")));
    for key in ["action", "path", "size", "seal"] {
        let value = &serde_json::from_str::<Value>(&line).unwrap()[key];
        let twice = line.replacen('{', &format!("{{\"{key}\":{value},"), 1);
        assert_eq!(decode(twice.as_bytes()).unwrap_err().field, key, "{twice}");
    }
    let twice = line.replace(r#""uid":0"#, r#""uid":0,"uid":0"#);
    assert_eq!(decode(twice.as_bytes()).unwrap_err().field, "before.uid");
}
