//! `gc`: objects that no guest's name refers to are removed.

use std::path::Path;

use super::host::lock_note;
use super::privileges::entitled;
use super::{EngineError, healing};
use crate::base::{Base, Held, Index};
use crate::model::{Collected, Observer, Running};
use crate::sys::{Meaning, SysResult};

/// What is done with objects that no guest refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gc {
    /// They are removed.
    Remove,
    /// They are counted, and nothing is changed.
    Count,
}

/// Removes objects whose only name is the base's, or only counts them.
///
/// The count is looked at again once the flag is off: from then on, only a run that holds the lock, which is us,
/// could add a name.
pub fn collect(base: &Path, gc: Gc, observer: &dyn Observer) -> Result<Collected, EngineError> {
    let base = &Base::existing(base)?;
    if gc == Gc::Count {
        return Ok(sum(&Index::read(base)?, |_| Ok(true))?);
    }
    entitled("gc", "it takes flags off")?;
    let _lock = base.lock(&lock_note("gc"))?;
    healing::heal_first(base, Running::Refuse, observer)?;
    let collected = sum(&Index::read(base)?, |held| remove(base, held))?;
    base.dir().sync_filesystem()?;
    Ok(collected)
}

fn sum(index: &Index, mut remove: impl FnMut(&Held) -> SysResult<bool>) -> SysResult<Collected> {
    let mut collected = Collected::default();
    for held in index.objects() {
        if held.state.nlink == 1 && remove(&held)? {
            collected.objects += 1;
            collected.bytes += held.state.allocated();
        } else {
            collected.kept += 1;
        }
    }
    Ok(collected)
}

/// False where the object turns out to be in use, or is not there any more.
fn remove(base: &Base, held: &Held) -> SysResult<bool> {
    let file = match base.object(&held.id) {
        // Another process holds a lease on it: the next gc will see.
        Err(error) if error.meaning() == Meaning::Busy => return Ok(false),
        other => other?,
    };
    let Some(file) = file else {
        return Ok(false);
    };
    let flagged = file.is_immutable()?;
    file.set_immutable(false)
        .or_else(|error| if flagged { Err(error) } else { Ok(()) })?;
    if file.state()?.nlink > 1 {
        file.set_immutable(flagged)?;
        return Ok(false);
    }
    base.remove_object(&held.id)?;
    Ok(true)
}
