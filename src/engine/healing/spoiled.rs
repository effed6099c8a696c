//! Objects that were written to, or changed, while their flag was off: found when all flags are on again, and taken
//! from their holders.

use std::collections::BTreeMap;

use crate::base::Base;
use crate::engine::activity::freeze::Freeze;
use crate::engine::proof::{self, SpoiledObject};
use crate::engine::{EngineError, Guest, parting};
use crate::ledger::journal::Intent;
use crate::model::{GuestName, ObjectId, Observer, Recovered};
use crate::sys::{Dir, Regular, SysResult};

/// So many files in quarantine are looked at.
const KEPT: usize = 64;

/// Where files may be that were equal to an object: at the names that were in flight, and among what healing kept.
#[derive(Default)]
pub(super) struct Sources<'a> {
    pub kept: Option<&'a Dir>,
    pub intents: &'a [Intent],
    pub guests: Option<&'a BTreeMap<GuestName, Guest>>,
}

impl Sources<'_> {
    /// The files at the names that were to refer to the object, or did, and that are other inodes.
    fn of(&self, base: &Base, object: &ObjectId) -> SysResult<Vec<Regular>> {
        let inode = base.object_inode(object)?;
        let mut found = Vec::new();
        let intents = self.intents.iter();
        for intent in intents.filter(|intent| intent.object == *object) {
            let guest = self.guests.and_then(|guests| guests.get(&intent.guest));
            let opened = guest.map(|guest| guest.root.open_regular_seen(intent.path.relative()));
            // What cannot be opened is no source.
            if let Some(Ok(Some((file, state)))) = opened
                && Some(state.id) != inode
            {
                found.push(file);
            }
        }
        let Some(kept) = self.kept else {
            return Ok(found);
        };
        for name in kept.list()?.iter().take(KEPT) {
            // What cannot be opened is no source.
            found.extend(kept.open_regular(name).ok().flatten());
        }
        Ok(found)
    }
}

/// Proves the objects under their flags, and parts the holders of those that fail. Those that guests still refer to
/// afterwards are reported as damaged.
pub(super) fn part_flawed(
    base: &Base,
    still: &mut Freeze<'_>,
    observer: &dyn Observer,
    objects: impl IntoIterator<Item = ObjectId>,
    sources: &Sources<'_>,
    recovered: &mut Recovered,
) -> Result<(), EngineError> {
    let mut spoiled = Vec::new();
    for (id, flaw) in proof::flawed(base, objects)? {
        let sources = sources.of(base, &id)?;
        spoiled.push(SpoiledObject { id, flaw, sources });
    }
    for told in parting::part(base, still, observer, &spoiled)? {
        // A run that was healed before may have had no equal file.
        recovered.damaged.retain(|id| *id != told.object);
        recovered.spoiled.retain(|one| one.object != told.object);
        if base.object_state(&told.object)?.is_some() {
            recovered.damaged.push(told.object);
        }
        recovered.spoiled.push(told);
    }
    recovered.damaged.sort();
    Ok(())
}
