//! What changed between two plans, for people.

use std::io::{self, Write};

use super::DiffView;
use super::line;
use crate::model::{GuestChanges, HeaderChange, LineChange, PlanChanges, SideOf, harmless};
use crate::report::layout::size::{count, counted};
use crate::report::layout::table::{Column, TextTable, section};

/// The first changes of two plans, as many as are shown.
#[derive(Debug, Default)]
pub struct FirstChanges(Vec<String>);

impl FirstChanges {
    /// One more; does it want another?
    pub fn take(&mut self, change: &LineChange, view: DiffView) -> bool {
        if self.0.len() < view.most() {
            self.0.push(line::change(change));
        }
        self.0.len() < view.most()
    }
}

/// The sums, then the first lines.
pub fn text(
    found: &PlanChanges,
    first: &FirstChanges,
    view: DiffView,
    out: &mut dyn Write,
) -> io::Result<()> {
    let PlanChanges { old, new, .. } = found;
    writeln!(
        out,
        "{} ({}) → {} ({})",
        old.name,
        harmless(&old.created),
        new.name,
        harmless(&new.created)
    )?;
    writeln!(out, "{}", verdict(found))?;
    header(found, out)?;
    guests(found, view, out)?;
    let flags = found.new_flags + found.gone_flags;
    if flags > 0 {
        let (new, gone) = (count(found.new_flags), count(found.gone_flags));
        writeln!(
            out,
            "\nFlag lines: {new} only in the new plan, {gone} only in the old one"
        )?;
    }
    if !first.0.is_empty() {
        writeln!(out, "\nLines:")?;
    }
    first
        .0
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))?;
    view.more(found.lines(), "line", out)
}

/// What all of it comes to, in a sentence.
fn verdict(found: &PlanChanges) -> String {
    let lines = counted(found.lines(), "line");
    let choices = found.header.iter().filter(|change| change.decides).count();
    let guests = found
        .guests
        .iter()
        .filter(|guest| guest.only_in.is_some())
        .count();
    let also = |number: usize, thing| match number {
        0 => String::new(),
        number => format!(", {}", counted(number as u64, thing)),
    };
    match found.has_something() {
        true => format!(
            "{lines} changed{}{}",
            also(choices, "choice"),
            also(guests, "guest")
        ),
        false if found.evidence => "No difference.".to_owned(),
        false => match same_content(found) {
            true => "No difference: the same would be done, to the same files.".to_owned(),
            false => "No difference in what is decided.".to_owned(),
        },
    }
}

fn same_content(found: &PlanChanges) -> bool {
    found.old.digest.content == found.new.digest.content
}

fn header(found: &PlanChanges, out: &mut dyn Write) -> io::Result<()> {
    let (decides, rest): (Vec<_>, Vec<_>) = found.header.iter().partition(|change| change.decides);
    for (title, changes) in [("Choices:", decides), ("Where and by what:", rest)] {
        if !changes.is_empty() {
            writeln!(out, "\n{title}")?;
        }
        for change in changes {
            writeln!(out, "  {}", header_line(change))?;
        }
    }
    Ok(())
}

/// Longest value that is shown, in characters: a list of patterns can be long. JSON has all of it.
const LONGEST: usize = 200;

fn header_line(change: &HeaderChange) -> String {
    let value = |value: &Option<String>| match value {
        None => "nothing".to_owned(),
        Some(text) if text.chars().nth(LONGEST).is_some() => {
            let begin: String = text.chars().take(LONGEST).collect();
            format!("{}…", harmless(&begin))
        }
        Some(text) => harmless(text),
    };
    let (old, new) = (value(&change.old), value(&change.new));
    format!("{}: {old} → {new}", harmless(&change.field))
}

const COLUMNS: &[(&str, Column)] = &[
    ("guest", Column::Name),
    ("new", Column::Number),
    ("gone", Column::Number),
    ("changed", Column::Number),
    ("links", Column::Number),
    ("come back", Column::Number),
    ("", Column::Words),
];

/// Guests of which anything changed.
fn guests(found: &PlanChanges, view: DiffView, out: &mut dyn Write) -> io::Result<()> {
    let mut table = TextTable::new(COLUMNS);
    let is_told = |guest: &&GuestChanges| guest.lines() > 0 || guest.only_in.is_some();
    for guest in found.guests.iter().filter(is_told) {
        let (old, new) = (&guest.old, &guest.new);
        table.row([
            guest.name.to_string(),
            count(guest.new_lines),
            count(guest.gone_lines),
            count(guest.changed_lines),
            two(&count(old.links), &count(new.links)),
            two(&view.sizes.of(old.saves), &view.sizes.of(new.saves)),
            match guest.only_in {
                Some(SideOf::Old) => "not in the new plan".to_owned(),
                Some(SideOf::New) => "not in the old plan".to_owned(),
                None => String::new(),
            },
        ]);
    }
    section("Guests:", &table, out)
}

fn two(old: &str, new: &str) -> String {
    match old == new {
        true => new.to_owned(),
        false => format!("{old} → {new}"),
    }
}
