//! Guests as they are named on the command line or in a plan, opened and kept apart.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::EngineError;
use crate::engine::error::BadUse;
use crate::model::{BadGuestName, FileId, GuestName, PlannedGuest, ReceiptGuest};
use crate::rules::root;
use crate::scan::GuestDirectory;
use crate::sys::guest::GuestFiles;
use crate::sys::host::other_runs;
use crate::sys::{Dir, SysResult, canonical};

/// A guest as a person gives it: `PATH`, or `NAME=PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestArg {
    /// Its name; that of the directory where none is given.
    pub name: Option<GuestName>,
    /// Its root.
    pub path: PathBuf,
}

impl FromStr for GuestArg {
    type Err = BadGuestName;
    fn from_str(text: &str) -> Result<Self, BadGuestName> {
        match text.split_once('=').filter(|(name, _)| !name.contains('/')) {
            Some((name, path)) => Ok(GuestArg {
                name: Some(GuestName::new(name)?),
                path: path.into(),
            }),
            None => Ok(GuestArg {
                name: None,
                path: text.into(),
            }),
        }
    }
}

/// An open guest.
#[derive(Debug)]
pub struct Guest {
    /// Its name in the plan.
    pub name: GuestName,
    /// Its root, without links.
    pub path: PathBuf,
    /// A handle to the root.
    pub root: Dir,
    /// Device and inode of the root.
    pub id: FileId,
}

/// What a plan says of a guest itself, when it needs the root no more.
#[derive(Debug, Clone)]
pub(super) struct GuestIdentity {
    /// Its name in the plan.
    pub name: GuestName,
    /// Where it is on this host, without links.
    pub path: PathBuf,
    /// Device and inode of the root.
    pub id: FileId,
}

impl Guest {
    /// Opens the root at `path`.
    pub fn open(name: GuestName, path: &Path) -> SysResult<Guest> {
        let path = canonical(path)?;
        let root = Dir::open(&path)?;
        let id = root.state()?.id;
        Ok(Guest {
            name,
            path,
            root,
            id,
        })
    }

    /// Is its root the directory that the plan saw?
    pub(super) fn is(&self, planned: &PlannedGuest) -> bool {
        let seen = FileId {
            dev: planned.dev,
            ino: planned.ino,
        };
        self.id == seen
    }

    /// Its files, for reading. Here it is known that the guest is a directory; a plan knows only what it asks.
    pub(super) fn files(&self) -> SysResult<Box<dyn GuestFiles>> {
        Ok(Box::new(GuestDirectory::of(&self.root)?))
    }

    /// Closes the root.
    pub(super) fn into_identity(self) -> GuestIdentity {
        let Guest { name, path, id, .. } = self;
        GuestIdentity { name, path, id }
    }

    /// As receipts name it.
    pub(super) fn for_receipt(&self) -> ReceiptGuest {
        ReceiptGuest {
            name: self.name.clone(),
            root: self.path.clone(),
        }
    }

    /// Opens the guest that a person gives.
    pub(super) fn from_arg(arg: &GuestArg) -> Result<Guest, EngineError> {
        let path = canonical(&arg.path)?;
        Ok(Guest::open(name_for(arg, &path)?, &path)?)
    }
}

/// What a guest is called that is, or will be, at this path.
pub(super) fn name_for(arg: &GuestArg, path: &Path) -> Result<GuestName, EngineError> {
    if let Some(name) = &arg.name {
        return Ok(name.clone());
    }
    let own = root::names(path).into_iter().next().unwrap_or_default();
    GuestName::new(&own).map_err(|error| BadUse::GuestName(error.to_string()).into())
}

/// Opens all guests of a plan, in the order of their names, and refuses what would be counted twice.
pub(super) fn open_all(args: &[GuestArg], base: Option<&Path>) -> Result<Vec<Guest>, EngineError> {
    let mut guests = args
        .iter()
        .map(Guest::from_arg)
        .collect::<Result<Vec<_>, _>>()?;
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = guests.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let same = BadUse::SameName {
            name: pair[0].name.clone(),
            one: pair[0].path.clone(),
            other: pair[1].path.clone(),
        };
        return Err(same.into());
    }
    all_apart(&guests, base)?;
    Ok(guests)
}

/// Guests and base must not lie within each other.
pub(super) fn apart(guests: &[Guest], base: &Path) -> Result<(), EngineError> {
    all_apart(guests, Some(base))
}

fn all_apart(guests: &[Guest], base: Option<&Path>) -> Result<(), EngineError> {
    let guests = guests.iter().map(|guest| guest.path.as_path());
    let paths: Vec<&Path> = guests.chain(base).collect();
    for (at, one) in paths.iter().enumerate() {
        for other in &paths[at + 1..] {
            if one == other {
                return Err(BadUse::GivenTwice((*one).to_owned()).into());
            }
            if one.starts_with(other) || other.starts_with(one) {
                return Err(BadUse::Nested((*one).to_owned(), (*other).to_owned()).into());
            }
        }
    }
    Ok(())
}

/// Keeps runs of other bases from these guests, as long as they are open. Whatever changes names in a guest asks.
pub(super) fn hold<'g>(guests: impl IntoIterator<Item = &'g Guest>) -> Result<(), EngineError> {
    for guest in guests {
        if let Some(pid) = other_runs::hold(&guest.root)? {
            let guest = guest.name.clone();
            return Err(EngineError::GuestHeld { guest, pid });
        }
    }
    Ok(())
}

/// The base's path without links, whether it exists or not.
pub(super) fn base_path(base: &Path) -> SysResult<PathBuf> {
    if let Ok(path) = canonical(base) {
        return Ok(path);
    }
    let parent = base
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = base.file_name().unwrap_or_default();
    Ok(canonical(parent)?.join(name))
}
