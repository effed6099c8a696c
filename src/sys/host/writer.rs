//! What is known of a process that waits to write: in which trees it lives. It waits, so its number is its own. Its
//! root may be on a file system of its guest's own making, which would answer when it likes: none but that of the file
//! is asked anything.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, makedev, openat, statx};

use crate::model::FileId;
use crate::sys::fault::call;

/// Directories above the root of a process that are looked at.
const MOST: usize = 64;

/// Its root, and the directories above that on this device, the nearest first: a process may be in a chroot within its
/// guest. Empty where it cannot be looked at any more, or is elsewhere.
pub fn ground_of(process: u32, device: u64) -> Vec<FileId> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let path = format!("/proc/{process}/root");
    let is_here = |id: &FileId| id.dev == device;
    let root = id_of(CWD, Path::new(&path)).filter(is_here).and_then(|_| {
        let root = call("ground", || openat(CWD, &path, flags, Mode::empty()));
        root.ok()
    });
    let Some(mut at) = root else {
        return Vec::new();
    };
    let mut ground = Vec::new();
    while ground.len() < MOST {
        let id = id_of(&at, Path::new("")).filter(is_here);
        let Some(id) = id.filter(|id| ground.last() != Some(id)) else {
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

/// Does another process trace this one? False where it is no more.
pub fn is_traced(process: u32) -> bool {
    let state = std::fs::read(format!("/proc/{process}/status")).unwrap_or_default();
    let mut lines = state.split(|byte| *byte == b'\n');
    let tracer = lines.find_map(|line| line.strip_prefix(b"TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim_ascii() != b"0")
}

/// Is the process no more, or has it nothing but its number left?
pub fn has_ended(process: u32) -> bool {
    let root = std::fs::read_link(format!("/proc/{process}/root"));
    root.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// As the kernel knows it: no file system is asked.
fn id_of(dir: impl AsFd, path: &Path) -> Option<FileId> {
    let how = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    let state = statx(dir, path, how, StatxFlags::INO).ok()?;
    Some(FileId {
        dev: makedev(state.stx_dev_major, state.stx_dev_minor),
        ino: state.stx_ino,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_no_more_is_not_traced() {
        assert!(!is_traced(0));
    }

    #[test]
    fn who_was_ended_and_not_yet_waited_for_has_ended() {
        assert!(!has_ended(std::process::id()));
        let mut other = std::process::Command::new("true").spawn().expect("true");
        let process = other.id();
        while !has_ended(process) {
            std::thread::yield_now();
        }
        other.wait().expect("its end");
        assert!(has_ended(process));
    }
}
