//! From claims to inodes: what of all that a database names is there, and where.

use super::sidecars::Sidecars;
use crate::model::{FileKind, SkipReason};
use crate::packages::listing::Claim;
use crate::packages::listing::Protected;
use crate::packages::read::fault::Problem;
use crate::packages::read::lookup::find;
use crate::packages::read::source::Source;
use crate::sys::guest::Resolved;

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

fn protect(found: Resolved, why: SkipReason, claim: &Claim) -> Option<Protected> {
    (found.kind == FileKind::Regular).then(|| Protected {
        path: found.path,
        id: found.id,
        why,
        per: claim.per,
        package: claim.package.as_deref().map(str::to_owned),
    })
}
