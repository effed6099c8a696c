//! What processes do with a file that its guest would notice when it gets an inode of its own.

use std::collections::BTreeMap;

use super::GuestName;
use crate::model::{GuestPath, SkipReason};

/// How a process, or a mount, uses a file; the first of several is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileUse {
    /// A lock of any kind is on it, or a lease.
    Locked,
    /// An inotify or fanotify mark is on its inode.
    Watched,
    /// A descriptor, or a mapping that all see, by which it can be written to.
    OpenForWriting,
    /// The same, to read from.
    Open,
    /// It is mounted itself, at another name.
    Mounted,
}

impl FileUse {
    /// All of them.
    pub const ALL: [FileUse; 5] = [
        FileUse::Locked,
        FileUse::Watched,
        FileUse::OpenForWriting,
        FileUse::Open,
        FileUse::Mounted,
    ];

    /// By which a plan leaves a file alone that is used so.
    pub const fn reason(self) -> SkipReason {
        match self {
            FileUse::Locked => SkipReason::Locked,
            FileUse::Watched => SkipReason::Watched,
            FileUse::OpenForWriting => SkipReason::OpenForWriting,
            FileUse::Open => SkipReason::Open,
            FileUse::Mounted => SkipReason::MountedElsewhere,
        }
    }

    /// The one of this code.
    pub fn of_code(code: &str) -> Option<FileUse> {
        let mut all = FileUse::ALL.into_iter();
        all.find(|used| used.reason().code() == code)
    }
}

/// A file that was used so as it got an inode of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedFile {
    /// Whose it is.
    pub guest: GuestName,
    /// Its first name.
    pub path: GuestPath,
    /// How it was used, by the care rule that would not share it.
    pub how: SkipReason,
    /// Who used it so; of a mount, where it is.
    pub who: String,
}

/// What a run gave inodes of their own while it was used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartedInUse {
    /// Each use of each file.
    pub files: Vec<UsedFile>,
    /// Guests of which it is not known whether these are all, and why.
    pub unknown: BTreeMap<GuestName, String>,
}
