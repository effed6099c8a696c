//! Samples of entries.

use super::{FileHolds, NewEntry, NewHolds};
use crate::images::tar::TarOwner;
use crate::model::{Digest, Fingerprint, Time};

/// An entry of root's.
pub fn entry(path: &str, holds: NewHolds) -> NewEntry {
    NewEntry {
        path: path.into(),
        owner: TarOwner {
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: Time { sec: 1, nsec: 0 },
            attributes: Vec::new(),
        },
        holds,
    }
}

/// A file that this number tells from others.
pub fn file(content: u8) -> NewHolds {
    NewHolds::File(Box::new(FileHolds {
        size: 1,
        stored: 1,
        content: Digest([content; 32]),
        beginning: Fingerprint(0),
        others: Box::default(),
        kept: None,
    }))
}
