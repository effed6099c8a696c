//! What this process must be to change guests or the base.

use super::EngineError;
use crate::engine::error::CannotHere;
use crate::sys::host::machine;
use crate::sys::host::presence::sees_all_processes;

/// Checks that all processes of the host are seen: a guest whose processes are hidden would be taken for a stopped one.
pub(super) fn must_see_all(command: &'static str) -> Result<(), EngineError> {
    if sees_all_processes() {
        Ok(())
    } else {
        Err(CannotHere::HiddenProcesses(command).into())
    }
}

/// Checks that this is root, which sees all attributes: what is not seen would be taken for equal, and be lost
/// with the file that had it.
pub(super) fn entitled(command: &'static str, why: &'static str) -> Result<(), EngineError> {
    if !machine::is_root() {
        return Err(CannotHere::NotRoot { command, why }.into());
    }
    if !machine::sees_all_attributes() {
        return Err(CannotHere::NotPrivileged(command).into());
    }
    Ok(())
}
