//! How much of an image is read at most. Each bound is far above what real images have, and is named by the message
//! about an image that passes it.

use std::time::{Duration, Instant};

use super::fault::BadEntry;

/// Names of one image, whatever layer they are in.
const NAMES: u64 = 10_000_000;

/// Bytes of all names of one image together, with what links and extended attributes say.
const NAME_BYTES: u64 = 1 << 30;

/// Bytes of all files of one image together, as long as they would be when unpacked.
const CONTENT: u64 = 256 << 30;

/// Bytes of holes in all files together: they cost nothing to write down and time to hash.
const HOLES: u64 = 16 << 30;

/// Bytes of all package databases and files in `etc/` that are kept for later.
const KEPT: u64 = 2 << 30;

/// How long one image is read.
const TIME: Duration = Duration::from_secs(60 * 60);

/// What one image has used up of all that.
#[derive(Debug)]
pub(super) struct ReadingBudget {
    names: u64,
    name_bytes: u64,
    content: u64,
    holes: u64,
    kept: u64,
    until: Instant,
}

impl ReadingBudget {
    /// Nothing yet.
    pub fn new() -> ReadingBudget {
        ReadingBudget {
            names: 0,
            name_bytes: 0,
            content: 0,
            holes: 0,
            kept: 0,
            until: Instant::now() + TIME,
        }
    }

    /// One more name, with so many bytes that are kept of it.
    pub fn name(&mut self, bytes: usize) -> Result<(), BadEntry> {
        self.in_time()?;
        take(&mut self.names, 1, NAMES, "names")?;
        let what = "bytes of names, links and attributes";
        take(&mut self.name_bytes, bytes as u64, NAME_BYTES, what)
    }

    /// So many more bytes of files, of which so many are holes.
    pub fn content(&mut self, bytes: u64, holes: u64) -> Result<(), BadEntry> {
        take(&mut self.content, bytes, CONTENT, "bytes of files")?;
        take(
            &mut self.holes,
            holes,
            HOLES,
            "bytes of holes in sparse files",
        )
    }

    /// So many more bytes that are kept.
    pub fn kept(&mut self, bytes: u64) -> Result<(), BadEntry> {
        let what = "bytes of package databases and configuration";
        take(&mut self.kept, bytes, KEPT, what)
    }

    /// To be asked for each piece: an image must not keep us busy for ever.
    pub fn in_time(&self) -> Result<(), BadEntry> {
        match Instant::now() < self.until {
            true => Ok(()),
            false => Err(BadEntry::TooMuch {
                most: TIME.as_secs(),
                what: "seconds of reading",
            }),
        }
    }
}

fn take(used: &mut u64, more: u64, most: u64, what: &'static str) -> Result<(), BadEntry> {
    let sum = used.checked_add(more).filter(|sum| *sum <= most);
    *used = sum.ok_or(BadEntry::TooMuch { most, what })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_named() {
        let mut budget = ReadingBudget::new();
        assert_eq!(budget.content(CONTENT, 0), Ok(()));
        let said = budget.content(1, 0).unwrap_err().to_string();
        assert!(said.contains("274877906944 bytes of files"), "{said}");
        let said = ReadingBudget::new()
            .content(HOLES + 1, HOLES + 1)
            .unwrap_err();
        assert!(said.to_string().contains("holes"), "{said}");
        assert!(ReadingBudget::new().content(u64::MAX, 0).is_err());
        budget.until = Instant::now();
        let said = budget.name(1).unwrap_err().to_string();
        assert!(said.contains("3600 seconds"), "{said}");
    }
}
