//! Files of this host, read within bounds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::sys::canonical;
use crate::sys::host::settings::{self, Setting, SettingLimits};

/// Most bytes of one file, and most names in one directory: people and their tools write them.
const MOST_BYTES: u64 = 256 << 10;
const MOST_NAMES: usize = 4096;

/// Reads files of the host, and nothing in these guests.
pub struct HostFiles {
    pub guests: Vec<PathBuf>,
}

/// What is at a path: text with odd bytes replaced, or names.
pub enum HostFile {
    Text(String),
    Directory(Vec<OsString>),
}

impl HostFiles {
    /// What is at a path; `Ok(None)` where nothing is, and `Err` says why it is not known.
    pub fn read(&self, path: &Path) -> Result<Option<HostFile>, String> {
        let limits = SettingLimits {
            bytes: MOST_BYTES,
            names: MOST_NAMES,
            closed: &self.guests,
        };
        match settings::read(path, limits).map_err(|error| error.to_string())? {
            Setting::Absent => Ok(None),
            Setting::Directory(names) => Ok(Some(HostFile::Directory(names))),
            Setting::Text(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                Ok(Some(HostFile::Text(text)))
            }
        }
    }

    /// The text of a file; a directory is none.
    pub fn text(&self, path: &Path) -> Result<Option<String>, String> {
        Ok(match self.read(path)? {
            Some(HostFile::Text(text)) => Some(text),
            _ => None,
        })
    }

    /// The directory that a setting names, without links. Nothing is followed into a guest.
    pub fn real(&self, path: &Path) -> Option<PathBuf> {
        let lies_in = |guest: &PathBuf| path != guest && path.starts_with(guest);
        let is_beneath = self.guests.iter().any(lies_in);
        canonical(path).ok().filter(|_| !is_beneath)
    }

    /// Does a path that a setting names lead to this root?
    pub fn leads_to(&self, path: &Path, root: &Path) -> bool {
        path == root || self.real(path).is_some_and(|real| real == root)
    }
}
