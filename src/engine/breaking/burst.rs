//! Breaks in a row are one run: one turn, one journal, one receipt. It ends when nobody asks for a moment, or when it
//! has lasted long enough for others to have their turn.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::{Base, RECEIPT, Run};
use crate::engine::exchange::journal::JournalFile;
use crate::engine::receipt_file::{ReceiptFile, receipt_head};
use crate::engine::records::writers::object_names::ObjectNames;
use crate::engine::{EngineError, Guest};
use crate::model::{
    About, GuestName, GuestPath, ObjectId, Observer, Outcome, ReceiptLine, RunId, RunKind,
};
use crate::sys::guard::{AnswersWriters, InodeMark};
use crate::sys::own::papers::Lock;

/// For so long nobody asked, and for so long it lasts at most.
const IDLE: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// So long a turn is waited for: a batch or two of a run. Then the writer is denied, and told why.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl Drop for Burst<'_> {
    fn drop(&mut self) {
        if let Some((desk, staging)) = &self.staging {
            // A mark that is left is one of a directory that is gone.
            drop(desk.disown_directory(staging));
        }
    }
}

/// A run of breaks.
pub(super) struct Burst<'a> {
    pub run: Run,
    pub journal: JournalFile,
    receipt: Option<ReceiptFile<'a>>,
    lines: Vec<ReceiptLine>,
    guests: HashMap<usize, Option<Guest>>,
    /// Where what came out is for a moment, as the guard knows it.
    staging: Option<(&'a dyn AnswersWriters, InodeMark)>,
    began: Instant,
    last: Instant,
    _turn: Arc<Lock>,
}

impl<'a> Burst<'a> {
    /// `None` where the turn is not to be had.
    pub fn begin(
        base: &Base,
        names: &ObjectNames,
        desk: &'a dyn AnswersWriters,
        observer: &'a dyn Observer,
    ) -> Result<Option<Burst<'a>>, EngineError> {
        let Some(turn) = base.turn_within(PATIENCE)? else {
            return Ok(None);
        };
        let run = base.begin_run()?;
        let begun = Burst::papers(&run, names, observer);
        let (receipt, journal) = match begun {
            Ok(papers) => papers,
            Err(error) => {
                base.forget_run(&run)?;
                return Err(error);
            }
        };
        // A writer that holds what came out looks again by itself.
        let staging = InodeMark::of_dir(&run.staging).ok();
        if let Some(staging) = &staging {
            desk.own_directory(staging)?;
        }
        Ok(Some(Burst {
            staging: staging.map(|staging| (desk, staging)),
            run,
            journal,
            receipt: Some(receipt),
            lines: Vec::new(),
            guests: HashMap::new(),
            began: Instant::now(),
            last: Instant::now(),
            _turn: turn,
        }))
    }

    /// Whoever heals finds the guests by the receipt, and knows by the journal what it was.
    fn papers(
        run: &Run,
        names: &ObjectNames,
        observer: &'a dyn Observer,
    ) -> Result<(ReceiptFile<'a>, JournalFile), EngineError> {
        let head = receipt_head(&run.id, RunKind::Break, names.for_receipt());
        let mut receipt = ReceiptFile::create(&run.papers.join(RECEIPT), &head, observer)?;
        receipt.sync()?;
        let journal = JournalFile::begin(run, RunKind::Break)?;
        Ok((receipt, journal))
    }

    pub fn id(&self) -> RunId {
        self.run.id.clone()
    }

    /// A guest by its number, opened once; `None` where it is not where it was.
    pub fn guest(&mut self, names: &ObjectNames, at: usize) -> Option<&Guest> {
        let open = || {
            let (name, root) = names.guests().get(at)?;
            Guest::open(name.clone(), root).ok()
        };
        self.guests.entry(at).or_insert_with(open).as_ref()
    }

    /// These names have a file of their own.
    pub fn parted(&mut self, guest: &GuestName, paths: &[GuestPath], object: ObjectId, room: u64) {
        self.last = Instant::now();
        self.lines.push(ReceiptLine {
            about: About::Names {
                guest: guest.clone(),
                paths: paths.to_vec(),
                object,
            },
            outcome: Outcome::Done {
                made: None,
                saved: room,
                mtime: None,
            },
        });
    }

    /// Shall others have their turn?
    pub fn is_due(&self) -> bool {
        self.last.elapsed() >= IDLE || self.began.elapsed() >= LONGEST
    }

    /// Makes all of it durable, and then writes it into the receipt: a receipt that said more than the disk would be
    /// believed.
    pub fn close(mut self, base: &Base) -> Result<(), EngineError> {
        if self.lines.is_empty() {
            return Ok(base.forget_run(&self.run)?);
        }
        base.dir().sync_filesystem()?;
        if let Some(mut receipt) = self.receipt.take() {
            for line in &self.lines {
                receipt.add(line)?;
            }
            receipt.finish()?;
        }
        self.journal.write_done()?;
        Ok(base.end_run(&self.run)?)
    }
}
