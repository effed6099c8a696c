//! `undo --dry-run`: what an undo would be about, and the room that it takes. It writes nothing and heals nothing, and
//! what would refuse an undo refuses it.

use std::path::Path;

use super::select::{UndoOptions, chosen_files, chosen_run};
use super::still_shared::still_shared;
use crate::base::Base;
use crate::engine::activity::base::must_be_ours;
use crate::engine::error::BadUse;
use crate::engine::records::{History, Reflinked, receipts};
use crate::engine::{EngineError, Guest, guest, healing};
use crate::model::{GuestPath, Observer, UndoView};
use crate::sys::host::machine;
use crate::sys::{SHARE, SysResult};

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
    must_be_ours(base)?;
    healing::must_be_whole(base, "undo")?;
    let history = History::read(base)?;
    receipts::tell(&history.damaged, base, observer);
    let undoes = chosen_run(&history, &options.which)?;
    let chosen = chosen_files(base, &history, undoes.as_ref(), options)?;
    guest::hold(&chosen.guests)?;
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
    for (at, file) in &chosen.blocks {
        add_blocks(&chosen.guests[*at], file, &mut view)?;
    }
    let lost = chosen.lost.iter().map(|(_, files)| files.len());
    let lost = lost.chain(chosen.lost_blocks.iter().map(|(_, files)| files.len()));
    view.lost = lost.sum::<usize>() as u64;
    view.chose_nothing = chosen.chose_nothing;
    Ok(view)
}

/// A file that got blocks of another, and has them still as far as the file system tells.
fn add_blocks(guest: &Guest, file: &Reflinked, view: &mut UndoView) -> SysResult<()> {
    let shared = still_shared(guest, file)?;
    if shared == 0 {
        view.not_shared += 1;
        return Ok(());
    }
    let names = file.paths().len() as u64;
    view.files += 1;
    view.names += names;
    view.needed = view.needed.saturating_add(shared);
    *view.guests.entry(guest.name.clone()).or_default() += names;
    Ok(())
}
