//! Doubles and shuffles, and which neighbours a skip may have.

use super::sample::*;
use crate::ledger::{Form, PlanError};
use crate::model::*;

fn skip(name: &[u8], reason: SkipReason, files: Option<u64>) -> Action {
    let (guest, path) = (guest("web1"), path(name));
    Action::Skip(match files {
        None => Skip::new(guest, path, reason),
        Some(files) => Skip::of(beneath(guest, path, files), reason),
    })
}

fn accepted(actions: &[Action]) -> bool {
    match read(write(Form::Lines, actions)) {
        Ok(_) => true,
        Err(PlanError::Order { line }) => {
            assert_eq!(
                line,
                3 + actions.len() as u64,
                "the last line is the one that is wrong"
            );
            false
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn lines_rise_by_guest_and_path() {
    let link = |owner, name| Action::Link(link(owner, name));
    assert!(accepted(&[link("web1", b"/a"), link("web1", b"/b")]));
    assert!(accepted(&[link("web1", b"/b"), link("web2", b"/a")]));
    assert!(!accepted(&[link("web1", b"/a"), link("web1", b"/a")]));
    assert!(!accepted(&[link("web1", b"/b"), link("web1", b"/a")]));
    assert!(!accepted(&[link("web2", b"/a"), link("web1", b"/b")]));
    let flag = || Action::Flag(flag());
    assert!(accepted(&[
        flag(),
        link("web1", b"/a"),
        flag(),
        link("web1", b"/b"),
        flag()
    ]));
    assert!(!accepted(&[
        link("web1", b"/b"),
        flag(),
        link("web1", b"/a")
    ]));
}

#[test]
fn only_skips_of_directories_share_a_path() {
    let name = || skip(b"/var", SkipReason::Unreadable, None);
    let cache = || skip(b"/var", SkipReason::Cache, Some(1));
    let log = || skip(b"/var", SkipReason::Log, Some(1));
    let link = || Action::Link(link("web1", b"/var"));
    assert!(accepted(&[name(), cache(), log()]));
    assert!(!accepted(&[cache(), cache()]));
    assert!(!accepted(&[log(), cache()]));
    assert!(!accepted(&[cache(), name()]));
    assert!(!accepted(&[name(), name()]));
    assert!(!accepted(&[link(), cache()]));
    assert!(!accepted(&[cache(), link()]));
    assert!(!accepted(&[link(), name()]));
}

#[test]
fn guests_are_listed_once_and_named_after_the_list() {
    let text = write(Form::Document, &[Action::Link(link("web3", b"/a"))]);
    assert!(matches!(
        read(text),
        Err(PlanError::UnknownGuest { line: 18, .. })
    ));
    let text = plan(Form::Document).replace("\"name\":\"web2\"", "\"name\":\"web1\"");
    assert!(matches!(
        read(text),
        Err(PlanError::GuestTwice { line: 15, .. })
    ));
}

#[test]
fn parts_stand_in_their_order_and_once() {
    let text = plan(Form::Lines);
    let lines: Vec<&str> = text.lines().collect();
    let refused = |order: &[usize]| {
        let text: Vec<&str> = order.iter().map(|&i| lines[i]).collect();
        read(text.join("\n")).is_err()
    };
    let whole: Vec<usize> = (0..lines.len()).collect();
    assert!(!refused(&whole));
    for i in [1, 3, 9, 10] {
        let mut swapped = whole.clone();
        swapped.swap(i - 1, i);
        assert!(refused(&swapped), "{i}");
    }
    for i in [0, 1, 3, 9, 10] {
        let mut twice = whole.clone();
        twice.insert(i, i);
        assert!(refused(&twice), "{i} twice");
    }
    for i in [0, 1, 9, 10] {
        let mut without = whole.clone();
        without.remove(i);
        assert!(refused(&without), "without {i}");
    }
    let document = plan(Form::Document);
    for (from, to) in [
        ("\"guests\": [", "\"guests\": 1, \"more\": ["),
        ("\"actions\": [", "\"acts\": ["),
        ("\"guests\": [", "\"actions\": [], \"guests\": ["),
        ("\"digest\": {", "\"kind\": {"),
        ("\"summary\": {", "\"notes\": {"),
    ] {
        assert!(read(document.replacen(from, to, 1)).is_err(), "{to}");
    }
}
