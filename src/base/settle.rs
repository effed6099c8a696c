//! A base that a person says belongs where it is: what it remembers by inode numbers is dropped, and it is at home
//! here.

use super::identity::{self, FORMAT};
use super::places::{CACHE, JOURNAL, SCRUB};
use super::{Base, FrozenPaper};
use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

impl Base {
    /// Drops what is true only where the base was made: inode numbers in journals and caches, when objects were read,
    /// which guests a run has frozen. Returns those. The caller holds the lock.
    pub fn forget_old_place(&self) -> SysResult<Vec<String>> {
        for memory in [CACHE, SCRUB] {
            let dir = self.paper(memory);
            for name in papers::entries(&dir)? {
                papers::remove(&dir.join(name))?;
            }
        }
        // What lies in staging is told by what it is. Of a run that is over nobody reads more than what it was.
        for run in self.runs()? {
            if SysError::absent(self.staging().look(run.to_string().as_bytes()))?.is_some() {
                papers::remove(&self.run_paper(&run, JOURNAL))?;
            }
        }
        if !FrozenPaper::left_standing(self)?.is_empty() {
            // They stand still on this very host: whoever heals lets them go.
            return Ok(Vec::new());
        }
        let frozen = FrozenPaper::read(self)?;
        FrozenPaper::remove(self)?;
        Ok(frozen.iter().map(ToString::to_string).collect())
    }

    /// From now on this is where the base was made. Durable before it returns.
    pub fn settle_here(&self) -> SysResult<()> {
        let format = FORMAT.to_owned() + &identity::lines(self.dir())?;
        papers::write_whole(&self.paper("format"), format.as_bytes())
    }
}
