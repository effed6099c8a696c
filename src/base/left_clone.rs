//! Where a clone is being made: a paper that lasts as long as that, so that what a killed one left is found again,
//! wherever it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Base, places};
use crate::sys::SysResult;
use crate::sys::own::papers;
use crate::sys::own::stage::Stage;

impl Base {
    /// Writes down where a clone is being made. The caller holds the lock, so there is one at most.
    pub fn note_clone(&self, stage: &Path) -> SysResult<()> {
        papers::write_whole(&self.paper(places::CLONE), stage.as_os_str().as_bytes())
    }

    /// Nothing is being made any more.
    pub fn end_clone(&self) -> SysResult<()> {
        papers::remove(&self.paper(places::CLONE))
    }

    /// Removes what a clone left that was killed, and says where that was. The caller holds the lock.
    pub fn clear_clone(&self) -> SysResult<Option<PathBuf>> {
        let Some(told) = papers::read_small(&self.paper(places::CLONE))? else {
            return Ok(None);
        };
        let stage = Path::new(OsStr::from_bytes(&told));
        let gone = stage.is_absolute() && Stage::remove_stale(stage)?;
        self.end_clone()?;
        Ok(gone.then(|| stage.to_owned()))
    }
}
