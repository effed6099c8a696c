//! What takes long, in a thread of its own: reading, of a base that is opened for it, copying, and waiting for the
//! disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::burst::BurstEnd;
use super::copies::CopyJob;
use super::knowledge::{Knowledge, ReadingGround};
use super::line::message::Message;
use super::line::queue::WriteQueue;
use super::names::Searched;
use super::uses::{self, FileWritten};
use crate::base::{Base, Index};
use crate::engine::{EngineError, Guest};
use crate::model::{GuestName, ObjectId};
use crate::sys::host::service::{precede, stand_back};
use crate::sys::{Regular, SysError, SysResult};

/// Something to do in the background.
pub(super) enum BackgroundJob {
    /// Reads a base.
    Knowledge(PathBuf, SysResult<ReadingGround>),
    Search {
        number: u64,
        guest: (GuestName, PathBuf),
        index: Arc<Index>,
    },
    Copy(Box<CopyJob>),
    /// Opens this object of a base, and waits for the lease that is in the way.
    Open(PathBuf, ObjectId),
    /// Looks who used these files of a base.
    Uses(PathBuf, Vec<FileWritten>),
    /// Closes a burst of this base.
    Close(Arc<Base>, Box<BurstEnd>),
}

impl BackgroundJob {
    /// Is it not to be waited for at the end? Who holds a lease may take most of a minute.
    pub fn may_be_left(&self) -> bool {
        matches!(self, BackgroundJob::Open(..))
    }

    /// Is it to be done even at the end?
    pub fn is_close(&self) -> bool {
        matches!(self, BackgroundJob::Close(..))
    }

    /// The same in a thread of its own, which takes its place first: others wait for the turn of a burst; what else is
    /// done there takes no processor from the answers.
    pub fn run_apart(self, tell: &WriteQueue) {
        match &self {
            BackgroundJob::Close(..) => drop(precede()),
            _ => stand_back(),
        }
        self.run(tell);
    }

    /// Does it, and tells the worker. One that has ended needs nothing.
    pub fn run(self, tell: &WriteQueue) {
        match self {
            BackgroundJob::Knowledge(base, ground) => {
                tell.tell(Message::Known(known(&base, ground, tell)));
            }
            BackgroundJob::Search {
                number,
                guest,
                index,
            } => tell.tell(Message::Searched {
                number,
                found: searched(guest, &index, tell),
            }),
            BackgroundJob::Copy(job) => {
                let (key, made) = job.run();
                tell.tell(Message::Copied(key, made));
            }
            BackgroundJob::Open(base, id) => {
                tell.tell(Message::Opened(id, opened(&base, &id).ok().flatten()));
            }
            BackgroundJob::Uses(base, written) => {
                let begun = Instant::now();
                let met = uses::look(&base, &written);
                tell.tell(Message::Used(begun.elapsed(), met));
            }
            BackgroundJob::Close(base, end) => tell.tell(Message::Closed(end.close(&base))),
        }
    }
}

fn opened(base: &Path, id: &ObjectId) -> Result<Option<Regular>, EngineError> {
    Ok(Base::existing(base)?.object_after_lease(id)?)
}

/// Whoever ends the daemon waits for its threads, and a base or a guest may be of any size: nothing is read then.
fn known(
    base: &Path,
    ground: SysResult<ReadingGround>,
    tell: &WriteQueue,
) -> Result<Knowledge, EngineError> {
    let watch = || match tell.is_over() {
        true => Err(SysError::busy("read", base)),
        false => Ok(()),
    };
    Knowledge::read(&Base::existing(base)?, ground?, &watch)
}

fn searched((name, root): (GuestName, PathBuf), index: &Index, tell: &WriteQueue) -> Searched {
    Searched::search(Guest::open(name, &root), index, &|| !tell.is_over())
}
