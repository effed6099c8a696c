//! The database of rpm, in the three kinds of file that rpm has kept it in.
//!
//! | file | kind | in |
//! | --- | --- | --- |
//! | `rpmdb.sqlite`, `rpmdb.sqlite-wal` | SQLite 3, with a log that may hold the newest packages | Fedora, RHEL 9, most others |
//! | `Packages.db` | ndb | openSUSE |
//! | `Packages` | Berkeley DB, hash | RHEL 8 and older |
//!
//! Each holds one header a package (`header`), and nothing else of it is read. rpm itself is not asked: with
//! `--root` it runs in the guest, writes into it and waits for its locks.
//!
//! The files are looked for where distributions keep them; a guest's macros are not evaluated. If two kinds are
//! there, a conversion was left half way, and both count; which kind a file is, its first bytes tell.
//! Configuration is what `rpm -qca` lists (`%config`). `%ghost` files stay private as well, said by `rpm-ghost`:
//! the guest makes them itself.

mod bdb;
mod bytes;
mod file_digests;
mod header;
mod ndb;
mod sqlite;
mod wal;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::database::PackageDatabase;
use super::digests::record::RecordedFile;
use super::formats::name::plain_word;
use super::listing::Listing;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;
use super::read::source::Source;
use super::read::steady::{below, steady};
use bytes::Each;

/// Where distributions keep it; often one is a link to another.
const DIRECTORIES: [&[u8]; 3] = [
    b"usr/lib/sysimage/rpm",
    b"var/lib/rpm",
    b"usr/share/rpm", // rpm-ostree
];
const NAMES: [&[u8]; 3] = [b"rpmdb.sqlite", b"Packages.db", b"Packages"];

/// Beside a SQLite database: pages not yet copied into it.
const LOG: &[u8] = b"-wal";
/// Beside a SQLite database: a transaction that was broken off and must be rolled back, which only SQLite may do.
const ROLLBACK: &[u8] = b"-journal";

/// The backend.
pub(super) struct Rpm;

impl PackageDatabase for Rpm {
    fn manager(&self) -> &'static str {
        "rpm"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let found = steady(source, DIRECTORIES[0], files, take)?;
        Ok(found.map(|gathering| gathering.listing("rpm", ConfigKnownBy::Database)))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Rpm {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut gathering = Gathering::default();
        blobs(data, None, &mut |at, blob| {
            let header = header::RpmHeader::read(blob).map_err(|what| what.at(at))?;
            // Both readings, whichever command asks.
            header.recorded().map_err(|what| what.at(at))?;
            add(at, &header, &mut gathering)
        })?;
        Ok(gathering.entries())
    }
}

/// All files that matter, under their own names: a log lies beside the file, not beside a link to it. One file under
/// two names counts once.
fn files(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    for directory in DIRECTORIES {
        for name in NAMES {
            let Some(found) = source.guest().resolve(&below(directory, name))? else {
                continue;
            };
            if !seen.insert(found.id) {
                continue;
            }
            let path = found.path.as_bytes();
            let main = path.strip_prefix(b"/").unwrap_or(path).to_vec();
            for beside in [LOG, ROLLBACK].map(|ending| [&main, ending].concat()) {
                if source.id(&beside)?.is_some() {
                    files.push(beside);
                }
            }
            files.push(main);
        }
    }
    Ok(files)
}

/// `None`: a file that was listed has vanished. `Some(None)`: there is no database.
fn take(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Option<Option<Gathering>>, Problem> {
    let mut gathering = None;
    for file in files {
        source.in_time()?;
        if file.ends_with(ROLLBACK) {
            rolled_back(source, file)?;
        } else if !file.ends_with(LOG) {
            let gathering = gathering.get_or_insert_default();
            if !take_one(source, file, gathering)? {
                return Ok(None);
            }
        }
    }
    Ok(Some(gathering))
}

/// What all headers say of the content of files, from one version of the database.
pub(super) fn recorded(source: &Source<'_>) -> Result<Vec<RecordedFile>, Problem> {
    let take = |source: &Source<'_>, all: &[Vec<u8>]| {
        let mut found = Vec::new();
        for file in all
            .iter()
            .filter(|file| !file.ends_with(LOG) && !file.ends_with(ROLLBACK))
        {
            let whole = headers(source, file, &mut |at, header| {
                found.extend(header.recorded().map_err(|what| what.at(at))?);
                match found.len() > limits::OWNED {
                    true => Err(Defect::TooMany.at(at)),
                    false => Ok(()),
                }
            })?;
            if !whole {
                return Ok(None);
            }
        }
        Ok(Some(found))
    };
    steady(source, DIRECTORIES[0], files, take)
}

fn rolled_back(source: &Source<'_>, file: &[u8]) -> Result<(), Problem> {
    let unfinished = Defect::Broken("an unfinished transaction must be rolled back").at(0);
    match source.binary(file, limits::LOG)? {
        Some(journal) if !journal.is_empty() => Err(Problem::malformed(file, unfinished)),
        _ => Ok(()),
    }
}

/// Reads one database; `false` if it was not one version.
fn take_one(source: &Source<'_>, file: &[u8], gathering: &mut Gathering) -> Result<bool, Problem> {
    headers(source, file, &mut |at, header| add(at, header, gathering))
}

/// Takes a header, and its place in the file.
type EachHeader<'e> = &'e mut dyn FnMut(usize, &header::RpmHeader<'_>) -> Result<(), Fault>;

/// Hands out the headers of one database; `false` if it was not one version.
fn headers(source: &Source<'_>, file: &[u8], each: EachHeader<'_>) -> Result<bool, Problem> {
    let log_name = [file, LOG].concat();
    let log = source.binary(&log_name, limits::LOG)?;
    let Some(data) = source.binary(file, limits::DATABASE)? else {
        return Ok(false);
    };
    // A log that was begun anew meanwhile has its old pages in a main file that was read before they came.
    if source.binary(&log_name, limits::LOG)? != log {
        return Ok(false);
    }
    let read = blobs(&data, log.as_deref(), &mut |at, blob| {
        let late = Defect::Broken("reading it takes too long");
        source.in_time().map_err(|_| late.at(at))?;
        let header = header::RpmHeader::read(blob).map_err(|what| what.at(at))?;
        each(at, &header)
    });
    read.map_err(|fault| Problem::malformed(file, fault))?;
    Ok(true)
}

/// Hands out every header of a database of any kind.
fn blobs(data: &[u8], log: Option<&[u8]>, each: Each<'_>) -> Result<(), Fault> {
    if data.starts_with(sqlite::MAGIC) {
        sqlite::blobs(data, log, each)
    } else if data.starts_with(ndb::MAGIC) {
        ndb::blobs(data, each)
    } else {
        bdb::blobs(data, each)
    }
}

/// Adds the package of one header.
fn add(at: usize, header: &header::RpmHeader<'_>, gathering: &mut Gathering) -> Result<(), Fault> {
    let mut put = || {
        let name = plain_word(header.name()?).ok_or(Defect::PackageName)?;
        let version = header.version()?.and_then(|version| plain_word(&version));
        let package = gathering.package(Arc::clone(&name), version)?;
        for file in header.files()? {
            gathering.owns(package, &file.path)?;
            if file.is_config() {
                gathering.config_file(&file.path, Some(&name))?;
            } else if file.is_ghost() {
                gathering.ghost(&file.path, &name)?;
            }
        }
        Ok(())
    };
    put().map_err(|what: Defect| what.at(at))
}
