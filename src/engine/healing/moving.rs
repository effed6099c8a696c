//! All objects of a base come under another protection: each has the new one before any loses the old, so that none is
//! bare at any moment, whatever interrupts it. The paper `moving` says what is under way, and whoever heals finishes
//! it; where the new one cannot be had any more, back to the old.

use std::collections::HashSet;

use crate::base::{Base, Held, Index, LiftedObject, LiftedPaper, MovingPaper};
use crate::engine::lifting::object_or_gone;
use crate::engine::protection;
use crate::model::Protect;
use crate::protect::{self, FlagTest, Protector, WrittenDown};
use crate::sys::{Regular, SysResult};

/// Finishes a move that was interrupted. Objects that are found bare, because a kernel is gone that protected them, go
/// onto the paper `lifted`: they are proven once they are protected.
pub(super) fn finish(base: &Base) -> SysResult<()> {
    let Some((from, to)) = MovingPaper::read(base)? else {
        return Ok(());
    };
    let (from, to) = match can_be(base, to)? {
        true => (from, to),
        false => (to, from),
    };
    let mut lifted = LiftedPaper::read(base)?;
    let known: HashSet<LiftedObject> = lifted.iter().copied().collect();
    let bare = bare(base)?;
    let new = bare.iter().map(|held| LiftedObject::found(held, to));
    lifted.extend(new.filter(|one| !known.contains(one)));
    if lifted.len() > known.len() {
        LiftedPaper::write(base, &lifted)?;
    }
    carry(base, from, to).map(drop)
}

/// Does this protection hold here, in some way?
pub fn can_be(base: &Base, mode: Protect) -> SysResult<bool> {
    let held = protect::by(mode).test(base.staging())?;
    Ok(matches!(
        held,
        FlagTest::Holds | FlagTest::KeepsOutNewcomers
    ))
}

/// Shared objects that nothing protects.
pub fn bare(base: &Base) -> SysResult<Vec<Held>> {
    let mut bare = Vec::new();
    for held in Index::read(base)?
        .objects()
        .filter(|held| held.state.nlink > 1)
    {
        if let Some((file, _)) = object_or_gone(base, &held.id)?
            && protect::on(&file)?.is_none()
        {
            bare.push(held);
        }
    }
    Ok(bare)
}

/// Moves all objects, and returns how many there were. The caller holds the lock.
pub fn carry(base: &Base, from: Protect, to: Protect) -> SysResult<u64> {
    let (old, new) = (protect::by(from), protect::by(to));
    let index = Index::read(base)?;
    let all = || index.objects().map(|held| held.id);
    let written = WrittenDown::once(all(), || MovingPaper::write(base, from, to))?;
    for object in all() {
        if let Some((file, state)) = object_or_gone(base, &object)?
            && is_due(new, u64::from(state.nlink))
        {
            new.set(&file)?;
        }
    }
    base.dir().sync_filesystem()?;
    protection::write_down(base, to)?;
    for object in all() {
        if let Some((file, state)) = object_or_gone(base, &object)? {
            let is_due = is_due(new, u64::from(state.nlink));
            let one: (_, &Regular) = (&object, &file);
            new.replace(old, one, is_due, &written)?;
        }
    }
    base.dir().sync_filesystem()?;
    MovingPaper::remove(base)?;
    Ok(index.len() as u64)
}

/// One that nobody shares needs no mark, and there may be too many for all to have one.
fn is_due(new: &dyn Protector, names: u64) -> bool {
    !new.stays_on() || names > 1
}
