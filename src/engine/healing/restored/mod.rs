//! `recover --restored`: a base that is not where it was made, or does not know any more who holds its objects, is
//! taken as the disk shows it.
//!
//! A file system that got a new UUID, a backup that was brought back with its links, a base that was moved with its
//! guests, receipts that are lost or damaged: in all of them the names in the guests still refer to the objects, and
//! that is looked at, not inferred. A person says the word for it, because two bases with one past may be copies of
//! each other. Guests are recognised by the names in them, what they hold is written into a receipt, so that undo finds
//! it, and every object that they share is protected again. What had lost its protection is proven by its name.
//!
//! Until the end the base is refused by every other command; what interrupts this is done again by the same word.
//! Where no guest refers to any object there is nothing to take over, and nothing is changed.

mod guests;
mod places;

use std::collections::HashMap;
use std::path::Path;

use super::{Heals, heal_and_tell};
use crate::base::{Base, Held, Index};
use crate::engine::activity::base::must_be_ours;
use crate::engine::error::CannotHere;
use crate::engine::privileges::{entitled, must_see_all};
use crate::engine::records::walked::{self, Walked};
use crate::engine::records::{History, receipts};
use crate::engine::{EngineError, GuestArg, host};
use crate::model::{Event, ObjectId, Observer, Recovered, Running, TakenGuest, TakenOver};
use guests::Found;

/// Takes the base over, heals what an interrupted run left in it, and says what was found.
pub fn take_over(
    base: &Path,
    guests: &[GuestArg],
    running: Running,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    entitled("recover", "it sets flags")?;
    must_see_all("recover")?;
    let (base, is_here) = &Base::wherever_made(base)?;
    let _lock = base.lock(&host::lock_note("recover"))?;
    must_be_ours(base)?;
    let index = Index::read(base)?;
    let history = History::read(base)?;
    let found = guests::find(base, &index, &history, guests)?;
    let walked = walked::walk(&found.guests, &index, observer)?;
    if walked.iter().all(|guest| guest.names.is_empty()) {
        return Err(nothing(base, &index));
    }
    let mut taken = TakenOver {
        settled: !is_here,
        frozen: Vec::new(),
        ..accounted(&index, &found, &walked)
    };
    if !is_here {
        taken.frozen = base.forget_old_place()?;
    }
    let learned = walked::remember(base, &history, &found.guests, &walked, observer)?;
    for (guest, learned) in taken.guests.iter_mut().zip(learned) {
        guest.learned = learned;
    }
    let healed = heal_and_tell(base, running, Heals::AndWatches, observer)?;
    // What lay in staging is back in guests, or gone.
    let now = accounted(&Index::read(base)?, &found, &walked);
    taken.unknown_objects = now.unknown_objects;
    taken.unknown_names = now.unknown_names;
    base.settle_here()?;
    if taken.is_all() {
        // What cannot be mended is said again by whoever reads it.
        let mended = receipts::mend(base, &history.damaged);
        mended.unwrap_or_else(|error| observer.notice(&Event::Warning(&error.to_string())));
    }
    Ok(Recovered {
        taken: Some(taken),
        ..healed
    })
}

fn nothing(base: &Base, index: &Index) -> EngineError {
    let shared = index.objects().filter(|held| held.state.nlink > 1);
    CannotHere::NothingShared {
        base: base.path().to_owned(),
        elsewhere: shared.count() as u64,
    }
    .into()
}

/// Every link of an object but the base's own must be a name in a guest.
fn accounted(index: &Index, found: &Found, walked: &[Walked]) -> TakenOver {
    let mut names: HashMap<ObjectId, u64> = HashMap::new();
    for (object, paths) in walked.iter().flat_map(|guest| &guest.names) {
        *names.entry(*object).or_default() += paths.len() as u64;
    }
    let unknown = |held: Held| {
        let known = 1 + names.get(&held.id).copied().unwrap_or(0);
        u64::from(held.state.nlink).saturating_sub(known)
    };
    let unknown: Vec<u64> = index
        .objects()
        .map(unknown)
        .filter(|lost| *lost > 0)
        .collect();
    let guest = |(guest, walked): (&crate::engine::Guest, &Walked)| TakenGuest {
        name: guest.name.clone(),
        root: guest.path.clone(),
        names: walked.count(),
        learned: 0,
        unread: walked.unread,
    };
    TakenOver {
        settled: false,
        frozen: Vec::new(),
        guests: found.guests.iter().zip(walked).map(guest).collect(),
        lost: found.lost.clone(),
        unknown_objects: unknown.len() as u64,
        unknown_names: unknown.iter().sum(),
    }
}
