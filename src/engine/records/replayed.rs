//! The receipts of a base, replayed when they are first asked for and not again: a recovery asks several times,
//! and guests may be frozen meanwhile.

use std::cell::OnceCell;

use super::History;
use crate::base::{Base, RECOVERED};
use crate::engine::EngineError;
use crate::model::{Event, Observer, Quiet, RunId};

/// What the base remembers, read at most once.
pub struct Replayed<'a> {
    base: &'a Base,
    /// Is told of each line.
    observer: &'a dyn Observer,
    history: OnceCell<History>,
}

impl<'a> Replayed<'a> {
    /// Nothing is read yet.
    pub fn of(base: &'a Base) -> Replayed<'a> {
        Replayed::observed(base, &Quiet)
    }

    /// The same, and the observer is told how the reading gets on.
    pub fn observed(base: &'a Base, observer: &'a dyn Observer) -> Replayed<'a> {
        Replayed {
            base,
            observer,
            history: OnceCell::new(),
        }
    }

    /// All receipts, replayed.
    pub fn history(&self) -> Result<&History, EngineError> {
        if let Some(history) = self.history.get() {
            return Ok(history);
        }
        let read = History::read_watched(self.base, &|| {
            self.observer.notice(&Event::Advance(1));
            Ok(())
        })?;
        Ok(self.history.get_or_init(|| read))
    }

    /// Adds what the healing of this run has written down. Names of an earlier healing that this one does not repeat
    /// stay: whether a name refers to an object is asked of the disk in any case.
    pub fn add_recovered(&mut self, run: &RunId) -> Result<(), EngineError> {
        let Some(history) = self.history.get_mut() else {
            return Ok(());
        };
        let added = history.replay(self.base, run, RECOVERED, &|| Ok(()));
        if added.is_err() {
            // What is half replayed is read anew.
            self.history.take();
        }
        added
    }
}
