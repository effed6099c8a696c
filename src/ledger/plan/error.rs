//! Why a plan is refused as a whole.

use super::frames::FrameError;
use crate::ledger::json::BadValue;
use crate::model::{FORMAT, GuestName};

/// A plan that cannot be read, or is not one. Every message names a line; all are safe to print.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not JSON, is cut off, or could not be read.
    #[error(transparent)]
    Text(#[from] FrameError),
    /// A field is missing, unknown or wrong.
    #[error("line {line}, {bad}")]
    Value {
        /// Where the value begins.
        line: u64,
        /// Which field, and what is wrong.
        bad: BadValue,
    },
    /// It is JSON of another kind.
    #[error("line {line}: this is not a plan of unify")]
    NotAPlan {
        /// Where `kind` stands, or the text begins.
        line: u64,
    },
    /// It has a major version that this program does not know.
    #[error(
        "line {line}: the plan has format {found} and this program reads {FORMAT}: make it anew with `unify plan`"
    )]
    Version {
        /// Where `format` stands.
        line: u64,
        /// Its format. Safe to print.
        found: String,
    },
    /// A part stands where it may not.
    #[error(
        "line {line}: `{part}` cannot stand here: a plan is header, guests, actions, summary, digest, in this order"
    )]
    Misplaced {
        /// Where it begins.
        line: u64,
        /// Which part or key. Safe to print.
        part: String,
    },
    /// It ends before it is complete.
    #[error("line {line}: the plan ends without its {part}: it was cut off")]
    Missing {
        /// The last line.
        line: u64,
        /// What should have come.
        part: &'static str,
    },
    /// A guest is in the list twice.
    #[error("line {line}: guest {guest} is listed twice")]
    GuestTwice {
        /// The second time.
        line: u64,
        /// Which guest.
        guest: GuestName,
    },
    /// An action names a guest that is not in the list.
    #[error("line {line}, field `guest`: {guest} is not in the plan's list of guests")]
    UnknownGuest {
        /// Where the action begins.
        line: u64,
        /// Which guest.
        guest: GuestName,
    },
    /// An action does not follow the one before it in order.
    #[error(
        "line {line}, field `path`: the lines of a plan go by guest and path, each name once, and this one does not"
    )]
    Order {
        /// Where the action begins.
        line: u64,
    },
}

impl PlanError {
    /// For `map_err`: puts the line to a value.
    pub fn at(line: u64) -> impl Fn(BadValue) -> PlanError {
        move |bad| PlanError::Value { line, bad }
    }
}
