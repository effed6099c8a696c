//! Inodes of guests that a run which was cut had made objects.

use std::collections::BTreeSet;

use crate::base::Base;
use crate::ledger::journal::{Intent, OpenBatch};
use crate::model::ObjectId;
use crate::sys::SysResult;

/// Was it adopted by the batch that was cut, and does nobody but its own guest refer to it? Then it is that guest's file
/// and no object: the guest may have changed it since.
pub(super) fn is_lonely(base: &Base, batch: &OpenBatch, object: &ObjectId) -> SysResult<bool> {
    let names = adopted(batch).filter(|intent| intent.object == *object);
    let names = u32::try_from(names.count()).unwrap_or(u32::MAX);
    if names == 0 {
        return Ok(false);
    }
    let state = base.object_state(object)?;
    Ok(state.is_some_and(|state| state.nlink <= names.saturating_add(1)))
}

/// Takes the base's names from such inodes, and the flag that would keep it there.
pub(super) fn give_up_lonely(base: &Base, batch: &OpenBatch) -> SysResult<()> {
    let objects: BTreeSet<ObjectId> = adopted(batch).map(|intent| intent.object).collect();
    for object in objects {
        if is_lonely(base, batch, &object)? {
            let file = base.object(&object)?;
            if let Some(file) = file.filter(|file| file.is_immutable().unwrap_or(true)) {
                file.set_immutable(false)?;
            }
            base.remove_object(&object)?;
        }
    }
    Ok(())
}

fn adopted(batch: &OpenBatch) -> impl Iterator<Item = &Intent> {
    let all = batch.intents.iter();
    all.filter(|intent| intent.is_adoption() && !batch.has_committed(intent))
}
