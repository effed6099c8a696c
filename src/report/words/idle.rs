//! Choices that change nothing, as sentences.

use crate::model::{ChoiceKind, IdleChoice, IdleReason, Summary};
use crate::report::layout::size::{count, counted};

use super::sentence::safe;

/// Choices that are told one by one.
const MOST: usize = 20;

/// A line for each of the first choices, and one for the others.
pub fn lines(summary: &Summary) -> Vec<String> {
    let all = &summary.without_effect;
    let mut lines: Vec<String> = all.iter().take(MOST).map(line).collect();
    let unlisted = all.len().saturating_sub(MOST) as u64;
    match unlisted.saturating_add(summary.more_without_effect) {
        0 => {}
        more => lines.push(format!(
            "NO EFFECT: and {}: `without_effect` in the plan's summary lists them",
            counted(more, "more choice")
        )),
    }
    lines
}

fn line(idle: &IdleChoice) -> String {
    let (from, value) = (safe(&idle.from), safe(&idle.value));
    if idle.why == IdleReason::SharedAlready {
        let names = counted(idle.names, "name");
        return format!(
            "SHARED ALREADY: {from} '{value}': {names} that it matches of files that are shared already, and stay so; unify undo --run all --path '{value}' gives them back"
        );
    }
    format!("NO EFFECT: {from} '{value}': {}", why(idle))
}

fn why(idle: &IdleChoice) -> String {
    let bare = idle.why.sentence();
    match idle.why {
        IdleReason::MatchesNothing if idle.choice == ChoiceKind::Allow => {
            "no guest has a file that this rule keeps".into()
        }
        IdleReason::MatchesNothing if idle.near.is_empty() => bare.into(),
        IdleReason::MatchesNothing => {
            let near: Vec<String> = idle.near.iter().map(|name| safe(name)).collect();
            format!("{bare}; near: {}", near.join(", "))
        }
        IdleReason::DecidedBefore => match &idle.decided_by {
            Some(by) => format!("{} decides first, for all that it matches", safe(by)),
            None => bare.into(),
        },
        IdleReason::LeftAloneAnyway => left_alone(idle),
        IdleReason::NothingToOverrule | IdleReason::SharedAlready | IdleReason::NoDatabase => {
            bare.into()
        }
    }
}

/// `its 2 names are left alone all the same: 2 config-file; the package database says so, and …`.
fn left_alone(idle: &IdleChoice) -> String {
    let reasons = idle.left_alone.iter();
    let reasons = reasons.map(|(code, names)| format!("{} {}", count(*names), safe(code)));
    let reasons: Vec<String> = reasons.collect();
    let names = counted(idle.names, "name");
    let text = format!(
        "{names} of files, left alone all the same: {}",
        reasons.join(", ")
    );
    let by_database = ["config-file", "diverted", "mode-override"];
    let of_database = by_database
        .iter()
        .any(|code| idle.left_alone.contains_key(*code));
    match idle.choice {
        ChoiceKind::Include | ChoiceKind::Allow if of_database => format!(
            "{text}; a package database comes before patterns and care rules (--package-databases NAME:ignore)"
        ),
        ChoiceKind::Include => {
            format!("{text}; --include overrules rules on paths only (unify explain CODE)")
        }
        _ => text,
    }
}
