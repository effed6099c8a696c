//! The files that get a copy: names that the base remembers, confirmed by the disk, and names that the guest has made
//! by itself, which the link count shows.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::directories::Directories;
use super::known::{KnownNames, NameLost, NameSeen};
use super::moves::Moves;
use super::searched::Searched;
use super::whose::{Cgroups, NameWritten};
use crate::engine::Guest;
use crate::engine::breaking::burst::Burst;
use crate::engine::breaking::decide::{FileOnObject, files_to_part};
use crate::engine::breaking::knowledge::Knowledge;
use crate::engine::breaking::request::WriterAsked;
use crate::model::{FileId, FileKind, FileState, GuestPath, ObjectId};
use crate::sys::guard::{InodeMark, WriteRequest};
use crate::sys::host::machine;
use crate::sys::{Dir, SysResult};

/// So many entries of directories are looked at beside the known names: a writer waits for it, and others behind it.
const MOST_NEARBY: usize = 4096;

/// So often, and after so long each, so many names that were not there are looked at again.
const MOST_LOOKS: usize = 8;
const BETWEEN_LOOKS: Duration = Duration::from_micros(300);
const MOST_LOST: usize = 16;

/// What a request comes to.
pub(in crate::engine::breaking) enum WriteResolved {
    /// No guest is behind it.
    Nobody,
    /// This guest's files, which may be none. `by_record`: that names are one file is known of the record alone, or it
    /// would know more than one if it were newer.
    Files {
        guest: usize,
        files: Vec<FileOnObject>,
        by_record: bool,
    },
    /// This guest has names that nobody knows, and is to be searched first.
    Search(usize),
    /// It has such names, and cannot be searched: why.
    Unsearchable(String),
}

/// All that a request is resolved with.
pub(in crate::engine::breaking) struct Resolver<'a, 'o> {
    /// The base's directory.
    pub base: &'a Dir,
    pub knowledge: &'a Knowledge,
    pub searched: &'a HashMap<usize, Searched>,
    pub cgroups: &'a mut Cgroups,
    pub moves: &'a mut Moves,
    pub directories: &'a mut Directories,
    pub roots: &'a HashMap<FileId, usize>,
    pub burst: &'a mut Burst<'o>,
}

impl<'a> Resolver<'a, '_> {
    /// What was searched since the request came is new enough.
    pub fn resolve(
        &mut self,
        asked: &WriterAsked,
        object: &ObjectId,
        state: &FileState,
    ) -> SysResult<WriteResolved> {
        let (request, since) = (&asked.request, asked.since);
        let mut known = self.remembered(object, state.id)?;
        self.follow_moves(state.id, &mut known);
        let written = match self.name_of(request, &known) {
            Some(written) => Some(written),
            None => self.find_written(request, state.id, &mut known),
        };
        let mut whose = self.cgroups.whose(asked, written, self.roots);
        match &whose {
            None => whose = self.written_of_found(request, object, state.id, &mut known),
            Some((guest, _)) if !is_all(state, &known) => {
                self.add_found(*guest, object, state.id, &mut known);
            }
            Some(_) => {}
        }
        if let Some((guest, _)) = &whose
            && !is_all(state, &known)
        {
            self.look_nearby(*guest, state.id, &mut known);
            self.look_again(*guest, state, &mut known);
        }
        let is_all = is_all(state, &known);
        let Some((guest, written)) = whose else {
            // A process of the host, which writes to a name that a guest has made.
            let mut holders = known.holders().filter(|_| !is_all);
            let next = holders.find(|guest| self.search(*guest, object, state, since).is_none());
            return Ok(next.map_or(WriteResolved::Nobody, WriteResolved::Search));
        };
        let (files, further) = known.of(guest);
        // Where there is one file, all further names are its.
        let is_clear = is_all || files.len() > 1 && written.is_some();
        if !is_clear {
            // Names that are missing still are another guest's then, and do not matter.
            match self
                .search(guest, object, state, since)
                .map(Searched::failed)
            {
                None => return Ok(WriteResolved::Search(guest)),
                Some(Some(why)) => return Ok(WriteResolved::Unsearchable(why.to_owned())),
                Some(None) => {}
            }
        }
        let has_further = !further.is_empty();
        let files = files_to_part(files, further, written.as_ref());
        let by_record = has_further || files.iter().any(|file| file.names.len() > 1);
        Ok(WriteResolved::Files {
            guest,
            files,
            by_record,
        })
    }

    /// A search that is new enough to have found all names of the object that the guest has; or it failed.
    fn search(
        &mut self,
        guest: usize,
        object: &ObjectId,
        state: &FileState,
        since: Instant,
    ) -> Option<&'a Searched> {
        let searched: &'a HashMap<usize, Searched> = self.searched;
        let found = searched.get(&guest).filter(|found| found.is_of(object))?;
        if found.is_since(since) {
            return Some(found);
        }
        // A name that was moved with a directory dates nothing.
        let (_, root) = self.guest(guest)?;
        let mut names = found.names(object);
        let is_new = found.is_of_now(state.ctime, machine::seconds())
            && names.all(|name| is_at(root, name, state.id));
        is_new.then_some(found)
    }

    /// A guest by its number, and the number under which its root is known here.
    fn guest(&mut self, at: usize) -> Option<(usize, &Guest)> {
        let guest = self.burst.guest(&self.knowledge.names, at)?;
        let number = self.roots.get(&guest.id).copied().unwrap_or(at);
        Some((number, guest))
    }

    /// Names that the base remembers.
    fn remembered(&mut self, object: &ObjectId, inode: FileId) -> SysResult<KnownNames> {
        let mut known = KnownNames::default();
        for file in self.knowledge.names.files(object)? {
            let mtime = file.mtime();
            let Some((at, _)) = self.guest(file.guest) else {
                continue;
            };
            let refers = |path: &GuestPath| self.sees(at, path, inode);
            let (names, lost): (Vec<_>, _) = file.paths.into_iter().partition(refers);
            let names = names.into_iter().map(|name| self.seen(at, name)).collect();
            known.add_file((at, mtime), names, lost);
        }
        Ok(known)
    }

    fn seen(&self, guest: usize, name: GuestPath) -> NameSeen {
        NameSeen {
            guest,
            directory: self.directories.of(guest, &name),
            name,
        }
    }

    /// Remembered names that moved with their directories: each is its file's still.
    fn follow_moves(&mut self, inode: FileId, known: &mut KnownNames) {
        let mut moved = Vec::new();
        for lost in known.lost() {
            let places = match self.follow(lost.guest, &lost.name, inode) {
                Some(place) => vec![place],
                None => self.places_of(lost, inode),
            };
            let places = places.into_iter();
            moved.extend(places.map(|place| (lost.clone(), self.seen(lost.guest, place))));
        }
        known.add_moved(moved);
    }

    /// Where it is by the moves that were learned, as the disk confirms.
    fn places_of(&mut self, lost: &NameLost, inode: FileId) -> Vec<GuestPath> {
        let mut places: Vec<GuestPath> = self.moves.places(lost.guest, &lost.name).collect();
        places.retain(|place| self.sees(lost.guest, place, inode));
        places
    }

    /// Where a name is now whose directory was seen.
    fn follow(&mut self, at: usize, old: &GuestPath, inode: FileId) -> Option<GuestPath> {
        let directory = self.directories.of(at, old)?;
        let (_, guest) = self.guest(at)?;
        let place = name_in(&directory, guest, old.file_name(), inode)?;
        self.directories.learn(at, place.parent(), directory);
        Some(place)
    }

    /// Does the name refer to this inode? If so its directory is known from now on.
    fn sees(&mut self, at: usize, name: &GuestPath, inode: FileId) -> bool {
        let seen = self
            .guest(at)
            .and_then(|(_, guest)| directory_of(guest, name, inode));
        if let Some(directory) = seen {
            self.directories.learn(at, name.parent(), directory);
        }
        seen.is_some()
    }

    /// The name that is written to, of those that were found in any guest that holds the object: where nothing else
    /// tells whose write it is.
    fn written_of_found(
        &mut self,
        request: &WriteRequest,
        object: &ObjectId,
        inode: FileId,
        known: &mut KnownNames,
    ) -> Option<NameWritten> {
        let holders: BTreeSet<usize> = known.holders().collect();
        for at in holders {
            self.add_found(at, object, inode, known);
        }
        self.name_of(request, known)
    }

    /// Names that a search through this guest found besides, as far as they refer to it still.
    fn add_found(&mut self, at: usize, object: &ObjectId, inode: FileId, known: &mut KnownNames) {
        let searched: &'a HashMap<usize, Searched> = self.searched;
        let Some(found) = searched.get(&at) else {
            return;
        };
        for path in found.names(object) {
            if self.sees(at, path, inode) {
                known.add(self.seen(at, path.clone()));
            } else if let Some(place) = self.follow(at, path, inode) {
                known.add(self.seen(at, place));
            }
        }
    }

    /// The name that is written to, by its directory: one of those that are known.
    fn name_of(&self, request: &WriteRequest, known: &KnownNames) -> Option<NameWritten> {
        let parent = request.parent?.inode;
        let mut same = known
            .all()
            .filter(|(_, name)| name.file_name() == request.last_name);
        same.find_map(|(at, name)| {
            let directory = self.directories.of(at, name)?;
            (directory.inode == parent).then(|| (at, Some(name.clone())))
        })
    }

    /// The name that is written to, which is not known: the file system tells where its directory is. What is learned
    /// by it shows where others have gone.
    fn find_written(
        &mut self,
        request: &WriteRequest,
        inode: FileId,
        known: &mut KnownNames,
    ) -> Option<NameWritten> {
        let parent = request.parent?;
        let written = |guest: &Guest| name_in(&parent, guest, &request.last_name, inode);
        let above = self.guests_above(&parent);
        let (at, name) = match above.is_empty() {
            false => above.into_iter().find_map(|number| {
                let (at, guest) = self.guest(number)?;
                Some((at, written(guest)?))
            }),
            true => self.find_elsewhere(written),
        }?;
        let lost = known.lost().iter().filter(|lost| lost.guest == at);
        for lost in lost {
            self.moves.learn(at, &lost.name, &name);
        }
        self.directories.learn(at, name.parent(), parent);
        known.add(self.seen(at, name.clone()));
        self.follow_moves(inode, known);
        Some((at, Some(name)))
    }

    /// The guests that the record has above the directory, as the base's own mount shows it.
    fn guests_above(&self, directory: &InodeMark) -> Vec<usize> {
        let Some(place) = directory.place(self.base) else {
            return Vec::new();
        };
        let guests = self.knowledge.names.guests().iter().enumerate();
        let above = guests.filter(|(_, (_, root))| place.starts_with(root));
        above.map(|(number, _)| number).collect()
    }

    /// The same among all guests, which may be seen by other mounts. None is kept open: there may be many.
    fn find_elsewhere(
        &self,
        written: impl Fn(&Guest) -> Option<GuestPath>,
    ) -> Option<(usize, GuestPath)> {
        self.knowledge
            .names
            .guests()
            .iter()
            .find_map(|(name, root)| {
                let guest = Guest::open(name.clone(), root).ok()?;
                let number = self.roots.get(&guest.id).copied()?;
                Some((number, written(&guest)?))
            })
    }

    /// Names beside those that are known of this guest.
    fn look_nearby(&mut self, at: usize, inode: FileId, known: &mut KnownNames) {
        let names = known.all().filter(|(guest, _)| *guest == at);
        let seen =
            names.filter_map(|(_, name)| Some((name.parent(), self.directories.of(at, name)?)));
        let seen: HashMap<GuestPath, InodeMark> = seen.collect();
        let mut left = MOST_NEARBY;
        for (directory, mark) in seen {
            let Some((_, guest)) = self.guest(at) else {
                return;
            };
            let open = mark.dir_beneath(&guest.root, &directory);
            let listed = open.and_then(|dir| Some((dir.some_entries(left).ok()?, dir)));
            let Some((entries, dir)) = listed else {
                continue;
            };
            left -= entries.len();
            for (name, kind) in entries {
                let is_it = || dir.glance(&name).is_ok_and(|state| state.id == inode);
                if kind == FileKind::Regular
                    && is_it()
                    && dir.look(&name).is_ok_and(|state| state.id == inode)
                    && let Ok(path) = directory.join(&name)
                {
                    known.add(self.seen(at, path));
                }
            }
        }
    }

    /// Names of the record that are missing still may lie in a directory that is renamed to and fro, and was away when
    /// it was looked there: a search would miss it as well.
    fn look_again(&mut self, at: usize, state: &FileState, known: &mut KnownNames) {
        let lost = known.lost().iter().filter(|lost| lost.guest == at);
        let lost: Vec<NameLost> = lost.take(MOST_LOST).cloned().collect();
        for _ in 0..MOST_LOOKS {
            if is_all(state, known) || lost.is_empty() {
                return;
            }
            std::thread::sleep(BETWEEN_LOOKS);
            for lost in &lost {
                if self.sees(at, &lost.name, state.id) {
                    let seen = self.seen(at, lost.name.clone());
                    known.add_moved(vec![(lost.clone(), seen)]);
                }
            }
        }
    }
}

/// The directory of this name, where the name refers to this inode.
fn directory_of(guest: &Guest, name: &GuestPath, inode: FileId) -> Option<InodeMark> {
    let dir = guest.root.open_dir(name.parent().relative()).ok()?;
    let refers = dir.look(name.file_name()).is_ok_and(|now| now.id == inode);
    refers.then(|| InodeMark::of_dir(&dir).ok())?
}

/// The path of this name in that directory, where it refers to this inode and lies beneath the guest's root. It is
/// looked for in the directory itself, which may be renamed between two looks at its path.
fn name_in(directory: &InodeMark, guest: &Guest, name: &[u8], inode: FileId) -> Option<GuestPath> {
    let (dir, place) = directory.open_beneath(&guest.root)?;
    let refers = dir.look(name).is_ok_and(|now| now.id == inode);
    refers.then(|| place.join(name).ok())?
}

/// Does the name refer to this inode?
fn is_at(guest: &Guest, path: &GuestPath, inode: FileId) -> bool {
    match path.is_root() {
        true => guest.id == inode,
        false => (guest.root.look(path.relative())).is_ok_and(|now| now.id == inode),
    }
}

/// Are all of its names known? The base's own is one, and nothing is in flight in our turn.
fn is_all(state: &FileState, known: &KnownNames) -> bool {
    u64::from(state.nlink) <= 1 + known.count() as u64
}
