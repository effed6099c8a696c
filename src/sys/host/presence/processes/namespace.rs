//! The mount namespace of a task, and how its table is read whole.
//!
//! `mountinfo` tells mounts below the root of the task that it belongs to, and paths from there on; links of `/proc`
//! are told from the root of the namespace on. Where a task is not rooted there, a thread of ours enters the
//! namespace, which puts it at its root, and ends.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};
use rustix::fs::{CWD, Mode, OFlags, openat, readlinkat};

use super::links::Unlooked;
use crate::sys::host::presence::mounts::tables::MountTables;

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

/// The number of a task's mount namespace, by its directory in `/proc`.
pub fn namespace_of(task: impl AsFd) -> Result<u64, Unlooked> {
    let text = readlinkat(task, "ns/mnt", Vec::with_capacity(32))?.into_bytes();
    let number = text
        .strip_prefix(b"mnt:[")
        .and_then(|rest| rest.strip_suffix(b"]"));
    let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    number.ok_or(Unlooked::Gone)
}

/// Reads the table of the namespace that the task is in; false where it cannot be read. What is not seen of it is
/// unknown: who holds something on a mount that no table has counts as inside.
pub fn read_namespace(tables: &mut MountTables, namespace: u64, task: &OwnedFd) -> bool {
    if is_at_the_root(task) && read_from(tables, namespace, open_table(task)) == Some(true) {
        return true;
    }
    if read_from(tables, namespace, entered(task)).is_some() {
        return true;
    }
    read_from(tables, namespace, open_table(task)).is_some()
}

fn is_at_the_root(task: &OwnedFd) -> bool {
    let root = readlinkat(task, "root", Vec::with_capacity(32));
    root.is_ok_and(|text| text.as_bytes() == b"/")
}

fn open_table(task: impl AsFd) -> Option<File> {
    let file = openat(task, "mountinfo", READ, Mode::empty()).ok()?;
    Some(File::from(file))
}

/// Was it read, and is all of it seen from there?
fn read_from(tables: &mut MountTables, namespace: u64, file: Option<File>) -> Option<bool> {
    tables.read(namespace, file?).ok()
}

/// The table as a thread sees it that has just entered the namespace.
fn entered(task: &OwnedFd) -> Option<File> {
    let namespace = openat(task, "ns/mnt", READ, Mode::empty()).ok()?;
    let proc = openat(CWD, "/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let enter = move || {
        unshare(CloneFlags::CLONE_FS).ok()?;
        setns(&namespace, CloneFlags::CLONE_NEWNS).ok()?;
        let own = openat(
            &proc,
            "thread-self",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()?;
        open_table(&own)
    };
    let thread = std::thread::Builder::new().spawn(enter).ok()?;
    thread.join().ok()?
}
