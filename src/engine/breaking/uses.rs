//! Who used a file as its guest wrote to it: by a lock, a watch or a descriptor, which stay with the shared file when
//! the guest gets one of its own. Nobody can hide that; it is told, so that the file is not shared again.
//!
//! It takes a look at all processes, and so it is taken after the answer, in a thread of its own, for all writes that
//! have come meanwhile, and then not again for a while. What nobody has looked at soon is not known: who used it may
//! have gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::tell::WriteTold;
use crate::base::Base;
use crate::engine::{EngineError, Guest};
use crate::model::{FileUsed, GuestName, GuestPath, UsesMet};
use crate::sys::guard::WriteRequest;
use crate::sys::host::machine;
use crate::sys::host::presence::{is_any_left, sees_all_processes};
use crate::sys::{LeftInode, Patience, Presence, SysResult};

/// So many writes wait for a look at most, so many of one guest, and of so many guests.
const MOST: usize = 64;
const MOST_OF_GUEST: usize = 16;
const MOST_GUESTS: usize = 16;

/// A look is for many writes: it begins when none has come for so long, or when one has waited for long enough.
const QUIET: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(2);

/// One that waits for longer is not looked at any more.
const SOON: Duration = Duration::from_secs(5);

/// Looks take one part of so many of the time.
const PART: u32 = 10;

/// How long locks and watches are read.
const PATIENCE: Duration = Duration::from_millis(500);

/// A file that a guest has written to.
#[derive(Debug, Clone)]
pub(super) struct FileWritten {
    guest: GuestName,
    root: PathBuf,
    path: GuestPath,
    /// The inode that it was until then.
    inode: u64,
    at: Instant,
}

impl FileWritten {
    /// `None` for a write by which nothing was parted. `root` is where a guest is.
    pub fn of<'r>(
        request: &WriteRequest,
        told: &WriteTold,
        root: impl FnOnce(&GuestName) -> Option<&'r Path>,
    ) -> Option<FileWritten> {
        let WriteTold::About {
            guest: Some(guest),
            paths,
            denied: None,
            ..
        } = told
        else {
            return None;
        };
        Some(FileWritten {
            guest: guest.clone(),
            root: root(guest)?.to_owned(),
            path: paths.first()?.clone(),
            inode: request.inode.ino,
            at: Instant::now(),
        })
    }
}

/// What is to be looked at, and when.
#[derive(Debug)]
pub(super) struct UseLooks {
    waiting: Vec<FileWritten>,
    is_under_way: bool,
    not_before: Instant,
}

impl UseLooks {
    /// From now on.
    pub fn new() -> UseLooks {
        UseLooks {
            waiting: Vec::new(),
            is_under_way: false,
            not_before: Instant::now(),
        }
    }

    /// One more. Where there are too many it is not looked at.
    pub fn add(&mut self, written: FileWritten) {
        let of_guest = self.waiting.iter();
        let of_guest = of_guest.filter(|one| one.guest == written.guest).count();
        if self.waiting.len() < MOST && of_guest < MOST_OF_GUEST {
            self.waiting.push(written);
        }
    }

    /// Does anything wait for a look?
    pub fn wait(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What is to be looked at now, if anything is.
    pub fn next(&mut self, now: Instant) -> Option<Vec<FileWritten>> {
        let age = |one: &FileWritten| now.saturating_duration_since(one.at);
        self.waiting.retain(|one| age(one) <= SOON);
        let newest = self.waiting.iter().map(age).min()?;
        let oldest = self.waiting.iter().map(age).max()?;
        let is_due = newest >= QUIET || oldest >= LONG;
        if self.is_under_way || now < self.not_before || !is_due {
            return None;
        }
        self.is_under_way = true;
        Some(std::mem::take(&mut self.waiting))
    }

    /// A look has ended that took so long.
    pub fn end(&mut self, took: Duration, now: Instant) {
        self.is_under_way = false;
        self.not_before = now + took * PART;
    }
}

/// Looks who uses the inodes that the names have left. What cannot be known is left out.
pub(super) fn look(base: &Path, written: &[FileWritten]) -> Result<Vec<UsesMet>, EngineError> {
    let base = Base::existing(base)?;
    let guests = opened(written);
    if !sees_all_processes() || is_any_left() {
        return Ok(Vec::new());
    }
    let roots = guests.iter().map(|guest| &guest.root);
    let trees: Vec<_> = roots.chain([base.dir()]).collect();
    let presence = Presence::look(&trees, &[], Patience::Bounded)?;
    let tree_of = |one: &FileWritten| guests.iter().position(|guest| guest.name == one.guest);
    let known = written.iter().filter_map(|one| Some((tree_of(one)?, one)));
    let known: Vec<(usize, &FileWritten)> = known.collect();
    let left = known.iter().map(|(tree, one)| LeftInode {
        tree: *tree,
        inode: one.inode,
    });
    let uses = presence.uses_of_left(&left.collect::<Vec<_>>(), PATIENCE);
    let mut found: BTreeMap<usize, Vec<FileUsed>> = BTreeMap::new();
    for ((tree, one), uses) in known.into_iter().zip(uses) {
        if let Ok(uses) = uses {
            let path = one.path.clone();
            found.entry(tree).or_default().push(FileUsed { path, uses });
        }
    }
    let found = found.into_iter();
    let of_guest = |(tree, files): (usize, Vec<FileUsed>)| Some(met(guests.get(tree)?, files));
    Ok(found.filter_map(of_guest).collect())
}

fn met(guest: &Guest, known: Vec<FileUsed>) -> UsesMet {
    let looked = known.len() as u64;
    let used = known.into_iter().filter(|file| !file.uses.is_empty());
    UsesMet {
        at: machine::now(),
        guest: guest.name.clone(),
        looked,
        used: used.collect(),
    }
}

/// Each guest once. One that is not where it was is left out, and so are those that are too many.
fn opened(written: &[FileWritten]) -> Vec<Guest> {
    let mut guests: Vec<Guest> = Vec::new();
    for one in written {
        let is_known = guests.iter().any(|guest| guest.name == one.guest);
        if !is_known && guests.len() < MOST_GUESTS {
            let guest: SysResult<Guest> = Guest::open(one.guest.clone(), &one.root);
            guests.extend(guest.ok());
        }
    }
    guests
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(number: u64, at: Instant) -> FileWritten {
        FileWritten {
            guest: GuestName::new("web").expect("a name"),
            root: "/".into(),
            path: GuestPath::new(b"/f").expect("a path"),
            inode: number,
            at,
        }
    }

    fn inodes(all: Option<Vec<FileWritten>>) -> Option<Vec<u64>> {
        all.map(|all| all.iter().map(|one| one.inode).collect())
    }

    #[test]
    fn looks_are_one_at_a_time_and_seldom() {
        let mut looks = UseLooks::new();
        let start = looks.not_before;
        let second = Duration::from_secs(1);
        assert_eq!(inodes(looks.next(start)), None);
        looks.add(written(1, start));
        looks.add(written(2, start));
        assert_eq!(inodes(looks.next(start)), None, "more may come");
        assert_eq!(inodes(looks.next(start + QUIET)), Some(vec![1, 2]));
        let later = start + 3 * second;
        looks.add(written(3, later));
        assert_eq!(inodes(looks.next(later + QUIET)), None, "one is under way");
        looks.end(second / 10, later + QUIET);
        assert_eq!(inodes(looks.next(later + second)), None, "it rests");
        looks.add(written(4, later + second));
        assert_eq!(inodes(looks.next(later + 2 * second)), Some(vec![3, 4]));
    }

    #[test]
    fn writes_without_end_do_not_put_off_a_look() {
        let mut looks = UseLooks::new();
        let start = looks.not_before;
        for number in 0..20 {
            let at = start + QUIET / 2 * number;
            looks.add(written(u64::from(number), at));
            let found = inodes(looks.next(at)).map(|all| all.len());
            assert_eq!(found.is_some(), at == start + QUIET / 2 * 14);
            if found.is_some() {
                return;
            }
        }
        panic!("it was put off");
    }

    #[test]
    fn what_waits_for_too_long_is_not_looked_at() {
        let mut looks = UseLooks::new();
        let start = looks.not_before;
        looks.add(written(1, start));
        looks.add(written(2, start + SOON));
        let late = start + SOON + QUIET;
        assert_eq!(inodes(looks.next(late)), Some(vec![2]));
    }

    #[test]
    fn few_wait_for_a_look_and_no_guest_keeps_out_others() {
        let mut looks = UseLooks::new();
        let start = looks.not_before;
        let of = |name: &str, number| FileWritten {
            guest: GuestName::new(name).expect("a name"),
            ..written(number, start)
        };
        (0..90).for_each(|number| looks.add(of("web", number)));
        looks.add(of("db", 90));
        for guest in 0..9 {
            (0..20).for_each(|number| looks.add(of(&format!("g{guest}"), number)));
        }
        let found = looks.next(start + QUIET).unwrap_or_default();
        assert_eq!(found.len(), MOST);
        let of = |name: &str| {
            found
                .iter()
                .filter(|one| one.guest.as_str() == name)
                .count()
        };
        assert_eq!((of("web"), of("db")), (MOST_OF_GUEST, 1));
    }
}
