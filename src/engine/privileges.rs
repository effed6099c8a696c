//! What this process must be to change guests or the base.

use super::EngineError;
use crate::sys::host::machine;

/// Root, who sees all attributes: what is not seen would be taken for equal, and be lost with the file that had it.
pub(super) fn entitled(command: &str, why: &str) -> Result<(), EngineError> {
    if !machine::is_root() {
        return Err(EngineError::CannotHere(format!(
            "{command} needs root: {why}"
        )));
    }
    if !machine::sees_all_attributes() {
        return Err(EngineError::CannotHere(format!(
            "{command} needs CAP_SYS_ADMIN, outside of every user namespace: without it trusted.* attributes cannot be seen, and files that differ in them would be called equal"
        )));
    }
    Ok(())
}
