//! From claims to inodes: what of all that a database names is there, and where.

use super::sidecars::Sidecars;
use crate::model::{FileKind, SkipReason};
use crate::packages::read::fault::Problem;
use crate::packages::read::source::Source;
use crate::packages::{Claim, Protected};
use crate::sys::guest::in_root::{InRootError, Resolved};

/// The regular files that the claims mean, sidecars included.
///
/// What does not exist, loops, or lies on another file system cannot be shared and is left out. Any other trouble
/// is an error: a file that could not be found must not be taken for a file that may be shared.
pub fn settle(source: &Source<'_>, claims: &[Claim]) -> Result<Vec<Protected>, Problem> {
    let mut settled = Vec::new();
    let mut sidecars = Sidecars::default();
    for claim in claims {
        source.in_time()?;
        let target = find(source, &claim.path)?;
        if claim.sidecars {
            sidecars.beside(source, claim, target.as_ref())?;
        }
        settled.extend(target.and_then(|found| protect(found, claim.why, claim)));
    }
    for (path, claim) in sidecars.search(source)? {
        source.in_time()?;
        let target = find(source, path.as_bytes())?;
        settled.extend(target.and_then(|found| protect(found, SkipReason::ConfigSidecar, claim)));
    }
    Ok(settled)
}

/// Where a path leads, if it leads to anything that could be shared.
pub fn find(source: &Source<'_>, path: &[u8]) -> Result<Option<Resolved>, Problem> {
    match source.root().resolve(path) {
        Err(error) if is_out_of_reach(&error) => Ok(None),
        found => Ok(found?),
    }
}

/// What the scan cannot reach either, under this name.
pub fn is_out_of_reach(error: &InRootError) -> bool {
    match error {
        InRootError::BadPath { .. }
        | InRootError::Loop { .. }
        | InRootError::OtherFilesystem { .. } => true,
        InRootError::Io { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        _ => false,
    }
}

fn protect(found: Resolved, why: SkipReason, claim: &Claim) -> Option<Protected> {
    (found.kind == FileKind::Regular).then(|| Protected {
        path: found.path,
        id: found.id,
        why,
        per: claim.per,
        package: claim.package.as_deref().map(str::to_owned),
    })
}
