//! What two guests have not in common.

use std::collections::BTreeMap;

use super::SideOf;
use crate::model::{Count, FileKind, FileState, GuestName, GuestPath, Metadata, Owner};

/// A name of one guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntrySide {
    /// What it refers to.
    pub state: FileState,
    /// All metadata of a regular file; `None` where it is none, or could not be read.
    pub metadata: Option<Metadata>,
    /// What a link says.
    pub target: Option<Vec<u8>>,
    /// The package that it belongs to.
    pub owner: Option<Owner>,
}

/// The extended attribute that gives a program rights of root.
const CAPABILITY: &[u8] = b"security.capability";

/// Set user id and set group id.
const SET_ID: u32 = 0o6000;

impl EntrySide {
    /// Does running the file give rights that its caller may not have?
    pub fn is_privileged(&self) -> bool {
        let is_file = self.state.kind == FileKind::Regular;
        is_file && (self.state.mode & SET_ID != 0 || self.capability().is_some())
    }

    /// Its capabilities, as the kernel stores them.
    pub fn capability(&self) -> Option<&[u8]> {
        let xattrs = self.metadata.iter().flat_map(|all| &all.xattrs);
        let mut found = xattrs.filter(|xattr| xattr.name == CAPABILITY);
        found.next().map(|xattr| xattr.value.as_slice())
    }

    /// The rights that running it gives: bits of the mode, owner and group where a bit is set, and capabilities.
    fn rights(&self) -> Privilege<'_> {
        let bits = match self.state.kind {
            FileKind::Regular => self.state.mode & SET_ID,
            _ => 0,
        };
        Privilege {
            bits,
            owner: (bits != 0).then_some((self.state.uid, self.state.gid)),
            capability: self.capability(),
        }
    }
}

/// What running a file gives.
#[derive(PartialEq, Eq)]
struct Privilege<'a> {
    bits: u32,
    owner: Option<(u32, u32)>,
    capability: Option<&'a [u8]>,
}

/// What is known of a name that is not the same in both guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryVerdict {
    /// Only this guest has it.
    Only(SideOf),
    /// Both have it, and these keys differ.
    Differs(Vec<&'static str>),
    /// It could not be compared.
    Unknown(String),
}

/// A name that is not the same in both guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameDifference {
    /// Which name.
    pub path: GuestPath,
    /// What of it is not the same.
    pub verdict: EntryVerdict,
    /// As the first guest has it.
    pub old: Option<EntrySide>,
    /// As the second guest has it.
    pub new: Option<EntrySide>,
    /// Does it lie in a directory that was told of and that only one guest has?
    pub beneath: bool,
}

impl NameDifference {
    /// Are the rights that running it gives not the same in both?
    pub fn rights_differ(&self) -> bool {
        let rights = |side: &Option<EntrySide>| side.as_ref().is_some_and(EntrySide::is_privileged);
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => old.rights() != new.rights(),
            _ => rights(&self.old) || rights(&self.new),
        }
    }
}

/// A package that one guest has, or has in another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageDifference {
    /// The package.
    pub name: String,
    /// Its versions in the first guest; some packages may be installed in several.
    pub old: Vec<String>,
    /// Its versions in the second guest.
    pub new: Vec<String>,
    /// Has the first guest any of it?
    pub in_old: bool,
    /// Has the second?
    pub in_new: bool,
}

impl PackageDifference {
    /// Has this guest a package of the name? Some databases tell no versions.
    pub fn is_in(&self, side: SideOf) -> bool {
        match side {
            SideOf::Old => self.in_old,
            SideOf::New => self.in_new,
        }
    }
}

/// One of two guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedGuest {
    /// How it is called.
    pub name: GuestName,
    /// Where it is, as it was given.
    pub place: String,
    /// How many packages its databases list as installed; `None` where they cannot be read, or it has none.
    pub packages: Option<u64>,
}

/// What two guests have not in common, without the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestsCompared {
    /// The first guest.
    pub old: ComparedGuest,
    /// The second guest.
    pub new: ComparedGuest,
    /// Regular files that only the first has.
    pub only_old: Count,
    /// Regular files that only the second has.
    pub only_new: Count,
    /// Directories, links and special files that only the first has, and that only the second has.
    pub others_only: (u64, u64),
    /// Names that both have and that differ.
    pub differing: u64,
    /// The same by what differs; a name counts for several.
    pub by: BTreeMap<&'static str, u64>,
    /// Names that are the same in both.
    pub equal: u64,
    /// Names of which the modification time alone differs, where that is none.
    pub mtime_only: u64,
    /// Names of which running them gives other rights.
    pub privileged: u64,
    /// Names that could not be compared.
    pub unread: u64,
    /// Packages; empty where those of one guest are not known.
    pub packages: Vec<PackageDifference>,
    /// Why packages were not compared, if they were not.
    pub packages_unknown: Option<String>,
    /// What the form of one of the guests cannot hold, and what was therefore not compared.
    pub not_held: Vec<&'static str>,
}

impl GuestsCompared {
    /// Is anything not the same?
    pub fn has_something(&self) -> bool {
        let only =
            self.only_old.files + self.only_new.files + self.others_only.0 + self.others_only.1;
        only + self.differing > 0 || !self.packages.is_empty()
    }
}
