//! Is there anything to heal? Asked before a base is healed, and by those who only look at it.

use crate::base::{Base, FrozenPaper, LiftedPaper, MovingPaper};
use crate::engine::EngineError;

/// Is there nothing to heal?
pub fn is_whole(base: &Base) -> Result<bool, EngineError> {
    let is_whole = FrozenPaper::read(base)?.is_empty() && LiftedPaper::read(base)?.is_empty();
    let is_whole = is_whole && MovingPaper::read(base)?.is_none();
    Ok(is_whole && base.is_settled()?)
}

/// Refuses a base that `command` would heal first: what lines would come to then, nobody can tell.
pub fn must_be_whole(base: &Base, command: &str) -> Result<(), EngineError> {
    if is_whole(base)? {
        return Ok(());
    }
    let why = format!("a run before this one was cut short, and {command} would heal that first");
    Err(EngineError::halted(base, why))
}
