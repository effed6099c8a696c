//! The files that get a copy: names that the base remembers, confirmed by the disk, and names that the guest has made
//! by itself, which the link count shows.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::known::KnownNames;
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

/// What a request comes to.
pub(in crate::engine::breaking) enum WriteResolved {
    /// No guest is behind it.
    Nobody,
    /// This guest's files, which may be none.
    Files(usize, Vec<FileOnObject>),
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
        self.add_found(object, state.id, &mut known);
        let written = match self.name_of(request, &known) {
            Some(written) => Some(written),
            None => self.find_written(request, state.id, &mut known),
        };
        let whose = self.cgroups.whose(asked, written, self.roots);
        if let Some((guest, _)) = &whose
            && !is_all(state, &known)
        {
            self.look_nearby(*guest, state.id, &mut known);
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
        let files = files_to_part(files, further, written.as_ref());
        Ok(WriteResolved::Files(guest, files))
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
        let found = searched.get(&guest)?;
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
            let Some((at, guest)) = self.guest(file.guest) else {
                continue;
            };
            let refers = |path: &GuestPath| is_at(guest, path, inode);
            let (names, lost) = file.paths.into_iter().partition(refers);
            known.add_file(at, FileOnObject { names, mtime }, lost);
        }
        Ok(known)
    }

    /// Remembered names that moved with their directories.
    fn follow_moves(&mut self, inode: FileId, known: &mut KnownNames) {
        for (at, old) in known.lost.clone() {
            let places: Vec<GuestPath> = self.moves.places(at, &old).collect();
            let Some((_, guest)) = self.guest(at) else {
                continue;
            };
            let refers = |place: &GuestPath| is_at(guest, place, inode);
            for place in places.into_iter().filter(refers) {
                known.add(at, place);
            }
        }
    }

    /// Names that searches found besides, as far as they refer to it still.
    fn add_found(&mut self, object: &ObjectId, inode: FileId, known: &mut KnownNames) {
        for (at, searched) in self.searched {
            let Some((number, guest)) = self.guest(*at) else {
                continue;
            };
            for path in searched.names(object) {
                if is_at(guest, path, inode) {
                    known.add(number, path.clone());
                }
            }
        }
    }

    /// The name that is written to, by its directory: one of those that are known.
    fn name_of(&mut self, request: &WriteRequest, known: &KnownNames) -> Option<NameWritten> {
        let parent = request.parent?.inode;
        let mut same = known
            .all()
            .filter(|(_, name)| name.file_name() == request.last_name);
        same.find_map(|(at, name)| {
            let (_, guest) = self.guest(at)?;
            is_at(guest, &name.parent(), parent).then(|| (at, Some(name.clone())))
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
        let written = |guest: &Guest| {
            let directory = parent.place_beneath(&guest.root)?;
            let name = directory.join(&request.last_name).ok()?;
            let is_it = is_at(guest, &directory, parent.inode) && is_at(guest, &name, inode);
            is_it.then_some(name)
        };
        let above = self.guests_above(&parent);
        let (at, name) = match above.is_empty() {
            false => above.into_iter().find_map(|number| {
                let (at, guest) = self.guest(number)?;
                Some((at, written(guest)?))
            }),
            true => self.find_elsewhere(written),
        }?;
        let lost = known.lost.iter().filter(|(guest, _)| *guest == at);
        for (_, old) in lost {
            self.moves.learn(at, old, &name);
        }
        known.add(at, name.clone());
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
        let directories: HashSet<GuestPath> = names.map(|(_, name)| name.parent()).collect();
        let Some((_, guest)) = self.guest(at) else {
            return;
        };
        let mut left = MOST_NEARBY;
        for directory in directories {
            let open = guest.root.open_dir(directory.relative());
            let listed = open.and_then(|dir| Ok((dir.some_entries(left)?, dir)));
            let Ok((entries, dir)) = listed else {
                continue;
            };
            left -= entries.len();
            for (name, kind) in entries {
                let is_it = || dir.glance(&name).is_ok_and(|state| state.id == inode);
                if kind == FileKind::Regular
                    && is_it()
                    && let Ok(path) = directory.join(&name)
                    && is_at(guest, &path, inode)
                {
                    known.add(at, path);
                }
            }
        }
    }
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
    u64::from(state.nlink) <= 1 + known.all().count() as u64
}
