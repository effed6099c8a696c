//! The database of opkg (OpenWrt, Yocto): dpkg's stanzas in a file `status`, and lists beside it in `info`.
//!
//! `Conffiles:` has a path and a digest a line, `info/NAME.conffiles` a path a line, `info/NAME.list` the names of the
//! package's files (a TAB and more may follow). `/etc/opkg.conf` can name further roots (`dest`), which are not asked.

pub(super) mod openwrt;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::gathering::{ConfigKnownBy, Gathering};
use super::formats::globs::Globs;
use super::formats::lines::trim_end;
use super::formats::name::package_name;
use super::read::fault::{Defect, Fault, Problem};
use super::read::limits;

use super::database::PackageDatabase;
use super::formats::record::records;
use super::listing::{Listing, PackageState};
use super::read::source::Source;
use super::read::steady::{below, steady};

const DIRECTORIES: [&[u8]; 2] = [b"usr/lib/opkg", b"var/lib/opkg"];

/// The backend.
pub(super) struct Opkg;

impl PackageDatabase for Opkg {
    fn manager(&self) -> &'static str {
        "opkg"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        let found = steady(source, DIRECTORIES[0], files, take)?;
        Ok(found.map(|gathering| gathering.listing("opkg", ConfigKnownBy::Database)))
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Opkg {
    fn parse(&self, data: &[u8]) -> Result<usize, Fault> {
        let mut database = OpkgReading::default();
        database.status(data)?;
        Ok(database.gathering.entries())
    }
}

/// `status` first, then the lists. One directory under two names counts once.
fn files(source: &Source<'_>) -> Result<Vec<Vec<u8>>, Problem> {
    let (mut files, mut seen) = (Vec::new(), BTreeSet::new());
    for directory in DIRECTORIES {
        let status = below(directory, b"status");
        if !source.id(&status)?.is_some_and(|id| seen.insert(id)) {
            continue;
        }
        files.push(status);
        let info = below(directory, b"info");
        let names = source.names(&info, limits::ENTRIES)?;
        let wanted = |name: &&Vec<u8>| name.ends_with(b".list") || name.ends_with(b".conffiles");
        files.extend(names.iter().filter(wanted).map(|name| below(&info, name)));
    }
    Ok(files)
}

/// `None`: a file that was listed has vanished. `None` within: there is no database.
fn take(source: &Source<'_>, files: &[Vec<u8>]) -> Result<Option<Option<Gathering>>, Problem> {
    if files.is_empty() {
        return Ok(Some(None));
    }
    let mut database = OpkgReading::default();
    for file in files {
        let Some(data) = source.text(file)? else {
            return Ok(None);
        };
        let name = file.rsplit(|&b| b == b'/').next().unwrap_or_default();
        let read = match (
            name.strip_suffix(b".list"),
            name.strip_suffix(b".conffiles"),
        ) {
            (Some(owner), _) => database.list(owner, &data),
            (_, Some(owner)) => database.conffiles(owner, &data),
            _ => database.status(&data),
        };
        read.map_err(|fault| Problem::malformed(file, fault))?;
        source.in_time()?;
    }
    database.keep(&openwrt::kept(source)?)?;
    if !database.unlisted.is_empty() {
        database.gathering.lacks_files();
    }
    Ok(Some(Some(database.gathering)))
}

#[derive(Default)]
struct OpkgReading {
    gathering: Gathering,
    places: BTreeMap<Arc<str>, u32>,
    /// Installed packages whose list was not read yet.
    unlisted: BTreeSet<u32>,
    files: Vec<Vec<u8>>,
}

impl OpkgReading {
    fn status(&mut self, data: &[u8]) -> Result<(), Fault> {
        for record in records(data) {
            let record = record?;
            let put = |what: Defect| what.at(0);
            if record.present {
                let name = Arc::clone(&record.package);
                let place = self.gathering.package(Arc::clone(&name), record.version);
                let place = place.map_err(put)?;
                self.places.insert(name, place);
                self.gathering.present(place, record.state);
                if record.state == PackageState::Installed {
                    self.unlisted.insert(place);
                }
            }
            for path in record.conffiles {
                self.gathering
                    .config_file(&path, Some(&record.package))
                    .map_err(put)?;
            }
        }
        Ok(())
    }

    fn conffiles(&mut self, owner: &[u8], data: &[u8]) -> Result<(), Fault> {
        let owner = package_name(owner);
        for line in data
            .split(|&b| b == b'\n')
            .map(trim_end)
            .filter(|line| !line.is_empty())
        {
            let added = self.gathering.config_file(line, owner.as_ref());
            added.map_err(|what| what.at(0))?;
        }
        Ok(())
    }

    /// Only people who read the plan profit from it, so a line that is none is passed over.
    fn list(&mut self, owner: &[u8], data: &[u8]) -> Result<(), Fault> {
        let place = package_name(owner).and_then(|owner| self.places.get(&owner).copied());
        if let Some(place) = place {
            self.unlisted.remove(&place);
        }
        for line in data.split(|&b| b == b'\n') {
            let path = line.split(|&b| b == b'\t').next().unwrap_or_default();
            if !path.starts_with(b"/") || path.len() > limits::PATH {
                continue;
            }
            self.files.push(path.to_vec());
            if let Some(place) = place {
                self.gathering
                    .owns(place, path)
                    .map_err(|what| what.at(0))?;
            }
        }
        Ok(())
    }

    /// What OpenWrt keeps over an upgrade: the paths themselves, and packaged files that the patterns cover.
    fn keep(&mut self, kept: &[Vec<u8>]) -> Result<(), Problem> {
        let mut add = || {
            let globs = Globs::new(kept.iter().map(Vec::as_slice))?;
            for path in kept
                .iter()
                .chain(self.files.iter().filter(|path| globs.cover(path)))
            {
                self.gathering.config_file(path, None)?;
            }
            Ok(())
        };
        add().map_err(|what: Defect| Problem::malformed(b"lib/upgrade/keep.d", what.at(0)))
    }
}
