//! The walk. This and `seek` alone know walkdir.

use std::cmp::Ordering;

use walkdir::{DirEntry, Error, WalkDir};

use crate::model::{
    Event, FileKind, FileState, GuestPath, NameLimits, Observer, Scan, TooLarge, TreeBuilder,
    Unread,
};
use crate::sys::host::machine;
use crate::sys::{Dir, SysResult, View, from_entry, name_bytes};

/// Notices are sent once for so many names.
const NOTICE: u64 = 1024;

/// Walks a guest in byte order of the full paths, on one file system, following nothing.
pub fn scan(view: &View, observer: &dyn Observer) -> SysResult<Result<Scan, TooLarge>> {
    let device = view.dir().state()?.id.dev;
    let mut walk = TreeWalk {
        view,
        device,
        open: vec![view.dir().duplicate()?],
        builder: TreeBuilder::of_at_most(machine::most_names()),
        last: Vec::new(),
        ignored: None,
        unread: Vec::new(),
        foreign: Vec::new(),
        subvolumes: Vec::new(),
        has_subvolumes: None,
    };
    let mut entries = WalkDir::new(view.walk_root())
        // A private view has no other file system in it, except what says so of itself: that is not entered either.
        .same_file_system(!view.is_private())
        .sort_by(byte_order)
        .into_iter();
    let mut met = 0;
    while let Some(entry) = entries.next() {
        match walk.take(entry) {
            Ok(Onward::Descend) => {}
            Ok(Onward::Skip) => entries.skip_current_dir(),
            Err(too_large) => return Ok(Err(too_large)),
        }
        met += 1;
        if met % NOTICE == 0 {
            observer.notice(&Event::Advance(NOTICE));
        }
    }
    observer.notice(&Event::Advance(met % NOTICE));
    Ok(Ok(Scan {
        tree: walk.builder.finish(),
        unread: walk.unread,
        foreign: walk.foreign,
        subvolumes: walk.subvolumes,
    }))
}

/// `BTRFS_FIRST_FREE_OBJECTID`: the inode number of the root of every subvolume.
const SUBVOLUME_ROOT: u64 = 256;

/// So many directories are held open, from the root down; deeper ones are reached by their paths.
const OPEN: usize = 32;

struct TreeWalk<'a> {
    view: &'a View,
    device: u64,
    /// The directories down to where the walk is, as far as they could be opened.
    open: Vec<Dir>,
    builder: TreeBuilder,
    /// What was met last at each depth: its name, and whether it is a directory.
    last: Vec<(Vec<u8>, bool)>,
    /// What is deeper than this is ignored, up to the next entry that is not.
    ignored: Option<usize>,
    unread: Vec<Unread>,
    foreign: Vec<GuestPath>,
    subvolumes: Vec<GuestPath>,
    /// Can the file system of the guest have some? Asked once.
    has_subvolumes: Option<bool>,
}

/// Where the walk goes from an entry.
enum Onward {
    /// To what comes next, which for a directory is what it holds.
    Descend,
    /// Past the directory, which walkdir has opened. If said of anything else, it would lose the entry's
    /// siblings.
    Skip,
}

impl TreeWalk<'_> {
    fn take(&mut self, entry: Result<DirEntry, Error>) -> Result<Onward, TooLarge> {
        let depth = entry.as_ref().map_or_else(Error::depth, DirEntry::depth);
        if self.ignored.is_some_and(|top| depth > top) {
            return Ok(Onward::Descend);
        }
        self.ignored = None;
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.note_error(&error);
                return Ok(Onward::Descend);
            }
        };
        let kind = entry.file_type();
        if !kind.is_dir() && !kind.is_file() {
            return Ok(Onward::Descend);
        }
        if let Some((state, limits)) = self.glance(&entry) {
            return self.place(&entry, state, limits);
        }
        match from_entry(|| entry.metadata()) {
            Ok(state) => self.place(&entry, state, None),
            Err(error) => {
                self.note_error(&error);
                Ok(self.past(&entry))
            }
        }
    }

    /// Goes past an entry, and all that is in it. walkdir has opened each directory of a private view; in others
    /// it looks for itself where another file system begins, and what it finds beneath is ignored.
    fn past(&mut self, entry: &DirEntry) -> Onward {
        if !entry.file_type().is_dir() {
            return Onward::Descend;
        }
        if self.view.is_private() {
            return Onward::Skip;
        }
        self.ignored = Some(entry.depth());
        Onward::Descend
    }

    /// Its state, by the directory that it is in: one short call. `None` where the path must do. For a directory
    /// that is held open, the answer also says what limits its names.
    fn glance(&mut self, entry: &DirEntry) -> Option<(FileState, Option<NameLimits>)> {
        let told = |(state, limits)| (state, Some(limits));
        let Some(above) = entry.depth().checked_sub(1) else {
            // The handle of a view opens nothing, and is asked nothing but its state.
            let root = self.view.dir().open_dir(b".").ok()?;
            return root.state_and_limits().ok().map(told);
        };
        self.open.truncate(entry.depth());
        let name = last_component(entry);
        let dir = self.open.get(above)?;
        if !entry.file_type().is_dir() || entry.depth() >= OPEN {
            return Some((dir.glance(name).ok()?, None));
        }
        let opened = dir.open_dir(name).ok()?;
        let seen = opened.state_and_limits().ok()?;
        self.open.push(opened);
        Some(told(seen))
    }

    /// What limits the names of this directory? What cannot be asked is not known to.
    fn limits(&self, entry: &DirEntry) -> NameLimits {
        let Ok(path) = self.view.guest_path(entry.path()) else {
            return NameLimits::default();
        };
        let relative = match path.relative() {
            b"" => b".",
            beneath => beneath,
        };
        let opened = self.view.dir().open_dir(relative);
        let seen = opened.and_then(|dir| dir.state_and_limits());
        seen.map(|(_, limits)| limits).unwrap_or_default()
    }

    fn place(
        &mut self,
        entry: &DirEntry,
        state: FileState,
        limits: Option<NameLimits>,
    ) -> Result<Onward, TooLarge> {
        if state.id.dev != self.device {
            let beyond = match self.is_subvolume(entry, &state) {
                true => &mut self.subvolumes,
                false => &mut self.foreign,
            };
            beyond.extend(self.view.guest_path(entry.path()).ok());
            return Ok(self.past(entry));
        }
        // A guest at work: what walkdir lists of the directory that was here has no place in the tree.
        let replaced = entry.file_type().is_dir() && state.kind != FileKind::Directory;
        if replaced || self.is_repeated(entry) {
            return Ok(self.past(entry));
        }
        let name = last_component(entry);
        match state.kind {
            FileKind::Directory => {
                self.builder.enter(entry.depth(), name)?;
                let limits = limits.unwrap_or_else(|| self.limits(entry));
                self.builder.limit(limits);
            }
            FileKind::Regular => self.builder.meet(entry.depth(), name, state)?,
            // It was something else when its directory was read: a guest at work. The next plan sees what it is.
            FileKind::Symlink | FileKind::Special => {}
        }
        Ok(Onward::Descend)
    }

    /// Does a subvolume begin there, and no file system that is mounted? btrfs gives each device numbers of its own,
    /// and its root always one inode; the mount says what it belongs to.
    fn is_subvolume(&mut self, entry: &DirEntry, state: &FileState) -> bool {
        let root = self.view.dir();
        let asked = || machine::filesystem(root).is_ok_and(|it| it.has_subvolumes());
        let may_have = *self.has_subvolumes.get_or_insert_with(asked);
        if !may_have || state.kind != FileKind::Directory || state.id.ino != SUBVOLUME_ROOT {
            return false;
        }
        let Ok(path) = self.view.guest_path(entry.path()) else {
            return false;
        };
        let opened = root.open_dir(path.relative());
        opened
            .is_ok_and(|dir| matches!((dir.mount_id(), root.mount_id()), (Ok(a), Ok(b)) if a == b))
    }

    /// Was it met just now? A directory that changes while it is listed may show a name twice, and a damaged one
    /// always; their order puts both next to each other. Taken twice, the names would not rise any more.
    fn is_repeated(&mut self, entry: &DirEntry) -> bool {
        let (depth, is_dir) = (entry.depth(), entry.file_type().is_dir());
        self.last.truncate(depth + 1);
        self.last.resize_with(depth + 1, Default::default);
        let Some((name, was_dir)) = self.last.last_mut() else {
            return false;
        };
        let met = last_component(entry);
        let repeated = name == met && *was_dir == is_dir;
        name.clear();
        name.extend_from_slice(met);
        *was_dir = is_dir;
        repeated
    }

    fn note_error(&mut self, error: &Error) {
        let path = error
            .path()
            .and_then(|path| self.view.guest_path(path).ok())
            .unwrap_or_else(GuestPath::root);
        let why = error.io_error().map_or_else(
            || "a directory contains itself".to_owned(),
            ToString::to_string,
        );
        self.unread.push(Unread {
            path,
            why: why
                .split(" (os error")
                .next()
                .unwrap_or_default()
                .to_owned(),
        });
    }
}

/// Siblings in the order that their full paths have: a directory's name counts with its slash.
fn byte_order(a: &DirEntry, b: &DirEntry) -> Ordering {
    let (path_a, path_b) = (path_bytes(a), path_bytes(b));
    let common = path_a.len().min(path_b.len());
    let rest = |entry: &DirEntry, path: &[u8]| {
        let slash = entry.file_type().is_dir().then_some(b'/');
        path.get(common).copied().or(slash)
    };
    let beginnings = path_a[..common].cmp(&path_b[..common]);
    beginnings.then_with(|| rest(a, path_a).cmp(&rest(b, path_b)))
}

/// The last component, as its directory spells it.
fn last_component(entry: &DirEntry) -> &[u8] {
    let path = path_bytes(entry);
    let slash = path.iter().rposition(|&byte| byte == b'/');
    slash.map_or(path, |slash| &path[slash + 1..])
}

fn path_bytes(entry: &DirEntry) -> &[u8] {
    name_bytes(entry.path().as_os_str())
}
