//! Where a clone is being made: a paper that lasts as long as that, so that what a killed one left is found again,
//! wherever it is.

use std::path::{Path, PathBuf};

use crate::base::Base;
use crate::sys::own::papers;
use crate::sys::own::stage::TreeStage;
use crate::sys::{SysResult, path_of};

/// The paper's name.
const PAPER: &str = "clone";

impl Base {
    /// Writes down where a clone is being made. The caller holds the lock, so there is one at most.
    pub fn note_clone(&self, stage: &Path) -> SysResult<()> {
        papers::write_whole(&self.paper(PAPER), stage.as_os_str().as_encoded_bytes())
    }

    /// Nothing is being made any more.
    pub fn end_clone(&self) -> SysResult<()> {
        papers::remove(&self.paper(PAPER))
    }

    /// Removes what a clone left that was killed, and says where that was. The caller holds the lock.
    pub fn clear_clone(&self) -> SysResult<Option<PathBuf>> {
        let Some(told) = papers::read_small(&self.paper(PAPER))? else {
            return Ok(None);
        };
        let stage = path_of(&told);
        let gone = stage.is_absolute() && TreeStage::remove_stale(&stage)?;
        self.end_clone()?;
        Ok(gone.then_some(stage))
    }
}
