//! Everything that a user may choose, as data: it stands in the plan, so nothing reads the command line again.

use serde::{Deserialize, Serialize};

use super::SkipReason;

/// The choices under which a plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Metadata that need not be equal.
    pub ignore: Vec<Ignored>,
    /// Match only names with equal paths (vunify's model) instead of any names (vhashify's).
    pub same_path: bool,
    /// Files below this many bytes are left alone.
    pub min_size: u64,
    /// Care rules that were switched off.
    pub allow: Vec<SkipReason>,
    /// Include and exclude patterns, first match wins.
    pub patterns: Vec<Pattern>,
    /// Whether an object may be the inode of a stopped guest.
    pub objects: Objects,
    /// Which skips are listed.
    pub skips: SkipDetail,
}

/// Metadata that the user lets differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ignored {
    /// Modification time. The names get the object's; `undo` gives each its own back.
    Mtime,
}

/// Where objects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objects {
    /// Adopt the inode of a stopped guest where that is safe, else copy.
    Adopt,
    /// Always a fresh private copy.
    Copy,
}

/// How much of what is left alone is listed line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SkipDetail {
    /// Directories as one line, unique files only counted.
    Summary,
    /// Every file has its line.
    All,
}

/// One include or exclude pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Include or exclude.
    pub kind: PatternKind,
    /// A glob over the absolute path inside the guest.
    pub glob: String,
    /// Does `*` match a slash? True in lists of the original (`fnmatch` without flags).
    pub star_crosses_slash: bool,
    /// Where it was given: `--exclude`, or a file's name and line.
    pub from: String,
}

/// What a match of a [`Pattern`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatternKind {
    /// May be shared, whatever later patterns and the path rules say; never overrides a package's config files.
    Include,
    /// Left alone.
    Exclude,
}

/// How objects shall be protected, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protect {
    /// The best that this host can do; never [`Protect::None`].
    Auto,
    /// The immutable flag.
    Immutable,
    /// Nothing: an in-place write by one guest changes the file for all.
    None,
}

/// How objects will be protected, as decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// What was asked for.
    pub asked: Protect,
    /// What will be done: never `auto`.
    pub mode: Protect,
    /// Why this mode, as a sentence.
    pub why: String,
}
