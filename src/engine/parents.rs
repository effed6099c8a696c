//! The directories whose names a batch exchanges: opened once, their times kept and put back.

use std::collections::HashMap;
use std::rc::Rc;

use crate::model::{FileId, GuestPath, Time};
use crate::sys::{Dir, SysResult};

/// One directory of a guest, as it was before the batch touched it.
#[derive(Debug)]
pub(super) struct Parent {
    pub dir: Dir,
    pub id: FileId,
    pub mtime: Time,
}

/// The directories of one batch.
#[derive(Debug, Default)]
pub(super) struct Parents(HashMap<(usize, GuestPath), Rc<Parent>>);

impl Parents {
    /// The directory that holds `path` in guest number `guest`, beneath its `root`.
    pub fn of(&mut self, guest: usize, root: &Dir, path: &GuestPath) -> SysResult<Rc<Parent>> {
        let key = (guest, path.parent());
        if let Some(known) = self.0.get(&key) {
            return Ok(Rc::clone(known));
        }
        let dir = root.open_dir(key.1.relative())?;
        let state = dir.state()?;
        let parent = Rc::new(Parent {
            dir,
            id: state.id,
            mtime: state.mtime,
        });
        self.0.insert(key, Rc::clone(&parent));
        Ok(parent)
    }

    /// Puts the modification times back. The guests were quiet, so the only change was ours. What cannot be put back
    /// is returned for a warning: no content depends on it.
    pub fn restore_times(&self) -> Vec<String> {
        let restored = self.0.values().map(|parent| parent.restore_time());
        restored
            .filter_map(Result::err)
            .map(|error| error.to_string())
            .collect()
    }
}

impl Parent {
    fn restore_time(&self) -> SysResult<()> {
        if self.dir.state()?.mtime == self.mtime {
            Ok(())
        } else {
            self.dir.set_mtime(self.mtime)
        }
    }
}
