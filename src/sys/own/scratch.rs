//! A directory of our own for a moment: it is gone when its handle is, and so is what was made in it.
//!
//! A process that is killed leaves it: the next one that makes such a directory there removes it. Where nothing may be
//! left even so, a second process sweeps up after the first.

use std::path::{Path, PathBuf};

use super::litter::Litter;
use super::new_file::{is_part, mark_directory, part_of};
use super::papers;
use crate::model::Time;
use crate::sys::{Dir, SysResult, Watchdog};

/// How many directories may be in each other, in one of ours.
const DEEPEST: usize = 8;

/// A directory that nobody but its maker may enter.
#[derive(Debug)]
pub struct Scratch {
    dir: Dir,
    path: PathBuf,
    parent: Dir,
    before: Time,
    sweeper: Option<Watchdog>,
}

impl Scratch {
    /// The same as [`Scratch::beside`]. Before it is there, the process is started that will [`sweep`] it, and that
    /// waits until its input ends: it is told the path.
    pub fn swept(
        target: &Path,
        sweeper: impl FnOnce(&Path) -> SysResult<Watchdog>,
    ) -> SysResult<Scratch> {
        Scratch::made(target, |path| sweeper(path).map(Some))
    }

    /// Makes one beside `target`, whose name it bears, and removes those of dead processes.
    pub fn beside(target: &Path) -> SysResult<Scratch> {
        Scratch::made(target, |_| Ok(None))
    }

    fn made(
        target: &Path,
        sweeper: impl FnOnce(&Path) -> SysResult<Option<Watchdog>>,
    ) -> SysResult<Scratch> {
        let parent = Dir::open(target.parent().unwrap_or(target))?;
        let before = parent.state()?.mtime;
        for stale in papers::stale_parts(target)? {
            drop(remove(&stale));
        }
        let path = part_of(target);
        let sweeper = sweeper(&path)?;
        papers::ensure_dir(&path)?;
        let dir = Dir::open(&path)?;
        mark_directory(&dir);
        Ok(Scratch {
            dir,
            path,
            parent,
            before,
            sweeper,
        })
    }

    /// The directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Litter of ours at worst: the next one removes it.
        drop(remove(&self.path));
        drop(self.parent.set_mtime(self.before));
        if let Some(sweeper) = self.sweeper.take() {
            sweeper.finish();
        }
    }
}

/// Removes what a scratch directory at this path still is, once its maker is gone. Anything that is not ours stays.
pub fn sweep(path: &Path) -> SysResult<()> {
    match is_part(path) {
        true => remove(path),
        false => Ok(()),
    }
}

fn remove(path: &Path) -> SysResult<()> {
    let Some(litter) = Litter::at(path)? else {
        return Ok(());
    };
    for name in litter.list()? {
        litter.remove_tree(&name, DEEPEST)?;
    }
    litter.remove()
}
