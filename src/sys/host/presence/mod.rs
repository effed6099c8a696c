//! Who is inside: which processes, and which mounts of any namespace, reach the files of a tree.
//!
//! Every thread's root, working directory and program, every mapping and every descriptor is reduced to a place in a
//! file system: the mount that it is on, by number, and from the table of the namespace that has this mount the device
//! and the path there. Paths alone mean nothing: each namespace has its own. Deleted files count where they were.
//! Mounts count where they show a tree, or a part of it, in another namespace at a place where our own path leads
//! elsewhere, and overlays where a layer touches a tree (`layers`). What the kernel itself serves is in `served`.
//!
//! What cannot be known counts as inside, or is told as [`Presence::unknown`]: an unseen process, a mount in no
//! namespace, a path too long to be told, a pass over the processes that births overtook (`census`).
//!
//! What is assumed: `/proc` is that of the first PID namespace (`first_pid_namespace`), and this is root.
//! What is never done: ask a file system through a link of `/proc` without need, read what a process can make us wait
//! for in the thread that matters (`worker`).
//!
//! What stays invisible by nature, and is caught by proofs after the fact, if at all:
//!
//! * descriptors in flight in a socket, or that only an io_uring has
//! * what is opened by handle (`open_by_handle_at`) once it is closed again, and servers that work so
//! * servers in the kernel other than nfsd, loop devices, swap and LIO: ksmbd, gadgets, accounting files
//! * layers of an overlay given by a relative path, through links or from deep within a guest (`layers`)
//! * a mount namespace that no task is in and that only a file keeps, until somebody enters it
//! * the first process of a host that lets nobody look at it
//! * a process outside that enters, or is given a descriptor, after it was looked at

mod first_pid_namespace;
mod inside;
mod left_files;
mod mounts;
mod processes;
mod served;
mod uses;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::model::{Escaped, GuestPath};
use crate::sys::fault::call;
use crate::sys::{Cgroup, Dir, Freezer, SysError, SysResult};
use mounts::own_table::{OwnTable, unlisted};
use mounts::paths::{beneath, strip};
use mounts::places::MountedTree;
use mounts::tables::{MountTables, PlaceVerdict, own_table};
use processes::capabilities::may_clear_flags;
use processes::census::{Census, CensusTaker};
use processes::limit::LookLimit;
use processes::look::{Looking, locked};
use processes::namespace::namespace_of;
use processes::proc_files::{command, open_own, own_pid, own_program};
use processes::seen::{Holdfast, SeenProcess};
use processes::worker::PresenceWorker;
use uses::locks::LockList;
use uses::watches::WatchReaders;
use uses::{UsedTree, files_in_use, watchers};

pub use first_pid_namespace::sees_all_processes;
pub use inside::{Inside, Unknown};
pub use mounts::host_mounts::{DiskPlace, HostMounts};
pub use processes::worker::is_any_left;
pub use served::swap_files;
pub use uses::FilesInUse;
pub use uses::left::LeftInode;

/// A complete look, which can be brought up to date at little cost.
pub struct Presence {
    worker: PresenceWorker,
    taker: CensusTaker,
    served: BTreeMap<usize, String>,
    /// What holds a tree by a mount that was not known when it was looked at.
    loose: BTreeMap<u32, Vec<Holdfast>>,
    /// Why the tables of some namespaces are not known.
    unread: bool,
}

/// How long births may overtake a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A second, for who only says what he sees, and may say that he does not know.
    ToTell,
    /// Three, for who changes nothing where it is not known.
    ToChange,
    /// A second for all of it, and bounded memory, for who lives on and looks again and again.
    Bounded,
}

impl Patience {
    fn time(self) -> Duration {
        match self {
            Patience::ToTell | Patience::Bounded => Duration::from_secs(1),
            Patience::ToChange => Duration::from_secs(3),
        }
    }

    fn limit(self) -> LookLimit {
        LookLimit::of((self == Patience::Bounded).then(|| self.time()))
    }
}

/// How long locks and watches are read. Some hundred thousand watches take the kernel a second.
const USES_PATIENCE: Duration = Duration::from_secs(3);

/// The same as [`Patience`] for a look that guests wait for.
const FROZEN_PATIENCE: Duration = Duration::from_millis(100);

impl Presence {
    /// Looks at all processes and mounts. One of `trees` that is on no mount of ours is an error. `children` are
    /// processes of ours, which do not count, as this one does not.
    pub fn look(trees: &[&Dir], children: &[u32], patience: Patience) -> SysResult<Presence> {
        let path = Path::new("/proc/self/mountinfo");
        let open = || call("proc", || fs::File::open(path));
        let mut file = open().map_err(|e| SysError::new("read", path, e))?;
        let own = own_table(&mut file)?;
        let trees = trees.iter().map(|dir| tree(&own, dir));
        let trees: Vec<MountedTree> = trees.collect::<SysResult<_>>()?;
        let served = served::served(&own, &trees);
        let own_namespace = namespace_of(open_own()?).unwrap_or(0);
        let devices: HashSet<_> = trees.iter().map(|tree| tree.device).collect();
        let mut tables = MountTables::new(own, own_namespace, trees);
        tables.read(own_namespace, file)?;
        let looking = Looking {
            program: own_program(),
            is_btrfs: tables.is_any_btrfs(),
            devices: devices.into_iter().collect(),
            tables: Mutex::new(tables),
            mapped: Mutex::default(),
            steps: AtomicU64::default(),
            at: AtomicU32::default(),
            shift: AtomicU64::default(),
            stuck: Mutex::default(),
            gives_up: AtomicBool::default(),
            limit: patience.limit(),
        };
        let mut ours = children.to_vec();
        ours.extend(own_pid());
        let mut presence = Presence {
            worker: PresenceWorker::new(Arc::new(looking)),
            taker: CensusTaker {
                census: Arc::default(),
                ours,
            },
            served,
            loose: BTreeMap::new(),
            unread: false,
        };
        presence.taker.take(&mut presence.worker, patience.time());
        presence.settle();
        Ok(presence)
    }

    /// Looks at what was born, moved or mounted since: guests may be frozen meanwhile. What a process does by a
    /// descriptor that it was given since is not seen.
    pub fn look_again(&mut self) -> SysResult<()> {
        self.read_changed()?;
        self.taker.take_again(&mut self.worker, FROZEN_PATIENCE);
        self.settle();
        Ok(())
    }

    /// The same for what was mounted alone.
    pub fn look_at_mounts(&mut self) -> SysResult<()> {
        self.read_changed()?;
        locked(&self.worker.looking().tables).judge_exposure();
        Ok(())
    }

    fn read_changed(&mut self) -> SysResult<()> {
        let mut tables = locked(&self.worker.looking().tables);
        for namespace in tables.changed() {
            match tables.again(namespace) {
                Some(file) => drop(tables.read(namespace, file)?),
                None => self.unread = true,
            }
        }
        Ok(())
    }

    /// Which files of each tree are in use in a way that would be noticed, in the order of the trees: what was seen to
    /// be open or mounted, and what is locked or watched now. That may take three seconds: not for guests that wait.
    pub fn files_in_use(&self) -> Vec<FilesInUse> {
        let looking = self.worker.looking();
        let tables = locked(&looking.tables);
        let all = tables.trees().iter().enumerate();
        let all = all.map(|(at, tree)| UsedTree {
            device: tree.device,
            mounted: tables.mounted_of(at),
        });
        let (trees, watchers) = (all.collect(), watchers(&self.census(), &tables));
        drop(tables);
        let readers = WatchReaders::start(watchers, &looking.devices, USES_PATIENCE);
        let locks = LockList::read(&looking.devices, USES_PATIENCE);
        let marks = readers.finish();
        files_in_use(&self.census(), &locks, marks, &self.taker.ours, trees)
    }

    /// What was loose is judged by the tables that were read since, and all tables are judged.
    fn settle(&mut self) {
        self.loose.clear();
        let looking = self.worker.looking();
        let mut tables = locked(&looking.tables);
        for (pid, seen) in &locked(&self.taker.census).seen {
            let loose = seen.loose.iter().flat_map(|end| {
                let trees = match tables.judge(end.mount, end.text.as_deref()) {
                    PlaceVerdict::Outside => Vec::new(),
                    PlaceVerdict::Inside(trees) => trees,
                    PlaceVerdict::UnknownMount => end.trees.clone(),
                };
                let what = end.what;
                trees.into_iter().map(move |tree| Holdfast { tree, what })
            });
            let loose: Vec<Holdfast> = loose.collect();
            if !loose.is_empty() {
                self.loose.insert(*pid, loose);
            }
        }
        tables.judge_exposure();
    }

    /// Why it is not known of every process and mount where it is. Then nothing that was not found is quiet.
    pub fn unknown(&self) -> Option<Unknown> {
        let census = self.census();
        let unseen = |(pid, seen): (&u32, &SeenProcess)| Some((*pid, seen.unseen?));
        let closed = census.seen.iter().filter_map(unseen).min();
        let (process, why) = match (closed, census.missed) {
            (Some((pid, what)), _) => (Some(pid), format!("a process: {what} cannot be seen")),
            (None, Some(why)) => (None, why.to_owned()),
            (None, None) if self.unread => {
                (None, "the mounts of a namespace cannot be read".into())
            }
            (None, None) => return None,
        };
        Some(Unknown { why, process })
    }

    fn census(&self) -> MutexGuard<'_, Census> {
        locked(&self.taker.census)
    }

    /// The processes that are inside a tree, except those that are in `still` whole, which cannot do anything; by pid.
    pub fn inside(&self, tree: usize, still: &[Cgroup]) -> Vec<Inside> {
        let mut found = self.holders(tree);
        found.retain(|(pid, _)| !Freezer::is_in(&pid.to_string(), still));
        let describe = |(pid, what): (u32, &'static str)| Inside {
            pid: pid.to_string(),
            command: command(pid),
            what,
            may_clear_flags: may_clear_flags(pid),
            is_of_host: self.is_of_host(pid, tree),
        };
        found.into_iter().map(describe).collect()
    }

    /// Has the process no root, working directory or program in the tree, and our mounts?
    fn is_of_host(&self, pid: u32, tree: usize) -> bool {
        let census = self.census();
        let seen = census.seen.get(&pid);
        let holds = seen.into_iter().flat_map(|seen| &seen.holds);
        let holds = holds.chain(self.loose.get(&pid).into_iter().flatten());
        let stands =
            |hold: &Holdfast| hold.tree == tree && !matches!(hold.what, "descriptor" | "mapping");
        let tables = locked(&self.worker.looking().tables);
        let has_ours = seen.is_some_and(|seen| {
            let mut all = seen.namespaces.iter();
            !seen.namespaces.is_empty() && all.all(|namespace| tables.is_own(*namespace))
        });
        has_ours && !holds.into_iter().any(stands)
    }

    /// Is a process rooted in the tree? It can leave what is mounted on top of that.
    pub fn rooted(&self, tree: usize) -> Option<Inside> {
        let rooted = |hold: &&Holdfast| hold.tree == tree && hold.what == "root";
        let census = self.census();
        let all = census.seen.iter();
        let all = all.filter(|(_, seen)| seen.holds.iter().any(|hold| rooted(&hold)));
        let pid = all.map(|(pid, _)| *pid).min()?;
        Some(Inside {
            pid: pid.to_string(),
            command: command(pid),
            what: "root",
            may_clear_flags: true,
            is_of_host: false,
        })
    }

    fn holders(&self, tree: usize) -> Vec<(u32, &'static str)> {
        let mut found = BTreeMap::new();
        let census = self.census();
        let all = census.seen.iter().map(|(pid, seen)| (pid, &seen.holds));
        for (pid, holds) in all.chain(&self.loose) {
            let held = holds.iter().find(|hold| hold.tree == tree);
            if let Some(held) = held {
                found.entry(*pid).or_insert(held.what);
            }
        }
        found.into_iter().collect()
    }

    /// Another mount namespace that has the tree mounted, and in which not all are in `still`.
    pub fn mounted_elsewhere(&self, tree: usize, still: &[Cgroup]) -> Option<String> {
        let tables = locked(&self.worker.looking().tables);
        let moves = |namespace: u64| {
            let mut members = self.members(namespace).into_iter();
            members.any(|pid| !Freezer::is_in(&pid.to_string(), still))
        };
        let mut all = tables.exposed(tree);
        let mounted = all.find(|(namespace, _)| moves(*namespace));
        mounted.map(|(namespace, why)| self.with_member(namespace, why))
    }

    /// What reaches the tree whoever stands still: an overlay, which goes on with the inodes that it knows, or the
    /// kernel itself.
    pub fn in_use(&self, tree: usize) -> Option<String> {
        let tables = locked(&self.worker.looking().tables);
        let overlaid = tables.overlaid(tree);
        let overlaid = overlaid.map(|(namespace, why)| match tables.is_own(namespace) {
            true => why.clone(),
            false => self.with_member(namespace, why),
        });
        overlaid.or_else(|| self.served.get(&tree).cloned())
    }

    fn with_member(&self, namespace: u64, why: &str) -> String {
        match self.members(namespace).iter().min() {
            Some(pid) => format!("{why} (process {pid}, {})", Escaped(&command(*pid))),
            None => why.to_owned(),
        }
    }

    /// The processes that have a thread in a namespace.
    fn members(&self, namespace: u64) -> Vec<u32> {
        let census = self.census();
        let all = census.seen.iter();
        let all = all.filter(|(_, seen)| seen.namespaces.contains(&namespace));
        all.map(|(pid, _)| *pid).collect()
    }

    /// Names in the tree that something is mounted on, in any namespace, sorted.
    pub fn covered(&self, tree: usize) -> Vec<GuestPath> {
        locked(&self.worker.looking().tables).covered(tree)
    }

    /// Does this process belong to those of a tree: inside, in a mount namespace of theirs that is not ours, or dead?
    pub fn belongs(&mut self, pid: &str, tree: usize, members: &[String]) -> bool {
        let Ok(number) = pid.parse::<u32>() else {
            return false;
        };
        let told = Arc::new(Mutex::new(SeenProcess::default()));
        let mine = Arc::clone(&told);
        self.worker
            .run(move |looking, _| *locked(&mine) = looking.look(number));
        let seen = std::mem::take(&mut *locked(&told));
        let is_in_tree = |hold: &Holdfast| hold.tree == tree;
        let loose = seen.loose.iter().any(|end| end.trees.contains(&tree));
        let is_dead = seen.namespaces.is_empty() && seen.unseen.is_none();
        if seen.holds.iter().any(is_in_tree) || loose || is_dead {
            return true;
        }
        let members = members.iter().filter_map(|pid| pid.parse::<u32>().ok());
        let census = self.census();
        let theirs = members.filter_map(|pid| census.seen.get(&pid));
        let shares =
            |other: &SeenProcess| other.namespaces.iter().any(|n| seen.namespaces.contains(n));
        let tables = locked(&self.worker.looking().tables);
        let is_ours = seen
            .namespaces
            .iter()
            .any(|namespace| tables.is_own(*namespace));
        !is_ours && theirs.into_iter().any(shares)
    }
}

/// Where a directory of ours lies in its file system, whatever it is called by now.
fn tree(own: &OwnTable, dir: &Dir) -> SysResult<MountedTree> {
    let handle = format!("/proc/self/fd/{}", dir.fd().as_raw_fd());
    let path = fs::read_link(&handle).map_err(|e| SysError::new("read", handle, e))?;
    let shown = path.as_os_str().as_bytes();
    let mount = own.mount(dir.mount_id()?);
    let rest = mount.and_then(|mount| Some((mount, strip(&mount.point, shown)?)));
    let (mount, rest) = rest.ok_or_else(|| unlisted(&path))?;
    Ok(MountedTree {
        device: mount.device,
        path: beneath(&mount.root, rest),
        shown: shown.to_vec(),
    })
}
