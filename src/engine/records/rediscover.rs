//! Names that refer to an object already and that the base does not remember: those of a guest that was moved or
//! renamed, or that was brought here with its names. The plan points at them, the disk confirms them, and the
//! receipt teaches them to the base. Nothing of a guest is changed.

use std::collections::HashMap;

use serde::Serialize;

use super::History;
use super::holders::Holding;
use super::table::{ObjectKey, Table, key_of};
use crate::base::Base;
use crate::engine::receipt_file::ReceiptFile;
use crate::engine::{EngineError, Guest};
use crate::model::{About, GuestName, GuestPath, Left, ObjectId, Outcome, ReceiptLine, Skip};
use crate::sys::{SysError, SysResult};

pub struct Rediscovery<'a> {
    base: &'a Base,
    guests: HashMap<GuestName, usize>,
    /// What is remembered when the run begins, and taught since.
    table: Table,
}

#[derive(Serialize)]
enum RediscoveryKey<'a> {
    /// This key has no value: the name in the directory with this device and inode is remembered.
    Known((u64, u64), ObjectKey, &'a GuestPath),
    /// The value is all names of a file, by its first one, in a guest whose root is gone: the names belong
    /// together wherever that guest is now.
    Lost(ObjectKey, &'a GuestPath),
    /// The value is the guest that had this file.
    LostBy(ObjectKey, &'a GuestPath),
    /// The value is the guest and the first name of such a file, by another of its names.
    LostFirst(ObjectKey, &'a GuestPath),
}

impl<'a> Rediscovery<'a> {
    /// Reads what `history` says, also of guests that `holding` cannot find.
    pub fn new(
        base: &'a Base,
        history: &History,
        holding: &Holding<'_>,
    ) -> SysResult<Rediscovery<'a>> {
        let named = |(at, guest): (usize, &&Guest)| (guest.name.clone(), at);
        let mut rediscovery = Rediscovery {
            base,
            guests: holding.guests().iter().enumerate().map(named).collect(),
            table: Table::new(base.spill_place()),
        };
        for file in history.files() {
            let (name, file) = file?;
            match rediscovery.guest(name, holding) {
                Some((_, guest)) => rediscovery.know(guest, file.object, &file.paths)?,
                None => rediscovery.lose(name, file.object, &file.paths)?,
            }
        }
        Ok(rediscovery)
    }

    /// Teaches the name of a line that says "already shared", if that is so and new.
    pub fn teach(
        &mut self,
        skip: &Skip,
        holding: &mut Holding<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<(), EngineError> {
        let Left::Name {
            guest: name,
            path,
            object: Some(object),
            ..
        } = &skip.left
        else {
            return Ok(());
        };
        let object = *object;
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
            about: About::Names {
                guest: name.clone(),
                paths,
                object,
            },
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
        if self.table.has(&known_key(guest, object, path))? {
            return Ok(Vec::new());
        }
        // All names of a lost file are looked up only for a name that refers to the object.
        let alone = self.referring(guest, object, vec![path.clone()])?;
        if alone.is_empty() {
            return Ok(alone);
        }
        match self.names_of_lost(object, path)? {
            Some(names) => self.referring(guest, object, names),
            None => Ok(alone),
        }
    }

    /// All names of the file that had this one in a guest that is gone.
    fn names_of_lost(
        &self,
        object: ObjectId,
        path: &GuestPath,
    ) -> SysResult<Option<Vec<GuestPath>>> {
        let key = key_of(&object);
        let first: Option<(GuestName, GuestPath)> =
            self.table.get(&RediscoveryKey::LostFirst(key, path))?;
        let Some((guest, first)) = first else {
            return self.table.get(&RediscoveryKey::Lost(key, path));
        };
        let by: Option<GuestName> = self.table.get(&RediscoveryKey::LostBy(key, &first))?;
        if by != Some(guest) {
            return Ok(None);
        }
        self.table.get(&RediscoveryKey::Lost(key, &first))
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

    /// Of two guests that had a file with this first name, the one with the later name counts.
    fn lose(&mut self, guest: &GuestName, object: ObjectId, names: &[GuestPath]) -> SysResult<()> {
        let Some((first, others)) = names.split_first() else {
            return Ok(());
        };
        let key = key_of(&object);
        let by: Option<GuestName> = self.table.get(&RediscoveryKey::LostBy(key, first))?;
        if by.is_some_and(|by| by > *guest) {
            return Ok(());
        }
        self.table.put(&RediscoveryKey::LostBy(key, first), guest)?;
        self.table.put(&RediscoveryKey::Lost(key, first), &names)?;
        let mut others = others.iter();
        others.try_for_each(|name| {
            self.table
                .put(&RediscoveryKey::LostFirst(key, name), &(guest, first))
        })
    }
}

fn known_key<'n>(guest: &Guest, object: ObjectId, name: &'n GuestPath) -> RediscoveryKey<'n> {
    RediscoveryKey::Known((guest.id.dev, guest.id.ino), key_of(&object), name)
}
