//! `gc`: objects that no guest's name refers to are removed.
//!
//! Processes of guests may have them open, mapped or mounted still. So a protection that is in no name's way stays on,
//! and what is kept of it elsewhere than in the inode goes when the inode is no more. One that must be lifted is not
//! lifted from what is open.

use std::path::Path;

use super::activity::base::must_be_ours;
use super::host::lock_note;
use super::lifting::{Lifting, NOBODY_S};
use super::privileges::{entitled, must_see_all};
use super::proof::{self, SpoiledObject};
use super::records::retention::OldPapers;
use super::records::{History, receipts};
use super::{EngineError, healing, parting};
use crate::base::{Base, Held, Index};
use crate::model::{Collected, Observer, PapersGone, Running};
use crate::protect;
use crate::sys::guest::Sharing;
use crate::sys::{Meaning, SysResult};

/// What is done with objects that no guest refers to, and with papers that nothing rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gc {
    /// They are removed.
    Remove,
    /// They are counted, and nothing is changed.
    Count,
}

/// So many objects are written down at once before their protection comes off.
const WRITTEN_AT_ONCE: usize = 4096;

/// Removes objects whose only name is the base's, or only counts them.
///
/// The count is looked at again once the protection is off: from then on, only a run that holds the lock, which is us,
/// could add a name. Where it stays on, somebody may add one by a descriptor: that file keeps its mark.
///
/// Where `keep_runs` is given, the papers of all runs before the last so many go as far as nothing rests on them.
pub fn collect(
    base: &Path,
    gc: Gc,
    keep_runs: Option<usize>,
    observer: &dyn Observer,
) -> Result<Collected, EngineError> {
    let base = &Base::existing(base)?;
    if gc == Gc::Count {
        let mut counted = sum(base, &Index::read(base)?, |some| Ok(vec![true; some.len()]))?;
        counted.papers = old_papers(base, keep_runs, gc, observer)?;
        return Ok(counted);
    }
    entitled("gc", "it takes flags off")?;
    let _lock = base.lock(&lock_note("gc"))?;
    if !healing::is_whole(base)? {
        must_see_all("gc")?;
    }
    must_be_ours(base)?;
    let healed = healing::heal_first(base, Running::Refuse, observer)?;
    let mut flawed = Vec::new();
    let index = Index::read(base)?;
    let mut collected = sum(base, &index, |some| remove(base, some, &mut flawed))?;
    base.dir().sync_filesystem()?;
    let in_use = |inode| {
        index
            .of_inode(inode)
            .is_some_and(|held| held.state.nlink > 1)
    };
    collected.still_open = protect::forget_ceased(base.dir(), &in_use)?;
    collected.spoiled = parting::part_stopped(base, observer, &flawed)?;
    collected.spoiled.extend(healed.spoiled);
    collected.papers = old_papers(base, keep_runs, gc, observer)?;
    Ok(collected)
}

/// Removes the papers of old runs, or only counts them.
fn old_papers(
    base: &Base,
    keep_runs: Option<usize>,
    gc: Gc,
    observer: &dyn Observer,
) -> Result<Option<PapersGone>, EngineError> {
    let Some(keep) = keep_runs else {
        return Ok(None);
    };
    let history = History::read(base)?;
    receipts::tell(&history.damaged, base, observer);
    let old = OldPapers::of(&history, keep)?;
    let mut gone = PapersGone::default();
    let (all, journals) = (old.all.iter(), old.journals.iter());
    let runs = all.map(|run| (run, false));
    for (run, is_needed) in runs.chain(journals.map(|run| (run, true))) {
        let (files, bytes) = base.run_papers(run, is_needed)?;
        if files.is_empty() {
            continue;
        }
        gone.bytes += bytes;
        gone.runs += u64::from(!is_needed);
        gone.needed += u64::from(is_needed);
        if gc == Gc::Remove {
            base.remove_papers(run, &files)?;
        }
    }
    Ok(Some(gone))
}

/// `remove` says of each whether it is gone.
fn sum(
    base: &Base,
    index: &Index,
    mut remove: impl FnMut(&[Held]) -> SysResult<Vec<bool>>,
) -> SysResult<Collected> {
    let sharing = Sharing::default();
    let mut collected = Collected::default();
    let mut unused = index.objects().filter(|held| held.state.nlink == 1);
    loop {
        let some: Vec<Held> = unused.by_ref().take(WRITTEN_AT_ONCE).collect();
        if some.is_empty() {
            break;
        }
        let room = |held: &Held| {
            let room = base.object_room(&held.id, held.state.allocated(), &sharing);
            room.own
        };
        let rooms: Vec<u64> = some.iter().map(room).collect();
        for (room, _) in rooms.iter().zip(remove(&some)?).filter(|(_, gone)| *gone) {
            collected.objects += 1;
            collected.bytes += room;
        }
    }
    collected.kept = index.len() as u64 - collected.objects;
    Ok(collected)
}

/// False for an object that turns out to be in use, or is not there any more.
/// One of which a name was taken while its protection was off is proven, and reported if it is not what it was.
fn remove(base: &Base, unused: &[Held], flawed: &mut Vec<SpoiledObject>) -> SysResult<Vec<bool>> {
    let _turn = base.turn()?;
    let (lifting, _) = Lifting::resume(base)?;
    lifting.write_down(unused.iter().map(|held| held.id), &NOBODY_S)?;
    let remove = |held: &Held| match lifting.retire_unused(&held.id) {
        // Another process holds a lease on it: the next gc will see.
        Err(error) if error.meaning() == Meaning::Busy => Ok(false),
        other => other,
    };
    let gone: SysResult<Vec<bool>> = unused.iter().map(remove).collect();
    lifting.give_up()?;
    flawed.extend(proof::spoiled(base, lifting.shared()?)?);
    lifting.finish()?;
    gone
}
