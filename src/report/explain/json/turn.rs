//! The smallest change that would turn a verdict, for programs.

use serde::Serialize;

use crate::model::{Change, ChangeStep, Count};

#[derive(Serialize)]
pub(super) struct ChangeJson<'a> {
    /// `shared`, `allowed`, `private` or `none`.
    to: &'static str,
    /// All of them together.
    steps: Vec<StepJson<'a>>,
    /// Files and bytes that it concerns; null where that is not known.
    effect: Option<Count>,
    at_most: bool,
}

#[derive(Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
enum StepJson<'a> {
    PlanOption {
        option: &'static str,
        value: &'a str,
    },
    Command {
        words: &'a [String],
    },
    EditLine,
    NewPlan,
    SeeReason {
        reason: &'static str,
    },
    MakeEqual {
        fields: Vec<&'static str>,
        guest: &'a str,
    },
}

pub(super) fn change(change: &Change) -> ChangeJson<'_> {
    ChangeJson {
        to: change.to.code(),
        steps: change.steps.iter().map(step).collect(),
        effect: change.effect,
        at_most: change.at_most,
    }
}

fn step(step: &ChangeStep) -> StepJson<'_> {
    match step {
        ChangeStep::PlanOption(option, value) => StepJson::PlanOption { option, value },
        ChangeStep::Command(words) => StepJson::Command { words },
        ChangeStep::Edit => StepJson::EditLine,
        ChangeStep::NewPlan => StepJson::NewPlan,
        ChangeStep::Reason(reason) => StepJson::SeeReason {
            reason: reason.code(),
        },
        ChangeStep::Equal(fields, guest) => StepJson::MakeEqual {
            fields: fields.iter().map(|field| field.code()).collect(),
            guest: guest.as_str(),
        },
    }
}
