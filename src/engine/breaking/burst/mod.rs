//! Breaks in a row are one turn and one run: one journal, one receipt. It ends when nobody asks for a moment, or when
//! it has lasted long enough for others to have their turn, and is closed in the background (`closing`). The next one
//! may go on with the same run (`papers`).

mod closing;
mod papers;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::{Base, Run};
use crate::engine::records::writers::object_names::ObjectNames;
use crate::engine::{EngineError, Guest};
use crate::model::{About, GuestName, GuestPath, ObjectId, Outcome, ReceiptLine, RunId};
use crate::sys::guard::{AnswersWriters, InodeMark};
use crate::sys::own::papers::Lock;

pub(super) use closing::{BurstEnd, Closings};
use closing::{BurstRun, EndedBurst, StagingMark};
use papers::CalledOff;

/// For so long nobody asked, and for so long it lasts at most.
const IDLE: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

/// A run of breaks.
pub(super) struct Burst<'a> {
    /// Begun with the first file: many who ask get none.
    begun: Option<BurstRun>,
    lines: Vec<ReceiptLine>,
    /// Files that went into quarantine.
    kept: u64,
    guests: HashMap<usize, Option<Guest>>,
    /// Where what came out is for a moment, as the guard knows it.
    staging: Option<StagingMark<'a>>,
    began: Instant,
    last: Instant,
    turn: Arc<Lock>,
}

impl<'a> Burst<'a> {
    /// Begins one in this turn.
    pub fn begin(turn: Arc<Lock>) -> Burst<'a> {
        Burst {
            begun: None,
            staging: None,
            lines: Vec::new(),
            kept: 0,
            guests: HashMap::new(),
            began: Instant::now(),
            last: Instant::now(),
            turn,
        }
    }

    /// Its turn, to be kept beyond its end.
    pub fn turn(&self) -> Arc<Lock> {
        Arc::clone(&self.turn)
    }

    /// Its run, begun where it is not yet, and none of those that are being `closed`; `own` learns of it then.
    pub fn run(
        &mut self,
        base: &Base,
        names: &ObjectNames,
        desk: &'a dyn AnswersWriters,
        (own, closed): (&mut Vec<RunId>, &Closings<'a>),
    ) -> Result<&mut BurstRun, EngineError> {
        let begun = match self.begun.take() {
            Some(begun) => begun,
            None => {
                let (run, journal, receipt) = papers::begin(base, names, &|run| closed.has(run))?;
                own.retain(|other| *other != run.id);
                own.push(run.id.clone());
                self.staging = owned(desk, &run);
                BurstRun {
                    run,
                    journal,
                    receipt,
                }
            }
        };
        Ok(self.begun.insert(begun))
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

    /// So many files went into quarantine, which is named by the run.
    pub fn kept(&mut self, files: u64) {
        self.kept += files;
    }

    /// Shall others have their turn, or is its journal long enough?
    pub fn is_due(&self) -> bool {
        let written = self.begun.as_ref().map_or(0, |run| run.journal.written());
        written > papers::LONGEST || self.last.elapsed() >= IDLE || self.began.elapsed() >= LONGEST
    }

    /// What is left to be done for it; `None` where that is nothing. A run of which nothing came is none, and `own`
    /// forgets it: the next run may have its name.
    pub fn end(
        self,
        base: &Base,
        own: &mut Vec<RunId>,
    ) -> Result<Option<EndedBurst<'a>>, EngineError> {
        let Some(begun) = self.begun else {
            return Ok(None);
        };
        if self.lines.is_empty() && self.kept == 0 {
            let BurstRun { run, journal, .. } = &begun;
            if begun.receipt.call_off(base, run, journal)? == CalledOff::Gone {
                own.retain(|other| *other != run.id);
            }
            return Ok(None);
        }
        Ok(Some(EndedBurst {
            end: BurstEnd::of(begun, self.lines, self.turn),
            staging: self.staging,
        }))
    }
}

/// A writer that holds what came out looks again by itself, where the guard has room for one more mark. Else it is
/// answered as any other.
fn owned<'a>(desk: &'a dyn AnswersWriters, run: &Run) -> Option<StagingMark<'a>> {
    let staging = InodeMark::of_dir(&run.staging).ok()?;
    desk.own_directory(&staging).ok()?;
    Some(StagingMark::of(desk, staging))
}
