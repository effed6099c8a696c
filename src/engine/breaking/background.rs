//! What takes long, in a thread of its own: reading, of a base that is opened for it, and copying.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::copies::CopyJob;
use super::knowledge::Knowledge;
use super::line::message::Message;
use super::line::queue::WriteQueue;
use super::names::Searched;
use super::uses::{self, FileWritten};
use crate::base::{Base, Index};
use crate::engine::{EngineError, Guest};
use crate::model::{GuestName, RunId};
use crate::sys::SysError;

/// Something to do in the background.
pub(super) enum BackgroundJob {
    /// Reads a base; these runs are our own.
    Knowledge(PathBuf, Vec<RunId>),
    Search {
        at: usize,
        knowledge: u64,
        guest: (GuestName, PathBuf),
        index: Arc<Index>,
    },
    Copy(Box<CopyJob>),
    /// Looks who used these files of a base.
    Uses(PathBuf, Vec<FileWritten>),
}

impl BackgroundJob {
    /// Does it, and tells the worker. One that has ended needs nothing.
    pub fn run(self, tell: &WriteQueue) {
        match self {
            BackgroundJob::Knowledge(base, own) => {
                tell.tell(Message::Known(known(&base, &own, tell)));
            }
            BackgroundJob::Search {
                at,
                knowledge,
                guest,
                index,
            } => tell.tell(Message::Searched {
                at,
                knowledge,
                found: searched(guest, &index, tell),
            }),
            BackgroundJob::Copy(job) => {
                let (key, made) = job.run();
                tell.tell(Message::Copied(key, made));
            }
            BackgroundJob::Uses(base, written) => {
                let begun = Instant::now();
                let met = uses::look(&base, &written);
                tell.tell(Message::Used(begun.elapsed(), met));
            }
        }
    }
}

/// Whoever ends the daemon waits for its threads, and a base or a guest may be of any size: nothing is read then.
fn known(base: &Path, own: &[RunId], tell: &WriteQueue) -> Result<Knowledge, EngineError> {
    let watch = || match tell.is_over() {
        true => Err(SysError::busy("read", base)),
        false => Ok(()),
    };
    Knowledge::read(&Base::existing(base)?, own, &watch)
}

fn searched((name, root): (GuestName, PathBuf), index: &Index, tell: &WriteQueue) -> Searched {
    Searched::search(Guest::open(name, &root), index, &|| !tell.is_over())
}
