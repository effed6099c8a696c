//! The directories whose names a batch exchanges: opened once, their times kept and put back.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::engine::Guest;
use crate::model::{FileId, GuestPath, Time};
use crate::sys::guard::InodeMark;
use crate::sys::{Dir, SysResult};

/// One directory of a guest, as it was before the batch touched it.
#[derive(Debug)]
pub struct Parent {
    pub dir: Dir,
    pub id: FileId,
    pub mtime: Time,
    /// Its time after our last exchange in it: any other means that another process was there.
    ours: Cell<Time>,
    foreign: Cell<bool>,
}

/// The directories of one batch.
#[derive(Debug, Default)]
pub(super) struct Parents {
    open: HashMap<(usize, GuestPath), Rc<Parent>>,
    /// Their guest runs, and may be at them at the same moment: its times are not ours to put back.
    at_work: bool,
}

impl Parents {
    /// Of a guest that runs.
    pub fn of_running() -> Parents {
        Parents {
            at_work: true,
            ..Parents::default()
        }
    }

    /// The directory that holds `path` in guest number `guest`, beneath its `root`.
    pub fn of(&mut self, guest: usize, root: &Dir, path: &GuestPath) -> SysResult<Rc<Parent>> {
        self.of_seen(guest, root, path, None)
    }

    /// The same, where it was seen before: it is that directory, to wherever beneath the root it was moved since.
    pub fn of_seen(
        &mut self,
        guest: usize,
        root: &Dir,
        path: &GuestPath,
        seen: Option<InodeMark>,
    ) -> SysResult<Rc<Parent>> {
        let key = (guest, path.parent());
        if let Some(known) = self.open.get(&key) {
            return Ok(Rc::clone(known));
        }
        let dir = match seen.and_then(|seen| seen.dir_beneath(root, &key.1)) {
            Some(dir) => dir,
            None => root.open_dir(key.1.relative())?,
        };
        let state = dir.state()?;
        let parent = Rc::new(Parent {
            dir,
            id: state.id,
            mtime: state.mtime,
            ours: Cell::new(state.mtime),
            foreign: Cell::new(self.at_work),
        });
        self.open.insert(key, Rc::clone(&parent));
        Ok(parent)
    }

    /// Directories that are not where they were.
    pub fn moved(&self, guests: &[Guest]) -> HashSet<FileId> {
        let is_moved = |((guest, path), parent): &(&(usize, GuestPath), &Rc<Parent>)| {
            let now = guests
                .get(*guest)
                .and_then(|guest| guest.root.open_dir(path.relative()).ok());
            now.and_then(|dir| dir.state().ok()).map(|state| state.id) != Some(parent.id)
        };
        let moved = self.open.iter().filter(is_moved);
        moved.map(|(_, parent)| parent.id).collect()
    }

    /// The modification times are back where the only changes were ours. What cannot be put back is returned for a
    /// warning: no content depends on it.
    pub fn restore_times(&self) -> Vec<String> {
        let restored = self.open.values().map(|parent| parent.restore_time());
        restored
            .filter_map(Result::err)
            .map(|error| error.to_string())
            .collect()
    }
}

impl Parent {
    /// Does something of ours in the directory and puts its time back at once: a run that is interrupted must
    /// leave no time that cannot be distinguished from the guest's own. What others did before shows.
    pub fn touch<T>(&self, act: impl FnOnce() -> T) -> T {
        self.look_for_others();
        let done = act();
        if let Ok(state) = self.dir.state() {
            self.ours.set(state.mtime);
            // What cannot be put back now is tried once more, and reported, at the end of the batch.
            drop(self.put_back(state.mtime));
        }
        done
    }

    fn put_back(&self, now: Time) -> SysResult<()> {
        if now == self.mtime || self.foreign.get() {
            return Ok(());
        }
        self.dir.set_mtime(self.mtime)?;
        self.ours.set(self.mtime);
        Ok(())
    }

    fn look_for_others(&self) {
        let ours = self.dir.state();
        if ours.is_ok_and(|state| state.mtime != self.ours.get()) {
            self.foreign.set(true);
        }
    }

    /// A time that is not ours stays: a font or library cache may live by it.
    fn restore_time(&self) -> SysResult<()> {
        self.look_for_others();
        let Ok(state) = self.dir.state() else {
            return Ok(());
        };
        self.put_back(state.mtime)
    }
}
