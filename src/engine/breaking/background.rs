//! What takes long: read in a thread of its own, of a base that is opened for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::knowledge::{Knowledge, Searched};
use super::request::Message;
use crate::base::{Base, Index};
use crate::engine::{EngineError, Guest};
use crate::model::GuestName;

/// Something to read in the background.
pub(super) enum BackgroundRead {
    Knowledge(PathBuf),
    Search {
        at: usize,
        guest: (GuestName, PathBuf),
        index: Arc<Index>,
    },
}

impl BackgroundRead {
    /// Reads it, and tells the worker.
    pub fn run(self, tell: &SyncSender<Message>) {
        let message = match self {
            BackgroundRead::Knowledge(base) => Message::Known(known(&base)),
            BackgroundRead::Search { at, guest, index } => {
                Message::Searched(at, searched(guest, &index))
            }
        };
        // A worker that has ended needs nothing.
        drop(tell.send(message));
    }
}

fn known(base: &Path) -> Result<Knowledge, EngineError> {
    Knowledge::read(&Base::existing(base)?)
}

fn searched((name, root): (GuestName, PathBuf), index: &Index) -> Result<Searched, EngineError> {
    Searched::search(&Guest::open(name, &root)?, index)
}
