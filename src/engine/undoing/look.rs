//! `undo --dry-run`: what an undo would be about, and the room that it takes. It writes nothing and heals nothing.

use std::path::Path;

use super::select::{UndoOptions, chosen_files, chosen_run};
use crate::base::Base;
use crate::engine::error::BadUse;
use crate::engine::records::{History, receipts};
use crate::engine::{EngineError, healing};
use crate::model::{GuestPath, Observer, UndoView};
use crate::sys::SHARE;
use crate::sys::host::machine;

/// Looks at every name that an undo would be about.
pub fn look_at_undo(
    base: &Path,
    options: &UndoOptions,
    observer: &dyn Observer,
) -> Result<UndoView, EngineError> {
    if !options.walked.is_empty() {
        return Err(BadUse::WalkedToLook.into());
    }
    drop(Base::existing(base)?);
    let base = &Base::looked_at(base)?;
    drop(base.hold_still()?);
    healing::must_be_whole(base, "undo")?;
    let history = History::read(base)?;
    receipts::tell(&history.damaged, base, observer);
    let undoes = chosen_run(&history, &options.which)?;
    let chosen = chosen_files(base, &history, undoes.as_ref(), options)?;
    let free = machine::filesystem(base.dir())?.free;
    let mut view = UndoView {
        free: free - free / SHARE,
        ..UndoView::default()
    };
    for (at, file) in &chosen.files {
        let guest = &chosen.guests[*at];
        let Some(object) = base.object_state(&file.object)? else {
            view.not_shared += 1;
            continue;
        };
        let refers = |path: &&GuestPath| {
            let now = guest.root.look(path.relative());
            now.is_ok_and(|now| now.id == object.id)
        };
        let names = file.paths.iter().filter(refers).count() as u64;
        if names == 0 {
            view.not_shared += 1;
            continue;
        }
        view.files += 1;
        view.names += names;
        view.needed = view.needed.saturating_add(object.allocated());
        *view.guests.entry(guest.name.clone()).or_default() += names;
    }
    view.chose_nothing = chosen.chose_nothing;
    view.lost = chosen
        .lost
        .iter()
        .map(|(_, files)| files.len() as u64)
        .sum();
    Ok(view)
}
