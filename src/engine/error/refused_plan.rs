//! Why a plan that can be read may not be executed.

use std::path::PathBuf;

use crate::model::{Digest, Escaped, GuestName};

/// What keeps a whole plan from being executed.
#[derive(Debug, thiserror::Error)]
pub enum RefusedPlan {
    /// Device and inode numbers of another host mean nothing here.
    #[error("it was made on another host")]
    OtherHost,
    /// Another content was approved.
    #[error("its content digest is {found}, and {approved} was approved")]
    NotApproved {
        /// What the plan would do now.
        found: Digest,
        /// What was approved.
        approved: Digest,
    },
    /// Lines were changed or added by hand, and the user did not accept that.
    #[error("{first}{}; with --accept-edits such lines are proven anew and executed", and_more(*.more))]
    Edited {
        /// The first of them, each with its fields.
        first: String,
        /// How many more there are.
        more: u64,
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
