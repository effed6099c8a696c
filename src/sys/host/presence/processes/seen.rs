//! What was seen of a process.

use super::links::Unlooked;
use crate::model::FileUse;

/// Something that a process holds in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdfast {
    pub tree: usize,
    /// `root`, `working directory`, `program`, `mapping` or `descriptor`.
    pub what: &'static str,
}

/// What was seen of a process.
#[derive(Debug, Clone, Default)]
pub struct SeenProcess {
    pub holds: Vec<Holdfast>,
    /// On mounts that no table knew then: what, which mount, its path, and the trees that it would be in.
    pub loose: Vec<LooseEnd>,
    pub namespaces: Vec<u64>,
    /// Root and working directory of its first thread.
    pub ground: [Vec<u8>; 2],
    /// What could not be seen, if anything.
    pub unseen: Option<&'static str>,
    /// A thread ended before it was looked at: what it started has to be looked for.
    pub is_unsettled: bool,
    /// Is it another run of this program?
    pub runs_this_program: bool,
    /// Regular files in the trees that it has open, or mapped for all to see.
    pub files: Vec<TaskFile>,
    /// Threads of it that watch something, one for each table of descriptors: what they watch is read apart from this.
    pub watching: Vec<u32>,
    /// Its command name, where it has any of these: 15 bytes that it chose.
    pub command: Vec<u8>,
}

/// A regular file that a process has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskFile {
    pub tree: usize,
    pub inode: u64,
    pub writes: bool,
}

impl TaskFile {
    /// How that uses it.
    pub fn kind(self) -> FileUse {
        match self.writes {
            true => FileUse::OpenForWriting,
            false => FileUse::Open,
        }
    }
}

/// A place on a mount that no table has: that of a namespace not yet read, or of none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseEnd {
    pub what: &'static str,
    pub mount: u64,
    pub text: Option<Vec<u8>>,
    pub trees: Vec<usize>,
}

impl SeenProcess {
    /// It holds this; often it does so by many descriptors.
    pub fn hold(&mut self, hold: Holdfast) {
        if !self.holds.contains(&hold) {
            self.holds.push(hold);
        }
    }

    /// The same on a mount that no table knows. Copies of one descriptor follow each other.
    pub fn hold_loosely(&mut self, end: LooseEnd) {
        if self.loose.last() != Some(&end) {
            self.loose.push(end);
        }
    }

    /// Notes what could not be seen; what has gone was not missed.
    pub fn not_seen(&mut self, why: Unlooked, what: &'static str) {
        if why == Unlooked::Closed {
            self.unseen = self.unseen.or(Some(what));
        }
    }
}
