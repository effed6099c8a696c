//! The guard of this kernel: loaded, looked at, taken out. It touches no guest and no base.
//!
//! What is marked is the business of runs and of `recover`, which marks what a base shares once the guard is there.

use super::EngineError;
use super::error::CannotHere;
use super::host::{lock_note, nothing_learnt};
use super::privileges::entitled;
use crate::model::{GuardAct, GuardState};
use crate::sys::guard::{self, Desk, GuardError, Heart, LoadedGuard, Marks, Unloaded};
use crate::sys::own::papers;

/// Loads the guard into this kernel, beside an older one that goes then; it stays until the machine is restarted. Tries
/// what a daemon could do with it, where that is not known, and says where nothing was found. Needs root; `CannotHere`
/// where the kernel does not take it.
pub fn load_guard(say: &dyn Fn(&str)) -> Result<GuardAct, EngineError> {
    entitled("guard load", "it loads programs into the kernel")?;
    let loaded = guard::load(&lock_note("guard load")).map_err(|e| lack(&e))?;
    // What an earlier load had no time for, or no place, is made good by the next one.
    let learnt = learn(loaded == LoadedGuard::Now);
    learnt.iter().for_each(|line| say(line));
    Ok(match loaded {
        LoadedGuard::Now => GuardAct::Loaded,
        LoadedGuard::Already => GuardAct::Nothing,
    })
}

/// Not while a daemon lives, which tries it itself. Gives what is to be said.
fn learn(anew: bool) -> Option<String> {
    let learnt = match papers::lock(&Desk::seat(), &lock_note("guard load")) {
        Ok(Ok(_seat)) => guard::learn_ability(anew),
        Ok(Err(_)) => return None,
        Err(error) => Err(error),
    };
    nothing_learnt(&learnt)
}

/// Takes the guard out of this kernel, with all marks. Unless `marked` files may lose their protection, it is refused
/// where there are marks.
pub fn unload_guard(even_marked: bool) -> Result<GuardAct, EngineError> {
    entitled("guard unload", "it takes programs out of the kernel")?;
    let marks = guard_state()?.marks.unwrap_or(0);
    if marks > 0 && !even_marked {
        return Err(CannotHere::GuardInUse(marks).into());
    }
    match guard::unload(&lock_note("guard unload")).map_err(|e| lack(&e))? {
        Unloaded::Now => Ok(GuardAct::Unloaded),
        Unloaded::Nothing => Ok(GuardAct::Nothing),
    }
}

/// What there is of it. Changes nothing; who is not root sees no marks.
pub fn guard_state() -> Result<GuardState, EngineError> {
    let loaded = guard::is_loaded();
    // A map that was taken out a moment ago is still open here.
    let marks = Marks::here().filter(|_| loaded);
    let marks = marks.map(Marks::all).transpose()?;
    let heart = if loaded { Heart::open()? } else { None };
    let heart = heart.as_ref();
    Ok(GuardState {
        loaded,
        other_version: guard::is_of_other_layout(),
        marks: marks.map(|marks| marks.len() as u64),
        level: heart.map(Heart::level).transpose()?,
        daemon: heart.map(Heart::beats).transpose()?.unwrap_or(false),
    })
}

fn lack(error: &GuardError) -> EngineError {
    CannotHere::Guard(error.to_string()).into()
}
