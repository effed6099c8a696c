//! A base hands no project down. A directory whose project is inherited takes in no file of another one (ext4, XFS: the
//! kernel calls it another device), and a base takes in files of all guests.

use super::Base;
use crate::sys::{Dir, SysResult};

impl Base {
    /// Ends the inheritance of projects in a base that was made where one is inherited, or that somebody put into one
    /// later. The project that its directories count for stays. The caller holds the lock.
    pub(super) fn end_inheritance(&self) -> SysResult<()> {
        if inherits(self.objects())? {
            for fan in self.objects().list()? {
                self.objects().open_dir(&fan)?.end_project_inheritance()?;
            }
        }
        let quarantine = self.dir().open_dir(b"quarantine")?;
        for dir in [self.objects(), self.staging(), &quarantine, self.dir()] {
            dir.end_project_inheritance()?;
        }
        Ok(())
    }
}

fn inherits(dir: &Dir) -> SysResult<bool> {
    Ok(dir.project()?.1)
}
