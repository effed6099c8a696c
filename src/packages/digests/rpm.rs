//! rpm's headers, each of which has the digests of its files.

use super::record::{EachFile, FileDigests};
use crate::packages::read::fault::Problem;
use crate::packages::read::source::Source;
use crate::packages::rpm;

/// rpm's database.
pub(super) struct RpmDigests;

impl FileDigests for RpmDigests {
    fn files(&self, source: &Source<'_>, each: EachFile<'_>) -> Result<(), Problem> {
        for file in rpm::recorded(source)? {
            each(file);
        }
        Ok(())
    }
}
