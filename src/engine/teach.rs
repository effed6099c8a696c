//! Names that refer to an object already and that the base does not remember: those of a guest that was moved or
//! renamed, or that was brought here with its names. The plan points at them, the disk confirms them, and the
//! receipt teaches them to the base. Nothing of a guest is changed.

use std::collections::HashMap;

use serde::Serialize;

use super::history::History;
use super::holding::Holding;
use super::receipts::ReceiptFile;
use super::table::{ObjectKey, Table, key_of};
use super::{EngineError, Guest};
use crate::base::Base;
use crate::model::{GuestName, GuestPath, ObjectId, Outcome, ReceiptLine, Skip};
use crate::sys::{SysError, SysResult};

pub(super) struct Teacher<'a> {
    base: &'a Base,
    guests: HashMap<GuestName, usize>,
    /// What is remembered when the run begins, and taught since.
    table: Table,
}

#[derive(Serialize)]
enum Key<'a> {
    /// Nothing: the name in the directory with this device and inode is remembered.
    Known((u64, u64), ObjectKey, &'a GuestPath),
    /// The guest, and all names of a file by its first: of guests whose roots are gone. They belong together wherever
    /// it is now.
    Lost(ObjectKey, &'a GuestPath),
    /// The first name of such a file, by another.
    LostFirst(ObjectKey, &'a GuestPath),
}

/// A guest, and names of one of its files.
type LostFile = (GuestName, Vec<GuestPath>);

impl<'a> Teacher<'a> {
    /// Reads what `history` says, also of guests that `holding` cannot find.
    pub fn new(base: &'a Base, history: &History, holding: &Holding<'_>) -> SysResult<Teacher<'a>> {
        let named = |(at, guest): (usize, &&Guest)| (guest.name.clone(), at);
        let mut teacher = Teacher {
            base,
            guests: holding.guests().iter().enumerate().map(named).collect(),
            table: Table::new(base.path()),
        };
        for file in history.files() {
            let (name, file) = file?;
            match teacher.guest(name, holding) {
                Some((_, guest)) => teacher.know(guest, file.object, &file.paths)?,
                None => teacher.lose(name, file.object, &file.paths)?,
            }
        }
        Ok(teacher)
    }

    /// Teaches the name of a line that says "already shared", if that is so and new.
    pub fn teach(
        &mut self,
        skip: &Skip,
        holding: &mut Holding<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<(), EngineError> {
        let (Some(name), Some(path), Some(object)) = (&skip.guest, &skip.path, skip.object) else {
            return Ok(());
        };
        let Some((at, guest)) = self.guest(name, holding) else {
            return Ok(());
        };
        let paths = self.lesson(guest, object, path)?;
        if paths.is_empty() {
            return Ok(());
        }
        self.know(guest, object, &paths)?;
        holding.learn(object, at, &paths)?;
        Ok(receipt.add(&ReceiptLine {
            guest: Some(name.clone()),
            paths,
            object,
            outcome: Outcome::AlreadyDone,
        })?)
    }

    /// The name and those that belong to it, as far as they refer to the object; none where there is nothing to teach.
    fn lesson(
        &self,
        guest: &Guest,
        object: ObjectId,
        path: &GuestPath,
    ) -> SysResult<Vec<GuestPath>> {
        // One directory may have had several guest names: a name in it is remembered once.
        let known = self.table.has(&known_key(guest, object, path))?;
        if known || self.comes_with_another(guest, object, path)? {
            return Ok(Vec::new());
        }
        let lost: Option<LostFile> = self.table.get(&Key::Lost(key_of(&object), path))?;
        let names = lost.map_or_else(|| vec![path.clone()], |(_, names)| names);
        self.referring(guest, object, names)
    }

    /// Is the name taught with the first one of its file?
    fn comes_with_another(
        &self,
        guest: &Guest,
        object: ObjectId,
        path: &GuestPath,
    ) -> SysResult<bool> {
        let key = key_of(&object);
        for first in self.table.all(&Key::LostFirst(key, path))? {
            let first: GuestPath = first?;
            let lost = Key::Lost(key, &first);
            if self
                .referring(guest, object, vec![first.clone()])?
                .is_empty()
            {
                continue;
            }
            let lost: Option<LostFile> = self.table.get(&lost)?;
            if lost.is_some_and(|(_, names)| names.contains(path)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn guest<'h>(&self, name: &GuestName, holding: &Holding<'h>) -> Option<(usize, &'h Guest)> {
        let at = *self.guests.get(name)?;
        Some((at, *holding.guests().get(at)?))
    }

    /// Those of `names` that refer to the object now.
    fn referring(
        &self,
        guest: &Guest,
        object: ObjectId,
        names: Vec<GuestPath>,
    ) -> SysResult<Vec<GuestPath>> {
        let Some(inode) = self.base.object_inode(&object)? else {
            return Ok(Vec::new());
        };
        let refers = |name: &GuestPath| {
            let now = SysError::absent(guest.root.look(name.relative()));
            now.is_ok_and(|now| now.is_some_and(|state| state.id == inode))
        };
        Ok(names.into_iter().filter(refers).collect())
    }

    fn know(&mut self, guest: &Guest, object: ObjectId, names: &[GuestPath]) -> SysResult<()> {
        let mut names = names.iter();
        names.try_for_each(|name| self.table.put(&known_key(guest, object, name), &()))
    }

    /// Of two guests that had a file with this first name, the later name counts.
    fn lose(&mut self, guest: &GuestName, object: ObjectId, names: &[GuestPath]) -> SysResult<()> {
        let Some((first, others)) = names.split_first() else {
            return Ok(());
        };
        let key = key_of(&object);
        for name in others {
            self.table.put(&Key::LostFirst(key, name), first)?;
        }
        let lost = Key::Lost(key, first);
        match self.table.get::<LostFile>(&lost)? {
            Some((other, _)) if other > *guest => Ok(()),
            _ => self.table.put(&lost, &(guest, names)),
        }
    }
}

fn known_key<'n>(guest: &Guest, object: ObjectId, name: &'n GuestPath) -> Key<'n> {
    Key::Known((guest.id.dev, guest.id.ino), key_of(&object), name)
}
