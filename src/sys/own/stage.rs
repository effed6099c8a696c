//! A tree of ours that takes its place whole or not at all: made in a closed directory beside the place, renamed to it
//! in one step, and gone with all that is in it if it never gets there.
//!
//! The directory is called `.unify-clone.PID-RANDOM.part`, belongs to this user, and nobody else may enter it: so a
//! later process knows it for litter of ours, and nothing in it can have been put there by somebody else. It holds the
//! tree as `root`, whose own mode and owner may be anything. Files in it are copies that nothing else refers to, never
//! objects, and none is immutable: whoever may make one may remove it.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::litter::{Litter, is_closed};
use super::new_file::{mark_directory, part_of};
use super::papers;
use crate::model::Time;
use crate::sys::{Dir, Meaning, SysError, SysResult};

/// What the names of such directories begin with.
const NAME: &str = ".unify-clone";

/// The tree in one.
const ROOT: &[u8] = b"root";

/// A closed directory with a tree in it.
#[derive(Debug)]
pub struct TreeStage {
    wrapper: Dir,
    parent: Dir,
    path: PathBuf,
    /// When the directory above was changed last, if nothing gets to its place.
    before: Option<Time>,
}

impl TreeStage {
    /// Where one would be made beside this place; another name each time.
    pub fn place_beside(target: &Path) -> PathBuf {
        part_of(&target.with_file_name(NAME))
    }

    /// Makes one at such a place, with an empty tree.
    pub fn make(place: &Path) -> SysResult<TreeStage> {
        let parent = Dir::open(place.parent().unwrap_or(place))?;
        let before = Some(parent.state()?.mtime);
        let name = place.file_name().unwrap_or_default().as_bytes();
        parent.make_dir(name)?;
        let wrapper = parent.open_dir(name)?;
        // Whoever rules the directory above may have put another one there.
        if !is_closed(&wrapper.state()?) {
            return Err(SysError::new(
                "keep closed",
                place,
                io::ErrorKind::PermissionDenied,
            ));
        }
        mark_directory(&wrapper);
        let stage = TreeStage {
            wrapper,
            parent,
            path: place.to_owned(),
            before,
        };
        stage.wrapper.forget_inherited()?;
        stage.wrapper.make_dir(ROOT)?;
        Ok(stage)
    }

    /// The root of the tree.
    pub fn root(&self) -> SysResult<Dir> {
        self.wrapper.open_dir(ROOT)
    }

    /// Moves the tree to its name in the directory above; false where something has that name already. The caller has
    /// synced the file system; the name is durable when this returns.
    pub fn publish(mut self, name: &[u8]) -> SysResult<bool> {
        match self.wrapper.move_to(ROOT, &self.parent, name) {
            Err(error) if error.meaning() == Meaning::Exists => return Ok(false),
            other => other?,
        }
        self.before = None;
        self.parent.sync()?;
        Ok(true)
    }

    /// Removes one that a dead process has left, with all that is in it. Says whether there was one: what is not
    /// ours, or is in use, is left alone.
    pub fn remove_stale(place: &Path) -> SysResult<bool> {
        let target = place.with_file_name(NAME);
        if !papers::stale_parts(&target)?
            .iter()
            .any(|part| part == place)
        {
            return Ok(false);
        }
        remove(place)
    }

    /// The same for all in the directory where a place is.
    pub fn remove_all_stale(target: &Path) -> SysResult<u64> {
        let mut gone = 0;
        for part in papers::stale_parts(&target.with_file_name(NAME))? {
            gone += u64::from(remove(&part)?);
        }
        Ok(gone)
    }
}

impl Drop for TreeStage {
    fn drop(&mut self) {
        // Litter of ours at worst: the next one removes it.
        drop(remove(&self.path));
        if let Some(before) = self.before {
            drop(self.parent.set_mtime(before));
        }
    }
}

fn remove(place: &Path) -> SysResult<bool> {
    let Some(litter) = Litter::at(place)? else {
        return Ok(false);
    };
    // A stage holds this alone: a directory of ours that somebody gave such a name is left as it is.
    if litter.list()?.iter().any(|name| name != ROOT) {
        return Ok(false);
    }
    litter.remove_all()?;
    litter.remove()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_deep_tree_goes_whole_and_nothing_beside_it() {
        let place = tempfile::tempdir().expect("a directory");
        let target = place.path().join("new");
        let at = TreeStage::place_beside(&target);
        let stage = TreeStage::make(&at).expect("a stage");
        let mut here = stage.root().expect("a tree");
        for _ in 0..60 {
            let name = [b'd'; 200];
            here.make_dir(&name).expect("a directory");
            here = here.open_dir(&name).expect("that directory");
        }
        std::os::unix::fs::symlink(place.path(), at.join("root/link")).expect("a link");
        fs::write(place.path().join("kept"), "bytes").expect("a file");
        drop(stage);
        let left: Vec<_> = fs::read_dir(place.path()).expect("a list").collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn a_place_that_is_taken_is_left_alone() {
        let place = tempfile::tempdir().expect("a directory");
        let target = place.path().join("new");
        let stage = TreeStage::make(&TreeStage::place_beside(&target)).expect("a stage");
        fs::write(&target, "bytes").expect("a file");
        assert!(!stage.publish(b"new").expect("an answer"));
        assert_eq!(fs::read(&target).expect("kept"), b"bytes");
        assert_eq!(fs::read_dir(place.path()).expect("a list").count(), 1);
    }
}
