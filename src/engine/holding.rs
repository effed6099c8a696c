//! Who holds names of an object: what the base remembers, confirmed by the disk.
//!
//! A flag may come off only while every holder is quiet, so every name of the object must be known. The link count
//! tells how many there are; if the base cannot find all of them, a guest that was moved or renamed holds the
//! others, and whether it runs cannot be seen.
//!
//! Names are many and seldom asked for, so they are on a [`Shelf`]: memory does not grow with them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::Guest;
use super::history::History;
use super::object_set::key_of;
use super::quiet::Condition;
use crate::base::Base;
use crate::model::{FileState, GuestName, GuestPath, ObjectId, Refusal};
use crate::sys::{Shelf, SysResult};

/// A guest that is not quiet, and who is inside.
type Running = (GuestName, String);

/// So many objects and guests that hold them are remembered as found before they are looked for again.
const FOUND: usize = 1 << 16;

/// Names of objects by guest; guests are indices into the list that this was made with.
pub(super) struct Holding<'a> {
    guests: Vec<&'a Guest>,
    names: Names,
    /// Objects whose names were all found once, with the link count up to which that holds.
    found: HashMap<ObjectId, Found>,
}

#[derive(Debug, Clone)]
struct Found {
    nlink: u64,
    guests: BTreeSet<usize>,
}

impl<'a> Holding<'a> {
    /// What the base remembers of `guests`. Those that it remembers and that are not among them cannot be found.
    pub fn new(guests: Vec<&'a Guest>, base: &Base, history: &History) -> SysResult<Holding<'a>> {
        let indices = guests.iter().enumerate();
        let indices: HashMap<&GuestName, usize> = indices.map(|(at, g)| (&g.name, at)).collect();
        let mut names = Names(Shelf::new(base.path()));
        for file in history.files() {
            let (guest, file) = file?;
            if let Some(at) = indices.get(guest) {
                names.add(&file.object, *at, &file.paths)?;
            }
        }
        let found = HashMap::new();
        Ok(Holding {
            guests,
            names,
            found,
        })
    }

    /// The guests, in the order of their indices.
    pub fn guests(&self) -> &[&'a Guest] {
        &self.guests
    }

    /// Where a batch begins: what was found before is forgotten when it has become much.
    pub fn next_batch(&mut self) {
        let found = self.found.values().map(|found| 1 + found.guests.len());
        if found.sum::<usize>() >= FOUND {
            self.found.clear();
        }
    }

    /// A guest was seen to have names of an object.
    pub fn learn(&mut self, object: ObjectId, guest: usize, paths: &[GuestPath]) -> SysResult<()> {
        self.names.add(&object, guest, paths)
    }

    /// A guest was given names of an object.
    pub fn add(&mut self, object: ObjectId, guest: usize, paths: &[GuestPath]) -> SysResult<()> {
        if let Some(found) = self.found.get_mut(&object) {
            found.nlink += paths.len() as u64;
            found.guests.insert(guest);
        }
        self.learn(object, guest, paths)
    }

    /// May the flag of the object come off, as far as its holders go? `state` is the object's now, `base_names` how
    /// many names the base itself has for it.
    pub fn may_lift(
        &mut self,
        object: &ObjectId,
        state: &FileState,
        base_names: u64,
        conditions: &[Condition],
    ) -> SysResult<Result<(), Refusal>> {
        let nlink = u64::from(state.nlink);
        if self
            .found
            .get(object)
            .is_none_or(|found| nlink > found.nlink)
        {
            match self.find(object, state, base_names)? {
                Ok(found) => drop(self.found.insert(*object, found)),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(match self.running(object, conditions) {
            None => Ok(()),
            Some((guest, who)) => Err(Refusal::HolderRunning { guest, who }),
        })
    }

    /// The guests that hold names of an object that was found before.
    pub fn holders(&self, object: &ObjectId) -> impl Iterator<Item = usize> {
        let found = self.found.get(object);
        found.into_iter().flat_map(|found| &found.guests).copied()
    }

    fn running(&self, object: &ObjectId, conditions: &[Condition]) -> Option<Running> {
        self.holders(object).find_map(|at| {
            let who = conditions.get(at)?.in_the_way()?.clone();
            Some((self.guests.get(at)?.name.clone(), who))
        })
    }

    /// Looks for every name of the object.
    fn find(
        &self,
        object: &ObjectId,
        state: &FileState,
        base: u64,
    ) -> SysResult<Result<Found, Refusal>> {
        // Two guests may have been one directory, or one within the other: a name counts once. Of two with one hash
        // one would not count, and its guest be unknown.
        let (mut seen, hasher) = (HashSet::new(), RandomState::new());
        let mut holders = BTreeSet::new();
        for name in self.names.of(object) {
            let (at, path) = name?;
            let Some(guest) = self.guests.get(at) else {
                continue;
            };
            let refers = guest.root.look(path.relative());
            if refers.is_ok_and(|now| now.id == state.id) {
                let root = guest.path.as_os_str().as_encoded_bytes();
                seen.insert(hasher.hash_one([root, path.as_bytes()].concat()));
                holders.insert(at);
            }
        }
        let nlink = u64::from(state.nlink);
        Ok(match nlink.saturating_sub(base + seen.len() as u64) {
            0 => Ok(Found {
                nlink,
                guests: holders,
            }),
            names => Err(Refusal::HolderUnknown { names }),
        })
    }
}

/// By object, one entry a name: its guest, and the path.
struct Names(Shelf);

impl Names {
    fn add(&mut self, object: &ObjectId, guest: usize, paths: &[GuestPath]) -> SysResult<()> {
        let (key, guest) = (key_of(object), (guest as u64).to_le_bytes());
        for path in paths {
            self.0.put(&key, &[&guest, path.as_bytes()].concat())?;
        }
        Ok(())
    }

    /// All that were ever added, the last first. Only this process wrote them.
    fn of(&self, object: &ObjectId) -> impl Iterator<Item = SysResult<(usize, GuestPath)>> {
        let read = |name: Vec<u8>| {
            let (guest, path) = name.split_first_chunk()?;
            let path = GuestPath::new(path).ok()?;
            Some((u64::from_le_bytes(*guest) as usize, path))
        };
        let all = self.0.all(&key_of(object));
        all.filter_map(move |name| name.map(read).transpose())
    }
}
