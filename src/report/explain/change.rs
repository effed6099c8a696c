//! The smallest change that would turn a verdict, as sentences.

use crate::model::{ChangeStep, Count, Explanation, FoundNow, SkipReason, Turn};
use crate::report::layout::shell::shell_word;
use crate::report::layout::size::{Sizes, counted};
use crate::report::words::explain_code::change_reason;
use crate::report::words::sentence::safe;

use super::says::words;

/// The change, a step a line, and what it comes to. Empty where there is nothing to say.
pub(super) fn lines(told: &Explanation) -> Vec<String> {
    if told.left_out.is_some() {
        return vec!["nothing about this name: what the whole guest is left out for".into()];
    }
    let change = &told.change;
    if change.steps.is_empty() {
        return nothing(told);
    }
    let mut lines: Vec<String> = change
        .steps
        .iter()
        .map(|step| self::step(told, step))
        .collect();
    if let [first, rest @ ..] = lines.as_mut_slice() {
        *first = format!(
            "{first}{}",
            if rest.is_empty() {
                ""
            } else {
                "  (all of these together)"
            }
        );
    }
    lines.extend(care(change.steps.as_slice()));
    lines.push(effect(change.to, change.effect, change.at_most));
    lines
}

fn nothing(told: &Explanation) -> Vec<String> {
    let why = match &told.found {
        FoundNow::File(_) if told.content_alone => "another guest with a file of the same content",
        FoundNow::File(_) => {
            "another guest with the same file: same content, mode, owner, time and extended attributes"
        }
        FoundNow::Special => "nothing: only regular files are shared",
        _ => return Vec::new(),
    };
    vec![why.into()]
}

fn step(told: &Explanation, step: &ChangeStep) -> String {
    match step {
        ChangeStep::PlanOption(option, value) => {
            format!("plan with {option} {}", word(value))
        }
        ChangeStep::Command(parts) => {
            let words: Vec<String> = parts.iter().map(|part| word(part)).collect();
            words.join(" ")
        }
        ChangeStep::Edit => {
            "to keep it private, delete its line, or turn the word link into skip".into()
        }
        ChangeStep::NewPlan => "a new plan".into(),
        ChangeStep::Reason(reason) => change_reason(*reason).into(),
        ChangeStep::Equal(fields, guest) => format!(
            "make {} of {}:{} and {guest}'s equal",
            words(fields),
            told.guest,
            told.path
        ),
    }
}

/// A word that can be pasted; what must be escaped cannot.
fn word(text: &str) -> String {
    match shell_word(std::path::Path::new(text)) {
        word if word == "BASE" && text != "BASE" => format!("'{}'", safe(text)),
        word => word,
    }
}

/// What a person should know before they follow a step.
fn care(steps: &[ChangeStep]) -> Option<String> {
    let asks = |name: &str| {
        let is = |step: &ChangeStep| matches!(step, ChangeStep::PlanOption(option, _) if *option == name);
        steps.iter().any(is)
    };
    if asks("--package-databases") {
        return Some("a config file is better kept: the guest cannot change it then".into());
    }
    let risky = [SkipReason::Secret, SkipReason::Privileged].map(SkipReason::code);
    let is_risky = |step: &ChangeStep| matches!(step, ChangeStep::PlanOption("--allow", code) if risky.contains(&code.as_str()));
    let says = "this switches the rule off for all files that it keeps";
    steps.iter().any(is_risky).then(|| says.into())
}

/// `then 2 files are shared, and 4.00 KiB come back`.
fn effect(to: Turn, effect: Option<Count>, at_most: bool) -> String {
    let sizes = Sizes::default();
    let up_to = if at_most { "up to " } else { "" };
    let bytes = |count: Count| sizes.of(count.bytes);
    match (to, effect) {
        (Turn::Shared, Some(count)) if at_most => format!(
            "effect: it concerns up to {}, {}",
            counted(count.files, "file"),
            bytes(count)
        ),
        (Turn::Shared, Some(count)) => format!(
            "effect: {} shared, {} come back",
            counted(count.files, "file"),
            bytes(count)
        ),
        (Turn::Private, Some(count)) => format!(
            "effect: {} its guest's own; {} on disk are not shared",
            counted(count.files, "file"),
            bytes(count)
        ),
        (Turn::Allowed, Some(count)) => format!(
            "effect: nothing speaks against {up_to}{}, {}, any more; each still needs an equal file in another guest",
            counted(count.files, "file"),
            bytes(count)
        ),
        (Turn::Shared, None) => "effect: it may be shared".into(),
        (Turn::Private, None) => "effect: it stays the guest's own".into(),
        (Turn::Allowed | Turn::None, None) => {
            "effect: it may be shared where another guest has an equal file".into()
        }
        (Turn::None, Some(_)) => String::new(),
    }
}
