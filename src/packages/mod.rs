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
//! A new package manager is one more file with a [`PackageDatabase`] and the parser of it alone that tests
//! mutate, and one line in the list behind [`ALL`].

mod answer;
mod apk;
mod database;
mod digests;
mod dpkg;
mod formats;
mod listing;
mod opkg;
mod pacman;
mod portage;
mod presence;
mod read;
mod rpm;
mod slackware;
mod stores;
mod xbps;

#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::model::{Database, DatabaseState, OnDamaged};
use crate::sys::guest::GuestFiles;

#[cfg(any(test, feature = "internals"))]
use database::PureParser;
#[cfg(any(test, feature = "internals"))]
use read::fault::Fault;
use read::fault::Problem;
use read::limits;
use read::source::Source;

pub use answer::owners::Owners;
pub use database::PackageDatabase;
pub use digests::ask_digests;
pub use dpkg::upgradable::upgradable;
pub use listing::{Listing, Package, Protected};
pub use presence::may_have_database;

/// One list of backends, read as databases and, for tests that mutate and fuzz, as parsers.
macro_rules! backends {
    ($($backend:expr),+ $(,)?) => {
        /// Every backend. Where two name one file for the same reason, the earlier one is named in the plan.
        pub const ALL: &[&dyn PackageDatabase] = &[$(&$backend),+];

        #[cfg(any(test, feature = "internals"))]
        const PARSERS: &[&dyn PureParser] = &[$(&$backend),+];
    };
}

backends![
    dpkg::Dpkg,
    dpkg::ucf::Ucf,
    rpm::Rpm,
    pacman::Pacman,
    apk::Apk,
    opkg::Opkg,
    xbps::Xbps,
    portage::Portage,
    slackware::Slackware,
    stores::NIXOS,
    stores::GUIX,
];

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

/// Runs the pure parser of a backend over any bytes; `None` if there is no such backend. For fuzz targets.
#[cfg(any(test, feature = "internals"))]
pub fn parse_as(manager: &str, data: &[u8]) -> Option<Result<usize, Fault>> {
    let backend = PARSERS
        .iter()
        .find(|backend| backend.manager() == manager)?;
    Some(backend.parse(data))
}

/// Asks every database of a guest, all within one time: what is not read by then is damaged. A guest without any gets
/// the empty answer. A guest that a damaged database leaves out is asked no further. `is_directory` may know paths that
/// lead to directories without any link on the way, which need not be asked for again.
pub fn ask_all(
    guest: &dyn GuestFiles,
    on_damaged: OnDamaged,
    is_directory: &dyn Fn(&[u8]) -> bool,
) -> Answer {
    ask_until(
        Instant::now() + limits::TIME,
        guest,
        on_damaged,
        is_directory,
    )
}

/// Asks every database of a guest which files its packages have, and nothing else; all within one time, as [`ask_all`]
/// does. After a damaged one nothing is asked: what it would say is not known.
pub fn ask_owners(
    guest: &dyn GuestFiles,
    is_directory: &dyn Fn(&[u8]) -> bool,
) -> (Vec<Database>, Owners) {
    let until = Instant::now() + limits::TIME;
    let (mut databases, mut owners) = (Vec::new(), Owners::default());
    for &backend in ALL {
        let source = Source::new(guest, until);
        match backend.read(&source) {
            Ok(None) => {}
            Ok(Some(listing)) => {
                databases.push(known(backend, &listing));
                owners.add(&source, is_directory, listing);
            }
            Err(problem) => {
                databases.push(damaged(backend, &problem));
                break;
            }
        }
    }
    (databases, owners)
}

/// Does the database of this manager say which files its packages have?
pub fn lists_files(manager: &str) -> bool {
    let mut all = ALL.iter();
    all.any(|backend| backend.manager() == manager && backend.lists_files())
}

fn ask_until(
    until: Instant,
    guest: &dyn GuestFiles,
    on_damaged: OnDamaged,
    is_directory: &dyn Fn(&[u8]) -> bool,
) -> Answer {
    let mut answer = Answer::default();
    for &backend in ALL {
        let source = Source::new(guest, until);
        let (database, protected) = match ask(backend, &source) {
            Ok(None) => continue,
            Ok(Some((listing, protected))) => {
                let database = known(backend, &listing);
                answer.owners.add(&source, is_directory, listing);
                (database, protected)
            }
            Err(problem) => (damaged(backend, &problem), Vec::new()),
        };
        let leaves_out =
            database.state == DatabaseState::Damaged && on_damaged == OnDamaged::ExcludeGuest;
        answer.databases.push(database);
        answer.protected.extend(protected);
        if leaves_out {
            break;
        }
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
