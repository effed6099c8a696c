//! May the names of a file refer to an inode that comes from the base, and back? Hard links and exchanges stay on one
//! file system, and the kernel calls some of its directories another device all the same: see `link(2)` and
//! `rename(2)`, `EXDEV`. An inode that several guests share is judged in the tree of each.
//!
//! * A directory whose project is inherited takes in no file of another project (ext4, f2fs, XFS). A copy has the
//!   project of its file, so the file's own directory decides.
//! * An encrypted directory takes in only files of its own encryption (fscrypt), and the base has none.

use std::collections::BTreeSet;

use super::inode_flags::ENCRYPTED;
use crate::model::{SkipReason, Tree};

/// What was tried before any guest was read.
#[derive(Debug, Default)]
pub struct Crossing {
    /// Projects that a fresh file cannot be given here, or that keep it from being linked.
    pub refused_projects: BTreeSet<u32>,
}

impl Crossing {
    /// What keeps a file of these inode flags and this project where it is, and a note that says more.
    pub fn judge(
        &self,
        tree: &Tree,
        file: usize,
        flags: u32,
        project: u32,
    ) -> Option<(SkipReason, Option<String>)> {
        if flags & ENCRYPTED != 0 {
            return Some((SkipReason::Encrypted, None));
        }
        if self.refused_projects.contains(&project) {
            let note = format!("no copy can be given project {project}");
            return Some((SkipReason::Project, Some(note)));
        }
        if tree.takes_project(file, project) {
            return None;
        }
        let note = format!("it is of project {project}, and its directory of another");
        Some((SkipReason::Project, Some(note)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileId, FileKind, FileState, NameLimits, Time, TreeBuilder};

    fn file(ino: u64) -> FileState {
        let time = Time { sec: 0, nsec: 0 };
        FileState {
            kind: FileKind::Regular,
            id: FileId { dev: 1, ino },
            nlink: 2,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 1,
            blocks: 8,
            mtime: time,
            ctime: time,
        }
    }

    /// `/a`, `/d/b` and `/d/e/c`, the last also `/a2`; `/d` takes in project 7 alone.
    fn tree() -> Tree {
        let mut tree = TreeBuilder::of_at_most(u32::MAX);
        tree.enter(0, b"").unwrap();
        tree.meet(1, b"a", file(1)).unwrap();
        tree.meet(1, b"a2", file(3)).unwrap();
        tree.enter(1, b"d").unwrap();
        tree.limit(NameLimits {
            is_fixed: false,
            only_project: Some(7),
        });
        tree.meet(2, b"b", file(2)).unwrap();
        tree.enter(2, b"e").unwrap();
        tree.limit(NameLimits::default());
        tree.meet(3, b"c", file(3)).unwrap();
        tree.meet(2, b"z", file(1)).unwrap();
        tree.finish()
    }

    #[test]
    fn the_directories_of_all_names_decide() {
        let (tree, crossing) = (tree(), Crossing::default());
        let of = |file, project| crossing.judge(&tree, file, 0, project).map(|(why, _)| why);
        // Of its two names one is in /d.
        assert_eq!(of(0, 0), Some(SkipReason::Project));
        assert_eq!(of(0, 7), None);
        assert_eq!(of(1, 0), None);
        assert_eq!(of(1, 9), None);
        assert_eq!(of(2, 7), None);
        assert_eq!(of(2, 0), Some(SkipReason::Project));
    }

    #[test]
    fn what_was_tried_in_vain_and_what_is_encrypted_stays() {
        let tree = tree();
        let crossing = Crossing {
            refused_projects: BTreeSet::from([7]),
        };
        let of = |flags, project| crossing.judge(&tree, 2, flags, project).map(|(why, _)| why);
        assert_eq!(of(0, 7), Some(SkipReason::Project));
        assert_eq!(of(ENCRYPTED, 0), Some(SkipReason::Encrypted));
    }
}
