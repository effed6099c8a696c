//! Objects that lost their protection outside of any run: they get it back, and what was written to them meanwhile is
//! found by the proof that follows.
//!
//! They go onto the paper `lifted` first, like everything whose flag is off: an interruption forgets none of them.

pub mod moving;

use crate::base::{Base, Held, Index, LiftedObject};
use crate::engine::EngineError;
use crate::engine::error::CannotHere;
use crate::engine::lifting::Lifting;
use crate::engine::protection;
use crate::engine::records::replayed::Replayed;
use crate::engine::records::unprotected::{guests_of, unprotected};
use crate::model::{Event, Observer, Recovered, Sign};

/// Writes them down, so that they are protected next and proven then. The caller holds the lock.
pub(super) fn owe(
    base: &Base,
    lifting: &Lifting<'_>,
    recovered: &mut Recovered,
) -> Result<(), EngineError> {
    let replayed = Replayed::of(base);
    let found = without(base, &replayed)?;
    if found.is_empty() {
        return Ok(());
    }
    let protection = protection::of(base)?;
    if !protection.is_there() {
        return Err(CannotHere::ProtectionGone {
            base: base.path().to_owned(),
            objects: found.len() as u64,
        }
        .into());
    }
    let by = protection.mode();
    let line = |held: &Held| LiftedObject::found(held, by);
    lifting.owe(&found.iter().map(line).collect::<Vec<_>>())?;
    recovered.unprotected = found.len() as u64;
    recovered.flags += recovered.unprotected;
    recovered.were_open = guests_of(replayed.history()?, &found)?;
    Ok(())
}

/// Says how many there were, where nobody asked for a healing. After a boot that are all under the guard, and nobody
/// has taken a mark off.
pub(super) fn tell(healed: &Recovered, observer: &dyn Observer) {
    if healed.unprotected == 0 {
        return;
    }
    let what = match healed.sign {
        Sign::Mark => {
            "shared files that have their marks again, which the kernel loses when it restarts and when the guard is unloaded"
        }
        Sign::Flag | Sign::Flags | Sign::Seal | Sign::Protection => {
            "shared files that were without their protection outside of any run, and have it again"
        }
    };
    observer.notice(&Event::Warning(&format!("{what}: {}", healed.unprotected)));
}

/// Are there any?
pub(super) fn is_any(base: &Base) -> Result<bool, EngineError> {
    Ok(!without(base, &Replayed::of(base))?.is_empty())
}

fn without(base: &Base, replayed: &Replayed<'_>) -> Result<Vec<Held>, EngineError> {
    let known = || Ok(replayed.history()?.protection()?);
    unprotected(base, &Index::read(base)?, known, None)
}
