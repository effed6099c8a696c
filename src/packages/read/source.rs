//! What a backend reads through: the guest, with a budget of bytes of its own, and one of time that all backends of the
//! guest share.

use std::cell::Cell;
use std::time::Instant;

use super::fault::Problem;
use super::limits;
use crate::model::FileId;
use crate::sys::guest::GuestFiles;

/// The way to a guest's files for one backend.
#[derive(Debug)]
pub struct Source<'r> {
    guest: &'r dyn GuestFiles,
    /// When the time of its guest is over.
    until: Instant,
    bytes_left: Cell<u64>,
}

impl<'r> Source<'r> {
    /// A full budget of bytes, and of time what is left of the guest's.
    pub fn new(guest: &'r dyn GuestFiles, until: Instant) -> Self {
        Source {
            guest,
            until,
            bytes_left: Cell::new(limits::TEXT),
        }
    }

    /// For another try: a full budget of bytes, but no more time.
    pub fn again(&self) -> Self {
        Source {
            bytes_left: Cell::new(limits::TEXT),
            ..*self
        }
    }

    /// The guest itself.
    pub fn guest(&self) -> &'r dyn GuestFiles {
        self.guest
    }

    /// A whole text file, path without the leading slash; `None` if there is none.
    pub fn text(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        self.in_time()?;
        let left = self.bytes_left.get();
        let content = self.guest.read(path, left)?;
        let used = content.as_ref().map_or(0, Vec::len) as u64;
        self.bytes_left.set(left.saturating_sub(used));
        Ok(content)
    }

    /// A whole file of at most `max` bytes that is no text; `None` if there is none.
    pub fn binary(&self, path: &[u8], max: u64) -> Result<Option<Vec<u8>>, Problem> {
        self.in_time()?;
        Ok(self.guest.read(path, max)?)
    }

    /// The sorted names in a directory; none if there is no such directory.
    pub fn names(&self, directory: &[u8], max: usize) -> Result<Vec<Vec<u8>>, Problem> {
        Ok(self.guest.list(directory, max)?.unwrap_or_default())
    }

    /// Which inode a name refers to now.
    pub fn id(&self, path: &[u8]) -> Result<Option<FileId>, Problem> {
        Ok(self.guest.resolve(path)?.map(|found| found.id))
    }

    /// To be asked for each record: a guest must not keep us busy for ever.
    pub fn in_time(&self) -> Result<(), Problem> {
        if Instant::now() >= self.until {
            return Err(Problem::Late);
        }
        Ok(())
    }
}
