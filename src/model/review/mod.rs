//! What a reviewer is told of a plan: what a narrower one keeps of it, and which of its lines are stale.

use crate::model::{Link, Reflink};
use std::collections::BTreeMap;

use super::{Action, ChoseNothing, Digest, GuestName, GuestPath, Moved};

/// How many lines there were, and how many of them are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptLines {
    /// Lines that are kept.
    pub kept: u64,
    /// Lines of the plan.
    pub of: u64,
}

impl KeptLines {
    fn count(&mut self, kept: bool) {
        self.kept += u64::from(kept);
        self.of += 1;
    }
}

/// The answer of `unify cut`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut {
    /// Link lines.
    pub links: KeptLines,
    /// Flag lines.
    pub flags: KeptLines,
    /// Skip lines.
    pub skips: KeptLines,
    /// Allocated bytes that the kept links give back at most.
    pub saves: u64,
    /// The content digest of the narrower plan.
    pub content: Option<Digest>,
}

impl Cut {
    /// One more line of the plan.
    pub fn count(&mut self, action: &Action, kept: bool) {
        match action {
            Action::Link(Link { saves, .. }) | Action::Reflink(Reflink { saves, .. }) => {
                self.links.count(kept);
                let saves = if kept { *saves } else { 0 };
                self.saves = self.saves.saturating_add(saves);
            }
            Action::Flag(_) => self.flags.count(kept),
            Action::Skip(_) => self.skips.count(kept),
        }
    }
}

/// What an undo would be about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UndoView {
    /// Files that would get an inode of their own.
    pub files: u64,
    /// Their names that refer to objects.
    pub names: u64,
    /// These by guest.
    pub guests: BTreeMap<GuestName, u64>,
    /// Files that were linked and share nothing any more.
    pub not_shared: u64,
    /// Files of guests whose roots are gone.
    pub lost: u64,
    /// Globs of `--path` that no file to undo has a name for.
    pub chose_nothing: Vec<ChoseNothing>,
    /// Bytes that the copies take.
    pub needed: u64,
    /// Bytes that may be taken.
    pub free: u64,
}

/// What the disk says now of the link lines of a plan, as far as a look at each name tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Lines whose file is what it was.
    pub fresh: u64,
    /// Lines whose names refer to their object already.
    pub done: u64,
    /// Lines that `apply` would refuse.
    pub stale: u64,
    /// Stale lines by what differs; one with several fields is counted for each.
    pub by: BTreeMap<&'static str, u64>,
    /// Lines whose names could not be looked at, which says nothing of them.
    pub unread: u64,
}

/// A line that `apply` would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleLine<'a> {
    /// Whose.
    pub guest: &'a GuestName,
    /// The first name of the file.
    pub path: &'a GuestPath,
    /// Why.
    pub why: WhyStale,
}

/// Why a line is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyStale {
    /// The file is not what it was.
    Changed(Vec<Moved>),
    /// The name is gone.
    Gone,
    /// A directory on the way is gone or a link, or something is mounted there.
    PathChanged,
    /// The root of the guest is gone or another directory.
    RootChanged,
}

impl WhyStale {
    /// What differs, as codes.
    pub fn codes(&self) -> Vec<&'static str> {
        match self {
            WhyStale::Changed(fields) => fields.iter().map(|field| field.code()).collect(),
            WhyStale::Gone => vec!["gone"],
            WhyStale::PathChanged => vec!["path-changed"],
            WhyStale::RootChanged => vec!["root-changed"],
        }
    }
}
