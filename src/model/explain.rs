//! Everything that is known about one name: the answer of `unify explain`.

use super::{
    Action, FileKind, FileState, GuestName, GuestPath, Moved, ObjectId, Owner, PatternKind,
    SkipReason,
};

/// What is known about one name, and which source says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whose name.
    pub guest: GuestName,
    /// Which name.
    pub path: GuestPath,
    /// The plan's line about it, or about a directory above it; `None` where it has none.
    pub line: Option<Action>,
    /// Why the whole guest takes no part, if it does not.
    pub left_out: Option<String>,
    /// What each source says about it now, the strongest word first.
    pub voices: Vec<Voice>,
    /// The package that it belongs to.
    pub owner: Option<Owner>,
    /// What it is now; `None` where it does not exist.
    pub now: Option<FileState>,
    /// The object that it refers to now.
    pub object: Option<ObjectId>,
    /// Names that it shares its inode with, or shall; at most [`Explanation::MOST_TWINS`].
    pub twins: Vec<(GuestName, GuestPath)>,
    /// How many more there are.
    pub more_twins: u64,
    /// The same path in other guests, where it has no twin.
    pub compared: Vec<Compared>,
}

impl Explanation {
    /// Twins that are named.
    pub const MOST_TWINS: usize = 10;

    /// Is there a regular file of this name?
    pub fn is_file(&self) -> bool {
        self.now
            .is_some_and(|state| state.kind == FileKind::Regular)
    }
}

/// A source that has a word about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Voice {
    /// A package database.
    Database {
        /// `dpkg`, `rpm`, `ucf`, …
        per: String,
        /// On behalf of which package.
        package: Option<String>,
        /// What it says.
        why: SkipReason,
    },
    /// A pattern of the user.
    Pattern {
        /// Exclude or include.
        kind: PatternKind,
        /// The pattern.
        glob: String,
        /// Where it was given.
        from: String,
    },
    /// A care rule, by the path or by the file itself.
    Rule {
        /// Its code.
        reason: SkipReason,
        /// The pattern or test that holds.
        rule: String,
        /// The source that says so.
        source: &'static str,
    },
}

/// A file of the same path in another guest, and what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The other guest.
    pub guest: GuestName,
    /// What differs; empty where nothing does.
    pub differs: Vec<Moved>,
}
