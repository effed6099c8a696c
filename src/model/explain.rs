//! Everything that is known about one name: the answer of `unify explain`.

use std::collections::BTreeMap;

use super::reason::{codes, reasons};
use super::{
    Action, Count, FileState, GuestName, GuestPath, LinkMet, Moved, ObjectId, Owner, PatternKind,
    SkipReason,
};

/// What is known about one name, and which source says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Whose name.
    pub guest: GuestName,
    /// The path that was asked about, as it was given.
    pub asked: Vec<u8>,
    /// Links that were followed from there, in order.
    pub links: Vec<LinkMet>,
    /// Where it leads: the name that all else is about.
    pub path: GuestPath,
    /// What is there now.
    pub found: FoundNow,
    /// The plan's line about it, or about a directory above it; `None` where it has none.
    pub line: Option<Action>,
    /// Why it has no line, where it has none and takes part.
    pub no_line: Option<NoLine>,
    /// What of the plan's line is not so any more.
    pub stale: Vec<Stale>,
    /// Why the whole guest takes no part, if it does not.
    pub left_out: Option<String>,
    /// What each source says about it now, the strongest word first.
    pub voices: Vec<Voice>,
    /// The package that it belongs to.
    pub owner: Option<Owner>,
    /// The object that it refers to now.
    pub object: Option<ObjectId>,
    /// Names that it shares its inode with, or shall; at most [`Explanation::MOST_TWINS`].
    pub twins: Vec<(GuestName, GuestPath)>,
    /// How many more there are.
    pub more_twins: u64,
    /// The same path in other guests, where it has no twin.
    pub compared: Vec<Compared>,
    /// Does nothing but the content count, for it or what it is compared with? So it is of reflinks.
    pub content_alone: bool,
    /// What the plan says of all that lies in it, if it is a directory.
    pub beneath: Option<Beneath>,
    /// The smallest change that would turn the verdict.
    pub change: Change,
}

impl Explanation {
    /// Twins that are named.
    pub const MOST_TWINS: usize = 10;

    /// The state of the regular file, if it is one.
    pub fn file(&self) -> Option<&FileState> {
        match &self.found {
            FoundNow::File(state) => Some(state),
            _ => None,
        }
    }
}

/// What a path leads to now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundNow {
    /// A regular file.
    File(FileState),
    /// A directory.
    Directory,
    /// A device, FIFO or socket.
    Special,
    /// Nothing: names that are there and were probably meant.
    Missing {
        /// Near names.
        near: Vec<GuestPath>,
    },
    /// Nothing: this name is no directory, and the path goes on behind it.
    NoDirectory(GuestPath),
    /// It cannot be told, for this reason: a loop of links, another file system, the machine's word.
    Unknown(String),
}

codes! {
    /// What a path leads to, as a code.
    FoundKind {
        File = "file": "A regular file.",
        Directory = "directory": "A directory.",
        Special = "special": "A device, FIFO or socket.",
        Missing = "missing": "Nothing.",
        Unknown = "unknown": "What cannot be looked at.",
    }
}

impl FoundNow {
    /// Its code.
    pub fn kind(&self) -> FoundKind {
        match self {
            FoundNow::File(_) => FoundKind::File,
            FoundNow::Directory => FoundKind::Directory,
            FoundNow::Special => FoundKind::Special,
            FoundNow::Missing { .. } | FoundNow::NoDirectory(_) => FoundKind::Missing,
            FoundNow::Unknown(_) => FoundKind::Unknown,
        }
    }
}

reasons! {
    /// Why a plan has no line about a name.
    NoLine {
        Directory = "directory": "plans are about files; what lies in it is summed up below",
        NoRegularFile = "no-regular-file": "only regular files are shared",
        NotThere = "not-there": "there is no such name",
        Unknown = "unknown": "it cannot be looked at now",
        Empty = "empty": "the file is empty, and those are only counted",
        TooSmall = "too-small": "the file is smaller than --min-size, and those are only counted",
        NewerThanPlan = "newer-than-plan": "the file was made or changed after the plan was",
        EditedPlan = "edited-plan": "lines were taken out of this plan by hand, maybe this one too",
        Source = "source": "other files get the blocks of this one, and it stays as it is",
        OtherVerdict = "other-verdict": "the plan was made before what is said of it now",
        EqualNow = "equal-now": "another guest has an equal file now, and had none when the plan was made",
        Unique = "unique": "when the plan was made, no other file of its guests had its content and metadata",
    }
}

/// What of a plan's line is not so any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// The file is gone, or is none any more.
    Gone,
    /// A fact about the file changed.
    Field(Moved),
    /// What speaks against sharing is another reason now, or nothing.
    Reason(Option<SkipReason>),
    /// It refers to no object any more, or to another.
    Object,
}

/// A source that has a word about a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// Who says what.
    pub says: Says,
    /// The choice because of which that does not count, if there is one.
    pub overruled: Option<Overruled>,
}

impl Voice {
    /// Does it speak against sharing, and count?
    pub fn is_against(&self) -> bool {
        let include = matches!(
            self.says,
            Says::Pattern {
                kind: PatternKind::Include,
                ..
            }
        );
        self.overruled.is_none() && !include
    }

    /// The code of what it says, where it speaks against sharing.
    pub fn reason(&self) -> Option<SkipReason> {
        match &self.says {
            Says::Database { why, .. } => Some(*why),
            Says::Rule { reason, .. } => Some(*reason),
            Says::Pattern { kind, .. } => {
                (*kind == PatternKind::Exclude).then_some(SkipReason::Excluded)
            }
        }
    }
}

/// What a source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
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
        /// The pattern, as it was given.
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
        /// Is it about the file and not about its path? No pattern overrules such a rule.
        by_file: bool,
    },
}

/// A choice of the user because of which a source does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overruled {
    /// `--package-databases`, with this value.
    Databases(String),
    /// `--allow`, with this code.
    Allow(SkipReason),
    /// An include pattern, as it was given, and where.
    Include(String, String),
}

/// A file of the same path in another guest, and what differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The other guest.
    pub guest: GuestName,
    /// What differs; empty where nothing does.
    pub differs: Vec<Moved>,
}

/// What a plan says of all that lies in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beneath {
    /// Link lines, and the lengths of their files.
    pub links: Count,
    /// Bytes that these lines give back.
    pub saves: u64,
    /// Names and files with a skip line, by reason.
    pub skips: BTreeMap<SkipReason, Count>,
}

codes! {
    /// What a change would lead to.
    Turn {
        Shared = "shared": "The file would be shared.",
        Allowed = "allowed": "Nothing would speak against sharing it, but no other guest has an equal file at this path.",
        Private = "private": "The file would stay, or be again, its guest's own.",
        None = "none": "Nothing changes it.",
    }
}

/// The smallest change that would turn a verdict: all its steps together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it would lead to.
    pub to: Turn,
    /// What has to be done, all of it.
    pub steps: Vec<ChangeStep>,
    /// How many files it concerns, and how many bytes on disk; `None` where that is not known.
    pub effect: Option<Count>,
    /// Is the effect an upper bound?
    pub at_most: bool,
}

/// A step of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeStep {
    /// An option of `unify plan`, before all patterns that it was given.
    PlanOption(&'static str, String),
    /// A command, as words.
    Command(Vec<String>),
    /// Take the line out of the plan, or turn the word link into skip.
    Edit,
    /// A new plan.
    NewPlan,
    /// What is to be done for this reason, in words.
    Reason(SkipReason),
    /// These parts of the metadata must be equal to those of the same path in that guest.
    Equal(Vec<Moved>, GuestName),
}
