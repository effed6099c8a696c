//! What reading all names of a guest comes to.

use super::tree::Tree;
use crate::model::GuestPath;

/// A guest's names as they were read, once.
#[derive(Debug, Default)]
pub struct Scan {
    /// Regular files and their names.
    pub tree: Tree,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Directories and files on another file system: not entered.
    pub foreign: Vec<GuestPath>,
    /// Subvolumes of the guest's own file system: not entered either.
    pub subvolumes: Vec<GuestPath>,
}

impl Scan {
    /// Everything that was not entered.
    pub fn beyond(&self) -> impl Iterator<Item = &GuestPath> {
        self.foreign.iter().chain(&self.subvolumes)
    }
}

/// A name or directory that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The name; the deepest one that can be named, where the reader says no more.
    pub path: GuestPath,
    /// Why, in the machine's words.
    pub why: String,
}
