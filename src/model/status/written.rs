//! What came of writes to shared files: what the base records of them, and what `status` says.

use crate::model::{GuestName, GuestPath, ObjectId};

/// A write to a shared file, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteMet {
    /// When, as RFC 3339.
    pub at: String,
    /// Whose, where that is known.
    pub guest: Option<GuestName>,
    /// The names that have a file of their own now, or that it was about.
    pub paths: Vec<GuestPath>,
    /// The object.
    pub object: Option<ObjectId>,
    /// What was about to be done, as a code.
    pub by: String,
    /// What the writer is called; a guest's bytes.
    pub command: Vec<u8>,
    /// Its process.
    pub process: u32,
    /// Bytes of the copy.
    pub bytes: u64,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Why it was denied, if it was.
    pub denied: Option<String>,
}

/// What guests wrote to shared files, since the oldest line that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Broken {
    /// When the oldest line was written; empty where there is none.
    pub since: String,
    /// By guest.
    pub guests: Vec<BrokenByGuest>,
    /// Names that would better not be shared: written to again and again, or by several guests.
    pub often: Vec<BrokenOften>,
}

/// What one guest wrote to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenByGuest {
    /// Its name.
    pub guest: GuestName,
    /// Files that it wrote to, each once.
    pub files: u64,
    /// Bytes of all copies.
    pub bytes: u64,
    /// Writes that were denied.
    pub denied: u64,
    /// Names of the files, in their order.
    pub paths: Vec<GuestPath>,
}

/// A path that is written to often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenOften {
    /// Which.
    pub path: GuestPath,
    /// How often it was parted.
    pub times: u64,
    /// By how many guests.
    pub guests: u64,
}
