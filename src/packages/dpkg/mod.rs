//! dpkg's database: what is read, in which order, and how it is put together.
//!
//! | file below `/var/lib/dpkg` | says |
//! | --- | --- |
//! | `status` | all packages with their conffiles, also of removed and half-installed ones |
//! | `updates/NNNN` | the journal: records that replace those in `status`; left by an interrupted dpkg |
//! | `info/PACKAGE.conffiles` | conffiles of unpacked packages; during an unpack ahead of `status`, so both are united |
//! | `info/PACKAGE.list` | names of the files that a package has brought: which package owns which file |
//! | `diversions`, `statoverride` | names that an administrator or package has moved or given another mode |
//! | `status.d/NAME` | distroless images: packages, but not their conffiles |
//!
//! dpkg replaces files by rename and empties the journal into `status`. So a reading counts only if `status` was the
//! same inode and the journal the same files before and after. No lock is taken: a guest could hold it for ever.

mod claims;
pub(super) mod conffiles;
pub(super) mod diversions;
mod files;
pub(super) mod places;
pub(super) mod statoverride;
pub(super) mod ucf;
pub(super) mod upgradable;

use super::database::PackageDatabase;
use super::formats::catalog::{Catalog, Full};
use super::formats::name::package_name;
use super::formats::record::{PackageRecord, records};
use super::listing::Listing;
use super::read::fault::Problem;
use super::read::limits;
use super::read::source::Source;
use super::read::steady::below;
use crate::model::FileId;
use crate::sys::guest::shown;
use claims::{Conffiles, claims};
use conffiles::info_file;
use diversions::{Diversion, diversions};
use files::owned;
use places::{DIRECTORY, DISTROLESS, DIVERSIONS, INFO, JOURNAL, STATOVERRIDE, STATUS};
use statoverride::statoverrides;

/// The backend.
pub(super) struct Dpkg;

impl PackageDatabase for Dpkg {
    fn manager(&self) -> &'static str {
        "dpkg"
    }

    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        for _ in 0..limits::TRIES {
            let before = DpkgVersion::now(source)?;
            let taken = DpkgReading::take(&source.again(), &before)?;
            if let (Some(reading), true) = (taken, DpkgVersion::now(source)? == before) {
                return reading.listing(source);
            }
        }
        Err(Problem::Changing {
            directory: shown(DIRECTORY),
        })
    }
}

#[cfg(any(test, feature = "internals"))]
impl crate::packages::database::PureParser for Dpkg {
    fn parse(&self, data: &[u8]) -> Result<usize, super::read::fault::Fault> {
        records(data).try_fold(0, |count, record| Ok(count + 1 + record?.conffiles.len()))
    }
}

/// What changes whenever dpkg writes.
#[derive(Debug, PartialEq, Eq)]
struct DpkgVersion {
    status: Option<FileId>,
    journal: Vec<Vec<u8>>,
}

impl DpkgVersion {
    fn now(source: &Source<'_>) -> Result<Self, Problem> {
        let mut journal = source.names(JOURNAL, limits::JOURNAL)?;
        journal.retain(|name| name.iter().all(u8::is_ascii_digit));
        let one_length = journal.windows(2).all(|two| match two {
            [a, b] => a.len() == b.len(),
            _ => true,
        });
        if !one_length {
            let file = shown(JOURNAL);
            return Err(Problem::JournalNames { file });
        }
        let status = source.id(STATUS)?;
        Ok(DpkgVersion { status, journal })
    }
}

/// All files of one version.
#[derive(Default)]
struct DpkgReading {
    /// Is there a `status`?
    complete: bool,
    distroless: bool,
    journal: usize,
    catalog: Catalog,
    info: Conffiles,
    diversions: Vec<Diversion>,
    overrides: Vec<Vec<u8>>,
}

impl DpkgReading {
    /// `None`: a file that was listed has vanished.
    fn take(source: &Source<'_>, version: &DpkgVersion) -> Result<Option<Self>, Problem> {
        let mut reading = DpkgReading::default();
        if let Some(status) = source.text(STATUS)? {
            reading.complete = true;
            reading.records(source, STATUS, &status, Catalog::add)?;
        }
        let whole = reading.journal(source, version)?
            && reading.distroless(source)?
            && reading.info(source)?;
        reading.hands(source)?;
        Ok(whole.then_some(reading))
    }

    fn records(
        &mut self,
        source: &Source<'_>,
        file: &[u8],
        data: &[u8],
        put: impl Fn(&mut Catalog, PackageRecord) -> Result<(), Full>,
    ) -> Result<(), Problem> {
        for record in records(data) {
            source.in_time()?;
            let record = record.map_err(|fault| Problem::malformed(file, fault))?;
            put(&mut self.catalog, record).map_err(|full| too_many(file, full))?;
        }
        Ok(())
    }

    fn journal(&mut self, source: &Source<'_>, version: &DpkgVersion) -> Result<bool, Problem> {
        for name in &version.journal {
            let file = below(JOURNAL, name);
            let Some(data) = source.text(&file)? else {
                return Ok(false);
            };
            self.records(source, &file, &data, Catalog::replace)?;
            self.journal += 1;
        }
        Ok(true)
    }

    fn distroless(&mut self, source: &Source<'_>) -> Result<bool, Problem> {
        for name in source.names(DISTROLESS, limits::ENTRIES)? {
            if name.ends_with(b".md5sums") {
                continue;
            }
            let file = below(DISTROLESS, &name);
            let Some(mut data) = source.text(&file)? else {
                return Ok(false);
            };
            if !data.ends_with(b"\n") {
                data.push(b'\n'); // written by image builders, not by dpkg
            }
            self.records(source, &file, &data, Catalog::add)?;
            self.distroless = true;
        }
        Ok(true)
    }

    fn info(&mut self, source: &Source<'_>) -> Result<bool, Problem> {
        for name in source.names(INFO, limits::ENTRIES)? {
            let Some(owner) = name.strip_suffix(b".conffiles") else {
                continue;
            };
            let file = below(INFO, &name);
            let Some(data) = source.text(&file)? else {
                return Ok(false);
            };
            let paths = info_file(&data).map_err(|fault| Problem::malformed(&file, fault))?;
            let package = owner.split(|&b| b == b':').next().and_then(package_name);
            for path in paths {
                self.info.entry(path).or_insert_with(|| package.clone());
            }
            if self.info.len() > limits::CONFIG_FILES {
                return Err(too_many(INFO, Full::ConfigFiles));
            }
        }
        Ok(true)
    }

    /// What people and packages have set by hand.
    fn hands(&mut self, source: &Source<'_>) -> Result<(), Problem> {
        if let Some(data) = source.text(DIVERSIONS)? {
            self.diversions =
                diversions(&data).map_err(|fault| Problem::malformed(DIVERSIONS, fault))?;
        }
        if let Some(data) = source.text(STATOVERRIDE)? {
            self.overrides =
                statoverrides(&data).map_err(|fault| Problem::malformed(STATOVERRIDE, fault))?;
        }
        Ok(())
    }

    fn listing(self, source: &Source<'_>) -> Result<Option<Listing>, Problem> {
        if !self.complete && !self.distroless {
            return self.nothing();
        }
        let packages = self.catalog.packages();
        let (owned, partial) = owned(&source.again(), &packages, &self.diversions);
        let with_owner = |(path, package)| (path, Some(package));
        let of_status = self.catalog.into_conffiles().into_iter();
        let mut conffiles: Conffiles = of_status.map(with_owner).collect();
        for (path, package) in self.info {
            conffiles.entry(path).or_insert(package);
        }
        Ok(Some(Listing {
            silent: self.distroless,
            packages,
            config_files: conffiles.len(),
            claims: claims(conffiles, &self.diversions, self.overrides),
            owned,
            partial,
        }))
    }

    /// Without `status` there is no dpkg, unless other files show that there was one.
    fn nothing(&self) -> Result<Option<Listing>, Problem> {
        let witness = match self {
            _ if self.journal > 0 => JOURNAL,
            _ if !self.info.is_empty() => INFO,
            _ => return Ok(None),
        };
        Err(Problem::Missing {
            file: shown(STATUS),
            witness: shown(witness),
        })
    }
}

fn too_many(file: &[u8], full: Full) -> Problem {
    let (max, what) = match full {
        Full::Packages => (limits::PACKAGES, "packages"),
        Full::ConfigFiles => (limits::CONFIG_FILES, "config files"),
    };
    Problem::TooMany {
        file: shown(file),
        max,
        what,
    }
}
