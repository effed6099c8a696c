//! All objects of a base come under another protection, one after the other.
//!
//! No object can have both: the guard denies every change of a flag. So each is without any for the moment between two
//! calls, as an object is whose flag is lifted for a name, and the same holds for it: all holders stand still, a
//! durable record goes before, the paper `lifted`, and each object is proven when all are protected again. The paper
//! `moving` says what is under way. Whoever heals finishes it; where the new protection cannot be had any more, it goes
//! back to the old.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::{Base, Held, Index, LiftedObject, LiftedPaper, MovingPaper};
use crate::engine::activity::freeze::Freeze;
use crate::engine::lifting::object_or_gone;
use crate::engine::records::History;
use crate::engine::{EngineError, Guest, protection};
use crate::model::{ObjectId, Protect};
use crate::protect::{self, FlagTest, Protector, WrittenDown};
use crate::sys::SysResult;

/// From here on whoever heals moves all objects. The caller holds the lock, and has healed the base.
pub fn begin(base: &Base, from: Protect, to: Protect) -> SysResult<()> {
    MovingPaper::write(base, from, to)
}

/// Shared objects that nothing protects.
pub fn bare(base: &Base) -> SysResult<Vec<Held>> {
    let index = Index::read(base)?;
    let mut bare = Vec::new();
    for held in index.objects().filter(|held| held.state.nlink > 1) {
        if let Some((file, _)) = object_or_gone(base, &held.id)?
            && protect::on(&file)?.is_none()
        {
            bare.push(held);
        }
    }
    Ok(bare)
}

/// Finishes a move that was begun.
pub fn finish(base: &Base, still: &mut Freeze<'_>) -> Result<(), EngineError> {
    let Some((from, to)) = MovingPaper::read(base)? else {
        return Ok(());
    };
    let (from, to) = match can_be(base, to)? {
        true => (protect::by(from), protect::by(to)),
        false => (protect::by(to), protect::by(from)),
    };
    let index = Index::read(base)?;
    let all: Vec<ObjectId> = index.objects().map(|held| held.id).collect();
    let written = WrittenDown::once(all.iter().copied(), || write_down(base, &index, to.mode()))?;
    // What is bare by now stays so no longer, whoever runs.
    for held in bare(base)? {
        if let Some((file, _)) = object_or_gone(base, &held.id)? {
            to.set(&file)?;
        }
    }
    let history = History::read(base)?;
    let holders = history.holders(&[]);
    let holders: Vec<&Guest> = holders.iter().collect();
    let mut rest = &all[..];
    while !rest.is_empty() {
        let (some, others) = rest.split_at(still.room().names.clamp(1, rest.len()));
        rest = others;
        still.holds(some.len(), 0);
        still.freeze(&holders)?;
        all_quiet(base, &holders, still)?;
        for object in some {
            carry(base, object, (from, to), &written)?;
        }
        still.thaw()?;
    }
    base.dir().sync_filesystem()?;
    Ok(MovingPaper::remove(base)?)
}

/// Does this protection hold here, in some way?
fn can_be(base: &Base, mode: Protect) -> SysResult<bool> {
    let held = protect::by(mode).test(base.staging())?;
    Ok(matches!(
        held,
        FlagTest::Holds | FlagTest::KeepsOutNewcomers
    ))
}

/// What is shared is proven in the end, and what protects the base is known before the first object is moved: a restart
/// of the machine may leave it bare.
fn write_down(base: &Base, index: &Index, to: Protect) -> SysResult<()> {
    let mut lifted = LiftedPaper::read(base)?;
    let known: HashSet<LiftedObject> = lifted.iter().copied().collect();
    let shared = index.objects().filter(|held| held.state.nlink > 1);
    let new = shared.map(|held| LiftedObject::found(&held, to));
    lifted.extend(new.filter(|one| !known.contains(one)));
    LiftedPaper::write(base, &lifted)?;
    protection::write_down(base, to)
}

fn all_quiet(base: &Base, holders: &[&Guest], still: &Freeze<'_>) -> Result<(), EngineError> {
    let mut conditions = still.look(holders)?;
    // All guests that could be frozen were.
    conditions.iter_mut().for_each(|one| one.can_freeze = false);
    let running = holders.iter().zip(&conditions);
    let mut running = running.filter_map(|(guest, one)| Some((&guest.name, one.in_the_way()?)));
    match running.next() {
        None => Ok(()),
        Some((guest, who)) => {
            let why = format!(
                "the protection of shared files cannot be moved while guest {guest} runs ({who}): stop it, or let it be frozen (--allow-running)"
            );
            Err(EngineError::halted(base, why))
        }
    }
}

type Both = (&'static dyn Protector, &'static dyn Protector);

/// Moves one object. One that nobody shares and nobody has open needs no mark, and there may be too many for all to
/// have one.
fn carry(base: &Base, object: &ObjectId, (from, to): Both, written: &WrittenDown) -> SysResult<()> {
    let Some((file, state)) = object_or_gone(base, object)? else {
        return Ok(());
    };
    let is_due = !to.stays_on() || state.nlink > 1 || file.is_open_elsewhere()?;
    let flags = file.flags()?;
    if from.is_on(&file, flags)? {
        let lifted = from.lift(object, Arc::new(file), written)?;
        return lifted.replaced_by(is_due.then_some(to));
    }
    match is_due && !to.is_on(&file, flags)? {
        true => to.set(&file),
        false => Ok(()),
    }
}
