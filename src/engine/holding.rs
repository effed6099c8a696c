//! Who holds names of an object: what the base remembers, confirmed by the disk.
//!
//! A flag may come off only while every holder is quiet, so every name of the object must be known. The link count
//! tells how many there are; if the base cannot find all of them, a guest that was moved or renamed holds the
//! others, and whether it runs cannot be seen.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Guest;
use super::history::History;
use super::quiet::Condition;
use crate::model::{FileState, GuestName, GuestPath, ObjectId, Refusal};

/// A guest that is not quiet, and who is inside.
type Running = (GuestName, String);

/// Names of objects by guest; guests are indices into the list that this was made with.
pub(super) struct Holding<'a> {
    guests: Vec<&'a Guest>,
    names: HashMap<ObjectId, BTreeSet<(usize, GuestPath)>>,
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
    pub fn new(guests: Vec<&'a Guest>, history: &History) -> Holding<'a> {
        let mut names: HashMap<ObjectId, BTreeSet<(usize, GuestPath)>> = HashMap::new();
        for (at, guest) in guests.iter().enumerate() {
            let known = history.guests.get(&guest.name);
            for file in known.iter().flat_map(|known| known.files.values()) {
                let all = names.entry(file.object).or_default();
                all.extend(file.paths.iter().map(|path| (at, path.clone())));
            }
        }
        let found = HashMap::new();
        Holding {
            guests,
            names,
            found,
        }
    }

    /// The guests, in the order of their indices.
    pub fn guests(&self) -> &[&'a Guest] {
        &self.guests
    }

    /// Is the name known to refer to the object?
    pub fn knows(&self, object: &ObjectId, guest: usize, path: &GuestPath) -> bool {
        let names = self.names.get(object);
        names.is_some_and(|names| names.contains(&(guest, path.clone())))
    }

    /// A guest was seen to have names of an object.
    pub fn learn(&mut self, object: ObjectId, guest: usize, paths: &[GuestPath]) {
        let names = self.names.entry(object).or_default();
        names.extend(paths.iter().map(|path| (guest, path.clone())));
    }

    /// A guest was given names of an object.
    pub fn add(&mut self, object: ObjectId, guest: usize, paths: &[GuestPath]) {
        self.learn(object, guest, paths);
        if let Some(found) = self.found.get_mut(&object) {
            found.nlink += paths.len() as u64;
            found.guests.insert(guest);
        }
    }

    /// May the flag of the object come off, as far as its holders go? `state` is the object's now, `base_names` how
    /// many names the base itself has for it.
    pub fn may_lift(
        &mut self,
        object: &ObjectId,
        state: &FileState,
        base_names: u64,
        conditions: &[Condition],
    ) -> Result<(), Refusal> {
        let nlink = u64::from(state.nlink);
        if self
            .found
            .get(object)
            .is_none_or(|found| nlink > found.nlink)
        {
            let found = self.find(object, state, base_names)?;
            self.found.insert(*object, found);
        }
        match self.running(object, conditions) {
            None => Ok(()),
            Some((guest, who)) => Err(Refusal::HolderRunning { guest, who }),
        }
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
    fn find(&self, object: &ObjectId, state: &FileState, base: u64) -> Result<Found, Refusal> {
        // Two guests may have been one directory, or one within the other: a name counts once.
        let mut seen = HashSet::new();
        let mut holders = BTreeSet::new();
        for (at, path) in self.names.get(object).into_iter().flatten() {
            let Some(guest) = self.guests.get(*at) else {
                continue;
            };
            let refers = guest.root.look(path.relative());
            if refers.is_ok_and(|now| now.id == state.id) {
                seen.insert([guest.path.as_os_str().as_encoded_bytes(), path.as_bytes()].concat());
                holders.insert(*at);
            }
        }
        let nlink = u64::from(state.nlink);
        match nlink.saturating_sub(base + seen.len() as u64) {
            0 => Ok(Found {
                nlink,
                guests: holders,
            }),
            names => Err(Refusal::HolderUnknown { names }),
        }
    }
}
