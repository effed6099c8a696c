//! What a database says of the content of its packages' files.

use crate::model::PackageDigest;
use crate::packages::read::fault::Problem;
use crate::packages::read::source::Source;

/// A file, as a database names it and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// Absolute, otherwise any bytes.
    pub path: Vec<u8>,
    /// The digest of its content; `None` where it is none of a kind that is known.
    pub digest: Option<PackageDigest>,
}

/// Takes each file, one at a time: all together may be many.
pub type EachFile<'e> = &'e mut dyn FnMut(RecordedFile);

/// A database that knows the content of files.
pub trait FileDigests: Sync {
    /// Hands out every regular file of installed packages that the package brought and nobody is meant to change. A
    /// database that breaks its grammar may have handed out some before that is known.
    fn files(&self, source: &Source<'_>, each: EachFile<'_>) -> Result<(), Problem>;
}
