//! Where the maps are pinned, and which layout they have.
//!
//! One number is for all maps but the marks, and for what programs and daemon mean by them. It stands in the names of
//! the maps and of the set of programs, so that what two versions call by one name is one thing: neither finds the
//! other's maps, and each sees whether the programs that are loaded are of its layout before it reads or answers. The
//! marks never change their layout, and are kept for as long as the kernel runs.

use std::io;

use aya::maps::MapError;
use rustix::io::Errno;

use crate::sys::SysError;

/// Raised with every change of `maps.bpf.h` by which an older daemon, or older programs, would be misled.
macro_rules! layout {
    () => {
        "3"
    };
}

macro_rules! pinned {
    ($name:literal) => {
        concat!("/sys/fs/bpf/unify/", $name, "-", layout!())
    };
}

/// The number, as it stands in names.
pub(super) const LAYOUT: &str = layout!();

/// Inodes, and what each is.
pub(super) const MARKS: &str = "/sys/fs/bpf/unify/marks";
/// What writers ask.
pub(super) const REQUESTS: &str = pinned!("requests");
/// What they are told.
pub(super) const ANSWERS: &str = pinned!("answers");
/// The daemon's sign of life.
pub(super) const HEART: &str = pinned!("heart");

/// Work of threads that wait, which is the programs' own. It is pinned to be in use.
const WORKS: &str = pinned!("works");

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::hash::checksum;

    /// What the maps hold, without comments and blanks.
    fn laid_out() -> String {
        let lines = include_str!("bpf/maps.bpf.h").lines();
        let code = lines.map(|line| line.split("//").next().unwrap_or(line));
        code.flat_map(str::split_whitespace)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn another_layout_has_another_number() {
        let known = ("3", 0x7cbc_0bca_19ef_dfa1);
        let now = (LAYOUT, checksum(laid_out().as_bytes()));
        assert_eq!(
            now, known,
            "maps.bpf.h has changed: raise the layout where an older daemon would be misled, then note both here"
        );
    }
}
