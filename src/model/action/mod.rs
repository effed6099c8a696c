//! What can be decided about a name or an object.

mod evidence;
mod skip;

use serde::{Deserialize, Serialize};

use super::{Digest, FlagReason, GuestName, GuestPath, LinkReason, ObjectId};

pub use evidence::Before;
pub(super) use evidence::decimal;
pub use skip::{Left, Skip};

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make names refer to an object: a hard link.
    Link(Link),
    /// Make a file have its blocks in common with another, and nothing else.
    Reflink(Reflink),
    /// Protect an object.
    Flag(Flag),
    /// Leave alone.
    Skip(Skip),
}

impl Action {
    /// What a line says of the file that it shares, by whichever method; `None` for flags and skips.
    pub fn shares(&self) -> Option<FileLine<'_>> {
        match self {
            Action::Link(link) => Some(link.into()),
            Action::Reflink(line) => Some(line.into()),
            Action::Flag(_) | Action::Skip(_) => None,
        }
    }
}

/// What the link lines of both methods say of a file.
#[derive(Debug, Clone, Copy)]
pub struct FileLine<'a> {
    /// Whose file.
    pub guest: &'a GuestName,
    /// Its first name in byte order.
    pub path: &'a GuestPath,
    /// Its other names in this guest.
    pub also: &'a [GuestPath],
    /// Length in bytes.
    pub size: u64,
    /// Allocated bytes that come back.
    pub saves: u64,
    /// Why this is possible.
    pub reason: LinkReason,
    /// The package that the file belongs to.
    pub owner: Option<&'a Owner>,
    /// What the file was when the plan was made.
    pub before: Option<&'a Before>,
    /// Free text of a reviewer.
    pub note: Option<&'a str>,
}

impl<'a> FileLine<'a> {
    /// All names of the file, the one that the line is sorted by first.
    pub fn names(&self) -> impl Iterator<Item = &'a GuestPath> + use<'a> {
        std::iter::once(self.path).chain(self.also)
    }
}

impl<'a> From<&'a Link> for FileLine<'a> {
    fn from(link: &'a Link) -> FileLine<'a> {
        FileLine {
            guest: &link.guest,
            path: &link.path,
            also: &link.also,
            size: link.size,
            saves: link.saves,
            reason: link.reason,
            owner: link.owner.as_ref(),
            before: link.before.as_ref(),
            note: link.note.as_deref(),
        }
    }
}

impl<'a> From<&'a Reflink> for FileLine<'a> {
    fn from(line: &'a Reflink) -> FileLine<'a> {
        FileLine {
            guest: &line.guest,
            path: &line.path,
            also: &line.also,
            size: line.size,
            saves: line.saves,
            reason: line.reason,
            owner: line.owner.as_ref(),
            before: line.before.as_ref(),
            note: line.note.as_deref(),
        }
    }
}

/// Make all names of one file in one guest refer to `object`: all of them are exchanged, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose file.
    pub guest: GuestName,
    /// Its first name in byte order.
    pub path: GuestPath,
    /// Its other names in this guest, in byte order; empty for most files.
    pub also: Vec<GuestPath>,
    /// With what it is shared.
    pub object: ObjectId,
    /// Set on the file that the object is made from.
    pub makes: Option<Making>,
    /// Length in bytes.
    pub size: u64,
    /// Allocated bytes that come back: those of blocks that nothing else has.
    pub saves: u64,
    /// Why this is possible.
    pub reason: LinkReason,
    /// The package that the file belongs to, by its first name, as the guest's database says.
    pub owner: Option<Owner>,
    /// What the file was when the plan was made. `apply` refuses the line if any of it changed. `None` in a plan that
    /// nothing can be applied from.
    pub before: Option<Before>,
    /// Free text of a reviewer.
    pub note: Option<String>,
}

impl Link {
    /// All names of the file, the one that the line is sorted by first.
    pub fn names(&self) -> impl Iterator<Item = &GuestPath> {
        std::iter::once(&self.path).chain(&self.also)
    }

    /// Had the file names that are none of these? They are in other guests of the plan.
    pub fn has_names_elsewhere(&self) -> bool {
        let nlink = self.before.map_or(0, |before| before.nlink);
        u64::from(nlink) > 1 + self.also.len() as u64
    }
}

/// Make the content of one file of one guest lie in the blocks of `source`. The file stays its own inode with its own
/// owner, mode, times and attributes, and a write to either file changes that file alone: the file system copies on
/// write. No name is exchanged, so there is no object, nothing to protect and no order among such lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reflink {
    /// Whose file.
    pub guest: GuestName,
    /// Its first name in byte order.
    pub path: GuestPath,
    /// Its other names in this guest, in byte order; empty for most files. They are the same file, so they get the
    /// same blocks.
    pub also: Vec<GuestPath>,
    /// Whose blocks it gets. In a plan that was not edited no line's file is the source of another line.
    pub source: BlockSource,
    /// The digest of the content that both had when the plan was made.
    pub content: Digest,
    /// Length in bytes of both.
    pub size: u64,
    /// Allocated bytes that come back: those of blocks that nothing else has.
    pub saves: u64,
    /// Why this is possible.
    pub reason: LinkReason,
    /// The package that the file belongs to, by its first name, as the guest's database says.
    pub owner: Option<Owner>,
    /// What the file was when the plan was made. `None` in a plan that nothing can be applied from.
    pub before: Option<Before>,
    /// The same of the source; it is there where `before` is.
    pub source_before: Option<Before>,
    /// Free text of a reviewer.
    pub note: Option<String>,
}

/// A file whose blocks others get, by one of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockSource {
    /// Whose file.
    pub guest: GuestName,
    /// Its first name in byte order, in this guest.
    pub path: GuestPath,
}

impl Reflink {
    /// All names of the file, the one that the line is sorted by first.
    pub fn names(&self) -> impl Iterator<Item = &GuestPath> {
        std::iter::once(&self.path).chain(&self.also)
    }
}

/// Which package a file belongs to. Information for readers: nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The package.
    pub package: String,
    /// Its version, where the database says it.
    pub version: Option<String>,
}

/// Protect `object`. The line stands after the first line that names the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Which object.
    pub object: ObjectId,
    /// What to set.
    pub set: Vec<ObjectFlag>,
    /// How many names of the plan refer to the object: the flag hits all of them.
    pub names: u64,
    /// Why.
    pub reason: FlagReason,
    /// Free text of a reviewer.
    pub note: Option<String>,
}

/// How a file is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Names refer to one inode in the base: disk and page cache are used once.
    Hardlink,
    /// Files have their blocks in common, copied on write: disk is used once, page cache as often as there are files.
    Reflink,
}

impl Method {
    /// The word for it in answers for programs and for people.
    pub fn code(self) -> &'static str {
        match self {
            Method::Hardlink => "hardlink",
            Method::Reflink => "reflink",
        }
    }
}

/// What an object is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Making {
    /// A fresh private copy of this file.
    Copy,
    /// This file's own inode, where its guest is stopped and nothing else can reach it.
    Adopt,
}

/// A protection of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFlag {
    /// `FS_IMMUTABLE_FL`: no write, no metadata change, no link, rename or unlink.
    Immutable,
    /// A mark in the kernel: no write, no metadata change; link, rename and unlink as ever.
    Guard,
    /// VServer's pair of flags: the same, by the file system.
    Iunlink,
    /// fs-verity: no write; metadata and names as ever.
    Verity,
}
