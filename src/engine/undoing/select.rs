//! Which runs, guests and files an undo is about.

use crate::engine::error::BadUse;
use crate::engine::limits::Limits;
use crate::engine::records::{History, Linked};
use crate::engine::{EngineError, Guest, GuestArg, PathChoice};
use crate::model::{ChoseNothing, GuestName, ReceiptGuest, RunId, Running};

/// Which runs are undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichRuns {
    /// The last `apply` that still has names.
    Last,
    /// This run.
    Run(RunId),
    /// Every run.
    All,
}

/// What shall be undone.
#[derive(Debug, Clone)]
pub struct UndoOptions {
    /// Which runs.
    pub which: WhichRuns,
    /// Only these guests; all where empty.
    pub guests: Vec<GuestName>,
    /// Guests whose names are looked for on the disk, whatever receipts say.
    pub walked: Vec<GuestArg>,
    /// Only files with a name that one of these globs matches; all where empty.
    pub paths: Vec<String>,
    /// What is done about guests that run.
    pub running: Running,
    /// How far and how fast.
    pub limits: Limits,
}

/// The run to be undone; `None` for all runs, and where no run has names left.
pub(super) fn chosen_run(
    history: &History,
    which: &WhichRuns,
) -> Result<Option<RunId>, EngineError> {
    match which {
        WhichRuns::All => Ok(None),
        WhichRuns::Run(run) if history.runs.iter().any(|r| r.run == *run) => Ok(Some(run.clone())),
        WhichRuns::Run(run) => Err(BadUse::UnknownRun(run.clone()).into()),
        WhichRuns::Last => {
            let mut last = None;
            for file in history.files() {
                last = last.max(Some(file?.1.run));
            }
            Ok(last)
        }
    }
}

/// What an undo is about.
#[derive(Default)]
pub struct UndoChoice {
    pub guests: Vec<Guest>,
    /// Guest, as an index, and file; in order.
    pub files: Vec<(usize, Linked)>,
    /// Guests whose roots are gone, and their files.
    pub lost: Vec<(ReceiptGuest, Vec<Linked>)>,
    /// Globs that no file of these guests has a name for.
    pub chose_nothing: Vec<ChoseNothing>,
}

/// The guests and files that the options choose.
pub(super) fn chosen_files(
    history: &History,
    run: Option<&RunId>,
    options: &UndoOptions,
) -> Result<UndoChoice, EngineError> {
    known_guests(history, &options.guests)?;
    let is_meant = |guest: &GuestName| options.guests.is_empty() || options.guests.contains(guest);
    let mut paths = PathChoice::new(&options.paths)?;
    let mut seen = Vec::new();
    if !paths.is_everything() {
        seen = seen_guests(history, is_meant, &mut paths)?;
    }
    let mut chosen = UndoChoice::default();
    let wanted = |guest: &GuestName, file: &Linked| {
        is_meant(guest)
            && run.is_none_or(|run| file.run == *run)
            && paths.chooses_any(guest, &file.paths)
    };
    for (name, files) in history.by_guest(wanted)? {
        let Some(known) = history.guests.get(name) else {
            continue;
        };
        match known.find(name)? {
            Some(guest) => {
                let at = chosen.guests.len();
                chosen
                    .files
                    .extend(files.into_iter().map(|file| (at, file)));
                chosen.guests.push(guest);
            }
            None => {
                let (name, root) = (name.clone(), known.root.clone());
                chosen.lost.push((ReceiptGuest { name, root }, files));
            }
        }
    }
    chosen.chose_nothing = paths.unused(&seen.iter().collect::<Vec<_>>());
    Ok(chosen)
}

/// The guests that are there, each with its links followed.
fn seen_guests(
    history: &History,
    is_meant: impl Fn(&GuestName) -> bool,
    paths: &mut PathChoice,
) -> Result<Vec<Guest>, EngineError> {
    let mut seen = Vec::new();
    for (name, known) in history.guests.iter().filter(|(name, _)| is_meant(name)) {
        if let Some(guest) = known.find(name)? {
            paths.see(&guest)?;
            seen.push(guest);
        }
    }
    Ok(seen)
}

fn known_guests(history: &History, wanted: &[GuestName]) -> Result<(), EngineError> {
    match wanted
        .iter()
        .find(|name| !history.guests.contains_key(*name))
    {
        Some(name) => Err(BadUse::UnknownGuest(name.clone()).into()),
        None => Ok(()),
    }
}
