//! The sections of a plan hold what the plan holds, in any layout.

use super::plan::{pretty, pretty_value};
use super::sample::*;
use crate::ledger::{Form, PlanReader, Section, SectionReader};
use crate::model::Action;

/// The actions of each section, read by itself.
fn sections(text: &str) -> Vec<Vec<Action>> {
    let mut whole = PlanReader::open(text.as_bytes()).unwrap();
    while whole.next_action().unwrap().is_some() {}
    let read = |section: &Section| {
        let from = usize::try_from(section.begins()).unwrap();
        let mut reader = SectionReader::new(&text.as_bytes()[from..], section);
        std::iter::from_fn(|| reader.next_action().unwrap()).collect()
    };
    whole.sections().iter().map(read).collect()
}

#[test]
fn each_guest_has_its_lines() {
    let document = plan(Form::Document);
    let lines = plan(Form::Lines);
    let spread: String = lines.lines().map(pretty_value).collect();
    let comma = document.replace("\n],\n\"summary\"", ",\n],\n\"summary\"");
    assert_ne!(comma, document);
    let windows = document.replace('\n', "\r\n");
    let all = actions();
    for text in [pretty(&document), document, lines, spread, comma, windows] {
        let found = sections(&text);
        assert_eq!(found.concat(), all, "{text}");
        let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
        assert_eq!(sizes, [3, 3], "a flag belongs to the line before it");
    }
}

#[test]
fn sections_are_the_same_however_lines_are_read() {
    let text = plan(Form::Document);
    let one_by_one = sections(&text);
    let mut whole = PlanReader::open(text.as_bytes()).unwrap();
    while !whole.next_actions(2).unwrap().is_empty() {}
    assert_eq!(whole.sections().len(), one_by_one.len());
    let begins = whole.sections().iter().map(Section::begins);
    for (at, actions) in begins.zip(one_by_one) {
        let text = &text[usize::try_from(at).unwrap()..];
        let word = match actions[0] {
            Action::Link(_) | Action::Reflink(_) => "link",
            Action::Flag(_) => "flag",
            Action::Skip(_) => "skip",
        };
        assert!(text.starts_with(&format!(r#"{{"action":"{word}""#)));
    }
}

#[test]
fn flags_before_all_names_are_a_section_of_their_own() {
    let mut all = actions();
    all.insert(0, Action::Flag(flag()));
    let text = write(Form::Document, &all);
    let found = sections(&text);
    assert_eq!(found.concat(), all);
    assert_eq!(found[0].len(), 1);
}

#[test]
fn a_section_that_was_cut_is_an_error() {
    for form in [Form::Document, Form::Lines] {
        let text = plan(form);
        let mut whole = PlanReader::open(text.as_bytes()).unwrap();
        while whole.next_action().unwrap().is_some() {}
        let section = &whole.sections()[1];
        let from = usize::try_from(section.begins()).unwrap();
        let second = from + text[from..].find('\n').unwrap();
        let mut reader = SectionReader::new(&text.as_bytes()[from..second], section);
        assert!(reader.next_action().unwrap().is_some());
        assert!(reader.next_action().is_err(), "{form:?}");
    }
}

#[test]
fn a_plan_without_actions_has_none() {
    assert_eq!(sections(&write(Form::Document, &[])).len(), 0);
}
