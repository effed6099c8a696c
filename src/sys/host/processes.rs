//! Which processes are inside a guest: those with their root, working directory, program or a mapping there.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::pids::{pids, tasks};
use crate::model::{Escaped, FileId};
use crate::sys::{Cgroup, Freezer, SysResult};

/// A process inside a guest, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inside {
    /// Process id.
    pub pid: String,
    /// Its command name as the kernel keeps it; 15 bytes that the process chose.
    pub command: Vec<u8>,
    /// `root`, `working directory`, `program` or `mapping`.
    pub what: &'static str,
    /// Could it take the immutable flag off a file?
    pub may_clear_flags: bool,
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "process {} ({}) has its {} inside",
            self.pid,
            Escaped(&self.command),
            self.what
        )
    }
}

/// For every root (path without links, identity) all processes that are inside, except those in `still`, which cannot
/// do anything.
///
/// This process itself does not count. Processes of other users are seen by root only.
pub fn inside(roots: &[(&Path, FileId)], still: &[Cgroup]) -> SysResult<Vec<Vec<Inside>>> {
    let mut found = vec![Vec::new(); roots.len()];
    let own = std::process::id().to_string();
    for pid in pids()?.into_iter().filter(|pid| *pid != own) {
        let process = Process::look(pid);
        for (slot, root) in found.iter_mut().zip(roots) {
            let what = process.is_inside(root.0, root.1);
            let what = what.filter(|_| !Freezer::is_in(&process.pid, still));
            slot.extend(what.map(|what| process.describe(what)));
        }
    }
    Ok(found)
}

/// Does this process belong to the guest of `members`: inside its root, in a mount namespace of theirs, or dead?
pub fn is_inside(pid: &str, members: &[String], root: &Path, id: FileId) -> bool {
    let process = Process::look(pid.to_owned());
    if process.is_inside(root, id).is_some() || is_dead(pid) {
        return true;
    }
    let namespaces = |pid: &str| -> BTreeSet<PathBuf> {
        let links = tasks(pid)
            .into_iter()
            .map(|task| fs::read_link(format!("{task}/ns/mnt")));
        links.filter_map(Result::ok).collect()
    };
    let (own, its) = (namespaces("self"), namespaces(pid));
    let shares = |member: &String| !namespaces(member).is_disjoint(&its);
    its.is_disjoint(&own) && members.iter().any(shares)
}

/// Gone, or a zombie: all its threads have ended. The state is the first field after the name in brackets, which
/// may hold anything (`proc(5)`).
fn is_dead(pid: &str) -> bool {
    tasks(pid).iter().all(|task| {
        let stat = fs::read_to_string(format!("{task}/stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map_or("X", |(_, rest)| rest);
        state.starts_with(['Z', 'X', 'x'])
    })
}

/// What `/proc` says of a process that may end at any moment; what cannot be read is empty.
struct Process {
    pid: String,
    /// A container's root is a guest's very directory, whatever it is called in there.
    roots: Vec<FileId>,
    /// Roots, working directories and programs.
    links: Vec<(&'static str, PathBuf)>,
    maps: Vec<u8>,
}

impl Process {
    fn look(pid: String) -> Process {
        let tasks = tasks(&pid);
        let names = [
            ("root", "root"),
            ("cwd", "working directory"),
            ("exe", "program"),
        ];
        let link = |(task, (link, what)): (&String, (&str, &'static str))| {
            Some((what, fs::read_link(format!("{task}/{link}")).ok()?))
        };
        let links = tasks.iter().flat_map(|task| names.map(|name| (task, name)));
        let root = |task: &String| {
            let meta = fs::metadata(format!("{task}/root")).ok()?;
            Some(FileId {
                dev: meta.dev(),
                ino: meta.ino(),
            })
        };
        // All threads share their mappings; any that lives tells them.
        let maps = tasks
            .iter()
            .map(|task| fs::read(format!("{task}/maps")).unwrap_or_default());
        Process {
            roots: tasks.iter().filter_map(root).collect(),
            links: links.filter_map(link).collect(),
            maps: maps
                .into_iter()
                .find(|maps| !maps.is_empty())
                .unwrap_or_default(),
            pid,
        }
    }

    fn is_inside(&self, root: &Path, id: FileId) -> Option<&'static str> {
        if self.roots.contains(&id) {
            return Some("root");
        }
        let link = self
            .links
            .iter()
            .find(|(_, target)| target.starts_with(root));
        link.map(|(what, _)| *what)
            .or_else(|| self.maps_below(root).then_some("mapping"))
    }

    /// Lines of `/proc/PID/maps` end in the path of the mapped file.
    fn maps_below(&self, root: &Path) -> bool {
        let needle = root.as_os_str().as_bytes();
        self.maps.split(|&b| b == b'\n').any(|line| {
            let path = line
                .iter()
                .position(|&b| b == b'/')
                .and_then(|at| line.get(at..))
                .unwrap_or_default();
            path.strip_prefix(needle)
                .is_some_and(|rest| rest.first() == Some(&b'/'))
        })
    }

    fn describe(&self, what: &'static str) -> Inside {
        let command = fs::read(format!("/proc/{}/comm", self.pid)).unwrap_or_default();
        Inside {
            pid: self.pid.clone(),
            command: command.trim_ascii_end().to_vec(),
            what,
            may_clear_flags: may_clear_flags(&self.pid),
        }
    }
}

/// `CAP_LINUX_IMMUTABLE` of `linux/capability.h`.
const LINUX_IMMUTABLE: u32 = 9;

/// May the process, or what it starts, take the immutable flag off? Only with the capability in its bounding set,
/// and not from a user namespace of its own. A process that cannot be read may; one that has ended may not.
fn may_clear_flags(pid: &str) -> bool {
    let namespace = |task: &String| fs::read_link(format!("{task}/ns/user")).ok();
    let own = namespace(&"/proc/self".to_owned());
    let its: Vec<_> = tasks(pid).iter().filter_map(namespace).collect();
    if own.is_some_and(|own| !its.is_empty() && !its.contains(&own)) {
        return false;
    }
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return fs::exists(format!("/proc/{pid}")).unwrap_or(true);
    };
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let set = bounding.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    set.is_none_or(|set| set & (1 << LINUX_IMMUTABLE) != 0)
}
