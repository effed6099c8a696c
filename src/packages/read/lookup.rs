//! Where a path of a guest leads.

use super::fault::Problem;
use super::source::Source;
use crate::sys::guest::{GuestError, Resolved};

/// Where a path leads, if it leads to anything that could be shared.
pub fn find(source: &Source<'_>, path: &[u8]) -> Result<Option<Resolved>, Problem> {
    match source.guest().resolve(path) {
        Err(error) if is_out_of_reach(&error) => Ok(None),
        found => Ok(found?),
    }
}

/// Is it something that the scan cannot reach under this name either?
pub fn is_out_of_reach(error: &GuestError) -> bool {
    match error {
        GuestError::BadPath { .. }
        | GuestError::Loop { .. }
        | GuestError::OtherFilesystem { .. } => true,
        GuestError::Io { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        _ => false,
    }
}
