//! One file of the paper: what it was when it was read, and what is known of it.

use crate::model::{Digest, FileState, Fingerprint, Time};

/// Most files that are remembered: 112 MB on disk.
pub const MOST: usize = 1_000_000;

/// A file as it was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileKey {
    pub ino: u64,
    pub size: u64,
    pub mtime: Time,
    pub ctime: Time,
}

impl From<&FileState> for FileKey {
    fn from(state: &FileState) -> FileKey {
        FileKey {
            ino: state.id.ino,
            size: state.size,
            mtime: state.mtime,
            ctime: state.ctime,
        }
    }
}

/// What is known of a file's content, and of the metadata that `stat` does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownContent {
    /// The fast hash of its beginning.
    pub beginning: Fingerprint,
    /// Its inode flags and project, where it was found to have no extended attributes.
    pub plain: Option<(u32, u32)>,
    /// SHA-256 of all, where it was read to its end.
    pub content: Option<Digest>,
    /// Its extents, where they were counted.
    pub extents: Option<u32>,
}

impl KnownContent {
    /// More is better.
    pub(super) fn says(&self) -> (bool, bool) {
        (self.content.is_some(), self.plain.is_some())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestRecord {
    pub key: FileKey,
    pub known: KnownContent,
    /// Plans in a row that did not meet the file.
    pub unseen: u8,
}
