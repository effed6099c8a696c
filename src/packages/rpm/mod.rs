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
//! The files are looked for where distributions keep them; a guest's macros are not evaluated. If two kinds are there, a
//! conversion was left half way, and both count. Configuration is what `rpm -qca` lists (`%config`), and `%ghost` files as
//! well: what the guest makes itself is its own.

mod bdb;
mod bytes;
mod header;
mod ndb;
mod sqlite;
mod wal;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fault::{Defect, Fault, Problem};
use super::gathering::Gathering;
use super::name::plain_word;
use super::source::Source;
use super::steady::{below, steady};
use super::{Listing, PackageDatabase};

/// Where distributions keep it; often one is a link to another.
const DIRECTORIES: [&[u8]; 3] = [
    b"usr/lib/sysimage/rpm",
    b"var/lib/rpm",
    b"usr/share/rpm", // rpm-ostree
];

const SQLITE: &[u8] = b"rpmdb.sqlite";
const NDB: &[u8] = b"Packages.db";
const BDB: &[u8] = b"Packages";
/// A transaction that was broken off and must be rolled back, which only SQLite may do.
const ROLLBACK: &[u8] = b"rpmdb.sqlite-journal";
const LOG: &[u8] = b"rpmdb.sqlite-wal";

/// Takes each header blob of a database with its offset in the file.
type Each<'e> = &'e mut dyn FnMut(usize, &[u8]) -> Result<(), Fault>;

/// The backend.
pub(super) struct Rpm;

impl PackageDatabase for Rpm {
    fn manager(&self) -> &'static str {
        "rpm"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let found = steady(source, DIRECTORIES[0], files, take)?;
        Ok(found.map(|gathering| gathering.listing("rpm", false)))
    }

    /// Which kind it is, the first bytes tell.
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut gathering = Gathering::default();
        let mut each = |at: usize, blob: &[u8]| add(at, blob, &mut gathering);
        if data.starts_with(sqlite::MAGIC) {
            sqlite::blobs(data, None, &mut each)?;
        } else if data.starts_with(ndb::MAGIC) {
            ndb::blobs(data, &mut each)?;
        } else {
            bdb::blobs(data, &mut each)?;
        }
        Ok(gathering.entries())
    }
}

/// All files that matter. One directory under two names counts once.
fn files(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    for directory in DIRECTORIES {
        let is_new = source.id(directory)?.is_some_and(|id| seen.insert(id));
        for name in [SQLITE, LOG, ROLLBACK, NDB, BDB] {
            let file = below(directory, name);
            if is_new && source.id(&file)?.is_some() {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// `None` within: a file that was listed has vanished. `Some(None)`: there is no database.
fn take(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Option<Option<Gathering>>, Problem> {
    let mut gathering = Gathering::default();
    let mut any = false;
    for file in files {
        let kind = file.rsplit(|&b| b == b'/').next().unwrap_or_default();
        if kind == LOG {
            continue;
        }
        let log_name = [file, &b"-wal"[..]].concat();
        let log = match kind {
            SQLITE => source.database(&log_name)?,
            _ => None,
        };
        let Some(data) = source.database(file)? else {
            return Ok(None);
        };
        // A log that was begun anew meanwhile has its old pages in a main file that was read before they came.
        if kind == SQLITE && source.database(&log_name)? != log {
            return Ok(None);
        }
        any |= kind != ROLLBACK;
        let read = match kind {
            SQLITE => read_each(source, &mut gathering, |each| {
                sqlite::blobs(&data, log.as_deref(), each)
            }),
            NDB => read_each(source, &mut gathering, |each| ndb::blobs(&data, each)),
            BDB => read_each(source, &mut gathering, |each| bdb::blobs(&data, each)),
            _ if data.is_empty() => Ok(()),
            _ => Err(Defect::Broken("an unfinished transaction must be rolled back").at(0)),
        };
        read.map_err(|fault| Problem::malformed(file, fault))?;
        source.in_time()?;
    }
    Ok(Some(any.then_some(gathering)))
}

/// Reads one database with an eye on the clock.
fn read_each(
    source: &Source<'_>,
    gathering: &mut Gathering,
    read: impl FnOnce(Each<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    read(&mut |at, blob| {
        if source.in_time().is_err() {
            return Err(Defect::Broken("reading it takes too long").at(at));
        }
        add(at, blob, gathering)
    })
}

/// Adds the package of one header.
fn add(at: usize, blob: &[u8], gathering: &mut Gathering) -> Result<(), Fault> {
    let header = header::Header::read(blob).map_err(|what| what.at(at))?;
    let mut put = || {
        let name = plain_word(header.name()?).ok_or(Defect::PackageName)?;
        let version = header.version()?.and_then(|version| plain_word(&version));
        let package = gathering.package(Arc::clone(&name), version)?;
        for file in header.files()? {
            gathering.owns(package, &file.path)?;
            if file.is_private() {
                gathering.config_file(&file.path, Some(&name))?;
            }
        }
        Ok(())
    };
    put().map_err(|what: Defect| what.at(at))
}
