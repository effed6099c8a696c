//! What only the inode is known of: where is this directory now, and is there this inode still? The file system finds
//! both by their handles, wherever they are.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::InodeMark;
use crate::model::GuestPath;
use crate::sys::fault::call;
use crate::sys::ffi::FileHandle;
use crate::sys::{Dir, ffi};

/// What is left of an inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InodeLeft {
    /// It has ceased to be, and never comes back: its number comes with another generation.
    Nothing,
    /// It has no name. Something has it open, mapped or mounted, and whoever has may open it anew by his descriptor.
    Nameless,
    /// It has names.
    Named,
}

impl InodeMark {
    /// Where this directory is beneath that root now, by the mount through which the root was opened; `None` where it
    /// is not beneath it, is no more, or cannot be told: where handles are not made of inode and generation (ext4 and
    /// XFS make them so), or without `CAP_DAC_READ_SEARCH`.
    ///
    /// Whoever acts on it looks there again: it is the answer of a moment.
    pub fn place_beneath(&self, root: &Dir) -> Option<GuestPath> {
        Some(self.open_beneath(root)?.1)
    }

    /// The same, and the directory itself, opened by that mount: what is done in it is done in this one, wherever it is
    /// moved to meanwhile.
    pub fn open_beneath(&self, root: &Dir) -> Option<(Dir, GuestPath)> {
        let found = self.found_by(root)?;
        let place = path(&found)?;
        let inside = beneath(&path(root.fd())?, &place)?;
        Some((
            Dir::from_fd(found, OsString::from_vec(place).into()),
            inside,
        ))
    }

    /// The directory itself, looked for at `place` before it is asked where it is.
    pub fn dir_beneath(&self, root: &Dir, place: &GuestPath) -> Option<Dir> {
        let is_it = |dir: &Dir| dir.state().is_ok_and(|now| now.id == self.inode);
        let there = root.open_dir(place.relative()).ok().filter(is_it);
        there.or_else(|| Some(self.open_beneath(root)?.0))
    }

    /// The same as a path of this host, by the mount through which any directory of the file system was opened.
    pub fn place(&self, by: &Dir) -> Option<PathBuf> {
        Some(OsString::from_vec(path(self.found_by(by)?)?).into())
    }

    /// What is left of this inode, which is no directory; `None` where that cannot be told by a directory of the same
    /// file system.
    pub fn left(&self, by: &Dir) -> Option<InodeLeft> {
        let handle = self.handle(by)?;
        let found = call("openhandle", || {
            ffi::open_handle(by.fd(), handle, OFlags::PATH)
        });
        match found {
            Ok(found) => {
                let state = rustix::fs::fstat(&found).ok()?;
                let is_named = state.st_nlink > 0;
                Some(if is_named {
                    InodeLeft::Named
                } else {
                    InodeLeft::Nameless
                })
            }
            Err(error) => {
                let is_gone = error.raw_os_error() == Some(Errno::STALE.raw_os_error());
                is_gone.then_some(InodeLeft::Nothing)
            }
        }
    }

    fn found_by(&self, root: &Dir) -> Option<OwnedFd> {
        let handle = self.handle(root)?;
        let how = OFlags::RDONLY | OFlags::DIRECTORY;
        let found = call("openhandle", || ffi::open_handle(root.fd(), handle, how)).ok()?;
        self.is(&found).then_some(found)
    }

    /// Made as the file system makes that of the directory.
    fn handle(&self, like: &Dir) -> Option<FileHandle> {
        let own = InodeMark::of_dir(like).ok()?;
        if own.inode.dev != self.inode.dev {
            return None;
        }
        let its = call("handle", || ffi::handle(like.fd())).ok()?;
        // Is that one's own handle made as we make them?
        if its.of_another(own.inode.ino, own.generation)? != its {
            return None;
        }
        its.of_another(self.inode.ino, self.generation)
    }

    fn is(&self, found: &OwnedFd) -> bool {
        let is_it = |state: rustix::fs::Stat| {
            (state.st_dev, state.st_ino) == (self.inode.dev, self.inode.ino)
        };
        rustix::fs::fstat(found).is_ok_and(is_it)
            && ffi::generation(found).is_ok_and(|generation| generation == self.generation)
    }
}

/// The path of a descriptor on this host, as the kernel has it.
fn path(fd: impl AsFd) -> Option<Vec<u8>> {
    let link = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    let path = std::fs::read_link(Path::new(&link)).ok()?;
    Some(path.into_os_string().into_vec())
}

/// The second path as a guest has it whose root is the first.
fn beneath(root: &[u8], path: &[u8]) -> Option<GuestPath> {
    let root = Path::new(std::ffi::OsStr::from_bytes(root));
    let below = Path::new(std::ffi::OsStr::from_bytes(path))
        .strip_prefix(root)
        .ok()?;
    let inside = [b"/", below.as_os_str().as_bytes()].concat();
    GuestPath::new(&inside).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::model::FileId;

    /// Where the file system of the place for scratch files finds inodes by handles, and for root.
    #[test]
    fn an_inode_is_there_as_long_as_anybody_has_it_open() {
        let place = std::env::temp_dir().join(format!("unify-left-{}", std::process::id()));
        fs::create_dir(&place).expect("a directory");
        let (dir, path) = (Dir::open(&place).expect("it"), place.join("f"));
        fs::write(&path, "f").expect("a file");
        let file = fs::File::open(&path).expect("it");
        let state = file.metadata().expect("its state");
        let mark = InodeMark {
            inode: FileId {
                dev: state.dev(),
                ino: state.ino(),
            },
            generation: ffi::generation(&file).unwrap_or_default(),
        };
        let can_tell = mark.left(&dir).is_some();
        let is = |left| !can_tell || mark.left(&dir) == Some(left);
        assert!(is(InodeLeft::Named));
        fs::remove_file(&path).expect("removed");
        assert!(is(InodeLeft::Nameless));
        drop(file);
        assert!(is(InodeLeft::Nothing));
        drop(dir);
        fs::remove_dir(&place).expect("removed");
    }

    #[test]
    fn what_is_beside_a_root_is_not_beneath_it() {
        let path = |text: &str| GuestPath::new(text.as_bytes()).expect("a path");
        assert_eq!(
            beneath(b"/g/web", b"/g/web/usr/lib"),
            Some(path("/usr/lib"))
        );
        assert_eq!(beneath(b"/g/web", b"/g/web"), Some(GuestPath::root()));
        assert_eq!(beneath(b"/", b"/usr"), Some(path("/usr")));
        for other in ["/g/web2/usr", "/g", "/", "", "(unreachable)/g/web/usr"] {
            assert_eq!(beneath(b"/g/web", other.as_bytes()), None, "{other}");
        }
    }
}
