//! The journal of a run as a file: written and synced before the step that it announces. A protection is lifted
//! only after that.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::sync::Arc;

use crate::base::{JOURNAL, Run};
use crate::engine::in_parallel;
use crate::ledger::journal::{Record, encode};
use crate::model::{ObjectId, RunKind};
use crate::protect::{self, Lifted, NameStep, WrittenDown};
use crate::sys::own::papers::Growing;
use crate::sys::{Regular, SysError, SysResult};

/// An open journal, and the number of the next intent.
#[derive(Debug)]
pub struct JournalFile {
    file: RefCell<Growing>,
    next: u64,
    /// Bytes so far.
    written: Cell<u64>,
    /// Objects that the journal names since its last `Done`.
    lifts: RefCell<WrittenDown>,
}

impl JournalFile {
    /// The journal of a run, which says durably whose it is.
    pub fn begin(run: &Run, what: RunKind) -> SysResult<JournalFile> {
        JournalFile::go_on(run, what, 0)
    }

    /// The same of a run that goes on, and whose last number was this: what it has left in quarantine keeps its name.
    pub fn go_on(run: &Run, what: RunKind, last: u64) -> SysResult<JournalFile> {
        let journal = JournalFile {
            file: RefCell::new(Growing::open(&run.papers.join(JOURNAL))?),
            next: last.saturating_add(1),
            written: Cell::new(0),
            lifts: RefCell::default(),
        };
        let run = run.id.clone();
        journal.write_durably(&[Record::Begin { run, what }])?;
        Ok(journal)
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

    /// Bytes that were written since it was opened.
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    /// Appends records, not yet durable.
    pub fn write(&self, records: &[Record]) -> SysResult<()> {
        let bytes = in_parallel::each(records, encode).concat();
        self.written.set(self.written.get() + bytes.len() as u64);
        let written = self.file.borrow_mut().write_all(&bytes);
        written.map_err(|e| SysError::new("write", "the journal", e))
    }

    /// Appends records and makes the journal durable.
    pub fn write_durably(&self, records: &[Record]) -> SysResult<()> {
        let lifts = records.iter().filter_map(|record| match record {
            Record::Lift { object, .. } => Some(*object),
            _ => None,
        });
        let written = WrittenDown::once(lifts, || self.write_and_sync(records))?;
        self.lifts.borrow_mut().join(written);
        Ok(())
    }

    fn write_and_sync(&self, records: &[Record]) -> SysResult<()> {
        self.write(records)?;
        self.file.borrow().sync()
    }

    /// The last batch is over, with all its protections on again.
    pub fn write_done(&self) -> SysResult<()> {
        self.lifts.take();
        self.write(&[Record::Done { upto: self.last() }])
    }

    /// Lifts what protects an object, if that is in the way of what is about to happen to names of it.
    pub fn lift(
        &self,
        object: &ObjectId,
        file: Arc<Regular>,
        changes: &[NameStep],
    ) -> SysResult<Option<Lifted>> {
        let Some(by) = protect::in_the_way(&file, changes)? else {
            return Ok(None);
        };
        if !self.lifts.borrow().covers(object) {
            // Somebody has protected it since the batch was announced.
            let (object, inode) = (*object, file.state()?.id);
            self.write_durably(&[Record::Lift { object, inode }])?;
        }
        by.lift(object, file, &self.lifts.borrow()).map(Some)
    }
}
