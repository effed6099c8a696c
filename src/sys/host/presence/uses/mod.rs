//! Which files of a tree are in use in a way that its guest would notice if the name got another inode: locks and
//! leases (`locks`), watches (`marks`, `watches`), descriptors, mappings that all see, and mounts of a single file.
//!
//! Descriptors and mounts are seen in the pass in which everybody is looked at, and are known by their place. Locks and
//! watches are asked for after it, by whoever wants to share files, never while guests are frozen, and never by who
//! only asks who is inside. They are known by device and inode: on btrfs, where subvolumes repeat inode numbers, the
//! file of another subvolume may be taken for the one that is locked, which costs a saving and nothing else. Private
//! mappings do not count: nobody who has one is promised to see later writes, and every process has some of all its
//! libraries.
//!
//! What is too much to be read makes watches unknown for the trees that those may reach whose watches were not read.
//! Of locks it makes nothing unknown: what is locked is open.
//!
//! A process is named by its command, not by its number, so that what is said is the same as long as the same programs
//! do the same. Of several users of one kind the first by name is told. A lock is a process's only if that has the
//! inode open: whoever took it may have gone, and its number be another's.
//!
//! Who uses an inode that the names of a tree have left is told apart from this (`left`).
//!
//! What stays invisible is what [`super`] says, and what a process locks or watches after the look.

pub mod left;
pub mod locks;
mod marks;
pub mod watches;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::mounts::places::BlockDevice;
use super::mounts::tables::MountTables;
use super::processes::census::Census;
use super::processes::proc_files::inodes_open;
use super::processes::seen::SeenProcess;
use crate::model::{Escaped, FileUse, GuestPath};
use locks::{LockList, SeenLock};
use watches::{AllMarks, Watcher, WatchersOfTrees};

/// Who uses an inode in which way, as a part of a sentence.
type Users = BTreeMap<(u64, FileUse), Arc<str>>;

/// What is used of one tree.
#[derive(Debug, Clone, Default)]
pub struct FilesInUse {
    /// By a descriptor or a mapping in the tree.
    held: Arc<Users>,
    /// On the device of the tree.
    marked: Arc<Users>,
    /// Files, and directories, that are mounted at another name, and at which.
    mounted: Arc<BTreeMap<GuestPath, String>>,
    /// Why more of them may be watched.
    unknown: Option<&'static str>,
}

impl FilesInUse {
    /// How an inode is used, each way once, and by whom.
    pub fn of_inode(&self, inode: u64) -> impl Iterator<Item = (FileUse, &str)> {
        let all = (inode, FileUse::Locked)..=(inode, FileUse::Mounted);
        let marked = self.marked.range(all.clone());
        let uses = marked.chain(self.held.range(all));
        uses.map(|((_, kind), who)| (*kind, &**who))
    }

    /// How a file with these names is used, mounts included.
    pub fn of_file<'s>(
        &'s self,
        inode: u64,
        names: impl Iterator<Item = &'s GuestPath>,
    ) -> impl Iterator<Item = (FileUse, &'s str)> {
        let mounted = names.filter_map(|name| self.mounted(name));
        let mounted = mounted.map(|at| (FileUse::Mounted, at));
        self.of_inode(inode).chain(mounted)
    }

    /// Where else a name is mounted, if it is.
    pub fn mounted(&self, name: &GuestPath) -> Option<&str> {
        self.mounted.get(name).map(String::as_str)
    }

    /// Is anything of the tree mounted at another name?
    pub fn is_any_mounted(&self) -> bool {
        !self.mounted.is_empty()
    }

    /// Why more files may be watched than were seen to be.
    pub fn unknown(&self) -> Option<&'static str> {
        self.unknown
    }
}

/// A tree: its device, and what is mounted of it.
pub struct UsedTree {
    pub device: BlockDevice,
    pub mounted: BTreeMap<GuestPath, String>,
}

/// Who watches something, by the trees that he may reach.
pub fn watchers(census: &Census, tables: &MountTables) -> WatchersOfTrees {
    let (mut all, mut shown) = (WatchersOfTrees::new(), BTreeMap::new());
    let watching = |seen: &&SeenProcess| !seen.watching.is_empty() && !seen.runs_this_program;
    for seen in census.seen.values().filter(watching) {
        let trees = reached(seen, tables, &mut shown).into_iter().collect();
        all.entry(trees).or_default().push(Watcher {
            command: seen.command.clone(),
            threads: seen.watching.clone(),
        });
    }
    all.remove(&Vec::new());
    all
}

/// The trees that a process may watch files of: that of its root, or what its mount namespace shows; and whatever else
/// it holds. What namespaces show is kept.
fn reached(
    seen: &SeenProcess,
    tables: &MountTables,
    shown: &mut BTreeMap<u64, Vec<usize>>,
) -> BTreeSet<usize> {
    let loose = seen.loose.iter().flat_map(|end| &end.trees);
    let held = seen.holds.iter().map(|hold| hold.tree);
    let mut trees: BTreeSet<usize> = held.chain(loose.copied()).collect();
    let is_rooted = seen.holds.iter().any(|hold| hold.what == "root");
    for namespace in seen.namespaces.iter().filter(|_| !is_rooted) {
        let shows = shown.entry(*namespace);
        trees.extend(
            shows
                .or_insert_with(|| tables.reached_from(*namespace))
                .iter(),
        );
    }
    trees
}

/// What all of these use, by tree.
pub fn files_in_use(
    census: &Census,
    locks: &LockList,
    marks: AllMarks,
    ours: &[u32],
    trees: Vec<UsedTree>,
) -> Vec<FilesInUse> {
    let mut by_device = locked(census, &locks.locks, ours, &trees);
    let names = marks.marks.into_iter();
    for (mark, command) in names {
        let users = by_device.entry(mark.device).or_default();
        add(users, mark.inode, FileUse::Watched, of(mark.kind, &command));
    }
    let by_device = by_device.into_iter();
    let by_device: BTreeMap<_, _> = by_device
        .map(|(device, users)| (device, Arc::new(users)))
        .collect();
    let held = held(census, locks.missed, trees.len());
    let all = trees.into_iter().zip(held).enumerate();
    all.map(|(at, (tree, held))| FilesInUse {
        held: Arc::new(held),
        marked: by_device.get(&tree.device).cloned().unwrap_or_default(),
        mounted: Arc::new(tree.mounted),
        unknown: marks.missed.get(&at).copied(),
    })
    .collect()
}

/// Locks by device, but for our own.
fn locked(
    census: &Census,
    locks: &BTreeSet<SeenLock>,
    ours: &[u32],
    trees: &[UsedTree],
) -> BTreeMap<BlockDevice, Users> {
    let mut by_device: BTreeMap<BlockDevice, Users> = BTreeMap::new();
    if locks.is_empty() {
        return by_device;
    }
    let open = census.seen.iter().flat_map(|(pid, seen)| {
        let files = seen.files.iter();
        files.filter_map(|file| Some((*pid, trees.get(file.tree)?.device, file.inode)))
    });
    let open: HashSet<(u32, BlockDevice, u64)> = open.collect();
    let own: HashSet<(u32, u64)> = ours.iter().flat_map(|pid| inodes_open(*pid)).collect();
    for lock in locks {
        let pid = lock
            .pid
            .filter(|pid| open.contains(&(*pid, lock.device, lock.inode)));
        let process = pid.and_then(|pid| census.seen.get(&pid));
        let is_own = lock.pid.is_some_and(|pid| own.contains(&(pid, lock.inode)));
        if !is_own && !process.is_some_and(|process| process.runs_this_program) {
            let users = by_device.entry(lock.device).or_default();
            let command = process.map_or(&[][..], |process| &process.command);
            add(users, lock.inode, FileUse::Locked, of(lock.kind, command));
        }
    }
    by_device
}

/// Files that processes have open, by tree. Where it is not known what is locked, those may be.
fn held(census: &Census, locks_missed: Option<&str>, trees: usize) -> Vec<Users> {
    let mut by_tree: Vec<Users> = (0..trees).map(|_| Users::new()).collect();
    let others = census.seen.values().filter(|seen| !seen.runs_this_program);
    for process in others.filter(|process| !process.files.is_empty()) {
        let who: Arc<str> = Escaped(&process.command).to_string().into();
        let maybe = locks_missed.map(|why| format!("perhaps one of {who} ({why})").into());
        for file in &process.files {
            let Some(users) = by_tree.get_mut(file.tree) else {
                continue;
            };
            add(users, file.inode, file.kind(), Arc::clone(&who));
            for maybe in maybe.iter().map(Arc::clone) {
                add(users, file.inode, FileUse::Locked, maybe);
            }
        }
    }
    by_tree
}

/// `flock of nginx`, or `flock` where nobody is known.
fn of(kind: &str, command: &[u8]) -> Arc<str> {
    match command {
        [] => kind.into(),
        command => format!("{kind} of {}", Escaped(command)).into(),
    }
}

fn add(users: &mut Users, inode: u64, kind: FileUse, who: Arc<str>) {
    match users.entry((inode, kind)) {
        Entry::Vacant(place) => drop(place.insert(who)),
        Entry::Occupied(mut known) if who < *known.get() => drop(known.insert(who)),
        Entry::Occupied(_) => {}
    }
}

#[cfg(test)]
mod tests;
