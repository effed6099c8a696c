//! The freezer of cgroup v2 (`Documentation/admin-guide/cgroup-v2.rst`, `cgroup.freeze`): all tasks of a subtree
//! are frozen, wherever they are in user space, and a system call that waits is interrupted and made again
//! afterwards.
//!
//! A frozen task holds no lock of a file system. New tasks of the subtree are born frozen. Only whole subtrees are
//! frozen, and never one that we are in.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::pids::pids;
use crate::model::Escaped;
use crate::sys::fault::call;
use crate::sys::{SysError, SysResult};

/// A cgroup by its path in the hierarchy: `/lxc.payload.web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cgroup(PathBuf);

impl fmt::Display for Cgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped::of(&self.0).fmt(f)
    }
}

impl Cgroup {
    /// The path as it is written down.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_os_str().as_bytes()
    }

    /// Of a path as it was written down.
    pub fn from_bytes(bytes: &[u8]) -> Option<Cgroup> {
        let path = PathBuf::from(OsStr::from_bytes(bytes));
        let plain = path.components().all(|part| {
            matches!(
                part,
                std::path::Component::RootDir | std::path::Component::Normal(_)
            )
        });
        (path.is_absolute() && plain && path.parent().is_some()).then_some(Cgroup(path))
    }

    fn holds(&self, other: &Path) -> bool {
        other.starts_with(&self.0)
    }
}

/// The hierarchy of this host.
#[derive(Debug, Clone)]
pub struct Freezer {
    mount: PathBuf,
}

impl Freezer {
    /// Looks for a mounted cgroup v2 hierarchy.
    pub fn find() -> SysResult<Option<Freezer>> {
        let path = Path::new("/proc/self/mountinfo");
        let text = call("proc", || fs::read_to_string(path))
            .map_err(|e| SysError::new("read", path, e))?;
        let mount = text.lines().find_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mut place = place.split(' ').skip(3);
            let (root, point) = (place.next()?, place.next()?);
            (kind.starts_with("cgroup2 ") && root == "/").then(|| PathBuf::from(point))
        });
        Ok(mount.map(|mount| Freezer { mount }))
    }

    /// A cgroup of this name beneath the one that this process is in, and its directory; `None` where it is in none.
    pub(super) fn beneath_own(&self, name: &str) -> Option<(Cgroup, PathBuf)> {
        let cgroup = Cgroup(cgroup_of("/proc/self")?.join(name));
        let directory = self.file(&cgroup, "");
        Some((cgroup, directory.components().collect()))
    }

    /// The smallest subtree that holds all of `members` (process ids) and no other process; or why there is none.
    /// A process that is not among the members may be a child of theirs that was born meanwhile: `belongs` is
    /// asked.
    pub fn subtree_of(
        &self,
        members: &[String],
        belongs: &mut dyn FnMut(&str) -> bool,
    ) -> SysResult<Result<Cgroup, String>> {
        let mut all = Vec::new();
        for pid in pids()? {
            all.extend(
                threads_of(&pid)
                    .into_iter()
                    .map(|cgroup| (pid.clone(), cgroup)),
            );
        }
        let own = cgroup_of("/proc/self");
        let found = common(members, &all).map(|cgroup| self.domain(cgroup));
        Ok(found.and_then(|cgroup| alone(cgroup, members, &all, own.as_deref(), belongs)))
    }

    /// Freezes all, then waits for all, for so long: a task in an uninterruptible sleep waits for the kernel. Returns
    /// those that are frozen, and those that did not freeze in time and run on.
    pub fn freeze(&self, cgroups: &[Cgroup], patience: Duration) -> (Vec<Cgroup>, Vec<Cgroup>) {
        let asked = |cgroup: &&Cgroup| {
            let control = self.file(cgroup, "cgroup.freeze");
            call("freeze", || fs::write(&control, b"1")).is_ok()
        };
        let (asked, mut moves): (Vec<_>, Vec<_>) = cgroups.iter().partition(asked);
        let end = Instant::now() + patience;
        let stands = |cgroup: &&Cgroup| self.wait(cgroup, end);
        let (stands, late): (Vec<_>, Vec<_>) = asked.into_iter().partition(stands);
        for cgroup in &late {
            // The step that thaws everything tries this again.
            drop(self.thaw(cgroup));
        }
        moves.extend(late);
        let owned = |all: Vec<&Cgroup>| all.into_iter().cloned().collect();
        (owned(stands), owned(moves))
    }

    /// Thaws it; a cgroup that is gone, or that runs anyway, needs nothing.
    pub fn thaw(&self, cgroup: &Cgroup) -> SysResult<()> {
        let control = self.file(cgroup, "cgroup.freeze");
        match call("freeze", || fs::read(&control)) {
            Ok(text) if text.trim_ascii() == b"0" => return Ok(()),
            Err(error) if is_gone(&error) => return Ok(()),
            _ => {}
        }
        match call("thaw", || fs::write(&control, b"0")) {
            Err(error) if is_gone(&error) => Ok(()),
            written => written.map_err(|e| SysError::new("thaw", &control, e)),
        }
    }

    fn wait(&self, cgroup: &Cgroup, end: Instant) -> bool {
        let mut pause = Duration::from_micros(50);
        loop {
            if self.stands_still(cgroup).unwrap_or(false) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }

    /// Has nobody thawed it since it was frozen? So it is with a cgroup that is gone: nobody is in it.
    pub fn is_asked_to_stand(&self, cgroup: &Cgroup) -> SysResult<bool> {
        let control = self.file(cgroup, "cgroup.freeze");
        match fs::read(&control) {
            Err(error) if is_gone(&error) => Ok(true),
            Err(error) => Err(SysError::new("read", &control, error)),
            Ok(text) => Ok(text.trim_ascii() == b"1"),
        }
    }

    /// Is all of it frozen now?
    pub fn stands_still(&self, cgroup: &Cgroup) -> SysResult<bool> {
        let events = self.file(cgroup, "cgroup.events");
        let read = call("freeze", || fs::read_to_string(&events));
        let text = SysError::absent(read.map_err(|e| SysError::new("read", &events, e)))?;
        Ok(text.is_some_and(|text| text.lines().any(|line| line == "frozen 1")))
    }

    /// Are all threads of the process in one of these?
    pub fn is_in(pid: &str, cgroups: &[Cgroup]) -> bool {
        if cgroups.is_empty() {
            return false;
        }
        let threads = threads_of(pid);
        let held = |path: &PathBuf| cgroups.iter().any(|cgroup| cgroup.holds(path));
        !threads.is_empty() && threads.iter().all(held)
    }

    /// A threaded cgroup is a part of a process: the processes as a whole are in the domain above it.
    fn domain(&self, mut cgroup: Cgroup) -> Cgroup {
        loop {
            let kind = fs::read_to_string(self.file(&cgroup, "cgroup.type")).unwrap_or_default();
            match cgroup.0.parent() {
                Some(parent) if kind.trim() == "threaded" => cgroup = Cgroup(parent.to_owned()),
                _ => return cgroup,
            }
        }
    }

    fn file(&self, cgroup: &Cgroup, name: &str) -> PathBuf {
        let relative = cgroup.0.strip_prefix("/").unwrap_or(&cgroup.0);
        self.mount.join(relative).join(name)
    }
}

/// The cgroups of all threads of a process that could be read.
fn threads_of(pid: &str) -> Vec<PathBuf> {
    let tasks = super::pids::tasks(pid);
    tasks.iter().filter_map(|task| cgroup_of(task)).collect()
}

/// `0::/path` of `/proc/…/cgroup`.
fn cgroup_of(task: &str) -> Option<PathBuf> {
    let text = fs::read_to_string(format!("{task}/cgroup")).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(PathBuf::from(path))
}

/// Gone while we looked: no such file, or no such device where it went between open and write.
fn is_gone(error: &std::io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    matches!(
        errno,
        Some(rustix::io::Errno::NOENT | rustix::io::Errno::NODEV)
    )
}

/// The smallest subtree that holds all threads of all members.
fn common(members: &[String], all: &[(String, PathBuf)]) -> Result<Cgroup, String> {
    // One that ended meanwhile needs no freezing.
    let paths = all.iter().filter(|(pid, _)| members.contains(pid));
    let common = paths
        .map(|(_, path)| path.clone())
        .reduce(|a, b| shared_part(&a, &b));
    let common = common.ok_or("its processes are in no cgroup of version 2")?;
    if common.parent().is_none() {
        return Err("its processes are in no cgroup of their own".into());
    }
    Ok(Cgroup(common))
}

/// The subtree, if no other process is in it.
fn alone(
    cgroup: Cgroup,
    members: &[String],
    all: &[(String, PathBuf)],
    own: Option<&Path>,
    belongs: &mut dyn FnMut(&str) -> bool,
) -> Result<Cgroup, String> {
    if cgroup.0.parent().is_none() {
        return Err("its processes are in no cgroup of their own".into());
    }
    if own.is_some_and(|own| cgroup.holds(own)) {
        return Err(format!("{cgroup} holds this process too"));
    }
    let other = all
        .iter()
        .find(|(pid, path)| cgroup.holds(path) && !members.contains(pid) && !belongs(pid));
    match other {
        Some((pid, _)) => Err(format!(
            "{cgroup} also holds process {pid}, which is not in the guest"
        )),
        None => Ok(cgroup),
    }
}

fn shared_part(a: &Path, b: &Path) -> PathBuf {
    let same = a
        .components()
        .zip(b.components())
        .take_while(|(a, b)| a == b);
    same.map(|(part, _)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(members: &[&str], own: &str) -> Result<String, String> {
        let all = [
            ("1", "/init"),
            ("7", "/lxc/web"),
            ("8", "/lxc/web/cron"),
            ("9", "/lxc/db"),
        ];
        let all = all.map(|(pid, path)| (pid.to_owned(), PathBuf::from(path)));
        let members: Vec<String> = members.iter().map(|pid| (*pid).to_owned()).collect();
        let found = common(&members, &all)
            .and_then(|cgroup| alone(cgroup, &members, &all, Some(Path::new(own)), &mut |_| false));
        found.map(|cgroup| cgroup.to_string())
    }

    #[test]
    fn only_whole_subtrees_of_the_guest() {
        assert_eq!(found(&["7", "8"], "/init"), Ok("/lxc/web".into()));
        assert_eq!(found(&["9"], "/init"), Ok("/lxc/db".into()));
        assert_eq!(found(&["7", "8", "9"], "/init"), Ok("/lxc".into()));
        assert!(
            found(&["7"], "/init").is_err(),
            "8 is below and not of the guest"
        );
        assert!(found(&["1", "9"], "/x").is_err(), "all of the host");
        assert!(found(&["9"], "/lxc/db/me").is_err(), "ourselves");
        assert!(found(&["4711"], "/init").is_err(), "nobody");
    }

    #[test]
    fn paths_that_lead_elsewhere_are_none() {
        assert!(Cgroup::from_bytes(b"/lxc/web").is_some());
        for bad in ["", "/", "lxc", "/lxc/../..", "/lxc/./x/.."] {
            assert!(Cgroup::from_bytes(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
