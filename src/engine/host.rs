//! What is reported of this host and this process: in a plan, and to a run that finds the base locked.

use crate::sys::SysResult;
use crate::sys::hash::sha256;
use crate::sys::host::machine;

/// What stands in the lock file for a run that finds the base locked.
pub(super) fn lock_note(what: &str) -> String {
    format!(
        "unify {what}, process {}, since {}\n",
        std::process::id(),
        machine::now()
    )
}

/// The digest of this host's identity, as it stands in plans.
pub(super) fn host_digest() -> SysResult<String> {
    let identity = machine::host_identity()?;
    Ok(sha256(&[b"unify.host.1\0", identity.as_slice()].concat()).to_string())
}
