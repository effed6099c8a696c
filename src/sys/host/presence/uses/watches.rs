//! Reads what processes watch, in threads of its own: one for all processes that may reach the same trees, so that a
//! guest with very many watches makes unknown what is watched in that guest, and in no other.
//!
//! All have the same time. A thread that is not done by then is left to the kernel, does nothing more, and what is
//! watched in its trees is not known. Nothing of this is asked while guests are frozen.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::marks::{SeenMark, each_mark};
use crate::sys::ffi;
use crate::sys::host::presence::mounts::places::BlockDevice;
use crate::sys::host::presence::processes::links::{Unlooked, is_watch};
use crate::sys::host::presence::processes::proc_files::{numbers, open_dir};

/// A process that watches something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watcher {
    pub command: Vec<u8>,
    /// Threads with a table of descriptors of their own.
    pub threads: Vec<u32>,
}

/// Processes by the trees that they may reach.
pub type WatchersOfTrees = BTreeMap<Vec<usize>, Vec<Watcher>>;

/// MarksOfWatchers, each once, and whose it is: the first by name.
pub type MarksOfWatchers = BTreeMap<SeenMark, Arc<[u8]>>;

/// What was read.
#[derive(Debug, Default)]
pub struct AllMarks {
    pub marks: MarksOfWatchers,
    /// Trees of which there may be more, and why.
    pub missed: BTreeMap<usize, &'static str>,
}

const TOO_MANY: &str = "a process watches more files than can be looked at";
const UNREADABLE: &str = "what a process watches cannot be read";

/// Most marks that are kept of all processes: a hundred bytes each.
const MOST_MARKS: usize = 1 << 20;

/// Most threads at a time. Trees beyond those are not looked at.
const MOST_THREADS: usize = 64;

/// How many lines make a descriptor one that is not read twice where another process has it too.
const LONG: usize = 1000;

/// Threads at work.
pub struct WatchReaders {
    readers: Vec<(Vec<usize>, Option<MarksToCome>)>,
    until: Instant,
}

/// What a thread will tell.
struct MarksToCome(Receiver<GroupMarks>, JoinHandle<()>);

impl WatchReaders {
    /// Begins to read, for so long at most.
    pub fn start(
        all: WatchersOfTrees,
        devices: &[BlockDevice],
        patience: Duration,
    ) -> WatchReaders {
        let until = Instant::now() + patience;
        let most = MOST_MARKS / all.len().clamp(1, MOST_THREADS);
        let start = |(at, (trees, watchers)): (usize, (Vec<usize>, Vec<Watcher>))| {
            let group = GroupMarks::new(devices, most, until);
            let coming = (at < MOST_THREADS).then(|| MarksToCome::start(group, watchers));
            (trees, coming.flatten())
        };
        WatchReaders {
            readers: all.into_iter().enumerate().map(start).collect(),
            until,
        }
    }

    /// What was read in time.
    pub fn finish(self) -> AllMarks {
        let mut all = AllMarks::default();
        for (trees, coming) in self.readers {
            let group = coming.and_then(|coming| coming.wait(self.until));
            let missed = group.as_ref().map_or(Some(TOO_MANY), |group| group.missed);
            if let Some(why) = missed {
                all.missed.extend(trees.iter().map(|tree| (*tree, why)));
            }
            for (mark, who) in group.into_iter().flat_map(|group| group.marks) {
                let known = all.marks.entry(mark).or_insert_with(|| Arc::clone(&who));
                if who < *known {
                    *known = who;
                }
            }
        }
        all
    }
}

impl MarksToCome {
    /// `None` where no thread can be started.
    fn start(mut group: GroupMarks, watchers: Vec<Watcher>) -> Option<MarksToCome> {
        let (told, coming) = channel();
        let read = move || {
            // A plan gives way to all others, and would be late here. Without the right to it, it goes as it goes.
            rustix::process::setpriority_process(None, -15).unwrap_or_default();
            group.read_all(watchers);
            // Who was not waited for is not told.
            drop(told.send(group));
        };
        let handle = std::thread::Builder::new().spawn(read).ok()?;
        Some(MarksToCome(coming, handle))
    }

    fn wait(self, until: Instant) -> Option<GroupMarks> {
        let left = until.saturating_duration_since(Instant::now());
        let group = self.0.recv_timeout(left).ok()?;
        drop(self.1.join());
        Some(group)
    }
}

/// What a thread has read.
struct GroupMarks {
    devices: Vec<BlockDevice>,
    most: usize,
    until: Instant,
    marks: MarksOfWatchers,
    missed: Option<&'static str>,
    /// Long descriptors that were read: thread and number.
    long: Vec<(u32, u32)>,
}

impl GroupMarks {
    fn new(devices: &[BlockDevice], most: usize, until: Instant) -> GroupMarks {
        GroupMarks {
            devices: devices.to_vec(),
            most,
            until,
            marks: MarksOfWatchers::new(),
            missed: None,
            long: Vec::new(),
        }
    }

    /// By name, so that a descriptor that several have is the first one's.
    fn read_all(&mut self, mut watchers: Vec<Watcher>) {
        watchers.sort();
        for watcher in watchers {
            let who = Arc::from(watcher.command);
            for thread in watcher.threads {
                match self.read_thread(thread, &who) {
                    Ok(()) | Err(Unlooked::Gone) => {}
                    Err(Unlooked::Closed) => self.missed = Some(UNREADABLE),
                }
                if self.missed.is_some() {
                    return;
                }
            }
        }
    }

    fn read_thread(&mut self, thread: u32, who: &Arc<[u8]>) -> Result<(), Unlooked> {
        let dir = open_dir(&format!("/proc/{thread}"))?;
        for number in numbers(&dir, "fd")? {
            if Instant::now() > self.until {
                self.missed = Some(TOO_MANY);
            }
            if self.missed.is_some() {
                return Ok(());
            }
            match is_watch(&dir, number) {
                Ok(true) => self.read_descriptor(&dir, (thread, number), who),
                Ok(false) | Err(Unlooked::Gone) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    fn read_descriptor(&mut self, dir: impl AsFd, (thread, number): (u32, u32), who: &Arc<[u8]>) {
        let is_same = |(other, at): &(u32, u32)| {
            let what = ffi::Shares::OpenFile(*at, number);
            ffi::share(*other, thread, what).unwrap_or(false)
        };
        if self.long.iter().any(is_same) {
            return;
        }
        let (marks, most) = (&mut self.marks, self.most);
        let read = each_mark(dir, number, &self.devices, |mark| {
            marks.entry(mark).or_insert_with(|| Arc::clone(who));
            marks.len() <= most
        });
        match read {
            Ok(lines) if lines >= LONG => self.long.push((thread, number)),
            Ok(_) => {}
            Err(_) => self.missed = Some(UNREADABLE),
        }
        if self.marks.len() > most {
            self.missed = Some(TOO_MANY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

    fn seen(most: usize, twice: bool) -> GroupMarks {
        let inotify = init(CreateFlags::CLOEXEC).unwrap();
        let again = rustix::io::dup(&inotify).unwrap();
        let dir = tempfile::tempdir().unwrap();
        for number in 0..LONG {
            let path = dir.path().join(number.to_string());
            std::fs::write(&path, "").unwrap();
            add_watch(&inotify, &path, WatchFlags::MODIFY).unwrap();
        }
        let info = format!("/proc/self/fdinfo/{}", inotify.as_raw_fd());
        let info = std::fs::read(info).unwrap();
        let mut lines = info.split(|&byte| byte == b'\n');
        let device = lines.find_map(SeenMark::of).unwrap().device;
        let mut group = GroupMarks::new(&[device], most, later());
        let own = std::process::id();
        let proc = open_dir("/proc/self").unwrap();
        let number = |fd: &rustix::fd::OwnedFd| u32::try_from(fd.as_raw_fd()).unwrap();
        group.read_descriptor(&proc, (own, number(&inotify)), &Arc::from(&b"one"[..]));
        if twice {
            group.read_descriptor(&proc, (own, number(&again)), &Arc::from(&b"two"[..]));
        }
        group
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(600)
    }

    #[test]
    fn a_descriptor_that_two_have_is_read_once() {
        let group = seen(usize::MAX, true);
        assert_eq!((group.marks.len(), group.long.len()), (LONG, 1));
        assert!(group.marks.values().all(|who| **who == *b"one"));
        assert_eq!(group.missed, None);
    }

    #[test]
    fn what_is_too_much_is_not_kept() {
        let group = seen(9, false);
        assert_eq!((group.marks.len(), group.missed), (10, Some(TOO_MANY)));
    }

    #[test]
    fn trees_whose_processes_take_too_long_are_not_known() {
        let watcher = |command: &str, threads| Watcher {
            command: command.into(),
            threads,
        };
        let all: WatchersOfTrees = [
            (vec![1], vec![watcher("slow", vec![std::process::id()])]),
            (vec![2, 3], vec![watcher("gone", vec![u32::MAX])]),
        ]
        .into();
        let read = WatchReaders::start(all.clone(), &[], Duration::from_secs(600)).finish();
        assert_eq!(read.missed, BTreeMap::new());
        let mut all = all;
        all.remove(&vec![2, 3]);
        let read = WatchReaders::start(all, &[], Duration::ZERO).finish();
        assert_eq!(read.missed, [(1, TOO_MANY)].into());
    }
}
