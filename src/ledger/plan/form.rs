//! The two forms of a plan.

/// The two forms of a plan. They hold the same values and a reader need not be told which it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON document with a value a line.
    Document,
    /// JSON Lines: every line is a record of its own.
    Lines,
}
