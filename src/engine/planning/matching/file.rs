//! A file of a guest as matching speaks of it, and what its reading brought.

use super::probe::Probed;
use crate::model::{Digest, Fingerprint};

/// A file of a guest, by indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileRef {
    pub guest: u32,
    pub file: u32,
}

/// A file that was read to its end.
#[derive(Debug, Clone, Copy)]
pub struct ReadFile {
    pub which: FileRef,
    pub probed: Probed,
    pub content: Digest,
    /// The fast hash of its beginning.
    pub beginning: Fingerprint,
    /// Its extents, where they matter and the file system reports them.
    pub extents: Option<u32>,
}

/// What becomes of a file without a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Singles {
    /// It is read to its end and kept: the base may have its object.
    Keep,
    /// It is read no further than is needed to see that it is alone.
    Leave,
}
