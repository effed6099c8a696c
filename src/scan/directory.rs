//! `GuestDirectory`: a guest that is a directory of this host, as a plan reads it.

use super::walk::scan;
use crate::model::{FileState, Observer, Scan, TooLarge};
use crate::sys::guest::in_root::InRoot;
use crate::sys::guest::{GuestError, GuestFile, GuestFiles, Precision, Resolved, Trail};
use crate::sys::{Dir, Meaning, SysError, SysResult, View};

/// A directory, read through a view of it: where the host allows that, nothing in the guest shows that it was read.
#[derive(Debug)]
pub struct GuestDirectory {
    view: View,
    in_root: InRoot,
}

impl GuestDirectory {
    /// The guest whose root this is. All that needs root's rights is done here.
    pub fn of(root: &Dir) -> SysResult<GuestDirectory> {
        GuestDirectory::through(View::of(root)?)
    }

    /// The guest that a view shows.
    pub(super) fn through(view: View) -> SysResult<GuestDirectory> {
        let in_root = InRoot::of(view.dir())?;
        Ok(GuestDirectory { view, in_root })
    }
}

impl GuestFiles for GuestDirectory {
    fn precision(&self) -> Precision {
        Precision::DISK
    }

    fn is_private(&self) -> bool {
        self.view.is_private()
    }

    fn tree(&self, observer: &dyn Observer) -> SysResult<Result<Scan, TooLarge>> {
        scan(&self.view, observer)
    }

    fn look(&self, name: &[u8]) -> SysResult<Option<FileState>> {
        match self.view.dir().look(name) {
            // A directory on the way that is a link or gone: there is no such name.
            Err(error) if is_about_the_path(&error) => Ok(None),
            other => other.map(Some),
        }
    }

    fn open(&self, name: &[u8]) -> SysResult<Option<GuestFile>> {
        Ok(self.view.open(name)?.map(GuestFile::Open))
    }

    fn read(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, GuestError> {
        self.in_root.read(path, max)
    }

    fn list(&self, directory: &[u8], max: usize) -> Result<Option<Vec<Vec<u8>>>, GuestError> {
        self.in_root.list(directory, max)
    }

    fn link(&self, name: &[u8]) -> Result<Option<Vec<u8>>, GuestError> {
        self.in_root.link(name)
    }

    fn resolve(&self, path: &[u8]) -> Result<Option<Resolved>, GuestError> {
        self.in_root.resolve(path)
    }

    fn trace(&self, path: &[u8]) -> Result<Trail, GuestError> {
        self.in_root.trace(path)
    }
}

/// Is it about the path and not about the machine?
fn is_about_the_path(error: &SysError) -> bool {
    matches!(
        error.meaning(),
        Meaning::Gone | Meaning::PathChanged | Meaning::OtherFilesystem
    )
}
