//! A guest gets private copies of names that somebody is about to change: the undo of these names.

use std::path::{Path, PathBuf};

use super::names::of_packages;
use crate::base::{Base, MaintainedPaper};
use crate::engine::error::BadUse;
use crate::engine::limits::Limits;
use crate::engine::receipt_file::RunResult;
use crate::engine::records::History;
use crate::engine::undoing::ReadyToUndo;
use crate::engine::undoing::look::look_at_undo;
use crate::engine::undoing::select::{UndoOptions, WhichRuns};
use crate::engine::{EngineError, Guest};
use crate::model::{GuestName, Observer, Running, UndoView};
use crate::rules::selectors::{Selection, Selectors};
use crate::sys::host::machine;
use crate::sys::host::signals::Stop;

/// What shall be thawed.
#[derive(Debug, Clone)]
pub struct ThawOptions {
    /// The guest, by its name in the base.
    pub guest: GuestName,
    /// Only what these packages own: names, or `upgradable`.
    pub packages: Vec<String>,
    /// And names that these globs choose, links followed. Everything, where neither is given.
    pub paths: Vec<String>,
    /// What is done about guests that run.
    pub running: Running,
    /// Must it be a guest that is not being maintained yet?
    pub is_first: bool,
}

/// Names that were chosen and can be thawed once.
pub struct ReadyToThaw {
    base: PathBuf,
    guest: GuestName,
    undo: ReadyToUndo,
    again: UndoOptions,
}

impl ReadyToThaw {
    /// Finds out what there is to thaw. Nothing in a guest is changed.
    pub fn check(
        base: &Path,
        options: &ThawOptions,
        observer: &dyn Observer,
    ) -> Result<ReadyToThaw, EngineError> {
        Ok(ReadyToThaw {
            base: base.to_owned(),
            guest: options.guest.clone(),
            again: undo_options(base, options)?,
            undo: ReadyToUndo::check(base, &undo_options(base, options)?, observer)?,
        })
    }

    /// How many files would get an inode of their own, and how many bytes that takes at most.
    pub fn files(&self) -> (u64, u64) {
        (self.undo.files(), self.undo.needed())
    }

    /// Does it: from now on the guest is being maintained.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<Thawed, EngineError> {
        let base = Base::existing(&self.base)?;
        // The undo holds the lock of the base.
        if MaintainedPaper::of(&base, &self.guest)?.is_none() {
            MaintainedPaper::begin(&base, &self.guest, &machine::now(), self.undo.run())?;
        }
        if self.undo.files() == 0 {
            self.undo.cancel()?;
            return Ok(Thawed::default());
        }
        let result = self.undo.execute(observer, stop)?;
        // What was not done may have been the guest's own before.
        let left = match result.interrupted || result.totals.refused + result.totals.failed > 0 {
            true => look_at_undo(&self.base, &self.again, observer)?.names,
            false => 0,
        };
        Ok(Thawed {
            result: Some(result),
            left,
        })
    }
}

/// What was thawed.
#[derive(Debug, Default)]
pub struct Thawed {
    /// What the run came to; `None` where there was nothing to thaw.
    pub result: Option<RunResult>,
    /// Names that were chosen and are shared still.
    pub left: u64,
}

/// Looks at what would be thawed, and writes nothing.
pub fn look_at_thaw(
    base: &Path,
    options: &ThawOptions,
    observer: &dyn Observer,
) -> Result<UndoView, EngineError> {
    look_at_undo(base, &undo_options(base, options)?, observer)
}

/// The undo of what was chosen.
fn undo_options(base: &Path, options: &ThawOptions) -> Result<UndoOptions, EngineError> {
    let base = Base::existing(base)?;
    let history = History::read(&base)?;
    let guest = opened(&history, &options.guest)?;
    if let Some(one) = MaintainedPaper::of(&base, &options.guest)?
        && options.is_first
    {
        return Err(BadUse::BeingMaintained {
            name: one.name,
            since: one.since,
        }
        .into());
    }
    let names = match options.packages.is_empty() {
        true => None,
        false => {
            let mut files = history.by_guest(|name, _| *name == options.guest)?;
            let files = files.remove(&options.guest).unwrap_or_default();
            Some(of_packages(&guest, &files, &options.packages)?)
        }
    };
    let selectors = Selectors {
        guests: vec![options.guest.to_string()],
        ..Selectors::default()
    };
    Ok(UndoOptions {
        which: WhichRuns::All,
        walked: Vec::new(),
        from_disk: false,
        paths: options.paths.clone(),
        names,
        selection: Selection::new(&selectors)?,
        running: options.running,
        limits: Limits::default(),
    })
}

/// A guest that the base knows, and whose root is there.
fn opened(history: &History, name: &GuestName) -> Result<Guest, EngineError> {
    let Some(known) = history.guests.get(name) else {
        return Err(BadUse::UnknownGuest(name.clone()).into());
    };
    known.find_beside(name)?.ok_or_else(|| {
        BadUse::GuestGone {
            name: name.clone(),
            root: known.root.clone(),
        }
        .into()
    })
}
