//! Breaks that were cut short. They moved names of objects that need no lift while their guests ran, and so are they
//! healed: nobody has to stand still, and no run of another kind is waited for.

use super::heal_run;
use super::interrupted_run::{read_journal, receipt_of};
use crate::base::{Base, LiftedPaper};
use crate::engine::EngineError;
use crate::engine::activity::freeze::Freeze;
use crate::engine::host::lock_note;
use crate::engine::lifting::Lifting;
use crate::engine::records::History;
use crate::engine::records::replayed::Replayed;
use crate::model::{Escaped, Event, Observer, Recovered, RunId, Running};

/// Heals all of them, and no run of another kind: that is the business of the next run, or of `recover`. The observer
/// is told of whatever gets on.
pub(in crate::engine) fn heal_breaks(
    base: &Base,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    let _turn = base.turn()?;
    observer.notice(&Event::Advance(1));
    let mut recovered = Recovered::default();
    let runs = breaks_in_flight(base)?;
    if runs.is_empty() {
        return Ok(recovered);
    }
    if !LiftedPaper::read(base)?.is_empty() {
        let why = "a recovery before this was cut short, and is to be finished first";
        return Err(EngineError::halted(base, why.to_owned()));
    }
    let (lifting, _) = Lifting::resume(base)?;
    let mut still = Freeze::for_healing(base, Running::Refuse, observer)?;
    let mut replayed = Replayed::observed(base, observer);
    for run in runs {
        recovered.runs += 1;
        guests_are_known(base, &run, replayed.history()?)?;
        heal_run(
            &run,
            &lifting,
            &mut replayed,
            &mut still,
            observer,
            &mut recovered,
        )?;
    }
    lifting.give_up()?;
    lifting.finish()?;
    still.finish()?;
    Ok(recovered)
}

/// Names are moved by nobody's leave but this process's own: only in guests that a run of another kind has shared files
/// with, and where that run had them.
fn guests_are_known(base: &Base, run: &RunId, history: &History) -> Result<(), EngineError> {
    let staging = base.staging().open_dir(run.to_string().as_bytes())?;
    let journal = read_journal(base, run, &staging)?;
    let receipt = receipt_of(base, run);
    let named = receipt.iter().flat_map(|receipt| &receipt.guests);
    let moved = named.filter(|guest| {
        let mut intents = journal.batch.intents.iter();
        intents.any(|intent| intent.guest == guest.name)
    });
    for guest in moved {
        if !history.is_root_of(&guest.name, &guest.root) {
            let (root, name) = (Escaped::of(&guest.root), &guest.name);
            let why = format!(
                "run {run} names {root} as the root of {name}, and no run that shared files does"
            );
            return Err(EngineError::halted(base, why));
        }
    }
    Ok(())
}

/// Runs that have nothing to be healed and no journal yet are of breaks as well, or of a run that nobody is in: a run
/// begins in its turn, and this is ours.
fn breaks_in_flight(base: &Base) -> Result<Vec<RunId>, EngineError> {
    let nobody_runs = base.lock(&lock_note("guardd")).is_ok();
    let mut runs = Vec::new();
    for name in base.staging().list()? {
        let Ok(run) = String::from_utf8_lossy(&name).parse::<RunId>() else {
            continue;
        };
        let staging = base.staging().open_dir(&name)?;
        let journal = read_journal(base, &run, &staging)?;
        let is_unbegun = journal.batch.run.is_none() && staging.list()?.is_empty();
        if journal.is_of_breaks() || (is_unbegun && nobody_runs) {
            runs.push(run);
        }
    }
    Ok(runs)
}
