//! A walk that looks for inodes and keeps nothing: of a guest of any size it takes the memory of one path. A name that
//! is none of those is asked nothing: its directory tells its inode.

use walkdir::{DirEntry, DirEntryExt, WalkDir};

use crate::model::{FileId, FileKind, GuestPath};
use crate::sys::host::machine;
use crate::sys::{SysResult, View, from_entry};

/// No path is deeper: each directory above where the walk is stays open, for what is left of one that is closed would
/// have to be kept.
const DEEPEST: usize = 2048;

/// This part of our descriptors at most, for there are other walks. Below that, what is left of the uppermost
/// directories is kept.
const SHARE: usize = 8;

/// What a walk is told of by whoever wants to know.
pub trait Sought {
    /// Asked before each name: is the walk to go on?
    fn goes_on(&self) -> bool;
    /// Is this one of the inodes?
    fn is_wanted(&self, inode: FileId) -> bool;
    /// A name of a regular file that is one. False where the walk is to end.
    fn found(&mut self, inode: FileId, name: GuestPath) -> bool;
}

/// Walks a guest on one file system, in no order, following nothing, and tells of names of these inodes. What cannot be
/// read is left out in silence; of a guest at work a name may be told twice. False where it did not get to the end.
pub fn seek(view: &View, sought: &mut dyn Sought) -> SysResult<bool> {
    let device = view.dir().state()?.id.dev;
    let open = (machine::descriptors() / SHARE).clamp(1, DEEPEST);
    let walk = WalkDir::new(view.walk_root());
    for entry in walk.same_file_system(true).max_open(open) {
        if !sought.goes_on() {
            return Ok(false);
        }
        let Ok(entry) = entry else {
            continue;
        };
        let inode = FileId {
            dev: device,
            ino: entry.ino(),
        };
        if entry.file_type().is_file()
            && sought.is_wanted(inode)
            && is_it(&entry, inode)
            && let Ok(name) = view.guest_path(entry.path())
            && !sought.found(inode, name)
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a directory tells may be of another file system, which lies there.
fn is_it(entry: &DirEntry, inode: FileId) -> bool {
    let seen = from_entry(|| entry.metadata());
    seen.is_ok_and(|seen| seen.kind == FileKind::Regular && seen.id == inode)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::sys::Dir;

    struct Names {
        inode: u64,
        left: usize,
        found: Vec<GuestPath>,
    }

    impl Sought for Names {
        fn goes_on(&self) -> bool {
            self.left > 0
        }

        fn is_wanted(&self, inode: FileId) -> bool {
            inode.ino == self.inode
        }

        fn found(&mut self, _: FileId, name: GuestPath) -> bool {
            self.found.push(name);
            self.left -= 1;
            true
        }
    }

    #[test]
    fn all_names_of_an_inode_are_told_until_the_walk_is_to_end() {
        let place = tempfile::tempdir().expect("a directory");
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("a/b/c")).expect("directories");
        fs::write(at("f"), "").expect("a file");
        fs::write(at("a/other"), "").expect("a file");
        for name in ["a/g", "a/b/c/h"] {
            fs::hard_link(at("f"), at(name)).expect("a link");
        }
        std::os::unix::fs::symlink("f", at("link")).expect("a link");
        let view = View::of(&Dir::open(place.path()).expect("a directory")).expect("a view");
        let inode = fs::metadata(at("f")).expect("a file").ino();
        let mut names = Names {
            inode,
            left: 9,
            found: Vec::new(),
        };
        assert!(seek(&view, &mut names).expect("a walk"));
        names.found.sort();
        let told: Vec<String> = names.found.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["/a/b/c/h", "/a/g", "/f"]);
        names.left = 1;
        names.found.clear();
        assert!(!seek(&view, &mut names).expect("a walk"));
        assert_eq!(names.found.len(), 1);
    }
}
