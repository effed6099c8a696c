//! The mounts of this process, for who asks where in its file system a directory is, and by which other path it is
//! seen.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::own_table::OwnTable;
use super::paths::strip;
use super::places::BlockDevice;
use super::tables::own_table;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// The mount table of this process, as it was when it was read.
#[derive(Debug)]
pub struct HostMounts(OwnTable);

/// Where a directory is in its file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskPlace {
    device: BlockDevice,
    path: Vec<u8>,
}

impl HostMounts {
    /// Reads it.
    pub fn read() -> SysResult<HostMounts> {
        let path = Path::new("/proc/self/mountinfo");
        let file = call("proc", || File::open(path));
        let mut file = file.map_err(|e| SysError::new("read", path, e))?;
        Ok(HostMounts(own_table(&mut file)?))
    }

    /// Where an absolute path without links leads.
    pub fn place(&self, path: &Path) -> Option<DiskPlace> {
        let (mount, place) = self.0.resolve(path.as_os_str().as_bytes())?;
        Some(DiskPlace {
            device: mount.device,
            path: place,
        })
    }

    /// Do both absolute paths without links lead to one file system, on whichever of its mounts and subvolumes?
    pub fn are_of_one_filesystem(&self, one: &Path, other: &Path) -> bool {
        let device = |path: &Path| self.place(path).map(|place| place.device);
        device(one).is_some_and(|one| device(other) == Some(one))
    }

    /// May a directory be opened there without waiting for another machine or process?
    pub fn is_local(&self, path: &Path) -> bool {
        let found = self.0.resolve(path.as_os_str().as_bytes());
        found.is_some_and(|(mount, _)| mount.is_local)
    }

    /// Paths by which a place is seen here, the shortest first.
    pub fn paths_of(&self, place: &DiskPlace) -> Vec<PathBuf> {
        let paths = self.0.paths_to(place.device, &place.path);
        let mut paths: Vec<PathBuf> = paths
            .iter()
            .map(|path| PathBuf::from(OsStr::from_bytes(path)))
            .collect();
        paths.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
        paths.dedup();
        paths
    }
}

impl DiskPlace {
    /// Is one of them the other, or within it?
    pub fn overlaps(&self, other: &DiskPlace) -> bool {
        let within = |top: &[u8], path: &[u8]| strip(top, path).is_some();
        self.device == other.device
            && (within(&self.path, &other.path) || within(&other.path, &self.path))
    }
}
