//! Directories of ours that are taken apart again. Each is reached from its parent through no link, and is left alone
//! unless it is this user's and closed to all others: in a place like `/tmp` anybody can make one of that name, with
//! links in it that lead elsewhere.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::unistd::geteuid;

use crate::model::{FileKind, FileState};
use crate::sys::{Dir, SysError, SysResult};

/// An open directory of ours, and the one that it is in.
#[derive(Debug)]
pub struct Litter {
    parent: Dir,
    name: Vec<u8>,
    dir: Dir,
}

impl Litter {
    /// `None` where there is none, and where what is there is not ours.
    pub fn at(path: &Path) -> SysResult<Option<Litter>> {
        let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else {
            return Ok(None);
        };
        let (name, parent) = (name.as_bytes().to_vec(), Dir::open(parent)?);
        // A link, a file or nothing.
        let Ok(dir) = parent.open_dir(&name) else {
            return Ok(None);
        };
        let is_ours = is_closed(&dir.state()?);
        Ok(is_ours.then_some(Litter { parent, name, dir }))
    }

    /// Names in it.
    pub fn list(&self) -> SysResult<Vec<Vec<u8>>> {
        self.dir.list()
    }

    /// Removes a file in it.
    pub fn unlink(&self, name: &[u8]) -> SysResult<()> {
        self.dir.unlink(name)
    }

    /// Removes a directory in it, with the files in that. Nothing happens where there is none.
    pub fn remove_with_files(&self, name: &[u8]) -> SysResult<()> {
        let Some(inner) = SysError::absent(self.dir.open_dir(name))? else {
            return Ok(());
        };
        for file in inner.list()? {
            inner.unlink(&file)?;
        }
        self.dir.remove_dir(name)
    }

    /// Removes all that is in it, however deep it goes. For trees that we made and nobody else could enter.
    pub fn remove_all(&self) -> SysResult<()> {
        super::emptying::empty(&self.dir)
    }

    /// Removes a file or a directory in it, with all that is in that, as deep as this.
    pub fn remove_tree(&self, name: &[u8], deepest: usize) -> SysResult<()> {
        remove_tree(&self.dir, name, deepest)
    }

    /// Removes an empty directory in it. Nothing happens where there is none.
    pub fn remove_empty(&self, name: &[u8]) -> SysResult<()> {
        SysError::absent(self.dir.remove_dir(name)).map(drop)
    }

    /// Removes it, which is empty.
    pub fn remove(self) -> SysResult<()> {
        self.parent.remove_dir(&self.name)
    }
}

/// Is it this user's, and closed to all others?
pub(super) fn is_closed(state: &FileState) -> bool {
    state.uid == geteuid().as_raw() && state.mode & 0o077 == 0
}

fn remove_tree(parent: &Dir, name: &[u8], deepest: usize) -> SysResult<()> {
    if parent.glance(name)?.kind != FileKind::Directory {
        return parent.unlink(name);
    }
    if deepest > 0 {
        let inner = parent.open_dir(name)?;
        for entry in inner.list()? {
            remove_tree(&inner, &entry, deepest - 1)?;
        }
    }
    parent.remove_dir(name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_anybody_could_have_made_is_left_alone() {
        let place = tempfile::tempdir().expect("a directory");
        let at = |name: &str| Litter::at(&place.path().join(name)).expect("an answer");
        let make = |name: &str, mode| {
            let path = place.path().join(name);
            fs::create_dir(&path).expect("a directory");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        };
        make("ours", 0o700);
        make("open", 0o755);
        symlink("ours", place.path().join("link")).expect("a link");
        assert!(at("ours").is_some());
        for other in ["open", "link", "nothing"] {
            assert!(at(other).is_none(), "{other}");
        }
    }

    #[test]
    fn links_in_it_are_not_followed() {
        let place = tempfile::tempdir().expect("a directory");
        let (part, victim) = (place.path().join("part"), place.path().join("victim"));
        for dir in [&part, &victim] {
            fs::create_dir(dir).expect("a directory");
        }
        fs::set_permissions(&part, fs::Permissions::from_mode(0o700)).expect("a mode");
        fs::write(victim.join("kept"), "bytes").expect("a file");
        symlink(&victim, part.join("cache")).expect("a link");
        let litter = Litter::at(&part).expect("an answer").expect("ours");
        assert!(litter.remove_with_files(b"cache").is_err());
        assert_eq!(fs::read(victim.join("kept")).expect("kept"), b"bytes");
    }
}
