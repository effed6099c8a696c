//! Which runs, guests and files an undo is about.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::base::{Base, Index, PLAN};
use crate::engine::error::BadUse;
use crate::engine::limits::Limits;
use crate::engine::paths::selected::{follow_in, selected_among};
use crate::engine::plan_file::open_copy;
use crate::engine::records::{History, Linked, Reflinked, named, walked};
use crate::engine::{EngineError, Guest, GuestArg, PathChoice};
use crate::model::{ChoseNothing, GuestName, GuestPath, Observer, ReceiptGuest, RunId, Running};
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
    /// Blocks that these guests have in common are looked for on the disk, and nothing else is undone.
    pub from_disk: bool,
    /// Only files with a name that one of these globs chooses, links followed; all, if there are none.
    pub paths: Vec<String>,
    /// The same for files with one of these names: what either chooses.
    pub names: Option<HashSet<GuestPath>>,
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
            for file in history.blocks() {
                last = last.max(file?.run);
            }
            Ok(last)
        }
    }
}

/// Names of guests that are given by their place are found by a walk, and remembered: what holds for names of receipts
/// holds for them. A name is in more than one receipt then at most, and undone once.
pub(super) fn with_walked(
    base: &Base,
    history: History,
    options: &UndoOptions,
    observer: &dyn Observer,
) -> Result<History, EngineError> {
    if options.walked.is_empty() {
        return Ok(history);
    }
    if options.which != WhichRuns::All {
        return Err(BadUse::WalkedByRun.into());
    }
    let index = Index::read(base)?;
    let guests = named::open(base, &index, &history, &options.walked)?;
    let walked = walked::walk(&guests, &index, observer)?;
    let learned = walked::remember(base, &history, &guests, &walked, observer)?;
    walked::tell(learned.iter().sum(), observer);
    History::read(base)
}

/// What an undo is about.
#[derive(Default)]
pub struct UndoChoice {
    pub guests: Vec<Guest>,
    /// Guest, as an index, and file; in order.
    pub files: Vec<(usize, Linked)>,
    /// The same for files that got blocks of others.
    pub blocks: Vec<(usize, Reflinked)>,
    /// Guests whose roots are gone, and their files.
    pub lost: Vec<(ReceiptGuest, Vec<Linked>)>,
    pub lost_blocks: Vec<(ReceiptGuest, Vec<Reflinked>)>,
    /// Globs that no file of these guests has a name for.
    pub chose_nothing: Vec<ChoseNothing>,
}

impl UndoChoice {
    /// How many files.
    pub fn count(&self) -> u64 {
        let lost = self.lost.iter().map(|(_, files)| files.len());
        let lost = lost.chain(self.lost_blocks.iter().map(|(_, files)| files.len()));
        (self.files.len() + self.blocks.len() + lost.sum::<usize>()) as u64
    }

    /// Guests whose roots are gone, each once.
    pub fn lost_guests(&self) -> impl Iterator<Item = &ReceiptGuest> {
        let is_told = |name: &GuestName| self.lost.iter().any(|(guest, _)| guest.name == *name);
        let blocks = self.lost_blocks.iter().map(|(guest, _)| guest);
        let more = blocks.filter(move |guest| !is_told(&guest.name));
        self.lost.iter().map(|(guest, _)| guest).chain(more)
    }
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
    let by_names = |guest: &GuestName, names: &[GuestPath], by: &RunId| {
        selection.has_guest(guest)
            && run.is_none_or(|run| *by == *run)
            && chosen_by_name(&paths, options, guest, names)
            && left_out.has_names(guest, names.iter())
    };
    let by_lines = LinesOfRuns::read(base, history, selection, &by_names)?;
    let wanted = |guest: &GuestName, names: &[GuestPath], by: &RunId| {
        by_names(guest, names, by) && by_lines.has(guest, names)
    };
    let mut chosen = UndoChoice::default();
    let files = history.by_guest(|guest, file| wanted(guest, &file.paths, &file.run))?;
    for (name, files) in files {
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
    let blocks = history.blocks_by_guest(|file| {
        let run = file.run.as_ref();
        run.is_some_and(|run| wanted(&file.blocks.guest, file.paths(), run))
    })?;
    choose_blocks(history, blocks, &mut chosen)?;
    chosen.chose_nothing = paths.unused(&seen.iter().collect::<Vec<_>>());
    Ok(chosen)
}

/// Do globs or names choose the file?
fn chosen_by_name(
    paths: &PathChoice,
    options: &UndoOptions,
    guest: &GuestName,
    names: &[GuestPath],
) -> bool {
    let Some(wanted) = &options.names else {
        return paths.chooses_any(guest, names);
    };
    let globbed = !paths.is_everything() && paths.chooses_any(guest, names);
    globbed || names.iter().any(|name| wanted.contains(name))
}

/// Adds files that got blocks of others, of guests that are there. With a guest its blocks are gone.
fn choose_blocks(
    history: &History,
    blocks: BTreeMap<GuestName, Vec<Reflinked>>,
    chosen: &mut UndoChoice,
) -> Result<(), EngineError> {
    for (name, files) in blocks {
        let open = chosen.guests.iter().position(|guest| guest.name == name);
        let known = history.guests.get(&name);
        let found = match (open, known) {
            (None, Some(known)) => known.find_beside(&name)?,
            _ => None,
        };
        let at = open.or(found.is_some().then_some(chosen.guests.len()));
        chosen.guests.extend(found);
        match (at, known) {
            (Some(at), _) => chosen
                .blocks
                .extend(files.into_iter().map(|file| (at, file))),
            (None, Some(known)) => {
                let (name, root) = (name, known.root.clone());
                chosen
                    .lost_blocks
                    .push((ReceiptGuest { name, root }, files));
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// The guests that are there, each of which is seen, for its links to be followed.
fn seen_guests(
    history: &History,
    is_meant: impl Fn(&GuestName) -> bool,
    see: &mut dyn FnMut(&Guest) -> Result<(), EngineError>,
) -> Result<Vec<Guest>, EngineError> {
    let mut seen = Vec::new();
    for (name, known) in history.guests.iter().filter(|(name, _)| is_meant(name)) {
        if let Some(guest) = known.find_beside(name)? {
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
        by_names: &dyn Fn(&GuestName, &[GuestPath], &RunId) -> bool,
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
            if !runs.contains(&file.run) && by_names(guest, &file.paths, &file.run) {
                runs.insert(file.run);
            }
        }
        for file in history.blocks() {
            let file = file?;
            let guest = &file.blocks.guest;
            let Some(run) = &file.run else { continue };
            if !runs.contains(run) && by_names(guest, file.paths(), run) {
                runs.insert(run.clone());
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
            let Some(file) = line.action.shares() else {
                continue;
            };
            if selection.has_line(&line.action) {
                let hash = self.hash(file.guest, file.path);
                if let Some(selected) = &mut self.selected {
                    selected.insert(hash);
                }
            }
        }
        Ok(())
    }

    /// Was the line that linked the file selected?
    fn has(&self, guest: &GuestName, names: &[GuestPath]) -> bool {
        let Some(selected) = &self.selected else {
            return true;
        };
        let first = names.first();
        first.is_some_and(|first| selected.contains(&self.hash(guest, first)))
    }

    fn hash(&self, guest: &GuestName, path: &GuestPath) -> u64 {
        self.hasher.hash_one((guest, path))
    }
}
