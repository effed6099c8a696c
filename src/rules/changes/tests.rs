//! Lines side by side, against what a table of them says.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{
    Action, Digest, Flag, FlagReason, GuestName, GuestPath, Left, Link, LinkReason, Making,
    MetadataDigest, ObjectFlag, ObjectId, SideOf, Skip, SkipReason,
};

fn name(text: &str) -> GuestName {
    GuestName::new(text).unwrap()
}

fn names(text: &str) -> Vec<GuestName> {
    text.split_whitespace().map(name).collect()
}

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

fn link(guest: &str, at: &str, byte: u8) -> Action {
    Action::Link(Link {
        guest: name(guest),
        path: path(at),
        also: Vec::new(),
        object: object(byte),
        makes: None,
        size: 1,
        saves: 1,
        reason: LinkReason::Identical,
        owner: None,
        before: None,
        note: None,
    })
}

fn flag(byte: u8) -> Action {
    Action::Flag(Flag {
        object: object(byte),
        set: vec![ObjectFlag::Immutable],
        names: 2,
        reason: FlagReason::ProtectShared,
        note: None,
    })
}

fn skip(guest: &str, at: &str, reason: SkipReason) -> Action {
    Action::Skip(Skip::new(name(guest), path(at), reason))
}

#[test]
fn guests_of_both_have_one_order_or_none() {
    let order = |old, new| common_order(&names(old), &names(new));
    assert_eq!(order("a c", "b c d"), Some(names("b a c d")));
    assert_eq!(order("a b", ""), Some(names("a b")));
    assert_eq!(order("", "b a"), Some(names("b a")));
    assert_eq!(order("a b c", "c a"), None);
}

#[test]
fn a_decision_has_no_evidence() {
    let Action::Link(plain) = link("a", "/x", 1) else {
        panic!("a link");
    };
    let more = Link {
        size: 2,
        saves: 2,
        makes: Some(Making::Copy),
        note: Some("x".into()),
        object: ObjectId {
            generation: 3,
            ..plain.object
        },
        ..plain.clone()
    };
    let fields = |new: &Link, depth| {
        changed_fields(
            &Action::Link(plain.clone()),
            &Action::Link(new.clone()),
            depth,
        )
    };
    assert_eq!(fields(&more, Depth::Decision), [""; 0]);
    let want = ["generation", "makes", "size", "saves", "note"];
    assert_eq!(fields(&more, Depth::Evidence), want);
    let other = Link {
        also: vec![path("/y")],
        object: object(2),
        ..plain.clone()
    };
    assert_eq!(fields(&other, Depth::Decision), ["also", "object"]);
    let old = skip("a", "/x", SkipReason::ConfigFile);
    let fields = |new: &Action| changed_fields(&old, new, Depth::Decision);
    assert_eq!(fields(&link("a", "/x", 1)), ["action", "object", "reason"]);
    assert_eq!(fields(&skip("a", "/x", SkipReason::Empty)), ["reason"]);
}

#[test]
fn flags_are_matched_wherever_they_stand() {
    let mut loose = LooseLines::default();
    for byte in [1, 2, 3, 3] {
        loose.add(SideOf::Old, &flag(byte), false);
    }
    for byte in [3, 4, 1] {
        loose.add(SideOf::New, &flag(byte), false);
    }
    assert_eq!(
        (loose.only_in(SideOf::Old), loose.only_in(SideOf::New)),
        (2, 1)
    );
    let mut take = |side, byte| loose.take(side, &flag(byte), false);
    assert!(!take(SideOf::Old, 1) && take(SideOf::Old, 2));
    assert!(
        take(SideOf::Old, 3) && !take(SideOf::Old, 3),
        "one of the two"
    );
    assert!(!take(SideOf::New, 3) && take(SideOf::New, 4));
    let held = Action::Skip(Skip::of(
        Left::Flag { object: object(1) },
        SkipReason::Excluded,
    ));
    let mut loose = LooseLines::default();
    loose.add(SideOf::Old, &flag(1), false);
    loose.add(SideOf::New, &held, false);
    assert_eq!(
        loose.only_in(SideOf::New),
        1,
        "a flag that is held is another line"
    );
}

#[test]
fn choices_decide_and_places_do_not() {
    let facts = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    };
    let old = facts(&[
        ("base.objects", "1"),
        ("base.path", "\"/a\""),
        ("created", "1"),
        ("guests.a.b.root", "\"/x\""),
        ("guests.gone.root", "\"/x\""),
        ("policy.min_size", "0"),
        ("policy.skips", "\"all\""),
        ("protection.mode", "\"immutable\""),
    ]);
    let new = facts(&[
        ("base.objects", "2"),
        ("base.path", "\"/b\""),
        ("created", "2"),
        ("guests.a.b.root", "\"/y\""),
        ("policy.file", "{}"),
        ("policy.min_size", "1"),
        ("protection.mode", "\"none\""),
    ]);
    let changes = |depth| {
        let all = header_changes(&old, &new, &|guest| guest != "gone", depth);
        all.into_iter()
            .map(|change| (change.field, change.decides))
            .collect::<Vec<_>>()
    };
    let want = [
        ("base.path", false),
        ("guests.a.b.root", false),
        ("policy.file", false),
        ("policy.min_size", true),
        ("policy.skips", false),
        ("protection.mode", true),
    ];
    let want: Vec<_> = want.map(|(key, decides)| (key.to_owned(), decides)).into();
    assert_eq!(changes(Depth::Decision), want);
    assert_eq!(
        changes(Depth::Evidence).len(),
        want.len() + 1,
        "and how many objects there were"
    );
}

/// Lines as a plan has them: by guest, then by path.
fn lines() -> impl Strategy<Value = Vec<Action>> {
    let key = (0..3_usize, 0..12_u8);
    let lines = proptest::collection::btree_map(key, (0..3_u8, 0..3_u8), 0..20);
    lines.prop_map(|lines| {
        let mut all = Vec::new();
        for ((guest, at), (kind, byte)) in lines {
            let (guest, at) = (["a", "b", "c"][guest], format!("/{at:02}"));
            all.push(match kind {
                0 => skip(guest, &at, SkipReason::ConfigFile),
                _ => link(guest, &at, byte),
            });
            if kind == 2 {
                all.push(flag(byte));
            }
        }
        all
    })
}

/// Lines with a place, by it.
fn table(lines: &[Action]) -> BTreeMap<(GuestName, GuestPath), Action> {
    let place = |action: &Action| match action {
        Action::Link(link) => Some((link.guest.clone(), link.path.clone())),
        Action::Skip(skip) => Some((skip.guest()?.clone(), skip.path()?.clone())),
        Action::Reflink(_) | Action::Flag(_) => None,
    };
    let placed = lines
        .iter()
        .filter_map(|line| Some((place(line)?, line.clone())));
    placed.collect()
}

/// Lines that can all be read.
fn take(lines: &[Action]) -> impl Iterator<Item = Result<Action, ()>> + '_ {
    lines.iter().cloned().map(Ok)
}

proptest! {
    #[test]
    fn a_merge_is_what_two_tables_are(old in lines(), new in lines()) {
        let order = names("a b c");
        let all: Result<Vec<MergedLine>, ()> = merged(&order, take(&old), take(&new)).collect();
        let (loose, placed): (Vec<_>, Vec<_>) = all.unwrap().into_iter().partition(|line| line.is_loose);
        let (old_table, new_table) = (table(&old), table(&new));
        let mut both = old_table.clone();
        both.extend(new_table.clone());
        let want: Vec<MergedLine> = both.keys().map(|place| MergedLine {
            old: old_table.get(place).cloned(),
            new: new_table.get(place).cloned(),
            is_loose: false,
        }).collect();
        prop_assert_eq!(placed, want);
        prop_assert_eq!(loose.len(), old.len() + new.len() - old_table.len() - new_table.len());
    }

    /// What is broken ends a merge where it stands, and nothing after it is taken for a difference.
    #[test]
    fn an_error_ends_it(old in lines(), new in lines(), at in 0..20_usize) {
        let order = names("a b c");
        let at = at.min(old.len());
        let broken = old.iter().take(at).cloned().map(Ok).chain([Err(())]);
        let all: Result<Vec<MergedLine>, ()> = merged(&order, broken, new.into_iter().map(Ok)).collect();
        prop_assert!(all.is_err());
    }
}
