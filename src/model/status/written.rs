//! What came of writes to shared files: what the base records of them, and what `status` says.

use crate::model::{FileUse, GuestName, GuestPath, ObjectId};

/// A write to a shared file, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteMet {
    /// When, as RFC 3339.
    pub at: String,
    /// Whose, where that is known.
    pub guest: Option<GuestName>,
    /// The first of the names that have a file of their own now, or that it was about.
    pub path: Option<GuestPath>,
    /// How many these are.
    pub names: u64,
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
    /// It was denied as it could not wait, and the copy is for the next try.
    pub once: Option<DeniedOnce>,
}

/// What is known of a writer that could not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeniedOnce {
    /// Somebody traced its process (`strace`, `gdb`).
    Traced,
    /// Its call, its kind of thread or the level of the guard is one that does not wait.
    Other,
}

impl DeniedOnce {
    /// As it is recorded.
    pub fn code(self) -> &'static str {
        match self {
            DeniedOnce::Traced => "traced",
            DeniedOnce::Other => "other",
        }
    }

    /// What a later version knows is another reason.
    pub fn of_code(code: &str) -> DeniedOnce {
        match code {
            "traced" => DeniedOnce::Traced,
            _ => DeniedOnce::Other,
        }
    }
}

/// How a guest was seen to use files soon after it had written to them: what it locked or watched before, or had open,
/// is not the file that its name leads to now, and no copy hides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsesMet {
    /// When, as RFC 3339.
    pub at: String,
    /// Whose files.
    pub guest: GuestName,
    /// Of so many writes it is known how the file was used, or that it was not. Of others nothing is known.
    pub looked: u64,
    /// Those that were used.
    pub used: Vec<FileUsed>,
}

/// A file that was used in such a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileUsed {
    /// The first of its names.
    pub path: GuestPath,
    /// In which ways, each once, and by whom: what processes are called is a guest's bytes.
    pub uses: Vec<(FileUse, String)>,
}

/// A line of what a base records of those who write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriterLine {
    /// A write.
    Write(WriteMet),
    /// What was seen after some of them.
    Uses(UsesMet),
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
    /// Files that a guest wrote to while it used them in a way that no copy hides; by path.
    pub used: Vec<UsedWhenWritten>,
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
    /// Writes that were denied once because they could not wait, and had their copy for the next try.
    pub denied_once: u64,
    /// How many of these were of processes that somebody traced.
    pub traced: u64,
    /// Writes of which it is not known whether a process of the guest used the file otherwise.
    pub unlooked: u64,
    /// Names of the files, in their order.
    pub paths: Vec<GuestPath>,
}

/// A file that a guest used as it wrote to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedWhenWritten {
    /// Which guest.
    pub guest: GuestName,
    /// The file, and how.
    pub file: FileUsed,
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
