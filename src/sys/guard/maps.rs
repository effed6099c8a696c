//! Where the maps are pinned. The number is of their layout: another layout gets another one, so that programs of two
//! versions can be loaded side by side. The marks never change theirs, which are kept for as long as the kernel runs.

use std::io;

use aya::maps::MapError;
use rustix::io::Errno;

use crate::sys::SysError;

/// Inodes, and what each is.
pub(super) const MARKS: &str = "/sys/fs/bpf/unify/marks";
/// What writers ask.
pub(super) const REQUESTS: &str = "/sys/fs/bpf/unify/requests-2";
/// What they are told.
pub(super) const ANSWERS: &str = "/sys/fs/bpf/unify/answers-1";
/// The daemon's sign of life.
pub(super) const HEART: &str = "/sys/fs/bpf/unify/heart-1";

/// Work of threads that wait, which is the programs' own. It is pinned to be in use.
const WORKS: &str = "/sys/fs/bpf/unify/works-1";

/// All of them, by their names in the programs.
pub(super) const MAPS: [(&str, &str); 5] = [
    ("marks", MARKS),
    ("requests", REQUESTS),
    ("answers", ANSWERS),
    ("hearts", HEART),
    ("works", WORKS),
];

pub(super) fn failed(op: &'static str, map: &'static str, error: MapError) -> SysError {
    SysError::new(op, map, io(error))
}

pub(super) fn io(error: MapError) -> io::Error {
    match error {
        MapError::SyscallError(error) => error.io_error,
        MapError::KeyNotFound => Errno::NOENT.into(),
        other => io::Error::other(other),
    }
}
