//! What is equal again is shared again: a plan of all guests, of which the lines are applied that this guest has a part
//! in. What else could be shared meanwhile waits for a plan that people look at.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

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
use crate::model::{Action, Event, GuestName, ObjectId, Observer, RefusalKind, Running};
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
    let Some(mut plan) = planned(&base, guest, observer)? else {
        end(&base, guest)?;
        return Ok(Refrozen {
            result: None,
            guests: Vec::new(),
            goes_on: false,
        });
    };
    let apply = ApplyOptions {
        running,
        refreezes: true,
        ..ApplyOptions::default()
    };
    let ready = ReadyToApply::check(&mut plan, &Selection::default(), apply, observer)?;
    let guests = ready.guest_words();
    let result = ready.execute(observer, stop)?;
    let goes_on = result.interrupted || met_running_guests(&result);
    if !goes_on {
        end(&base, guest)?;
    }
    Ok(Refrozen {
        result: Some(result),
        guests,
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

/// A plan of the lines that the guest has a part in; `None` where there is none.
fn planned(
    base: &Base,
    guest: &GuestName,
    observer: &dyn Observer,
) -> Result<Option<PlanFile>, EngineError> {
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
    let mut objects: HashSet<ObjectId> = HashSet::new();
    whole.read(&mut |action| {
        if let Action::Link(link) = action
            && link.guest == *guest
        {
            objects.insert(link.object);
        }
        Ok(())
    })?;
    let mut keep = |action: &Action| match action {
        Action::Link(link) => objects.contains(&link.object),
        Action::Flag(flag) => objects.contains(&flag.object),
        Action::Reflink(line) => line.guest == *guest || line.source.guest == *guest,
        Action::Skip(_) => true,
    };
    let narrowed = PlanFile::of_our_own(base.path(), |out| {
        whole.write_narrowed(None, out, &mut keep).map(drop)
    });
    match narrowed {
        Ok(plan) => Ok(Some(plan)),
        Err(EngineError::NothingSelected) => Ok(None),
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
