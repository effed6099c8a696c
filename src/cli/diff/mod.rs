//! `unify diff`

mod given;
mod meant;
mod of_files;
mod of_guests;
mod of_plans;

use super::terminal::exit::{Exit, Failure};
use meant::{Operand, operand};

pub(super) use given::Args;

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let what: Result<Vec<Operand>, Failure> = args.what.iter().map(|word| operand(word)).collect();
    match what?.as_slice() {
        [Operand::Plan(old), Operand::Plan(new)] if !args.now => of_plans::two(args, old, new),
        [Operand::Plan(old)] if args.now => of_plans::now(args, old),
        [Operand::Guest(old), Operand::Guest(new)] if !args.now => of_guests::run(args, old, new),
        [Operand::File(old), Operand::File(new)] if !args.now => of_files::run(args, old, new),
        others => Err(Failure::Usage(mismatch(others, args.now).into())),
    }
}

/// What is wrong with the words, and what is probably meant.
fn mismatch(what: &[Operand], now: bool) -> &'static str {
    match what {
        _ if now => "--now compares one plan with now: unify diff --now PLAN",
        [Operand::Plan(_)] => "give a second plan, or --now to compare the plan with now",
        [Operand::Guest(_)] => "give a second guest to compare with",
        [Operand::File(_)] => "give the file of a second guest to compare with, as GUEST:/PATH",
        [Operand::Plan(_), Operand::Guest(_)] | [Operand::Guest(_), Operand::Plan(_)] => {
            "a plan and a guest cannot be compared: `unify diff --now PLAN` compares a plan with its guests as they are now"
        }
        _ => "two plans, two guests or two files can be compared, and nothing else with each other",
    }
}
