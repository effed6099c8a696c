//! The journal of a run as a file: written and synced before the step that it announces.

use std::io::Write;
use std::path::Path;

use crate::engine::in_parallel;
use crate::ledger::journal::{Record, encode};
use crate::sys::own::papers::Growing;
use crate::sys::{SysError, SysResult, Weak, weak};

/// An open journal, and the number of the next intent.
#[derive(Debug)]
pub struct JournalFile {
    file: Growing,
    next: u64,
}

impl JournalFile {
    pub fn create(path: &Path) -> SysResult<JournalFile> {
        Ok(JournalFile {
            file: Growing::open(path)?,
            next: 1,
        })
    }

    /// Numbers rise through the whole run; each is the name of one entry in staging.
    pub fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// The last number that was given out.
    pub fn last(&self) -> u64 {
        self.next - 1
    }

    /// Appends records, not yet durable.
    pub fn write(&mut self, records: &[Record]) -> SysResult<()> {
        let bytes = in_parallel::each(records, encode).concat();
        self.file
            .write_all(&bytes)
            .map_err(|e| SysError::new("write", "the journal", e))
    }

    /// Appends records and makes the journal durable.
    pub fn write_durably(&mut self, records: &[Record]) -> SysResult<()> {
        self.write(records)?;
        if weak(Weak::JournalWithoutSync) {
            return Ok(());
        }
        self.file.sync()
    }
}
