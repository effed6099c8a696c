//! Is a directory the root of a guest, or are there better ones in it? `/var/lib/lxc/web1` has `rootfs`, and a
//! directory of guests has them all.

use std::path::{Path, PathBuf};

use crate::discover::root_of_container;
use crate::model::FileKind;
use crate::rules::root::{Entry, RootLooks, is_of_a_root, is_telling, lacks, looks, packed_layout};
use crate::sys::{Dir, HostMounts, Meaning, path_of};

/// So many names of what was given are looked at, and of each directory in it.
const MOST_NAMES: usize = 1 << 16;
const MOST_INNER: usize = 4096;

/// So many directories are looked into, and so deep: `/var/lib/docker` has roots in `overlay2/ID/diff`.
const MOST_LOOKS: usize = 512;
const DEEPEST: usize = 4;

/// What a directory that was given as a guest is.
#[derive(Debug)]
pub(super) enum AtTheDoor {
    /// A root.
    Root,
    /// Not like one, and nothing in it is more like one.
    Unlikely,
    /// An image that is to be unpacked.
    Packed(&'static str),
    /// Not like one, and these in it are.
    Above { lacks: String, roots: Vec<PathBuf> },
}

/// Looks at what is in the directory, and where that is no root, for roots beneath it. What cannot be read is for the
/// scan to tell.
pub(super) fn judge(dir: &Dir) -> AtTheDoor {
    let Ok(entries) = dir.some_entries(MOST_NAMES) else {
        return AtTheDoor::Root;
    };
    let deepest = match looks(&entries) {
        RootLooks::Fully => return AtTheDoor::Root,
        // What a root of a few files holds may be anything: only what is right in it is compared.
        RootLooks::Partly => 1,
        RootLooks::NotAtAll => DEEPEST,
    };
    let mut search = Search {
        top: dir,
        left: MOST_LOOKS,
        mounts: None,
    };
    let roots = match named_by_its_manager(dir.path()) {
        Some(root) => vec![root],
        None => search.nearest(&entries, deepest),
    };
    if !roots.is_empty() {
        let lacks = lacks(&entries);
        return AtTheDoor::Above { lacks, roots };
    }
    match (packed_layout(&entries), deepest) {
        (Some(layout), DEEPEST) => AtTheDoor::Packed(layout),
        (_, DEEPEST) => AtTheDoor::Unlikely,
        _ => AtTheDoor::Root,
    }
}

/// The directory of a container says where its root is, wherever that lies.
fn named_by_its_manager(directory: &Path) -> Option<PathBuf> {
    let root = root_of_container(directory)?;
    let is_there = Dir::open(&root).is_ok() && root != directory;
    let beneath = root.strip_prefix(directory).map(Path::to_owned);
    is_there.then(|| beneath.unwrap_or(root))
}

struct Search<'a> {
    top: &'a Dir,
    /// Directories that may still be looked into.
    left: usize,
    mounts: Option<HostMounts>,
}

/// A directory by its path from the top, and what is in it.
type Level = Vec<(Vec<u8>, Vec<Entry>)>;

impl Search<'_> {
    /// The roots of the least depth, in the order of their paths.
    fn nearest(&mut self, entries: &[Entry], deepest: usize) -> Vec<PathBuf> {
        let mut level: Level = vec![(Vec::new(), entries.to_vec())];
        for _ in 0..deepest {
            let (roots, next) = self.beneath(&level);
            if !roots.is_empty() {
                return roots;
            }
            level = next;
        }
        Vec::new()
    }

    fn beneath(&mut self, level: &Level) -> (Vec<PathBuf>, Level) {
        let (mut roots, mut next) = (Vec::new(), Vec::new());
        for (above, entries) in level {
            let mut names: Vec<&Entry> = entries.iter().filter(|one| may_hold(one)).collect();
            names.sort_by(|one, other| one.0.cmp(&other.0));
            for (name, kind) in names {
                let path = joined(above, name);
                if *kind == FileKind::Symlink {
                    roots.push(path_of(&path));
                    continue;
                }
                let Some(inner) = self.look(&path) else {
                    continue;
                };
                match looks(&inner) {
                    RootLooks::Fully => roots.push(path_of(&path)),
                    RootLooks::Partly if is_telling(name) => roots.push(path_of(&path)),
                    _ => next.push((path, only_directories(inner))),
                }
            }
        }
        (roots, next)
    }

    /// What is in a directory beneath the top; also where something local is mounted on it.
    fn look(&mut self, path: &[u8]) -> Option<Vec<Entry>> {
        self.left = self.left.checked_sub(1)?;
        let dir = match self.top.open_dir(path) {
            Err(error) if error.meaning() == Meaning::OtherFilesystem => self.mounted(path)?,
            other => other.ok()?,
        };
        dir.some_entries(MOST_INNER).ok()
    }

    fn mounted(&mut self, path: &[u8]) -> Option<Dir> {
        if self.mounts.is_none() {
            self.mounts = HostMounts::read().ok();
        }
        let path = self.top.path().join(path_of(path));
        let is_local = self.mounts.as_ref()?.is_local(&path);
        is_local.then(|| Dir::open(&path).ok())?
    }
}

/// May a root be there, or beneath? A link is one where it is called so. What a root has of itself says nothing of what
/// it is in.
fn may_hold((name, kind): &Entry) -> bool {
    match kind {
        FileKind::Symlink => name == b"rootfs",
        FileKind::Directory => name != b".unify" && (!is_of_a_root(name) || is_telling(name)),
        _ => false,
    }
}

fn only_directories(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.retain(may_hold);
    entries
}

fn joined(above: &[u8], name: &[u8]) -> Vec<u8> {
    match above {
        b"" => name.to_vec(),
        above => [above, b"/", name].concat(),
    }
}
