//! The digests in a header, one for each file (rpmtag.h, rpmfiles.h, rpmpgp.h).
//!
//! A file has none where it is a directory or link. What the guest makes itself, is meant to be changed, was never put
//! there, or shall not be verified, is left out, as `rpm -V` leaves it out.

use super::header::{DIGESTS, RpmHeader, STATES, VERIFY};
use crate::model::PackageDigest;
use crate::packages::digests::record::RecordedFile;
use crate::packages::read::fault::Defect;

/// `RPMVERIFY_FILEDIGEST`.
const VERIFY_DIGEST: usize = 1;

impl RpmHeader<'_> {
    /// Files with digests. The kind is known by the length, as each kind of rpm's has its own.
    pub(super) fn recorded(&self) -> Result<Vec<RecordedFile>, Defect> {
        let files = self.all_files()?;
        let digests = self.strings(DIGESTS)?;
        if digests.is_empty() {
            return Ok(Vec::new());
        }
        if digests.len() != files.len() {
            return Err(Defect::Broken("not as many digests as files"));
        }
        let (states, verify) = (self.numbers(STATES)?, self.numbers(VERIFY)?);
        let is_there = |at: usize| states.get(at).is_none_or(|state| *state == 0);
        let is_verified = |at: usize| {
            verify
                .get(at)
                .is_none_or(|flags| flags & VERIFY_DIGEST != 0)
        };
        let files = files.into_iter().zip(digests).enumerate();
        let recorded = files.filter_map(|(at, (file, digest))| {
            let file = file?;
            let meant = !file.is_config() && !file.is_ghost() && is_there(at) && is_verified(at);
            (meant && !digest.is_empty()).then(|| RecordedFile {
                path: file.path,
                digest: PackageDigest::of_hex(digest),
            })
        });
        Ok(recorded.collect())
    }
}
