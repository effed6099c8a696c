//! What a kind of package database is.

use super::listing::Listing;
#[cfg(any(test, feature = "internals"))]
use super::read::fault::Fault;
use super::read::fault::Problem;
use super::read::source::Source;

/// A kind of package database.
pub trait PackageDatabase: Sync {
    /// Its name in plans.
    fn manager(&self) -> &'static str;

    /// Does it say which files its packages have?
    fn lists_files(&self) -> bool {
        true
    }

    /// Everything that the database says; `None` if the guest has no such database.
    fn read(&self, source: &Source<'_>) -> Result<Option<Listing>, Problem>;
}

/// A parser that needs no guest, for tests that mutate and fuzz.
#[cfg(any(test, feature = "internals"))]
pub trait PureParser: PackageDatabase {
    /// The pure parser over any bytes, as if they were its main file: how many entries that holds. It must end, in
    /// memory bounded by the length of `data`, and never panic.
    fn parse(&self, data: &[u8]) -> Result<usize, Fault>;
}
