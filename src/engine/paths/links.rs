//! The links of one guest: what globs and care rules mean beyond the names that they spell.

use std::cell::Cell;

use crate::model::{FileKind, GuestPath};
use crate::rules::care::{Covers, table};
use crate::rules::pattern::links::{Links, Place};
use crate::sys::guest::{GuestError, GuestFiles};

/// Paths that are resolved in one guest, and names that are listed there.
const MOST_LOOKS: usize = 1_000_000;

/// Entries of one directory that are listed for a glob.
const MOST_ENTRIES: usize = 300_000;

/// The links of one guest. What cannot be read leads nowhere.
pub struct GuestLinks<'a> {
    files: &'a dyn GuestFiles,
    left: Cell<usize>,
    not_looked: Cell<u64>,
}

impl<'a> GuestLinks<'a> {
    /// Of a guest of any form.
    pub fn of(files: &'a dyn GuestFiles) -> GuestLinks<'a> {
        GuestLinks {
            files,
            left: Cell::new(MOST_LOOKS),
            not_looked: Cell::new(0),
        }
    }

    fn may_take(&self, looks: usize) -> bool {
        let left = self.left.get().checked_sub(looks);
        self.left.set(left.unwrap_or(0));
        if left.is_none() {
            self.miss();
        }
        left.is_some()
    }

    fn miss(&self) {
        self.not_looked.set(self.not_looked.get() + 1);
    }
}

impl Links for GuestLinks<'_> {
    fn resolve(&self, path: &[u8]) -> Option<Place> {
        let found = self.may_take(1).then(|| self.files.resolve(path));
        let found = found?.ok()??;
        Some(Place {
            is_directory: found.kind == FileKind::Directory,
            path: found.path,
        })
    }

    fn names_in(&self, directory: &GuestPath) -> Vec<Vec<u8>> {
        if !self.may_take(1) {
            return Vec::new();
        }
        let listed = self.files.list(directory.as_bytes(), MOST_ENTRIES);
        if matches!(listed, Err(GuestError::TooMany { .. })) {
            self.miss();
        }
        let names = listed.ok().flatten().unwrap_or_default();
        let names = self.may_take(names.len()).then_some(names);
        names.unwrap_or_default()
    }

    fn not_looked(&self) -> u64 {
        self.not_looked.get()
    }
}

/// `real` is what `known`, a directory of a care rule, leads to in this guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub real: Vec<u8>,
    pub known: Vec<u8>,
}

impl Alias {
    /// The name by which a care rule would know this path, if it lies there.
    pub fn known_name(&self, path: &[u8]) -> Option<Vec<u8>> {
        let rest = path.strip_prefix(self.real.as_slice())?;
        let inside = matches!(rest.first(), None | Some(b'/'));
        inside.then(|| [&self.known, rest].concat())
    }
}

/// Plain directories of care rules that lead elsewhere in this guest, such as `/var` to `/data/var`.
pub fn aliases(guest: &dyn GuestFiles) -> Vec<Alias> {
    let names = table().iter().flat_map(|rule| match rule.covers {
        Covers::Names(names) | Covers::UnreadableNames(names) => names,
        Covers::Files(_) | Covers::Used(..) => &[],
    });
    let plain = names.filter(|name| name.starts_with('/') && !name.contains(['*', '?', '[']));
    let mut all: Vec<Alias> = plain
        .filter_map(|name| alias(guest, name.as_bytes()))
        .collect();
    all.sort_by(|a, b| (&a.real, &a.known).cmp(&(&b.real, &b.known)));
    all.dedup();
    all
}

/// A link to the root itself would mean the whole guest: the files below are judged by their own names.
fn alias(guest: &dyn GuestFiles, known: &[u8]) -> Option<Alias> {
    let target = guest.resolve(known).ok()??.path;
    let differs = target.as_bytes() != known && !target.is_root();
    differs.then(|| Alias {
        real: target.as_bytes().to_vec(),
        known: known.to_vec(),
    })
}
