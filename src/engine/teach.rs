//! Names that refer to an object already and that the base does not remember: those of a guest that was moved or
//! renamed, or that was brought here with its names. The plan points at them, the disk confirms them, and the
//! receipt teaches them to the base. Nothing of a guest is changed.

use std::collections::HashMap;
use std::io;

use super::history::History;
use super::holding::Holding;
use super::object_set::key_of;
use super::receipts::ReceiptFile;
use super::{EngineError, Guest};
use crate::base::Base;
use crate::model::{FileId, GuestName, GuestPath, ObjectId, Outcome, ReceiptLine, Skip};
use crate::sys::{Shelf, SysError, SysResult};

pub(super) struct Teacher<'a> {
    base: &'a Base,
    guests: HashMap<GuestName, usize>,
    remembered: Remembered,
}

/// What is remembered when the run begins, and taught since.
struct Remembered(Shelf);

/// What stands under a key, and by what it is found.
#[derive(Clone, Copy)]
enum Kind {
    /// Nothing: the name in the directory with this inode is remembered.
    Known(FileId),
    /// All names of a file by its first, of guests whose roots are gone: they belong together wherever it is now.
    LostFirst,
    /// Nothing: another name of such a file.
    LostLater,
}

impl<'a> Teacher<'a> {
    /// Reads what `history` says, also of guests that `holding` cannot find.
    pub fn new(base: &'a Base, history: &History, holding: &Holding<'_>) -> SysResult<Teacher<'a>> {
        let named = |(at, guest): (usize, &&Guest)| (guest.name.clone(), at);
        let guests: HashMap<_, _> = holding.guests().iter().enumerate().map(named).collect();
        let mut remembered = Remembered(Shelf::new(base.path()));
        for file in history.files() {
            let (guest, file) = file?;
            match guests.get(guest).and_then(|at| holding.guests().get(*at)) {
                Some(guest) => remembered.known(guest, file.object, &file.paths)?,
                None => remembered.lost(file.object, &file.paths)?,
            }
        }
        Ok(Teacher {
            base,
            guests,
            remembered,
        })
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
        // One directory may have had several guest names: a name in it is remembered once.
        let known = self.remembered.has(Kind::Known(guest.id), object, path)?;
        if known || self.remembered.has(Kind::LostLater, object, path)? {
            return Ok(());
        }
        let names = self.remembered.names_of_lost(object, path)?;
        let paths = self.referring(object, guest, names.unwrap_or_else(|| vec![path.clone()]))?;
        if paths.is_empty() {
            return Ok(());
        }
        self.remembered.known(guest, object, &paths)?;
        holding.learn(object, at, &paths)?;
        Ok(receipt.add(&ReceiptLine {
            guest: Some(name.clone()),
            paths,
            object,
            outcome: Outcome::AlreadyDone,
        })?)
    }

    fn guest<'h>(&self, name: &GuestName, holding: &Holding<'h>) -> Option<(usize, &'h Guest)> {
        let at = *self.guests.get(name)?;
        Some((at, *holding.guests().get(at)?))
    }

    /// Those of `names` that refer to the object now.
    fn referring(
        &self,
        object: ObjectId,
        guest: &Guest,
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
}

impl Remembered {
    fn known(&mut self, guest: &Guest, object: ObjectId, names: &[GuestPath]) -> SysResult<()> {
        let kind = Kind::Known(guest.id);
        let mut names = names.iter();
        names.try_for_each(|name| self.0.put(&kind.key(object, name), &[]))
    }

    fn lost(&mut self, object: ObjectId, names: &[GuestPath]) -> SysResult<()> {
        let Some((first, later)) = names.split_first() else {
            return Ok(());
        };
        let all = postcard::to_allocvec(names).map_err(unreadable)?;
        self.0.put(&Kind::LostFirst.key(object, first), &all)?;
        let mut later = later.iter();
        later.try_for_each(|name| self.0.put(&Kind::LostLater.key(object, name), &[]))
    }

    fn has(&self, kind: Kind, object: ObjectId, name: &GuestPath) -> SysResult<bool> {
        Ok(self.0.get(&kind.key(object, name))?.is_some())
    }

    fn names_of_lost(
        &self,
        object: ObjectId,
        first: &GuestPath,
    ) -> SysResult<Option<Vec<GuestPath>>> {
        let names = self.0.get(&Kind::LostFirst.key(object, first))?;
        let names = names.map(|bytes| postcard::from_bytes(&bytes).map_err(unreadable));
        names.transpose()
    }
}

impl Kind {
    fn key(self, object: ObjectId, name: &GuestPath) -> Vec<u8> {
        let (kind, inode) = match self {
            Kind::Known(id) => (0_u8, (id.dev, id.ino)),
            Kind::LostFirst => (1, (0, 0)),
            Kind::LostLater => (2, (0, 0)),
        };
        let parts = [
            &[kind][..],
            &inode.0.to_le_bytes(),
            &inode.1.to_le_bytes(),
            &key_of(&object),
            name.as_bytes(),
        ];
        parts.concat()
    }
}

fn unreadable(error: postcard::Error) -> SysError {
    SysError::new(
        "use what is remembered of",
        "the base",
        io::Error::other(error),
    )
}
