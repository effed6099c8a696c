//! Which runs, guests and files an undo is about.

use super::history::{History, Holder, Linked};
use super::undo::{UndoOptions, Which};
use super::{EngineError, Guest};
use crate::model::{Event, GuestName, GuestPath, Observer, Pattern, PatternKind, RunId};
use crate::rules::pattern::Patterns;
use crate::sys::SysError;

/// The run to be undone; `None` for all runs.
pub(super) fn chosen_run(history: &History, which: &Which) -> Result<Option<RunId>, EngineError> {
    match which {
        Which::All => Ok(None),
        Which::Run(run) if history.runs.iter().any(|r| r.run == *run) => Ok(Some(run.clone())),
        Which::Run(run) => Err(EngineError::Usage(format!(
            "the base knows no run {run}: `unify status` lists them"
        ))),
        Which::Last => {
            let with_names = history
                .linked
                .values()
                .flat_map(|names| names.values())
                .map(|linked| &linked.run);
            let last = with_names.max().cloned();
            last.map(Some).ok_or_else(|| {
                EngineError::Usage(
                    "there is nothing to undo: no name in any guest is linked".into(),
                )
            })
        }
    }
}

type Chosen = (Vec<Guest>, Vec<(usize, Linked)>);

/// The guests and files that the options choose. A guest whose root is gone cannot be undone and needs not be.
pub(super) fn chosen_files(
    observer: &dyn Observer,
    history: &History,
    run: Option<&RunId>,
    options: &UndoOptions,
) -> Result<Chosen, EngineError> {
    known_guests(history, &options.guests)?;
    let patterns = path_patterns(&options.paths)?;
    let (mut guests, mut files) = (Vec::new(), Vec::new());
    for (holder, names) in &history.linked {
        if !options.guests.is_empty() && !options.guests.contains(&holder.name) {
            continue;
        }
        let chosen = names
            .values()
            .filter(|file| run.is_none_or(|run| file.run == *run));
        let chosen: Vec<_> = chosen
            .filter(|file| matches_any(patterns.as_ref(), &file.paths))
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let Some(guest) = SysError::absent(Guest::open(holder.name.clone(), &holder.root))? else {
            let lost = format!(
                "guest {}: its root {} is gone; what it shares can be undone when it is back there",
                holder.name,
                holder.root.display()
            );
            observer.notice(&Event::Warning(&lost));
            continue;
        };
        if guests.iter().any(|other: &Guest| other.name == guest.name) {
            return Err(EngineError::Usage(format!(
                "two guests of this base were called {}: undo their runs one by one, with --run RUN",
                guest.name
            )));
        }
        files.extend(chosen.into_iter().map(|file| (guests.len(), file.clone())));
        guests.push(guest);
    }
    Ok((guests, files))
}

fn known_guests(history: &History, wanted: &[GuestName]) -> Result<(), EngineError> {
    let known = |name: &GuestName| {
        history
            .linked
            .keys()
            .any(|holder: &Holder| holder.name == *name)
    };
    match wanted.iter().find(|name| !known(name)) {
        Some(name) => Err(EngineError::Usage(format!(
            "the base knows no guest {name}: `unify status` lists them"
        ))),
        None => Ok(()),
    }
}

fn path_patterns(globs: &[String]) -> Result<Option<Patterns>, EngineError> {
    if globs.is_empty() {
        return Ok(None);
    }
    let pattern = |glob: &String| Pattern {
        kind: PatternKind::Include,
        glob: glob.clone(),
        star_crosses_slash: false,
        from: "--path".into(),
    };
    Ok(Some(Patterns::new(
        &globs.iter().map(pattern).collect::<Vec<_>>(),
    )?))
}

fn matches_any(patterns: Option<&Patterns>, paths: &[GuestPath]) -> bool {
    patterns.is_none_or(|patterns| {
        paths
            .iter()
            .any(|path| patterns.decide(path.as_bytes()).is_some())
    })
}
