//! What a database says, before anyone has looked whether it is so.

use std::sync::Arc;

use crate::model::{FileId, GuestPath, SkipReason};

/// A database, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// It lists packages, but not their config files.
    pub silent: bool,
    /// Packages that are installed or have left something; files name them by their place here.
    pub packages: Vec<Package>,
    /// Config files that it lists, existing or not.
    pub config_files: usize,
    /// What is to be protected. Of two claims to one file for one reason, the earlier one is used.
    pub claims: Vec<Claim>,
    /// Which package each file belongs to, as far as the database says so.
    pub owned: Vec<Owned>,
    /// Are there packages whose files are not known, because a list is missing, cannot be read, or is too long?
    pub partial: bool,
}

/// A package that a database lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its name.
    pub name: Arc<str>,
    /// Its version as its manager writes it, where the database says it.
    pub version: Option<Arc<str>>,
    /// How far it is there.
    pub state: PackageState,
}

/// How far a package is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageState {
    /// It is unpacked, and its files are listed.
    Installed,
    /// Its installation was broken off. Its files may be listed.
    Half,
    /// It was removed, and has left config files. Files that could not be removed may be listed.
    Removed,
}

impl Package {
    /// Are the files that it lists its own?
    pub fn owns(&self) -> bool {
        self.state != PackageState::Removed
    }
}

/// A file of a package, as its database names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Absolute, otherwise any bytes, as in [`Claim`].
    pub path: Vec<u8>,
    /// Place of its package in [`Listing::packages`].
    pub package: u32,
}

/// A statement of a database about a path, not yet looked at on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Absolute, otherwise any bytes: maybe with `..`, maybe through links, maybe of nothing that exists.
    pub path: Vec<u8>,
    /// Why the file must stay private.
    pub why: SkipReason,
    /// What says so.
    pub per: &'static str,
    /// On behalf of which package.
    pub package: Option<Arc<str>>,
    /// Protect what package managers leave beside it, too.
    pub sidecars: bool,
}

/// One existing file that must keep an inode of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    /// Its name with all links resolved inside the root.
    pub path: GuestPath,
    /// Its inode: all other names of it must stay private too.
    pub id: FileId,
    /// `ConfigFile`, `ConfigSidecar`, `Diverted` or `ModeOverride`.
    pub why: SkipReason,
    /// What says so: a manager's name, or a part of one: `dpkg-divert`, `dpkg-statoverride`, `rpm-ghost`.
    pub per: &'static str,
    /// The package that it belongs to, where one is known.
    pub package: Option<String>,
}
