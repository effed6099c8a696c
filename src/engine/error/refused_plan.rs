//! Why a plan that can be read may not be executed.

use std::path::PathBuf;

use crate::model::{DigestPrefix, Escaped, GuestName, PlanDigest};

/// What keeps a whole plan from being executed.
#[derive(Debug, thiserror::Error)]
pub enum RefusedPlan {
    /// Device and inode numbers of another host mean nothing here.
    #[error("it was made on another host")]
    OtherHost,
    /// Its guests stand in another order than those of the plan that it is compared with.
    #[error(
        "its guests stand in another order than those of the plan that it is compared with, so that their lines cannot be put side by side: list them in one order, as `unify plan` does"
    )]
    OtherOrder,
    /// Its header is another than when it was opened.
    #[error("it was rewritten while it was read: apply it again when nobody writes to it")]
    Rewritten,
    /// It was made to be looked at.
    #[error(
        "it is an audit (unify.image-plan), which shows what could be shared and has no evidence to prove or apply anything by, whatever is changed in it: make a plan with `unify plan` and without --audit, where the guests lie beside a base on one file system that can be written to"
    )]
    ImagePlan,
    /// Something else was approved.
    #[error("its {}, and {approved} was approved", digests(.found))]
    NotApproved {
        /// What the plan would do now.
        found: Box<PlanDigest>,
        /// What was approved.
        approved: DigestPrefix,
    },
    /// Both digests begin so.
    #[error(
        "{0} begins its content digest and its decision digest: give more digits of the one that was approved"
    )]
    Ambiguous(DigestPrefix),
    /// Lines were changed or added by hand, and the user did not accept that.
    #[error("{first}{}; with --accept-edits such lines are proven anew and executed", and_more(*.more))]
    Edited {
        /// The first of them, each with its fields.
        first: String,
        /// How many more there are.
        more: u64,
    },
    /// A hand changed what nothing can prove.
    #[error(
        "line {line}, changed by hand: field `{field}` says what was so when the plan was made, and nothing can prove another value: leave it as it was, or delete the line"
    )]
    NotProvable {
        /// Where it stands in the plan.
        line: u64,
        /// Which field.
        field: String,
    },
    /// The base knows another guest by this name.
    #[error(
        "the base knows another guest called {name}, at {}: give this one another name with NAME=PATH",
        Escaped::of(.other)
    )]
    Namesake {
        /// The name of both.
        name: GuestName,
        /// Where the other one is.
        other: PathBuf,
    },
    /// Another directory is where the guest was.
    #[error(
        "the root of {name}, {}, is another directory than when the plan was made: make a new plan",
        Escaped::of(.root)
    )]
    OtherRoot {
        /// The guest.
        name: GuestName,
        /// Its root.
        root: PathBuf,
    },
}

fn and_more(more: u64) -> String {
    match more {
        0 => String::new(),
        more => format!("; and {more} more"),
    }
}

fn digests(found: &PlanDigest) -> String {
    let content = format!("content digest is {}", found.content);
    match found.decision {
        Some(decision) => format!("{content}, its decision digest is {decision}"),
        None => content,
    }
}
