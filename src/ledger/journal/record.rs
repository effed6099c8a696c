//! The words of a journal: what a run is about to do, and what it has done.

use crate::model::{CommonBlocks, FileId, GuestName, GuestPath, ObjectId, RunId, RunKind};

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A run begins.
    Begin {
        /// Its name.
        run: RunId,
        /// Apply or undo.
        what: RunKind,
    },
    /// A name is about to get another inode.
    Intent(Intent),
    /// A file is about to get blocks of its source (apply), or blocks of its own (undo).
    Blocks {
        /// Its number in the run, among those of intents.
        seq: u64,
        /// Which file, and whose blocks.
        blocks: CommonBlocks,
    },
    /// The flag of an object is about to be taken off for a while.
    Lift {
        /// Which object.
        object: ObjectId,
        /// Its inode.
        inode: FileId,
    },
    /// All names up to this intent have their new inodes, on disk.
    Commit {
        /// Number of the last intent.
        upto: u64,
    },
    /// What the intents up to this one left behind is cleared away, and flags are on again.
    Done {
        /// Number of the last intent.
        upto: u64,
    },
}

/// A name that is about to get another inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its number in the run, rising.
    pub seq: u64,
    /// Whose name.
    pub guest: GuestName,
    /// Which name.
    pub path: GuestPath,
    /// The directory that holds the name.
    pub parent: FileId,
    /// The inode at the name before.
    pub was: FileId,
    /// The inode that is put there.
    pub becomes: FileId,
    /// The object concerned.
    pub object: ObjectId,
}

impl Intent {
    /// Is it an inode of the guest that becomes the object? Nothing is exchanged then.
    pub fn is_adoption(&self) -> bool {
        self.was == self.becomes
    }
}
