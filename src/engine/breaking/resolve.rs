//! From a request to the files that get a copy: names that the base remembers, confirmed by the disk, and names that
//! the guest has made by itself, which the link count shows and a search finds.

use std::collections::HashMap;

use super::burst::Burst;
use super::decide::{FileOnObject, files_to_part};
use super::knowledge::{Knowledge, Searched};
use super::whose::{Cgroups, NameWritten};
use crate::model::{FileId, FileState, GuestPath, ObjectId};
use crate::sys::guard::WriteRequest;

/// What a request comes to.
pub(super) enum WriteResolved {
    /// No guest is behind it.
    Nobody,
    /// This guest's files, which may be none.
    Files(usize, Vec<FileOnObject>),
    /// This guest has names that nobody knows, and is to be searched first.
    Search(usize),
}

/// All that a request is resolved with.
pub(super) struct Resolver<'a, 'o> {
    pub knowledge: &'a Knowledge,
    pub searched: &'a HashMap<usize, Searched>,
    pub cgroups: &'a mut Cgroups,
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
        since: std::time::Instant,
    ) -> crate::sys::SysResult<WriteResolved> {
        let remembered = self.remembered(object, state.id)?;
        let names = |(guest, file): &(usize, FileOnObject)| {
            let names = file.names.iter().map(|name| (*guest, name.clone()));
            names.collect::<Vec<_>>()
        };
        let mut all: Vec<(usize, GuestPath)> = remembered.iter().flat_map(names).collect();
        all.extend(self.found(object, state.id, &remembered));
        let known = self.name_of(request, &all);
        // The base's own name is one, and nothing is in flight in our turn.
        let is_all = u64::from(state.nlink) <= 1 + all.len() as u64;
        let is_searched = |guest: &usize| {
            let searched = self.searched.get(guest);
            searched.is_some_and(|one| one.since >= since)
        };
        let Some((guest, written)) = self.cgroups.whose(request, known, self.roots) else {
            // A process of the host, which writes to a name that a guest has made.
            let files = self.knowledge.names.files(object)?;
            let mut holders = files.iter().map(|file| file.guest).filter(|_| !is_all);
            let next = holders.find(|guest| !is_searched(guest));
            return Ok(next.map_or(WriteResolved::Nobody, WriteResolved::Search));
        };
        let is_new = is_searched(&guest);
        let files = remembered.into_iter().filter(|(at, _)| *at == guest);
        let files: Vec<FileOnObject> = files.map(|(_, file)| file).collect();
        let is_there = |name: &GuestPath| files.iter().any(|file| file.names.contains(name));
        let further = all
            .iter()
            .filter(|(at, name)| *at == guest && !is_there(name));
        let further: Vec<GuestPath> = further.map(|(_, name)| name.clone()).collect();
        // Where there is one file, all further names are its.
        let is_clear = is_all || files.len() > 1 && written.is_some();
        if !is_clear && !is_new {
            return Ok(WriteResolved::Search(guest));
        }
        let files = files_to_part(files, further, written.as_ref());
        Ok(WriteResolved::Files(guest, files))
    }

    /// Names that the base remembers and that refer to the object.
    fn remembered(
        &mut self,
        object: &ObjectId,
        inode: FileId,
    ) -> crate::sys::SysResult<Vec<(usize, FileOnObject)>> {
        let names = &self.knowledge.names;
        let mut files = Vec::new();
        for file in names.files(object)? {
            let Some(guest) = self.burst.guest(names, file.guest) else {
                continue;
            };
            let refers = |path: &&GuestPath| {
                let now = guest.root.look(path.relative());
                now.is_ok_and(|now| now.id == inode)
            };
            let refer: Vec<GuestPath> = file.paths.iter().filter(refers).cloned().collect();
            if !refer.is_empty() {
                let mtime = file.mtime();
                let names = refer;
                files.push((file.guest, FileOnObject { names, mtime }));
            }
        }
        Ok(files)
    }

    /// Names that searches found besides, as far as they refer to it still.
    fn found(
        &mut self,
        object: &ObjectId,
        inode: FileId,
        remembered: &[(usize, FileOnObject)],
    ) -> Vec<(usize, GuestPath)> {
        let mut found = Vec::new();
        for (at, searched) in self.searched {
            let Some(guest) = self.burst.guest(&self.knowledge.names, *at) else {
                continue;
            };
            let is_known = |path: &GuestPath| {
                let mut its = remembered.iter().filter(|(guest, _)| guest == at);
                its.any(|(_, file)| file.names.contains(path))
            };
            let names = searched.names.get(object).into_iter().flatten();
            let names = names.filter(|path| {
                let now = guest.root.look(path.relative());
                now.is_ok_and(|now| now.id == inode) && !is_known(path)
            });
            found.extend(names.map(|path| (*at, path.clone())));
        }
        found
    }

    /// The name that is written to, by its directory.
    fn name_of(
        &mut self,
        request: &WriteRequest,
        all: &[(usize, GuestPath)],
    ) -> Option<NameWritten> {
        let parent = request.parent?;
        let same = all
            .iter()
            .filter(|(_, name)| name.file_name() == request.last_name);
        for (at, name) in same {
            let guest = self.burst.guest(&self.knowledge.names, *at)?;
            let directory = guest.root.look(name.parent().relative());
            if directory.is_ok_and(|directory| directory.id == parent) {
                return Some((*at, Some(name.clone())));
            }
        }
        None
    }
}
