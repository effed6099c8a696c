//! Two guests walked in step: a directory of both is listed once, and its names are put side by side. What is held is
//! the names of the directories from the root down to where the walk is.
//!
//! A directory comes before what is in it, and the names of one directory come in the order of their bytes. What is on
//! another file system is not entered: it is none of the guest's. No link is followed.

use std::collections::BTreeSet;
use std::vec::IntoIter;

use super::entry::SeenName;
use crate::model::{FileKind, FileState, GuestPath};
use crate::sys::guest::GuestFiles;

/// Most names in one directory: a hundred times what real guests have, and 300 MiB of names at the very most.
const MOST_NAMES: usize = 1 << 20;

/// Names that are side by side.
pub(super) struct WalkInStep<'g> {
    old: &'g dyn GuestFiles,
    new: &'g dyn GuestFiles,
    /// The directories from the root down, each with what is left of it.
    open: Vec<OpenPair>,
}

struct OpenPair {
    path: GuestPath,
    left: IntoIter<Vec<u8>>,
    old: bool,
    new: bool,
}

/// What the walk came to.
pub(super) enum MetPair {
    Name(SeenName),
    /// It could not be looked at, or not into it.
    Unread(GuestPath, String),
}

/// A state, if the name is there.
type LookOrWhy = Result<Option<FileState>, String>;

impl<'g> WalkInStep<'g> {
    /// Begins at the roots.
    pub fn new(old: &'g dyn GuestFiles, new: &'g dyn GuestFiles) -> (WalkInStep<'g>, Vec<MetPair>) {
        let mut walk = WalkInStep {
            old,
            new,
            open: Vec::new(),
        };
        let unread = walk.enter(GuestPath::root(), true, true);
        (walk, unread)
    }

    /// What comes next: a name, with what could not be read of it or in it. Nothing after the last.
    pub fn next_names(&mut self) -> Option<Vec<MetPair>> {
        loop {
            let pair = self.open.last_mut()?;
            let Some(name) = pair.left.next() else {
                self.open.pop();
                continue;
            };
            let (path, old, new) = (pair.path.join(&name), pair.old, pair.new);
            let Ok(path) = path else {
                let what = pair.path.clone();
                return Some(vec![MetPair::Unread(
                    what,
                    "a path in it is too long".into(),
                )]);
            };
            return Some(self.meet(path, old, new));
        }
    }

    fn meet(&mut self, path: GuestPath, in_old: bool, in_new: bool) -> Vec<MetPair> {
        let seen = [look(self.old, &path, in_old), look(self.new, &path, in_new)];
        let [old, new] = match seen {
            [Ok(old), Ok(new)] => [old, new],
            [Err(why), _] | [_, Err(why)] => return vec![MetPair::Unread(path, why)],
        };
        if old.is_none() && new.is_none() {
            return Vec::new();
        }
        let is_directory =
            |state: Option<FileState>| state.is_some_and(|state| state.kind == FileKind::Directory);
        let mut met = vec![MetPair::Name(SeenName {
            path: path.clone(),
            old,
            new,
        })];
        let (old, new) = (is_directory(old), is_directory(new));
        if old || new {
            met.extend(self.enter(path, old, new));
        }
        met
    }

    /// Lists a directory of one guest or both; what cannot be listed is told.
    fn enter(&mut self, path: GuestPath, old: bool, new: bool) -> Vec<MetPair> {
        let mut names = BTreeSet::new();
        let mut unread = None;
        for (files, is_there) in [(self.old, old), (self.new, new)] {
            if !is_there {
                continue;
            }
            match files.list(path.as_bytes(), MOST_NAMES) {
                Ok(listed) => names.extend(listed.unwrap_or_default()),
                Err(error) => unread = Some(MetPair::Unread(path.clone(), error.to_string())),
            }
        }
        // Of a directory that only one of them can list nothing is said: all of it would be only in the other.
        let left = match unread {
            None => names,
            Some(_) => BTreeSet::new(),
        };
        self.open.push(OpenPair {
            path,
            left: left.into_iter().collect::<Vec<_>>().into_iter(),
            old,
            new,
        });
        unread.into_iter().collect()
    }
}

/// A name that is on another file system is not the guest's.
fn look(files: &dyn GuestFiles, path: &GuestPath, is_there: bool) -> LookOrWhy {
    if !is_there {
        return Ok(None);
    }
    files
        .look(path.relative())
        .map_err(|error| error.to_string())
}
