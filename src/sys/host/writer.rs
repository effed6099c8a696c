//! What is known of a process that waits to write: in which trees it lives. It waits, so its number is its own.

use std::os::fd::AsFd;

use rustix::fs::{CWD, Mode, OFlags, fstat, openat};

use crate::model::FileId;
use crate::sys::fault::call;

/// Directories above the root of a process that are looked at.
const MOST: usize = 64;

/// Its root, and the directories above that, the nearest first: a process may be in a chroot within its guest. Empty
/// where it cannot be looked at any more.
pub fn ground_of(process: u32) -> Vec<FileId> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = call("ground", || {
        openat(CWD, format!("/proc/{process}/root"), flags, Mode::empty())
    });
    let Ok(mut at) = root else { return Vec::new() };
    let mut ground = Vec::new();
    while ground.len() < MOST {
        let Some(id) = id_of(&at).filter(|id| ground.last() != Some(id)) else {
            break;
        };
        ground.push(id);
        match openat(&at, "..", flags, Mode::empty()) {
            Ok(above) => at = above,
            Err(_) => break,
        }
    }
    ground
}

fn id_of(dir: impl AsFd) -> Option<FileId> {
    let state = fstat(dir).ok()?;
    Some(FileId {
        dev: state.st_dev,
        ino: state.st_ino,
    })
}
