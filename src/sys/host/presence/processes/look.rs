//! One process: all that each of its threads holds of a file system.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{Mode, OFlags, openat};

use super::limit::LookLimit;
use super::links::{LinkEnd, TaskDescriptor, Unlooked, descriptor, follow, inode_of_file};
use super::namespace::{namespace_of, read_namespace};
use super::proc_files::{command, is_zombie, numbers, open_dir};
use super::seen::{Holdfast, LooseEnd, SeenProcess, TaskFile};
use crate::sys::ffi;
use crate::sys::host::presence::mounts::places::BlockDevice;
use crate::sys::host::presence::mounts::tables::{MountTables, PlaceVerdict};

/// What all looks share.
pub struct Looking {
    pub tables: Mutex<MountTables>,
    /// Mapped files that were found to be outside, by namespace.
    pub mapped: Mutex<HashSet<(u64, Vec<u8>)>>,
    /// Moves with every step: a look that stands still waits for somebody.
    pub steps: AtomicU64,
    /// The process that is looked at.
    pub at: AtomicU32,
    /// Who works: one who was not waited for ends when it can go on.
    pub shift: AtomicU64,
    /// Processes that made a look wait.
    pub stuck: Mutex<HashSet<u32>>,
    /// Were those too many?
    pub gives_up: AtomicBool,
    /// Devices of the watched trees.
    pub devices: Vec<BlockDevice>,
    /// Is one of them a btrfs? What `stat` calls its device is another number.
    pub is_btrfs: bool,
    /// Mount and path of our own program.
    pub program: Option<(u64, Vec<u8>)>,
    pub limit: LookLimit,
}

/// What is open so is a directory, or can neither be read nor written to by its descriptor.
const DIRECTORIES: OFlags = OFlags::DIRECTORY.union(OFlags::PATH);

impl Looking {
    /// Looks at a process whole. Some hosts let nobody look at their first process: it starts the host and is in no
    /// guest, so what is not seen of it is not missed.
    pub fn look(&self, pid: u32) -> SeenProcess {
        self.at.store(pid, Ordering::Relaxed);
        if self.gives_up.load(Ordering::Relaxed) || locked(&self.stuck).contains(&pid) {
            return SeenProcess {
                unseen: Some("what it holds, for it makes whoever looks wait,"),
                ..SeenProcess::default()
            };
        }
        let mut seen = self.look_at_all(pid);
        // It became our program in the midst of the look: what it holds since is no guest's.
        let is_found = !(seen.holds.is_empty() && seen.loose.is_empty());
        if is_found && !seen.runs_this_program && self.runs_ours(pid) {
            seen = self.look_at_all(pid);
        }
        seen.unseen = seen.unseen.filter(|_| pid != 1);
        if !seen.files.is_empty() || !seen.watching.is_empty() {
            seen.command = command(pid);
        }
        seen
    }

    fn look_at_all(&self, pid: u32) -> SeenProcess {
        let mut seen = SeenProcess::default();
        let look = || -> Result<(OwnedFd, Vec<u32>), Unlooked> {
            let process = open_dir(&format!("/proc/{pid}"))?;
            let tasks = numbers(&process, "task")?;
            Ok((process, tasks))
        };
        let (process, mut tasks) = match look() {
            Ok(found) => found,
            Err(why) => {
                seen.not_seen(why, "it");
                seen.is_unsettled = why == Unlooked::Gone;
                return seen;
            }
        };
        // Threads are told in the order of their birth: one that one before it started is at the end.
        let mut looked_at = HashSet::new();
        let mut first = None;
        while let Some(task) = tasks
            .iter()
            .find(|task| !looked_at.contains(*task))
            .copied()
        {
            if self.is_over(&mut seen) {
                return seen;
            }
            looked_at.insert(task);
            if self.look_at_thread(&process, task, &mut first, &mut seen) {
                continue;
            }
            seen.is_unsettled = true;
            tasks = numbers(&process, "task").unwrap_or_default();
        }
        seen
    }

    /// False for a thread that had ended.
    fn look_at_thread(
        &self,
        process: &OwnedFd,
        tid: u32,
        first: &mut Option<u32>,
        seen: &mut SeenProcess,
    ) -> bool {
        self.step();
        let path = format!("task/{tid}");
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(task) = openat(process, &*path, flags, Mode::empty()) else {
            return false;
        };
        let shares =
            |what| first.is_some_and(|first| ffi::share(first, tid, what).unwrap_or(false));
        let is_alone = !shares(ffi::Shares::Directories);
        if is_alone && !self.look_at_ground(&task, first.is_none(), seen) {
            // A zombie has none of it; nor can it start anything.
            return is_zombie(&task);
        }
        if first.is_none() {
            self.look_at_program(&task, seen);
        }
        if !shares(ffi::Shares::Descriptors) {
            self.look_at_descriptors(&task, tid, seen);
        }
        if first.is_none() {
            // All threads share their mappings; any that lives tells them.
            self.look_at_mappings(&task, tid, seen);
            *first = Some(tid);
        }
        true
    }

    /// Namespace, root and working directory; false where there are none.
    fn look_at_ground(&self, task: &OwnedFd, is_first: bool, seen: &mut SeenProcess) -> bool {
        let namespace = match namespace_of(task) {
            Ok(namespace) => namespace,
            Err(Unlooked::Gone) => return false,
            Err(why) => {
                seen.not_seen(why, "its mount namespace");
                return true;
            }
        };
        if !seen.namespaces.contains(&namespace) {
            seen.namespaces.push(namespace);
        }
        let mut tables = locked(&self.tables);
        if !tables.knows(namespace) && !read_namespace(&mut tables, namespace, task) {
            seen.not_seen(Unlooked::Closed, "its mounts");
        }
        drop(tables);
        let root = self.look_at_link(task, "root", "root", seen);
        let cwd = self.look_at_link(task, "cwd", "working directory", seen);
        if is_first {
            seen.ground = [root, cwd].map(|end| end.and_then(|end| end.text).unwrap_or_default());
        }
        true
    }

    /// The program, which all threads share. Is it ours?
    fn look_at_program(&self, task: &OwnedFd, seen: &mut SeenProcess) {
        let end = self.look_at_link(task, "exe", "program", seen);
        seen.runs_this_program = self.is_ours(end);
    }

    fn runs_ours(&self, pid: u32) -> bool {
        let process = open_dir(&format!("/proc/{pid}"));
        let end = process.and_then(|process| follow(&process, "exe"));
        self.is_ours(end.ok().flatten())
    }

    fn is_ours(&self, program: Option<LinkEnd>) -> bool {
        let ours = self.program.as_ref().zip(program);
        ours.is_some_and(|((mount, text), end)| {
            end.mount == *mount && end.text.as_ref() == Some(text)
        })
    }

    fn look_at_link(
        &self,
        task: &OwnedFd,
        name: &str,
        what: &'static str,
        seen: &mut SeenProcess,
    ) -> Option<LinkEnd> {
        self.step();
        match follow(task, name) {
            Ok(end) => {
                let end = end?;
                self.place(&end, task, name, what, seen);
                Some(end)
            }
            Err(why) => {
                seen.not_seen(why, what);
                None
            }
        }
    }

    fn look_at_descriptors(&self, task: &OwnedFd, tid: u32, seen: &mut SeenProcess) {
        let all = match numbers(task, "fd") {
            Ok(all) => all,
            Err(Unlooked::Gone) => return,
            Err(why) => return seen.not_seen(why, "its descriptors"),
        };
        for number in all {
            self.step();
            if self.is_over(seen) {
                return;
            }
            match descriptor(task, &number.to_string()) {
                // A daemon that answers writers finds names in guests at any time, and moves them in its turn alone; a
                // run that moves names is told by the lock on their roots (`other_runs`).
                Ok(TaskDescriptor::Placed(_, flags))
                    if seen.runs_this_program && flags.intersects(DIRECTORIES) => {}
                Ok(TaskDescriptor::Placed(end, flags)) => {
                    let link = format!("fd/{number}");
                    let trees = self.place(&end, task, &link, "descriptor", seen);
                    if !flags.contains(OFlags::PATH) {
                        let writes = flags.intersects(OFlags::WRONLY | OFlags::RDWR);
                        note_file(task, &link, trees, writes, seen);
                    }
                }
                // Its `fdinfo` takes as long as there are watches, and is not read here.
                Ok(TaskDescriptor::Watch) if seen.watching.last() != Some(&tid) => {
                    seen.watching.push(tid);
                }
                Ok(TaskDescriptor::Watch | TaskDescriptor::Other) | Err(Unlooked::Gone) => {}
                Err(why) => seen.not_seen(why, "its descriptors"),
            }
        }
    }

    /// In which trees is that place, or may it be?
    pub(super) fn place(
        &self,
        end: &LinkEnd,
        dir: impl AsFd,
        name: &str,
        what: &'static str,
        seen: &mut SeenProcess,
    ) -> Vec<usize> {
        match self.judged(end, seen) {
            PlaceVerdict::Outside => Vec::new(),
            PlaceVerdict::Inside(trees) => {
                for tree in &trees {
                    seen.hold(Holdfast { tree: *tree, what });
                }
                self.limit.takes(size_of_val(&trees[..]));
                trees
            }
            PlaceVerdict::UnknownMount => {
                let may_read = seen.runs_this_program || self.is_of_the_host(seen);
                let trees = self.trees_of_unknown(dir, name, may_read);
                if !trees.is_empty() {
                    let text = end.text.as_ref().map_or(0, Vec::len);
                    self.limit.takes(text + size_of_val(&trees[..]));
                    seen.hold_loosely(LooseEnd {
                        what,
                        mount: end.mount,
                        text: end.text.clone(),
                        trees: trees.clone(),
                    });
                }
                trees
            }
        }
    }

    /// A mount that is not known may be newer than the table that was read.
    fn judged(&self, end: &LinkEnd, seen: &SeenProcess) -> PlaceVerdict {
        let mut tables = locked(&self.tables);
        let text = end.text.as_deref();
        let verdict = tables.judge(end.mount, text);
        if verdict != PlaceVerdict::UnknownMount {
            return verdict;
        }
        for namespace in tables.changed() {
            if seen.namespaces.contains(&namespace)
                && let Some(file) = tables.again(namespace)
            {
                drop(tables.read(namespace, file));
            }
        }
        tables.judge(end.mount, text)
    }

    /// Is it in our own mount namespace, and in no other?
    fn is_of_the_host(&self, seen: &SeenProcess) -> bool {
        let tables = locked(&self.tables);
        let mut all = seen.namespaces.iter();
        !seen.namespaces.is_empty() && all.all(|namespace| tables.is_own(*namespace))
    }

    /// The trees that a place on a mount which no table knows may be in. What cannot be asked is not one of theirs: a
    /// local file system answers at once, and to root. Another run of this program reads guests through mounts that
    /// are in no namespace either, and nobody writes through those: they are read-only, and whoever could change that
    /// rules this host.
    fn trees_of_unknown(&self, dir: impl AsFd, name: &str, may_read: bool) -> Vec<usize> {
        let tables = || locked(&self.tables);
        let all = || (0..tables().trees().len()).collect();
        match LinkEnd::facts(dir, name) {
            Err(Unlooked::Gone) => Vec::new(),
            Err(Unlooked::Closed) => all(),
            Ok(facts) if facts.is_view && may_read => Vec::new(),
            Ok(facts) if facts.is_overlay || facts.is_btrfs && self.is_btrfs => all(),
            Ok(facts) => tables().trees_on(facts.device),
        }
    }

    /// Has it taken what it may? Then what is left of this process is not seen, and of all others.
    pub(super) fn is_over(&self, seen: &mut SeenProcess) -> bool {
        let is_over = self.limit.is_over();
        if is_over {
            self.gives_up.store(true, Ordering::Relaxed);
            seen.not_seen(Unlooked::Closed, "all that it holds");
        }
        is_over
    }

    /// Something was done.
    pub fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }
}

/// Notes a file in trees that a process has open.
pub(super) fn note_file(
    dir: impl AsFd,
    name: &str,
    trees: Vec<usize>,
    writes: bool,
    seen: &mut SeenProcess,
) {
    if trees.is_empty() {
        return;
    }
    if let Some(inode) = inode_of_file(dir, name) {
        let held = |tree| TaskFile {
            tree,
            inode,
            writes,
        };
        seen.files.extend(trees.into_iter().map(held));
    }
}

/// Nothing that is guarded is left half done.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
