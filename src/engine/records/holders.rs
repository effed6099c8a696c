//! Which guests hold names of an object: what the base remembers, confirmed by the disk.
//!
//! A flag may come off only while every holder is quiet, so every name of the object must be known. The link
//! count shows how many there are; if the base cannot find all of them, a guest that was moved or renamed holds
//! the others, and whether it runs cannot be seen.
//!
//! Names are many and seldom asked for, so they are in a [`Table`]: memory does not grow with them.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use serde::{Deserialize, Serialize};

use super::History;
use super::table::{ObjectKey, Table, key_of};
use crate::base::Base;
use crate::engine::Guest;
use crate::engine::activity::Activity;
use crate::model::{FileState, GuestName, GuestPath, ObjectId, Refusal};
use crate::sys::SysResult;

/// A guest that is not quiet, and what runs inside.
type RunningHolder = (GuestName, String);

/// Names of objects by guest; guests are indices into the list that this was made with.
pub struct Holding<'a> {
    guests: Vec<&'a Guest>,
    table: Table,
    /// Objects that have names which were not found in this batch: their link count, and how many names.
    unknown: HashMap<ObjectId, (u64, u64)>,
}

#[derive(Serialize)]
enum HolderKey {
    /// Guest and path of every name that the object ever had.
    Name(ObjectKey),
    /// What was [`FoundHolders`] when all names were looked for.
    FoundHolders(ObjectKey),
}

/// Holders of an object, and the link count up to which these are all.
#[derive(Serialize, Deserialize)]
struct FoundHolders {
    nlink: u64,
    /// A bit for each guest.
    guests: Vec<u8>,
}

impl FoundHolders {
    fn insert(&mut self, guest: usize) {
        if self.guests.len() <= guest / 8 {
            self.guests.resize(guest / 8 + 1, 0);
        }
        self.guests[guest / 8] |= 1 << (guest % 8);
    }

    fn guests(&self) -> impl Iterator<Item = usize> {
        let bits = self.guests.iter().enumerate();
        bits.flat_map(|(at, byte)| {
            let set = move |bit: &usize| byte & (1 << bit) != 0;
            (0..8).filter(set).map(move |bit| at * 8 + bit)
        })
    }
}

impl<'a> Holding<'a> {
    /// What the base remembers of `guests`. Those that it remembers and that are not among them cannot be found.
    pub fn new(guests: Vec<&'a Guest>, base: &Base, history: &History) -> SysResult<Holding<'a>> {
        let indices = guests.iter().enumerate();
        let indices: HashMap<&GuestName, usize> = indices.map(|(at, g)| (&g.name, at)).collect();
        let mut holding = Holding {
            table: Table::new(base.spill_place()),
            unknown: HashMap::new(),
            guests: Vec::new(),
        };
        for file in history.files() {
            let (guest, file) = file?;
            if let Some(at) = indices.get(guest) {
                holding.learn(file.object, *at, &file.paths)?;
            }
        }
        holding.guests = guests;
        Ok(holding)
    }

    /// The guests, in the order of their indices.
    pub fn guests(&self) -> &[&'a Guest] {
        &self.guests
    }

    /// Where a batch begins: what was not found in the last one is looked for again.
    pub fn next_batch(&mut self) {
        self.unknown.clear();
    }

    /// A guest was seen to have names of an object.
    pub fn learn(&mut self, object: ObjectId, guest: usize, paths: &[GuestPath]) -> SysResult<()> {
        self.unknown.remove(&object);
        let key = HolderKey::Name(key_of(&object));
        let mut paths = paths.iter();
        paths.try_for_each(|path| self.table.put(&key, &(guest, path)))
    }

    /// A guest was given names of an object.
    pub fn add(&mut self, object: ObjectId, guest: usize, paths: &[GuestPath]) -> SysResult<()> {
        self.learn(object, guest, paths)?;
        if let Some(mut found) = self.found(&object)? {
            found.nlink += paths.len() as u64;
            found.insert(guest);
            self.table
                .put(&HolderKey::FoundHolders(key_of(&object)), &found)?;
        }
        Ok(())
    }

    /// May the flag of the object come off, as far as its holders go? `state` is the object's now, `base_names` how
    /// many names the base itself has for it.
    pub fn may_lift(
        &mut self,
        object: &ObjectId,
        state: &FileState,
        base_names: u64,
        conditions: &[Activity],
    ) -> SysResult<Result<(), Refusal>> {
        let nlink = u64::from(state.nlink);
        let found = self.found(object)?.filter(|found| nlink <= found.nlink);
        let found = match found {
            Some(found) => found,
            None => match self.look_for(object, state, base_names)? {
                Ok(found) => found,
                Err(names) => return Ok(Err(Refusal::HolderUnknown { names })),
            },
        };
        Ok(match self.running(&found, conditions) {
            None => Ok(()),
            Some((guest, who)) => Err(Refusal::HolderRunning { guest, who }),
        })
    }

    /// The guests that hold names of an object that was found before.
    pub fn holders(&self, object: &ObjectId) -> SysResult<Vec<usize>> {
        let found = self.found(object)?;
        Ok(found.map_or_else(Vec::new, |found| found.guests().collect()))
    }

    fn found(&self, object: &ObjectId) -> SysResult<Option<FoundHolders>> {
        self.table.get(&HolderKey::FoundHolders(key_of(object)))
    }

    fn running(&self, found: &FoundHolders, conditions: &[Activity]) -> Option<RunningHolder> {
        found.guests().find_map(|at| {
            let who = conditions.get(at)?.in_the_way()?.clone();
            Some((self.guests.get(at)?.name.clone(), who))
        })
    }

    /// Looks for every name of the object, and remembers what came of it; an error is how many names were not found.
    fn look_for(
        &mut self,
        object: &ObjectId,
        state: &FileState,
        base: u64,
    ) -> SysResult<Result<FoundHolders, u64>> {
        let nlink = u64::from(state.nlink);
        match self.unknown.get(object) {
            Some((then, names)) if *then == nlink => return Ok(Err(*names)),
            _ => {}
        }
        let (names, found) = self.find(object, state)?;
        Ok(match nlink.saturating_sub(base + names) {
            0 => {
                self.table
                    .put(&HolderKey::FoundHolders(key_of(object)), &found)?;
                Ok(found)
            }
            lost => {
                self.unknown.insert(*object, (nlink, lost));
                Err(lost)
            }
        })
    }

    /// How many of the names refer to the object, and whose they are.
    fn find(&self, object: &ObjectId, state: &FileState) -> SysResult<(u64, FoundHolders)> {
        // Two guests may have been one directory, or one within the other: a name counts once. Of two with one hash
        // one would not count, and its guest be unknown.
        let (mut seen, hasher) = (HashSet::new(), RandomState::new());
        let mut found = FoundHolders {
            nlink: u64::from(state.nlink),
            guests: Vec::new(),
        };
        for name in self.table.all(&HolderKey::Name(key_of(object)))? {
            let (at, path): (usize, GuestPath) = name?;
            let Some(guest) = self.guests.get(at) else {
                continue;
            };
            let refers = guest.root.look(path.relative());
            if refers.is_ok_and(|now| now.id == state.id) {
                let root = guest.path.as_os_str().as_encoded_bytes();
                seen.insert(hasher.hash_one([root, path.as_bytes()].concat()));
                found.insert(at);
            }
        }
        Ok((seen.len() as u64, found))
    }
}

/// Names of objects that no receipt knows, as sentences: a guest gave them to its files between the interruption
/// and the healing, or moved them, and an undo will not find them.
pub fn unknown_names(
    base: &Base,
    holding: &mut Holding<'_>,
    objects: impl IntoIterator<Item = ObjectId>,
) -> SysResult<Vec<String>> {
    let mut said = Vec::new();
    for object in objects {
        let Some(state) = base.object_state(&object)? else {
            continue;
        };
        let may = holding.may_lift(&object, &state, 1, &[])?;
        if let Err(Refusal::HolderUnknown { names }) = may {
            let are = if names == 1 { "name is" } else { "names are" };
            said.push(format!(
                "object {object}: {names} {are} where no receipt says; plan and apply the guests again, so that an undo finds them"
            ));
        }
    }
    Ok(said)
}

/// The run is over at that point and nothing of it is in doubt: what could not be looked at is reported, too.
pub fn told<E: std::fmt::Display>(unknown: Result<Vec<String>, E>) -> Vec<String> {
    unknown.unwrap_or_else(|error| {
        vec![format!(
            "whether objects have names that no receipt knows could not be looked at: {error}"
        )]
    })
}
