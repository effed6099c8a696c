//! What is equal again is shared again: a plan of all guests, of which the lines are applied that share what was shared
//! before the thaw. What else could be shared is counted, and waits for a plan that people look at.

use std::ffi::OsString;
use std::path::Path;

use super::before::SharedBefore;
use super::choices::RefreezeChoices;
use crate::base::{Base, MaintainedPaper};
use crate::engine::applying::ready::{ApplyOptions, ReadyToApply};
use crate::engine::error::BadUse;
use crate::engine::host::lock_note;
use crate::engine::plan_file::PlanFile;
use crate::engine::planning::options::PlanOptions;
use crate::engine::planning::output::Output;
use crate::engine::planning::plan;
use crate::engine::privileges::{entitled, must_see_all};
use crate::engine::receipt_file::RunResult;
use crate::engine::records::History;
use crate::engine::{EngineError, GuestArg, healing};
use crate::model::{Event, GuestName, Observer, RefusalKind, Running};
use crate::rules::selectors::Selection;
use crate::sys::PageCache;
use crate::sys::host::signals::Stop;

/// What became of a guest that was refrozen.
#[derive(Debug)]
pub struct Refrozen {
    /// What the run came to; `None` where nothing was to be linked.
    pub result: Option<RunResult>,
    /// The guests that were planned, as a plan is told of them.
    pub guests: Vec<OsString>,
    /// Files that a plan would share with the guest besides: they were not shared before the thaw.
    pub left_out: u64,
    /// Is the guest being maintained still, because guests ran, or a signal came?
    pub goes_on: bool,
}

/// Is the guest being maintained? Refuses one that the base does not know.
pub fn maintained(base: &Path, guest: &GuestName) -> Result<bool, EngineError> {
    let base = Base::existing(base)?;
    if MaintainedPaper::of(&base, guest)?.is_some() {
        return Ok(true);
    }
    match History::read(&base)?.guests.contains_key(guest) {
        true => Ok(false),
        false => Err(BadUse::UnknownGuest(guest.clone()).into()),
    }
}

/// Heals what an interrupted thaw or refreeze left, shares what is equal, and ends the maintenance of the guest.
pub fn refreeze(
    base: &Path,
    guest: &GuestName,
    running: Running,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Refrozen, EngineError> {
    entitled("refreeze", "it sets owners and flags")?;
    must_see_all("refreeze")?;
    healing::recover(base, running, observer)?;
    let base = Base::existing(base)?;
    let (plan, left_out) = planned(&base, guest, observer)?;
    let Some(mut plan) = plan else {
        end(&base, guest)?;
        return Ok(Refrozen {
            result: None,
            guests: Vec::new(),
            left_out,
            goes_on: false,
        });
    };
    let apply = ApplyOptions {
        running,
        ..ApplyOptions::default()
    };
    let mut ready = ReadyToApply::check(&mut plan, &Selection::default(), apply, observer)?;
    ready.ends_maintenance_of(guest);
    let guests = ready.guest_words();
    let result = ready.execute(observer, stop)?;
    let goes_on = result.interrupted || met_running_guests(&result);
    if !goes_on {
        end(&base, guest)?;
    }
    Ok(Refrozen {
        result: Some(result),
        guests,
        left_out,
        goes_on,
    })
}

/// Would the same do more once guests stand still?
fn met_running_guests(result: &RunResult) -> bool {
    let running = [
        RefusalKind::GuestRunning,
        RefusalKind::HolderRunning,
        RefusalKind::TooLargeToFreeze,
    ];
    let mut running = running.iter();
    running.any(|kind| result.refusals.contains_key(kind.code()))
}

fn end(base: &Base, guest: &GuestName) -> Result<(), EngineError> {
    let _lock = base.lock(&lock_note("refreeze"))?;
    Ok(MaintainedPaper::end(base, guest)?)
}

/// A plan of the lines that share again what was shared, `None` where there is none; and how many files are left out.
fn planned(
    base: &Base,
    guest: &GuestName,
    observer: &dyn Observer,
) -> Result<(Option<PlanFile>, u64), EngineError> {
    let history = History::read(base)?;
    let choices = RefreezeChoices::of(base, &history, guest, observer)?;
    let options = PlanOptions {
        images: Vec::new(),
        guests: known(&history, guest, observer)?,
        base: Some(base.path().to_owned()),
        protect: choices.protect,
        policy: choices.policy,
        refreezes: Some(guest.clone()),
        // This process goes on to apply it.
        confine: false,
        cache: true,
        jobs: None,
        page_cache: PageCache::AsItWas,
    };
    let (mut whole, into) = PlanFile::unwritten("the plan that refreezes the guest")?;
    plan(&options, Output::Stream(into), &mut |_| {}, observer)?;
    let before = SharedBefore::read(base, &history, guest, observer)?;
    let mut lines = before.lines_of(&mut whole)?;
    let narrowed = PlanFile::of_our_own(base.path(), |out| {
        let mut keep = |action: &_| lines.keep(action);
        whole.write_narrowed(None, out, &mut keep).map(drop)
    });
    match narrowed {
        Ok(plan) => Ok((Some(plan), lines.left_out)),
        Err(EngineError::NothingSelected) => Ok((None, lines.left_out)),
        Err(error) => Err(error),
    }
}

/// The guest, and all others that hold names and are there.
fn known(
    history: &History,
    guest: &GuestName,
    observer: &dyn Observer,
) -> Result<Vec<GuestArg>, EngineError> {
    let mut all = Vec::new();
    for (name, known) in &history.guests {
        if name != guest && !history.has_any(known) {
            continue;
        }
        match known.find_beside(name)? {
            Some(found) => all.push(GuestArg {
                name: Some(found.name),
                path: found.path,
            }),
            None if name == guest => {
                return Err(BadUse::GuestGone {
                    name: name.clone(),
                    root: known.root.clone(),
                }
                .into());
            }
            None => observer.notice(&Event::Warning(&format!(
                "{name}: its root is not there any more"
            ))),
        }
    }
    if all.iter().any(|one| one.name.as_ref() == Some(guest)) {
        return Ok(all);
    }
    Err(BadUse::UnknownGuest(guest.clone()).into())
}
