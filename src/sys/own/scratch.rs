//! A directory of our own for a moment: it is gone when its handle is, and so is what was made in it.

use std::path::{Path, PathBuf};

use super::litter::Litter;
use super::new_file::{mark_directory, part_of};
use super::papers;
use crate::model::Time;
use crate::sys::{Dir, SysResult};

/// A directory that nobody but root may enter, of directories that hold files.
#[derive(Debug)]
pub struct Scratch {
    dir: Dir,
    path: PathBuf,
    parent: Dir,
    before: Time,
}

impl Scratch {
    /// Makes one beside `target`, whose name it bears, and removes those of dead processes.
    pub fn beside(target: &Path) -> SysResult<Scratch> {
        let parent = Dir::open(target.parent().unwrap_or(target))?;
        let before = parent.state()?.mtime;
        for stale in papers::stale_parts(target)? {
            drop(remove(&stale));
        }
        let path = part_of(target);
        papers::ensure_dir(&path)?;
        let dir = Dir::open(&path)?;
        mark_directory(&dir);
        Ok(Scratch {
            dir,
            path,
            parent,
            before,
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
    }
}

fn remove(path: &Path) -> SysResult<()> {
    let Some(litter) = Litter::at(path)? else {
        return Ok(());
    };
    for name in litter.list()? {
        litter.remove_with_files(&name)?;
    }
    litter.remove()
}
