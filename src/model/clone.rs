//! A guest that is made from another one: what it has, or would have.

use std::path::PathBuf;

use super::{DiskChange, GuestName, GuestPath};

/// What `clone` made, or would make.
#[derive(Debug, Clone)]
pub struct GuestClone {
    /// The guest that it is made from.
    pub source: ClonedGuest,
    /// The new one.
    pub new: ClonedGuest,
    /// How file blocks come there.
    pub blocks: Blocks,
    /// The base of the source, where there is one.
    pub base: Option<PathBuf>,
    /// Why no name is linked, where files are shared with that base.
    pub not_linked: Option<String>,
    /// What is copied.
    pub totals: CloneTotals,
    /// Bytes that the copies may take, at most; names of objects that are linked afterwards give theirs back.
    pub needed: u64,
    /// Bytes that are free there for everybody.
    pub free: u64,
    /// What stands for one machine, and is not in the new guest.
    pub left_out: Vec<LeftOut>,
    /// What was found on the way that a person should know.
    pub remarks: CloneRemarks,
    /// Who is inside of the source, where somebody is: its files were not all copied at one moment.
    pub running: Option<String>,
    /// What the disk says, once it is made.
    pub disk: Option<DiskChange>,
}

/// A guest and where it is.
#[derive(Debug, Clone)]
pub struct ClonedGuest {
    /// Its name.
    pub name: GuestName,
    /// Its root.
    pub root: PathBuf,
}

/// How file blocks come into a clone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// They are shared, and a write to either file makes it its own (reflinks).
    Shared,
    /// They are copied.
    Copied,
}

/// Counts of a clone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CloneTotals {
    /// Directories, the root among them.
    pub directories: u64,
    /// Regular files; several names of one file count once.
    pub files: u64,
    /// Symbolic links.
    pub symlinks: u64,
    /// Devices and FIFOs.
    pub special: u64,
    /// Further names of all these but directories.
    pub more_names: u64,
    /// Lengths of the files added up.
    pub bytes: u64,
    /// Bytes that they have on disk in the source.
    pub allocated: u64,
    /// Files that share their blocks with the source's, once it is made.
    pub reflinked: u64,
    /// Files that refer to objects of the base in the source: these are linked in the new guest as well.
    pub shared_files: u64,
    /// Bytes of those on disk.
    pub shared_bytes: u64,
}

/// Something that the new guest does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its path.
    pub path: GuestPath,
    /// The row of the table that says so.
    pub code: &'static str,
    /// Why, as the end of a sentence.
    pub why: &'static str,
    /// Is it there, as an empty file?
    pub emptied: bool,
}

/// Names of which the first are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SomePaths {
    /// The first.
    pub listed: Vec<GuestPath>,
    /// How many there are.
    pub all: u64,
}

impl SomePaths {
    /// So many are listed.
    pub const MOST: usize = 100;

    /// One more.
    pub fn push(&mut self, path: &GuestPath) {
        if self.listed.len() < SomePaths::MOST {
            self.listed.push(path.clone());
        }
        self.all += 1;
    }
}

/// What a person should know of a clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloneRemarks {
    /// Keys that both guests have now.
    pub secrets: SomePaths,
    /// Sockets, which are nothing without their process.
    pub sockets: SomePaths,
    /// Where something else is mounted in the source: what is mounted there is not copied.
    pub mounts: SomePaths,
    /// Where another file system begins without a mount (a subvolume): an empty directory in the new guest.
    pub foreign: SomePaths,
    /// Files and directories that are immutable in the source, and not in the new guest.
    pub were_immutable: SomePaths,
    /// What the file system of the new guest does not keep: inode flags, project, part of a time.
    pub not_kept: SomePaths,
    /// What changed while it was copied.
    pub changed: SomePaths,
}
