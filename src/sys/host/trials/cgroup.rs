//! The freezer of cgroup v2, tried on an empty cgroup of ours.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::failed;
use crate::model::Trial;
use crate::sys::fault::call;
use crate::sys::host::pids;
use crate::sys::{Cgroup, Freezer, SysError, SysResult};

/// How the cgroup of a trial is called before the number of its process.
const NAME: &str = "unify-doctor.";

/// How long an empty cgroup may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Can a cgroup be frozen, and does the kernel say that it is?
pub fn freezer() -> Trial {
    match Freezer::find() {
        Err(error) => failed(&error),
        Ok(None) => Trial::cannot("no cgroup v2 hierarchy is mounted"),
        Ok(Some(freezer)) => match frozen(&freezer) {
            Ok(true) => Trial::can("an empty cgroup was frozen and thawed"),
            Ok(false) => Trial::cannot("an empty cgroup does not freeze"),
            Err(error) => failed(&error),
        },
    }
}

fn frozen(freezer: &Freezer) -> SysResult<bool> {
    let Some((cgroup, path)) = freezer.beneath_own(&format!("{NAME}{}", std::process::id())) else {
        let why = std::io::Error::other("this process is in no cgroup of version 2");
        return Err(SysError::new("make a cgroup in", "/proc/self/cgroup", why));
    };
    remove_stale(&path);
    call("mkdir", || fs::create_dir(&path)).map_err(|e| SysError::new("make", &path, e))?;
    let scratch = ScratchCgroup(path);
    let all = [cgroup];
    let (stands, _) = freezer.freeze(&all, PATIENCE);
    all.iter()
        .try_for_each(|cgroup: &Cgroup| freezer.thaw(cgroup))?;
    drop(scratch);
    Ok(!stands.is_empty())
}

/// What trials left that were killed: empty, and of no process any more.
fn remove_stale(beside: &std::path::Path) {
    let entries = beside.parent().map(fs::read_dir);
    for entry in entries.into_iter().flatten().flatten().flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        let maker = name.strip_prefix(NAME).and_then(|pid| pid.parse().ok());
        if maker.is_some_and(|pid| !pids::is_alive(pid)) {
            // Where somebody is in it, it stays.
            drop(fs::remove_dir(entry.path()));
        }
    }
}

/// A cgroup that goes with this.
struct ScratchCgroup(PathBuf);

impl Drop for ScratchCgroup {
    fn drop(&mut self) {
        drop(call("rmdir", || fs::remove_dir(&self.0)));
    }
}
