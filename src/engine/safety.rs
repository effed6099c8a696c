//! May what a run left be healed now? Names are exchanged back and flags come off for a moment, so the guests
//! concerned must be quiet.

use std::collections::{BTreeMap, HashMap};

use super::history::History;
use super::holding::Holding;
use super::quiet::Condition;
use super::still::Still;
use super::{EngineError, Guest};
use crate::base::{Base, Index};
use crate::ledger::journal::OpenBatch;
use crate::model::{FileId, GuestName, ObjectId, Refusal};
use crate::sys::{Dir, SysResult};

/// Refuses while a guest whose names were in flight runs, or one that holds an object whose flag would come off.
/// An object whose flag is off already is better healed than left so.
pub(super) fn check(
    base: &Base,
    staging: &Dir,
    guests: &BTreeMap<GuestName, Guest>,
    batch: &OpenBatch,
    still: &mut Still<'_>,
) -> Result<(), EngineError> {
    let history = History::read(base)?;
    let concerned: Vec<&Guest> = guests
        .values()
        .filter(|guest| batch.intents.iter().any(|i| i.guest == guest.name))
        .collect();
    let others = history.holders(&[]);
    let known = |guest: &Guest| concerned.iter().any(|other| other.name == guest.name);
    let others = others.iter().filter(|guest| !known(guest));
    let mut holding = Holding::new(concerned.iter().copied().chain(others).collect(), &history);
    for intent in &batch.intents {
        let at = concerned.iter().position(|g| g.name == intent.guest);
        at.into_iter().for_each(|at| {
            holding.learn(intent.object, at, std::slice::from_ref(&intent.path));
        });
    }
    still.freeze(holding.guests())?;
    let mut conditions = still.look(holding.guests())?;
    // Whoever could be frozen was; who moves all the same is in the way.
    for condition in &mut conditions {
        condition.can_freeze = false;
    }
    if let Some((guest, who)) = running(&concerned, &conditions) {
        return Err(refused(base, &Refusal::HolderRunning { guest, who }));
    }
    for (object, staged) in objects(base, staging, batch)? {
        let Some(state) = base.object_state(&object)? else {
            continue;
        };
        let flagged = base
            .object(&object)?
            .map_or(Ok(false), |file| file.is_immutable())?;
        if flagged {
            let lift = holding.may_lift(&object, &state, 1 + staged, &conditions);
            lift.map_err(|refusal| refused(base, &refusal))?;
        }
    }
    Ok(())
}

fn running(guests: &[&Guest], conditions: &[Condition]) -> Option<(GuestName, String)> {
    let all = guests.iter().zip(conditions);
    all.into_iter()
        .find_map(|(guest, c)| Some((guest.name.clone(), c.running.clone()?)))
}

/// Objects whose flags were off, or that have names in staging, and how many.
fn objects(base: &Base, staging: &Dir, batch: &OpenBatch) -> SysResult<HashMap<ObjectId, u64>> {
    let mut inodes: HashMap<FileId, u64> = HashMap::new();
    for entry in staging.list()? {
        *inodes.entry(staging.look(&entry)?.id).or_default() += 1;
    }
    let mut all: HashMap<ObjectId, u64> = batch.lifted.iter().map(|(id, _)| (*id, 0)).collect();
    for held in Index::read(base)?.objects() {
        if let Some(staged) = inodes.get(&held.state.id) {
            all.insert(held.id, *staged);
        }
    }
    Ok(all)
}

fn refused(base: &Base, refusal: &Refusal) -> EngineError {
    let why = match refusal {
        Refusal::HolderRunning { guest, who } => {
            format!("cannot heal while guest {guest} runs ({who}): stop it")
        }
        Refusal::HolderUnknown { names } => format!(
            "cannot heal: {names} names of an object are in no guest that the base can find; put back the guest that was moved"
        ),
        other => format!("cannot heal: {}", other.code()),
    };
    EngineError::halted(base, why)
}
