//! `recover`: finishes or rolls back what an interrupted run left.
//!
//! It works from names and inodes. The journal only says which names to look at; a staging entry that no journal
//! explains is dropped if nothing is lost with it, and kept in quarantine otherwise (`leftovers`).
//!
//! Every step can be interrupted again, and the next call goes on. Names and inodes show how far an interrupted
//! recovery came, but not whether the flag of an object was off before it or by it. So no flag is lifted before a
//! record says so: the journal of the run that is healed, while it names the object, and else the paper `lifted` of
//! the base ([`Lifting`](super::lifting::Lifting)). Where a journal does not explain what is in staging, all shared
//! objects that lack their flag go onto that paper before the first name is touched, because what gave the journal
//! away is gone after that. The next recovery sets what the paper names: at once what was lifted, and in the end what
//! was found so. The paper goes when all flags are on and that is durable; a journal goes with the staging directory
//! of its run, after the same sync.
//!
//! Times of directories are left as they are found: the run put each back right after its exchange, so whatever
//! else they say is the guest's own, whatever the clock said. Only the directory of the very exchange that was
//! interrupted may show its time, and what a power cut kept of it; no content depends on it.

mod adopted;
mod blocks;
pub(super) mod breaks;
mod half_clone;
mod interrupted_run;
mod leftovers;
pub(super) mod may_heal;
mod name;
mod quarantine;
mod receipt;
pub(super) mod restored;
mod run;
mod spoiled;
pub(super) mod unprotected;
pub(super) mod watching;
mod whole;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::EngineError;
use super::Guest;
use super::activity::base::must_be_ours;
use super::activity::freeze::Freeze;
use super::lifting::Lifting;
use super::privileges::{entitled, must_see_all};
use super::protection;
use super::records::holders::{self, Holding};
use super::records::replayed::Replayed;
use crate::base::{Base, BaseError};
use crate::model::{Event, GuestName, ObjectId, Observer, Recovered, RunId, Running};
use crate::sys::host::machine;
use crate::sys::{Meaning, SysResult};
use adopted::Adopted;
use interrupted_run::{guests_of, let_go, read_journal, receipt_of};
use quarantine::Quarantine;
use receipt::write_receipt;
use run::{Done, InterruptedRun, flag_all};
use spoiled::{Sources, part_flawed};
pub(super) use whole::{is_whole, must_be_whole};

/// Heals the base under its lock, and returns what needed it. Objects that lost their protection without us have it
/// again afterwards, and are proven.
pub fn recover(
    base: &Path,
    running: Running,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    entitled("recover", "it sets flags")?;
    let base = &Base::existing(base)?;
    let _lock = base.lock(&super::host::lock_note("recover"))?;
    // All objects are looked at once where nothing is wrong.
    let heals = match is_whole(base)? && !unprotected::is_any(base)? {
        true => Heals::Runs,
        false => {
            must_see_all("recover")?;
            must_be_ours(base)?;
            Heals::AndWatches
        }
    };
    let still = Freeze::for_healing(base, running, observer)?;
    heal(base, still, heals, observer)
}

/// How much is put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heals {
    /// What runs left that were cut short.
    Runs,
    /// That, and what lost its protection without us.
    AndWatches,
}

/// Ends a run that may have left guests frozen: heals what it left, and thaws them. `None` where it ended well,
/// or where another run is at work, which has done so.
pub fn heal_after_death(
    base: &Path,
    observer: &dyn Observer,
) -> Result<Option<Recovered>, EngineError> {
    // It may be about to be taken over.
    let (base, _) = &Base::wherever_made(base)?;
    for _ in 0..WATCHDOG_TRIES {
        if is_whole(base)? {
            return Ok(None);
        }
        match base.lock(&super::host::lock_note("recover")) {
            Err(BaseError::Locked { .. }) => machine::pause(WATCHDOG_PAUSE),
            taken => {
                let _lock = taken?;
                // What was frozen may run already; the run that we wait for was allowed to freeze.
                let still = Freeze::for_healing(base, Running::FREEZE, observer)?;
                // Who started us lets go what we inherit, when it is time.
                let healed = heal(base, still.watched(), Heals::Runs, observer)?;
                return Ok(Some(told(base, healed, observer)));
            }
        }
    }
    Ok(None)
}

/// A run that dies gives its lock back at once; one that is at work has thawed what was frozen.
const WATCHDOG_TRIES: u32 = 300;
const WATCHDOG_PAUSE: Duration = Duration::from_millis(100);

/// The first step of everything that changes anything; the caller holds the lock. What needs a person is
/// reported.
pub(super) fn heal_first(
    base: &Base,
    running: Running,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    heal_and_tell(base, running, Heals::Runs, observer)
}

fn heal_and_tell(
    base: &Base,
    running: Running,
    heals: Heals,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    let still = Freeze::for_healing(base, running, observer)?;
    Ok(told(base, heal(base, still, heals, observer)?, observer))
}

/// The same, and what lost its protection without us has it again, and is proven.
pub(super) fn watch_first(
    base: &Base,
    running: Running,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    let still = Freeze::for_healing(base, running, observer)?;
    let healed = heal(base, still, Heals::AndWatches, observer)?;
    unprotected::tell(&healed, observer);
    Ok(told(base, healed, observer))
}

fn told(base: &Base, healed: Recovered, observer: &dyn Observer) -> Recovered {
    let shown = base.path().display();
    for spoiled in &healed.spoiled {
        for held in &spoiled.parted {
            let names: Vec<String> = held.paths.iter().map(ToString::to_string).collect();
            observer.notice(&Event::Warning(&format!(
                "{}:{} has a file of its own again, as it was: object {} was changed while it was not protected",
                held.guest,
                names.join(", "),
                spoiled.object
            )));
        }
    }
    for object in &healed.damaged {
        observer.notice(&Event::Warning(&format!(
            "object {object} may have been written to while it was not protected; `unify verify --base {shown}` names whom that reaches"
        )));
    }
    if healed.runs > 0 && !healed.quarantined.is_empty() {
        observer.notice(&Event::Warning(&format!(
            "{} files in quarantine need a person; `unify recover --base {shown}` lists them",
            healed.quarantined.len()
        )));
    }
    healed
}

/// Heals all runs that were interrupted; the caller holds the lock.
///
/// What an earlier run left frozen stays so while its work is healed, for a bounded time, and is thawed then, whatever
/// came of it.
fn heal(
    base: &Base,
    mut still: Freeze<'_>,
    heals: Heals,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    let _turn = base.turn()?;
    still.inherit()?;
    half_clone::clear(base, observer);
    let healed = heal_all(base, &mut still, heals, observer);
    let gone_on = still.finish();
    let healed = healed?;
    gone_on?;
    Ok(healed)
}

fn heal_all(
    base: &Base,
    still: &mut Freeze<'_>,
    heals: Heals,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    unprotected::moving::finish(base, still).map_err(|error| waiting(base, error))?;
    let (lifting, flags) = Lifting::resume(base)
        .inspect_err(|_| still.keep_frozen())
        .map_err(|error| waiting(base, error.into()))?;
    let mut recovered = Recovered {
        sign: protection::sign(base),
        flags,
        ..Recovered::default()
    };
    let mut healed = heal_runs(base, &lifting, still, observer, &mut recovered);
    if healed.is_ok() && heals == Heals::AndWatches {
        healed = unprotected::owe(base, &lifting, &mut recovered);
    }
    // Nothing that shall be protected goes on without, whatever ended the healing; and before it is read again.
    let protected = lifting.give_up();
    if protected.is_err() {
        still.keep_frozen();
    }
    healed?;
    protected?;
    let shared = lifting.shared()?;
    let nowhere = Sources::default();
    part_flawed(base, still, observer, shared, &nowhere, &mut recovered)?;
    lifting.finish()?;
    for path in base.quarantined()? {
        recovered.quarantined.push(path.display().to_string());
    }
    Ok(recovered)
}

/// Heals each run that left something in staging.
fn heal_runs(
    base: &Base,
    lifting: &Lifting<'_>,
    still: &mut Freeze<'_>,
    observer: &dyn Observer,
    recovered: &mut Recovered,
) -> Result<(), EngineError> {
    let mut replayed = Replayed::of(base);
    // A parting is a run within a run: it is healed first.
    for name in base.staging().list()?.into_iter().rev() {
        let Ok(run) = String::from_utf8_lossy(&name).parse::<RunId>() else {
            continue;
        };
        recovered.runs += 1;
        observer.notice(&Event::Warning(&format!(
            "run {run} was cut short; healing what it left"
        )));
        heal_run(&run, lifting, &mut replayed, still, observer, recovered)
            .map_err(|error| waiting(base, error))?;
    }
    Ok(())
}

/// A lease that another process holds on an object ends by itself, by the kernel's `lease-break-time` at the
/// latest.
fn waiting(base: &Base, error: EngineError) -> EngineError {
    match error {
        EngineError::Sys(error) if error.meaning() == Meaning::Busy => EngineError::halted(
            base,
            format!("{error}: a process holds a lease on it; try again in a minute"),
        ),
        other => other,
    }
}

fn heal_run(
    run: &RunId,
    lifting: &Lifting<'_>,
    replayed: &mut Replayed<'_>,
    still: &mut Freeze<'_>,
    observer: &dyn Observer,
    recovered: &mut Recovered,
) -> Result<(), EngineError> {
    let base = lifting.base();
    let staging = base.staging().open_dir(run.to_string().as_bytes())?;
    let journal = read_journal(base, run, &staging)?;
    let receipt = receipt_of(base, run);
    let guests = guests_of(receipt.as_ref());
    let refused = if staging.list()?.is_empty() || journal.is_of_breaks() {
        None
    } else {
        may_heal::check(base, &staging, &guests, &journal.batch, replayed, still).err()
    };
    let adopted = Adopted {
        base,
        lifting,
        guests: &guests,
        batch: &journal.batch,
        observer,
        stirring: refused.is_some() || is_stirring(still, &guests).unwrap_or(true),
    };
    let found = InterruptedRun {
        base,
        lifting,
        aside: Quarantine::of(base, lifting, run),
        staging: &staging,
        guests: &guests,
        journal: &journal,
        receipt: receipt.as_ref(),
        adopted: &adopted,
        replayed,
    };
    let healed = match refused {
        Some(refused) => Err(refused),
        None => {
            let followed = lifting.follow(run, &journal.batch);
            followed
                .map_err(EngineError::from)
                .and_then(|()| found.put_right(recovered))
        }
    };
    // Where nothing can be healed now, no guest shall run on with a shared file that is not protected.
    let done = healed.map_err(|error| still_protected(&found, still, error))?;
    settle(&found, run, done, still, observer, recovered)?;
    let_go(&journal, observer);
    let lifted = journal.batch.lifted.iter().map(|(object, _)| *object);
    for unknown in holders::told(unknown_now(base, run, replayed, lifted)) {
        observer.notice(&Event::Warning(&unknown));
        recovered.notes.push(unknown);
    }
    Ok(())
}

/// All names are healed and all flags are on: makes that durable, writes it down, and drops what is not needed any
/// more.
fn settle(
    found: &InterruptedRun<'_>,
    run: &RunId,
    done: Done,
    still: &mut Freeze<'_>,
    observer: &dyn Observer,
    recovered: &mut Recovered,
) -> Result<(), EngineError> {
    let (base, batch) = (found.base, &found.journal.batch);
    base.dir().sync_filesystem()?;
    let blocks = blocks::lines(batch, found.receipt, found.guests)?;
    recovered.notes.extend(blocks::note(run, &blocks));
    write_receipt(base, run, batch, [done.lines, blocks].concat())?;
    found.drop_spent(done.spent)?;
    let kept = base.quarantine_of(run)?;
    let sources = Sources {
        kept: kept.as_ref(),
        intents: &batch.intents,
        guests: Some(found.guests),
    };
    part_flawed(base, still, observer, done.lifted, &sources, recovered)?;
    Ok(base.staging().remove_dir(run.to_string().as_bytes())?)
}

/// Names of these objects that no receipt knows, now that this one is written.
fn unknown_now(
    base: &Base,
    run: &RunId,
    replayed: &mut Replayed<'_>,
    objects: impl Iterator<Item = ObjectId>,
) -> Result<Vec<String>, EngineError> {
    replayed.add_recovered(run)?;
    let history = replayed.history()?;
    let holders = history.holders(&[]);
    let mut holding = Holding::new(holders.iter().collect(), base, history)?;
    Ok(holders::unknown_names(base, &mut holding, objects)?)
}

/// Does any of these guests run, or is it quiet only because it is frozen?
fn is_stirring(still: &Freeze<'_>, guests: &BTreeMap<GuestName, Guest>) -> SysResult<bool> {
    let guests: Vec<&Guest> = guests.values().collect();
    let run = still.look(&guests)?.iter().any(|one| one.running.is_some());
    Ok(run || !still.now()?.is_empty())
}

/// Sets every flag that may be off, as far as that can be done. Where it cannot, what is frozen stays so.
fn still_protected(
    found: &InterruptedRun<'_>,
    still: &mut Freeze<'_>,
    error: EngineError,
) -> EngineError {
    let known = flag_all(found.adopted).map(drop).map_err(EngineError::from);
    let others = if found.journal.explains {
        Ok(())
    } else {
        leftovers::protect_unprotected(found.base, found.receipt, found.replayed).map(drop)
    };
    let lifted = found.lifting.give_up().map_err(EngineError::from);
    if known.and(others).and(lifted).is_err() {
        still.keep_frozen();
    }
    error
}
