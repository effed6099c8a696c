//! Which files of a tree are in use in a way that its guest would notice if the name got another inode: locks and
//! leases (`locks`), watches (`marks`), descriptors, mappings that all see, and mounts of a single file.
//!
//! They are seen in the pass in which everybody is looked at, and the list of locks is read once after it, for all
//! trees. Locks and marks are known by device and inode: on btrfs, where subvolumes repeat inode numbers, the file of
//! another subvolume may be taken for the one that is locked, which costs a saving and nothing else. Descriptors and
//! mounts are known by their place. Private mappings do not count: nobody who has one is promised to see later writes,
//! and every process has some of all its libraries.
//!
//! A process is named by its command, not by its number, so that what is said is the same as long as the same programs
//! do the same. Of several users of one kind the first by name is told.
//!
//! What stays invisible is what [`super`] says, and what a process locks or watches after the look.

pub mod locks;
pub mod marks;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::mounts::places::BlockDevice;
use super::processes::census::Census;
use super::processes::seen::SeenProcess;
use crate::model::{Escaped, FileUse, GuestPath};
use locks::LockList;

/// Who uses an inode in which way, as a part of a sentence.
type Users = BTreeMap<(u64, FileUse), String>;

/// What is used of one tree.
#[derive(Debug, Clone, Default)]
pub struct FilesInUse {
    /// By a descriptor or a mapping in the tree.
    held: Arc<Users>,
    /// On the device of the tree.
    marked: Arc<Users>,
    /// Files, and directories, that are mounted at another name, and at which.
    mounted: Arc<BTreeMap<GuestPath, String>>,
    /// Why that may not be all.
    unknown: Option<&'static str>,
}

impl FilesInUse {
    /// How an inode is used, each way once, and by whom.
    pub fn of_inode(&self, inode: u64) -> impl Iterator<Item = (FileUse, &str)> {
        let all = (inode, FileUse::Locked)..=(inode, FileUse::Mounted);
        let marked = self.marked.range(all.clone());
        let uses = marked.chain(self.held.range(all));
        uses.map(|((_, kind), who)| (*kind, who.as_str()))
    }

    /// Where else a name is mounted, if it is.
    pub fn mounted(&self, name: &GuestPath) -> Option<&str> {
        self.mounted.get(name).map(String::as_str)
    }

    /// Why there may be more than was seen.
    pub fn unknown(&self) -> Option<&'static str> {
        self.unknown
    }

    /// Does nobody use any file?
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.marked.is_empty() && self.mounted.is_empty()
    }
}

/// A tree: its device, and what is mounted of it.
pub struct UsedTree {
    pub device: BlockDevice,
    pub mounted: BTreeMap<GuestPath, String>,
}

/// What all of these use, by tree.
pub fn files_in_use(
    census: &Census,
    locks: &LockList,
    ours: &[u32],
    trees: Vec<UsedTree>,
) -> Vec<FilesInUse> {
    let mut by_device: BTreeMap<BlockDevice, Users> = BTreeMap::new();
    let mut by_tree: Vec<Users> = trees.iter().map(|_| Users::new()).collect();
    for lock in &locks.locks {
        let process = lock.pid.and_then(|pid| census.seen.get(&pid));
        let is_ours = lock.pid.is_some_and(|pid| ours.contains(&pid));
        if !is_ours && !process.is_some_and(|process| process.runs_this_program) {
            let users = by_device.entry(lock.device).or_default();
            let who = of(lock.kind, process);
            add(users, lock.inode, FileUse::Locked, who);
        }
    }
    let others = census.seen.values();
    for process in others.filter(|process| !process.runs_this_program) {
        for mark in &process.marks {
            let users = by_device.entry(mark.device).or_default();
            let who = of(mark.kind, Some(process));
            add(users, mark.inode, FileUse::Watched, who);
        }
        for file in &process.files {
            if let Some(users) = by_tree.get_mut(file.tree) {
                let who = Escaped(&process.command).to_string();
                add(users, file.inode, file.kind(), who);
            }
        }
    }
    let by_device: BTreeMap<_, _> = by_device
        .into_iter()
        .map(|(device, users)| (device, Arc::new(users)))
        .collect();
    let mut uncounted = census.seen.values().filter_map(|process| process.uncounted);
    let unknown = locks.missed.or_else(|| uncounted.next());
    let all = trees.into_iter().zip(by_tree);
    all.map(|(tree, held)| FilesInUse {
        held: Arc::new(held),
        marked: by_device.get(&tree.device).cloned().unwrap_or_default(),
        mounted: Arc::new(tree.mounted),
        unknown,
    })
    .collect()
}

/// `flock of nginx`, or `flock` where nobody is known.
fn of(kind: &str, process: Option<&SeenProcess>) -> String {
    match process.filter(|process| !process.command.is_empty()) {
        Some(process) => format!("{kind} of {}", Escaped(&process.command)),
        None => kind.to_owned(),
    }
}

fn add(users: &mut Users, inode: u64, kind: FileUse, who: String) {
    match users.entry((inode, kind)) {
        Entry::Vacant(place) => drop(place.insert(who)),
        Entry::Occupied(mut known) if who < *known.get() => drop(known.insert(who)),
        Entry::Occupied(_) => {}
    }
}
