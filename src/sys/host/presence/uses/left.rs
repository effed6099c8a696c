//! How those who are inside a tree use an inode that its names have left: a guest that writes to a shared file gets
//! another inode, and who locked or watched the one before, or has it open, keeps that one.
//!
//! What they have open is not found by the names of the tree any more, but where those went, which is a tree as well;
//! so whose it is is told by who has it. Other trees may have names of the same inode, and locks on it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::locks::{LockList, SeenLock};
use super::watches::{AllMarks, Watcher};
use super::{Users, add, of};
use crate::model::{Escaped, FileUse};
use crate::sys::host::presence::mounts::places::BlockDevice;
use crate::sys::host::presence::processes::census::Census;
use crate::sys::host::presence::processes::seen::SeenProcess;

/// An inode that names of a tree have left.
#[derive(Debug, Clone, Copy)]
pub struct LeftInode {
    /// The tree, by its number in the look.
    pub tree: usize,
    pub inode: u64,
}

/// The processes that live in a tree: by their root, their working directory or their program.
pub struct TreeMembers<'c> {
    device: BlockDevice,
    all: BTreeMap<u32, &'c SeenProcess>,
}

impl<'c> TreeMembers<'c> {
    /// Those of this tree, but for other runs of this program. `loose` are further ones.
    pub fn of(
        census: &'c Census,
        tree: usize,
        device: BlockDevice,
        loose: &HashSet<u32>,
    ) -> TreeMembers<'c> {
        let lives = |seen: &SeenProcess| {
            let mut holds = seen.holds.iter();
            holds.any(|hold| hold.tree == tree && is_of_who_lives_there(hold.what))
        };
        let all = census.seen.iter();
        let all = all
            .filter(|(pid, seen)| !seen.runs_this_program && (loose.contains(*pid) || lives(seen)));
        TreeMembers {
            device,
            all: all.map(|(pid, seen)| (*pid, seen)).collect(),
        }
    }

    /// Those of them that watch something.
    pub fn watchers(&self) -> Vec<Watcher> {
        let all = self.all.values();
        let watching = all.filter(|seen| !seen.watching.is_empty());
        let watchers = watching.map(|seen| Watcher {
            command: seen.command.clone(),
            threads: seen.watching.clone(),
        });
        watchers.collect()
    }

    /// How they use the inode, each way once, and by whom.
    pub fn uses(&self, inode: u64, locks: &LockList, marks: &AllMarks) -> Vec<(FileUse, String)> {
        let mut users = Users::new();
        for seen in self.all.values() {
            let who: Arc<str> = Escaped(&seen.command).to_string().into();
            for file in seen.files.iter().filter(|file| file.inode == inode) {
                add(&mut users, inode, file.kind(), Arc::clone(&who));
            }
        }
        for lock in self.locks_on(inode, &locks.locks) {
            if let Some(who) = self.locker(lock) {
                add(&mut users, inode, FileUse::Locked, who);
            }
        }
        let marks = marks.marks.iter();
        for (mark, command) in marks.filter(|(mark, _)| self.is_on(mark.device, mark.inode, inode))
        {
            add(&mut users, inode, FileUse::Watched, of(mark.kind, command));
        }
        let users = users.into_iter();
        users
            .map(|((_, used), who)| (used, who.to_string()))
            .collect()
    }

    fn is_on(&self, device: BlockDevice, at: u64, inode: u64) -> bool {
        device == self.device && at == inode
    }

    fn locks_on<'l>(
        &self,
        inode: u64,
        locks: &'l BTreeSet<SeenLock>,
    ) -> impl Iterator<Item = &'l SeenLock> {
        let device = self.device;
        let on = move |lock: &&SeenLock| (lock.device, lock.inode) == (device, inode);
        locks.iter().filter(on)
    }

    /// Who of them has this lock. One of an open file is nobody's, and may be that of any who has the inode open.
    fn locker(&self, lock: &SeenLock) -> Option<Arc<str>> {
        let has_open = |seen: &SeenProcess| seen.files.iter().any(|file| file.inode == lock.inode);
        if let Some(pid) = lock.pid {
            let seen = self.all.get(&pid).filter(|seen| has_open(seen))?;
            return Some(of(lock.kind, &seen.command));
        }
        let mut may = self.all.values().filter(|seen| has_open(seen));
        let seen = may.next()?;
        Some(format!("{}, perhaps of {}", lock.kind, Escaped(&seen.command)).into())
    }
}

/// Who only has files of a tree open, or mapped, may be of the host, or of another tree.
pub fn is_of_who_lives_there(what: &str) -> bool {
    !matches!(what, "descriptor" | "mapping")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::host::presence::processes::seen::{Holdfast, TaskFile};
    use crate::sys::host::presence::uses::marks::SeenMark;

    const DISK: BlockDevice = BlockDevice { major: 8, minor: 1 };

    /// Process 7 of the first tree and process 8 of the second have inode 70 open, where its names have gone.
    fn census() -> Census {
        let mut census = Census::default();
        for (pid, tree) in [(7, 0), (8, 1)] {
            let seen = SeenProcess {
                command: format!("of-{tree}").into_bytes(),
                holds: vec![Holdfast { tree, what: "root" }],
                files: vec![TaskFile {
                    tree: 2,
                    inode: 70,
                    writes: false,
                }],
                ..SeenProcess::default()
            };
            census.seen.insert(pid, seen);
        }
        census
    }

    fn lock(pid: Option<u32>, kind: &'static str) -> LockList {
        let lock = SeenLock {
            device: DISK,
            inode: 70,
            kind,
            pid,
        };
        LockList {
            locks: [lock].into(),
            missed: None,
        }
    }

    fn uses(tree: usize, locks: &LockList, marks: &AllMarks) -> Vec<(FileUse, String)> {
        let census = census();
        TreeMembers::of(&census, tree, DISK, &HashSet::new()).uses(70, locks, marks)
    }

    #[test]
    fn a_lock_is_of_the_tree_whose_process_has_it() {
        let none = AllMarks::default();
        let open = |tree| (FileUse::Open, format!("of-{tree}"));
        let locked = |who: &str| (FileUse::Locked, who.to_owned());
        let by_first = lock(Some(7), "flock");
        assert_eq!(
            uses(0, &by_first, &none),
            [locked("flock of of-0"), open(0)]
        );
        assert_eq!(uses(1, &by_first, &none), [open(1)]);
        // Its number may be another's by now, and an OFD lock is nobody's.
        assert_eq!(uses(0, &lock(Some(9), "flock"), &none), [open(0)]);
        // Who took it had the number of a process that has no such file open.
        let elsewhere = SeenLock {
            device: DISK,
            inode: 71,
            kind: "flock",
            pid: Some(7),
        };
        let by_one_before = LockList {
            locks: [elsewhere].into(),
            missed: None,
        };
        let census = census();
        let first = TreeMembers::of(&census, 0, DISK, &HashSet::new());
        assert_eq!(first.uses(71, &by_one_before, &none), []);
        let of_file = lock(None, "OFD lock");
        let perhaps = locked("OFD lock, perhaps of of-1");
        assert_eq!(uses(1, &of_file, &none), [perhaps, open(1)]);
    }

    #[test]
    fn a_watch_is_on_the_inode() {
        let on = |inode| {
            let mark = SeenMark {
                device: DISK,
                inode,
                kind: "inotify",
            };
            AllMarks {
                marks: [(mark, Arc::from(&b"tail"[..]))].into(),
                ..AllMarks::default()
            }
        };
        let open = (FileUse::Open, "of-0".to_owned());
        let watched = (FileUse::Watched, "inotify of tail".to_owned());
        let none = LockList::default();
        assert_eq!(uses(0, &none, &on(70)), [watched, open.clone()]);
        assert_eq!(uses(0, &none, &on(71)), [open]);
    }
}
