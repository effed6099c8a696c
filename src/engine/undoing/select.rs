//! Which runs, guests and files an undo is about.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::base::{Base, PLAN};
use crate::engine::error::BadUse;
use crate::engine::limits::Limits;
use crate::engine::paths::selected::{follow_in, selected_among};
use crate::engine::plan_file::open_copy;
use crate::engine::records::{History, Linked};
use crate::engine::{EngineError, Guest, GuestArg, PathChoice};
use crate::model::{Action, ChoseNothing, GuestName, GuestPath, ReceiptGuest, RunId, Running};
use crate::rules::selectors::{FollowedPaths, Selection};

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
#[derive(Debug)]
pub struct UndoOptions {
    /// Which runs.
    pub which: WhichRuns,
    /// Guests whose names are looked for on the disk, whatever receipts say.
    pub walked: Vec<GuestArg>,
    /// Only files with a name that one of these globs chooses, links followed; all, if there are none.
    pub paths: Vec<String>,
    /// Only files that are selected besides, links followed too for paths that are left out.
    pub selection: Selection,
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
    base: &Base,
    history: &History,
    run: Option<&RunId>,
    options: &UndoOptions,
) -> Result<UndoChoice, EngineError> {
    let selection = &selected_in(history, options)?;
    let mut paths = PathChoice::new(&options.paths)?;
    let mut left_out = FollowedPaths::of(selection);
    let mut seen = Vec::new();
    if !paths.is_everything() || selection.has_paths() {
        let is_meant = |guest: &GuestName| selection.has_guest(guest);
        seen = seen_guests(history, is_meant, &mut |guest| {
            paths.see(guest)?;
            follow_in(&mut left_out, guest)
        })?;
    }
    let by_names = |guest: &GuestName, file: &Linked| {
        selection.has_guest(guest)
            && run.is_none_or(|run| file.run == *run)
            && paths.chooses_any(guest, &file.paths)
            && left_out.has_names(guest, file.paths.iter())
    };
    let by_lines = LinesOfRuns::read(base, history, selection, &by_names)?;
    let wanted =
        |guest: &GuestName, file: &Linked| by_names(guest, file) && by_lines.has(guest, file);
    let mut chosen = UndoChoice::default();
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

/// The guests that are there, each of which is seen, for its links to be followed.
fn seen_guests(
    history: &History,
    is_meant: impl Fn(&GuestName) -> bool,
    see: &mut dyn FnMut(&Guest) -> Result<(), EngineError>,
) -> Result<Vec<Guest>, EngineError> {
    let mut seen = Vec::new();
    for (name, known) in history.guests.iter().filter(|(name, _)| is_meant(name)) {
        if let Some(guest) = known.find(name)? {
            see(&guest)?;
            seen.push(guest);
        }
    }
    Ok(seen)
}

/// The selection among the guests that hold names. One that was given with its place is meant by its name, and by no
/// glob.
fn selected_in(history: &History, options: &UndoOptions) -> Result<Selection, EngineError> {
    let known = history.guests.keys();
    let mut walked = options
        .walked
        .iter()
        .filter_map(|guest| guest.name.as_ref());
    if let Some(name) = walked.find(|name| !history.guests.contains_key(*name)) {
        return Err(BadUse::NoSuchGuest {
            name: name.to_string(),
            known: known.map(ToString::to_string).collect(),
        }
        .into());
    }
    selected_among(&options.selection, &known)
}

/// What the plans that were executed say of the files that an undo may be about: receipts tell neither packages nor
/// reasons. Memory: a hash for each file that is selected.
struct LinesOfRuns {
    /// `None` where nothing was asked for that needs them.
    selected: Option<HashSet<u64>>,
    hasher: RandomState,
}

impl LinesOfRuns {
    fn read(
        base: &Base,
        history: &History,
        selection: &Selection,
        by_names: &dyn Fn(&GuestName, &Linked) -> bool,
    ) -> Result<LinesOfRuns, EngineError> {
        let mut lines = LinesOfRuns {
            selected: selection.needs_lines().then(HashSet::new),
            hasher: RandomState::new(),
        };
        if lines.selected.is_none() {
            return Ok(lines);
        }
        let mut runs = BTreeSet::new();
        for file in history.files() {
            let (guest, file) = file?;
            if !runs.contains(&file.run) && by_names(guest, &file) {
                runs.insert(file.run);
            }
        }
        for run in runs {
            lines.learn(base, &run, selection).map_err(|error| {
                BadUse::NoPlanOfRun(format!("the plan of run {run} cannot be read ({error})"))
            })?;
        }
        Ok(lines)
    }

    fn learn(
        &mut self,
        base: &Base,
        run: &RunId,
        selection: &Selection,
    ) -> Result<(), EngineError> {
        let mut plan = open_copy(&base.run_paper(run, PLAN))?;
        while let Some((_, line)) = plan.next_action()? {
            let Action::Link(link) = &line.action else {
                continue;
            };
            if selection.has_line(&line.action) {
                let hash = self.hash(&link.guest, &link.path);
                if let Some(selected) = &mut self.selected {
                    selected.insert(hash);
                }
            }
        }
        Ok(())
    }

    /// Was the line that linked the file selected?
    fn has(&self, guest: &GuestName, file: &Linked) -> bool {
        let Some(selected) = &self.selected else {
            return true;
        };
        let first = file.paths.first();
        first.is_some_and(|first| selected.contains(&self.hash(guest, first)))
    }

    fn hash(&self, guest: &GuestName, path: &GuestPath) -> u64 {
        self.hasher.hash_one((guest, path))
    }
}
