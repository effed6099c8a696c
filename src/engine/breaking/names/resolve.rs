//! The files that get a copy: names that the base remembers, confirmed by the disk, and names that the guest has made
//! by itself, which the link count shows.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use super::known::KnownNames;
use super::moves::Moves;
use super::whose::{Cgroups, NameWritten};
use crate::engine::Guest;
use crate::engine::breaking::burst::Burst;
use crate::engine::breaking::decide::{FileOnObject, files_to_part};
use crate::engine::breaking::knowledge::{Knowledge, Searched};
use crate::model::{FileId, FileKind, FileState, GuestPath, ObjectId};
use crate::sys::SysResult;
use crate::sys::guard::WriteRequest;

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
}

/// All that a request is resolved with.
pub(in crate::engine::breaking) struct Resolver<'a, 'o> {
    pub knowledge: &'a Knowledge,
    pub searched: &'a HashMap<usize, Searched>,
    pub cgroups: &'a mut Cgroups,
    pub moves: &'a mut Moves,
    pub roots: &'a HashMap<FileId, usize>,
    pub burst: &'a mut Burst<'o>,
}

impl Resolver<'_, '_> {
    /// `since` is when the request came: what was searched later is new enough.
    pub fn resolve(
        &mut self,
        request: &WriteRequest,
        object: &ObjectId,
        state: &FileState,
        since: Instant,
    ) -> SysResult<WriteResolved> {
        let mut known = self.remembered(object, state.id)?;
        self.follow_moves(state.id, &mut known);
        self.add_found(object, state.id, &mut known);
        let written = match self.name_of(request, &known) {
            Some(written) => Some(written),
            None => self.find_written(request, state.id, &mut known),
        };
        let whose = self.cgroups.whose(request, written, self.roots);
        if let Some((guest, _)) = &whose
            && !is_all(state, &known)
        {
            self.look_nearby(*guest, state.id, &mut known);
        }
        let is_all = is_all(state, &known);
        let is_searched = |guest: &usize| {
            let searched = self.searched.get(guest);
            searched.is_some_and(|one| one.since >= since)
        };
        let Some((guest, written)) = whose else {
            // A process of the host, which writes to a name that a guest has made.
            let mut holders = known.holders().filter(|_| !is_all);
            let next = holders.find(|guest| !is_searched(guest));
            return Ok(next.map_or(WriteResolved::Nobody, WriteResolved::Search));
        };
        let (files, further) = known.of(guest);
        // Where there is one file, all further names are its.
        let is_clear = is_all || files.len() > 1 && written.is_some();
        if !is_clear && !is_searched(&guest) {
            // The names that are missing may be another guest's, which has moved some: once is enough for all.
            let others = known.lost.iter().map(|(at, _)| *at);
            let mut others = others.filter(|at| *at != guest && !self.searched.contains_key(at));
            return Ok(WriteResolved::Search(others.next().unwrap_or(guest)));
        }
        let files = files_to_part(files, further, written.as_ref());
        Ok(WriteResolved::Files(guest, files))
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
            for path in searched.names.get(object).into_iter().flatten() {
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
        let (at, name) = (0..self.knowledge.names.guests().len()).find_map(|number| {
            let (at, guest) = self.guest(number).filter(|(at, _)| *at == number)?;
            let directory = parent.place_beneath(&guest.root)?;
            let name = directory.join(&request.last_name).ok()?;
            let is_it = is_at(guest, &directory, parent.inode) && is_at(guest, &name, inode);
            is_it.then_some((at, name))
        })?;
        let lost = known.lost.iter().filter(|(guest, _)| *guest == at);
        for (_, old) in lost {
            self.moves.learn(at, old, &name);
        }
        known.add(at, name.clone());
        self.follow_moves(inode, known);
        Some((at, Some(name)))
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
