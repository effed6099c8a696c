//! What a plan says of itself, of plans of a few lines.

use super::*;
use crate::model::{Action, Skip};
use crate::report::samples::{Sample, guest, path, small_plan};
use crate::report::words::skip_kinds::{SkipKind, by_kind};

fn tally(actions: &[Action]) -> Tally {
    let mut tally = Tally::new(None);
    actions.iter().for_each(|action| tally.take(action));
    tally
}

#[test]
fn skips_come_from_the_summary_and_what_it_does_not_know_from_the_lines() {
    let (sample, mut plan) = (Sample::small(), small_plan());
    let held = Skip::new(guest("web1"), path("/a"), SkipReason::Held);
    plan.push(Action::Skip(held));
    let tally = tally(&plan);
    let rows = sample.view(&tally).skipped();
    let seen: Vec<_> = rows.iter().map(|row| (row.code, row.count.files)).collect();
    let want = [
        ("config-file", 1),
        ("cache", 120),
        ("unreadable", 1),
        ("unique", 2870),
        ("held", 1),
    ];
    assert_eq!(seen, want);
}

#[test]
fn unknown_codes_are_shown_last_and_counted() {
    let mut sample = Sample::small();
    let count = Count {
        files: u64::MAX,
        bytes: 1,
    };
    sample.summary.skipped.insert("a-new-one".into(), count);
    let tally = tally(&small_plan());
    let rows = sample.view(&tally).skipped();
    assert_eq!(rows.last().map(|row| row.code), Some("a-new-one"));
    assert_eq!(by_kind(&rows).get(&SkipKind::Other), Some(&count));
}

#[test]
fn a_plan_as_it_was_made_is_not_edited() {
    let sample = Sample::small();
    let tally = tally(&small_plan());
    assert_eq!(sample.view(&tally).edited(), Edited::default());
}

#[test]
fn missing_and_added_lines_are_told_apart() {
    let (sample, mut plan) = (Sample::small(), small_plan());
    let extra = plan.remove(1);
    let tally_less = tally(&plan);
    let want = ["1 of 1 flag removed by hand: an object without its flag is not protected"];
    assert_eq!(sample.view(&tally_less).edits(), want);
    plan.extend([extra.clone(), extra]);
    plan.remove(0);
    let tally_more = tally(&plan);
    let want = Edited {
        links_removed: 1,
        flags_removed: 0,
        added: 1,
    };
    assert_eq!(sample.view(&tally_more).edited(), want);
}

#[test]
fn percents_are_of_each_guest() {
    let sample = Sample::small();
    let tally = Tally::default();
    let pairs = sample.view(&tally).pairs();
    assert_eq!(pairs[0].percent, (Some(10), Some(20)));
}

#[test]
fn trouble_is_told_for_every_guest_that_has_it() {
    let sample = Sample::troubled();
    let tally = tally(&small_plan());
    let want = [
        "RUNNING: web2: apply refuses its 1 link until it is stopped",
        "LEFT OUT: db1: its package database is damaged",
    ];
    assert_eq!(sample.view(&tally).warnings(), want);
}
