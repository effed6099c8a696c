//! Which files are configuration? The package databases of a guest are asked, without running anything of it.
//!
//! A config file keeps an inode of its own even where its content equals that of another guest today: it is the
//! guest's to change. So do the copies that package managers leave beside it, what an administrator has diverted,
//! and what has been given an owner or mode of its own.
//!
//! How an answer is made:
//!
//! 1. each backend in [`ALL`] reads its database through a [`Source`] and states [`Claim`]s: bytes and reasons;
//! 2. `answer` turns claims into inodes, with links followed inside the root, so that `/lib/x.conf` of a guest
//!    where `/lib` is a link, or a config file that is a link, protect the file that is really meant;
//! 3. [`ask_all`] unites the answers, one entry a path.
//!
//! Everything read here is the guest's word, and parsers must be total: any byte may come, in any amount. What
//! breaks a grammar or a bound makes the whole database [`Damaged`](DatabaseState::Damaged), and nothing it says
//! is used: the caller leaves such a guest out. A guest that lies can free only files of its own, because a file
//! is shared only where each guest's own answer allows it.
//!
//! Nothing here decides what is shared, writes, takes locks in a guest, or waits for one.
//!
//! A new package manager is one more file with a [`PackageDatabase`], and one line in [`ALL`].

mod answer;
mod apk;
mod dpkg;
mod formats;
mod opkg;
mod pacman;
mod portage;
mod read;
mod rpm;
mod slackware;
mod stores;
mod xbps;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::model::{Database, DatabaseState, FileId, GuestPath, SkipReason};
use crate::sys::guest::GuestFiles;

pub use answer::owners::Owners;
pub use read::fault::{Fault, Problem};
pub use read::source::Source;

/// Every backend. Where two name one file for the same reason, the earlier one is named in the plan.
pub const ALL: &[&dyn PackageDatabase] = &[
    &dpkg::Dpkg,
    &dpkg::ucf::Ucf,
    &rpm::Rpm,
    &pacman::Pacman,
    &apk::Apk,
    &opkg::Opkg,
    &xbps::Xbps,
    &portage::Portage,
    &slackware::Slackware,
    &stores::NIXOS,
    &stores::GUIX,
];

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

/// What all databases of a guest say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// One entry for each database that the guest has, in the order of [`ALL`].
    pub databases: Vec<Database>,
    /// Sorted by path, one entry a path.
    pub protected: Vec<Protected>,
    /// Which package each file belongs to, as far as the databases say so.
    pub owners: Owners,
}

/// A kind of package database.
pub trait PackageDatabase: Sync {
    /// Its name in plans.
    fn manager(&self) -> &'static str;

    /// Everything that the database says; `None` if the guest has no such database.
    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem>;

    /// Its pure parser over any bytes, as if they were its main file: how many entries that holds. For tests that
    /// mutate and fuzz; it must end, in memory bounded by the length of `data`, and never panic.
    fn parse(&self, data: &[u8]) -> Result<usize, Fault>;
}

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
}

/// A package that a database lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// Its name.
    pub name: Arc<str>,
    /// Its version as its manager writes it, where the database says it.
    pub version: Option<Arc<str>>,
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

/// Runs the pure parser of a backend over any bytes; `None` if there is no such backend. For fuzz targets.
pub fn parse_as(manager: &str, data: &[u8]) -> Option<Result<usize, Fault>> {
    let backend = ALL.iter().find(|backend| backend.manager() == manager)?;
    Some(backend.parse(data))
}

/// Asks every database of a guest. A guest without any gets the empty answer. `is_directory` may know paths that
/// lead to directories without any link on the way, which need not be asked for again.
pub fn ask_all(guest: &dyn GuestFiles, is_directory: &dyn Fn(&[u8]) -> bool) -> Answer {
    let mut answer = Answer::default();
    for &backend in ALL {
        let (database, protected) = match ask(backend, &Source::new(guest)) {
            Ok(None) => continue,
            Ok(Some((listing, protected))) => {
                let database = known(backend, &listing);
                answer.owners.add(guest, is_directory, listing);
                (database, protected)
            }
            Err(problem) => (damaged(backend, &problem), Vec::new()),
        };
        answer.databases.push(database);
        answer.protected.extend(protected);
    }
    // Both steps keep the order of what is equal, which is that of ALL and of the claims.
    answer
        .protected
        .sort_by(|a, b| (&a.path, a.why).cmp(&(&b.path, b.why)));
    answer
        .protected
        .dedup_by(|later, first| later.path == first.path);
    answer
}

fn ask(
    backend: &dyn PackageDatabase,
    source: &Source<'_>,
) -> Result<Option<(Listing, Vec<Protected>)>, Problem> {
    let Some(listing) = backend.read(source)? else {
        return Ok(None);
    };
    let protected = answer::settle::settle(source, &listing.claims)?;
    Ok(Some((listing, protected)))
}

fn known(backend: &dyn PackageDatabase, listing: &Listing) -> Database {
    let state = if listing.silent {
        DatabaseState::Silent
    } else {
        DatabaseState::Known
    };
    Database {
        manager: backend.manager().to_owned(),
        state,
        packages: listing.packages.len() as u64,
        config_files: listing.config_files as u64,
        problem: None,
    }
}

fn damaged(backend: &dyn PackageDatabase, problem: &Problem) -> Database {
    Database {
        manager: backend.manager().to_owned(),
        state: DatabaseState::Damaged,
        packages: 0,
        config_files: 0,
        problem: Some(problem.to_string()),
    }
}
