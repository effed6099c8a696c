//! What a row of the table of care rules is.

use crate::model::{FileState, FileUse, SkipReason};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct CareRule {
    /// The code in the plan, and the name by which the row is switched off.
    pub reason: SkipReason,
    /// What it is about.
    pub covers: Covers,
    /// What the code's own sentence does not say; may be empty.
    pub because: &'static str,
    /// Which source says so.
    pub source: &'static str,
}

/// What a row is about.
#[derive(Debug, Clone, Copy)]
pub enum Covers {
    /// Names: patterns like those of `--exclude`.
    Names(&'static [&'static str]),
    /// Names, as patterns, of files that not everybody may read.
    UnreadableNames(&'static [&'static str]),
    /// Any file that this is true of.
    Files(Test),
    /// Any file that is used so now, and what that is in words.
    Used(FileUse, &'static str),
}

/// A property of an inode.
#[derive(Debug, Clone, Copy)]
pub struct Test {
    /// The test in the words of the field.
    pub words: &'static str,
    /// Is it true of this file?
    pub holds: fn(&FileState) -> bool,
}
