//! Inodes of guests that a run which was cut had made objects.

use crate::base::Base;
use crate::ledger::journal::{Intent, OpenBatch};
use crate::model::ObjectId;
use crate::sys::SysResult;

/// An inode of a guest that was to become the object.
pub(super) fn is_adoption(file: &[Intent]) -> bool {
    file.first()
        .is_some_and(|intent| intent.was == intent.becomes)
}

/// Was it adopted by the batch that was cut, and does nobody but its own guest refer to it? Then it is that guest's file
/// and no object: the guest may have changed it since.
pub(super) fn is_lonely(base: &Base, batch: &OpenBatch, object: &ObjectId) -> SysResult<bool> {
    let adopted = batch.intents.iter().filter(|intent| {
        let open = batch.committed.is_none_or(|upto| intent.seq > upto);
        intent.object == *object && intent.was == intent.becomes && open
    });
    let names = u32::try_from(adopted.count()).unwrap_or(u32::MAX);
    let state = base.object_state(object)?;
    Ok(names > 0 && state.is_some_and(|state| state.nlink <= names.saturating_add(1)))
}

/// Takes the base's names from such inodes, and the flag that would keep it there.
pub(super) fn give_up_lonely(base: &Base, batch: &OpenBatch) -> SysResult<()> {
    let mut adopted: Vec<ObjectId> = batch.intents.iter().map(|intent| intent.object).collect();
    adopted.sort();
    adopted.dedup();
    for object in adopted {
        if is_lonely(base, batch, &object)? {
            if let Some(file) = base
                .object(&object)?
                .filter(|file| file.is_immutable().unwrap_or(true))
            {
                file.set_immutable(false)?;
            }
            base.remove_object(&object)?;
        }
    }
    Ok(())
}
