//! `recover`: what a run that was cut short left, finished or taken back.
//!
//! It works from names and inodes. The journal only says which names to look at; a staging entry that no journal
//! explains is dropped if nothing is lost with it, and kept in quarantine otherwise (`sweep`). Every step can be cut
//! short again and the next call goes on.
//!
//! Times of directories are left as they are found: the run put each back right after its exchange, so whatever else
//! they say is the guest's own, whatever the clock said. Only the directory of the very exchange that was cut may show
//! its time, and what a power cut kept of an exchange and not of the time; no content depends on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::EngineError;
use super::adopted::Adopted;
use super::aside::Quarantine;
use super::cut_run::{Journal, guests_of, read_journal, receipt_of};
use super::guests::Guest;
use super::heal::{Healed, Way, has_left, heal_name, in_place};
use super::recovered::write_receipt;
use super::rights::entitled;
use super::sound::unsound;
use super::still::Still;
use super::{safety, sweep};
use crate::base::{Base, BaseError, FrozenPaper};
use crate::ledger::journal::{Intent, OpenBatch};
use crate::model::{
    Event, FileId, GuestName, ObjectId, Observer, Outcome, Receipt, ReceiptLine, Recovered, RunId,
};
use crate::sys::{Dir, Meaning, SysError, SysResult, machine};

/// Heals the base under its lock, and says what needed it.
pub fn recover(
    base: &Path,
    allow_running: bool,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    entitled("recover", "it sets flags")?;
    let base = &Base::existing(base)?;
    let _lock = base.lock(&super::apply::holder("recover"))?;
    heal(base, allow_running, observer)
}

/// The end of a run that may have left guests frozen: heals what it left, and lets them go. `None` where it ended well,
/// or where another run is at work, which has done so.
pub fn guard(base: &Path, observer: &dyn Observer) -> Result<Option<Recovered>, EngineError> {
    let base = &Base::existing(base)?;
    for _ in 0..GUARD_TRIES {
        if FrozenPaper::read(base)?.is_empty() && base.staging().list()?.is_empty() {
            return Ok(None);
        }
        match base.lock(&super::apply::holder("recover")) {
            Err(BaseError::Locked { .. }) => machine::pause(GUARD_PAUSE),
            taken => {
                let _lock = taken?;
                // Whoever was frozen may go on already; the run that we guard was allowed to freeze.
                return heal(base, true, observer).map(Some);
            }
        }
    }
    Ok(None)
}

/// A run that dies gives its lock back at once; one that is at work has let go what was frozen.
const GUARD_TRIES: u32 = 300;
const GUARD_PAUSE: Duration = Duration::from_millis(100);

/// The first step of everything that changes anything; the caller holds the lock. What needs a person is said.
pub(super) fn heal_first(
    base: &Base,
    allow_running: bool,
    observer: &dyn Observer,
) -> Result<(), EngineError> {
    let healed = heal(base, allow_running, observer)?;
    let shown = base.path().display();
    for object in &healed.damaged {
        observer.notice(&Event::Warning(&format!(
            "object {object} may have been written to while its flag was off; `unify verify --base {shown}` names whom that reaches"
        )));
    }
    if healed.runs > 0 && !healed.quarantined.is_empty() {
        observer.notice(&Event::Warning(&format!(
            "{} files in quarantine need a person; `unify recover --base {shown}` lists them",
            healed.quarantined.len()
        )));
    }
    Ok(())
}

/// Heals all runs that were cut short; the caller holds the lock.
///
/// What an earlier run left frozen stays so while its work is healed, and is let go then, whatever came of it.
fn heal(
    base: &Base,
    allow_running: bool,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    let mut still = Still::new(base, allow_running, observer)?;
    still.inherit()?;
    let healed = heal_all(base, &mut still, observer);
    let gone_on = still.finish();
    let healed = healed?;
    gone_on?;
    Ok(healed)
}

fn heal_all(
    base: &Base,
    still: &mut Still<'_>,
    observer: &dyn Observer,
) -> Result<Recovered, EngineError> {
    let mut recovered = Recovered::default();
    for name in base.staging().list()? {
        let Ok(run) = String::from_utf8_lossy(&name).parse::<RunId>() else {
            continue;
        };
        recovered.runs += 1;
        observer.notice(&Event::Warning(&format!(
            "run {run} was cut short; healing what it left"
        )));
        heal_run(base, &run, still, &mut recovered).map_err(|error| waiting(base, error))?;
    }
    for path in base.quarantined()? {
        recovered.quarantined.push(path.display().to_string());
    }
    Ok(recovered)
}

/// A lease that somebody holds on an object ends by itself, by the kernel's `lease-break-time` at the latest.
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
    base: &Base,
    run: &RunId,
    still: &mut Still<'_>,
    recovered: &mut Recovered,
) -> Result<(), EngineError> {
    let staging = base.staging().open_dir(run.to_string().as_bytes())?;
    let journal = read_journal(base, run)?;
    let batch = &journal.batch;
    let receipt = receipt_of(base, run);
    let guests = guests_of(receipt.as_ref());
    let work = !staging.list()?.is_empty();
    let adopted = Adopted {
        base,
        guests: &guests,
        batch,
    };
    if work {
        if let Err(refused) = safety::check(base, &staging, &guests, batch, still) {
            // Nothing can be healed now, but nobody runs on with a shared file that is not protected.
            return Err(still_protected(
                &adopted,
                &journal,
                receipt.as_ref(),
                still,
                refused,
            ));
        }
    }
    let found = Found {
        base,
        aside: Quarantine::of(base, run),
        staging: &staging,
        guests: &guests,
        journal: &journal,
        receipt: receipt.as_ref(),
        work,
    };
    let done = found.put_right(recovered);
    let done =
        done.map_err(|error| still_protected(&adopted, &journal, receipt.as_ref(), still, error))?;
    base.dir().sync_filesystem()?;
    write_receipt(base, run, done.lines)?;
    for entry in done.spent {
        staging.unlink(entry.as_bytes())?;
    }
    base.staging().remove_dir(run.to_string().as_bytes())?;
    Ok(())
}

/// Sets every flag that may be off, as far as that can be done. Where it cannot, what is frozen stays so.
fn still_protected(
    adopted: &Adopted<'_>,
    journal: &Journal,
    receipt: Option<&Receipt>,
    still: &mut Still<'_>,
    error: EngineError,
) -> EngineError {
    let known = flag_all(adopted).map(drop).map_err(EngineError::from);
    let others = if journal.whole {
        Ok(())
    } else {
        sweep::flag_unprotected(adopted.base, receipt).map(drop)
    };
    if known.and(others).is_err() {
        still.keep_frozen();
    }
    error
}

/// What healing did.
#[derive(Default)]
struct Done {
    lines: Vec<ReceiptLine>,
    /// Old files in staging that are needed until the lines are on disk.
    spent: Vec<String>,
}

/// What a cut run left, and what is known of it.
struct Found<'a> {
    base: &'a Base,
    aside: Quarantine<'a>,
    staging: &'a Dir,
    guests: &'a BTreeMap<GuestName, Guest>,
    journal: &'a Journal,
    receipt: Option<&'a Receipt>,
    work: bool,
}

impl Found<'_> {
    /// Names, then what no journal explains, then flags.
    fn put_right(&self, recovered: &mut Recovered) -> Result<Done, EngineError> {
        let (base, batch) = (self.base, &self.journal.batch);
        if self.work {
            lift_all(base, batch)?;
        }
        let mut done = Done::default();
        let files = || batch.intents.chunk_by(|a, b| one_file(a) == one_file(b));
        for file in files().filter(|file| !file.iter().any(Intent::is_adoption)) {
            self.heal_file(file, &mut done, recovered)?;
        }
        // Whether anybody shares an adopted inode is known only now.
        self.adopted().give_up_own()?;
        for file in files().filter(|file| file.iter().any(Intent::is_adoption)) {
            self.heal_file(file, &mut done, recovered)?;
        }
        sweep::drop_known(base, &self.aside, self.staging, &done.spent)?;
        recovered.flags += flag_all(&self.adopted())?;
        let mut lifted: Vec<_> = batch.lifted.iter().map(|(object, _)| *object).collect();
        if !self.journal.whole {
            let others = sweep::flag_unprotected(base, self.receipt)?;
            recovered.flags += others.len() as u64;
            lifted.extend(others);
        }
        recovered.damaged.extend(unsound(base, &lifted)?);
        Ok(done)
    }

    fn adopted(&self) -> Adopted<'_> {
        Adopted {
            base: self.base,
            guests: self.guests,
            batch: &self.journal.batch,
        }
    }

    /// All names of one file: finished together, or taken back together.
    fn heal_file(
        &self,
        file: &[Intent],
        done: &mut Done,
        recovered: &mut Recovered,
    ) -> Result<(), EngineError> {
        let (base, staging) = (self.base, self.staging);
        let guests = self.guests;
        let guest = file.first().and_then(|intent| guests.get(&intent.guest));
        let batch = &self.journal.batch;
        let way = match () {
            () if file.iter().all(|intent| batch.has_committed(intent)) => Way::Committed,
            () if file.iter().all(|intent| in_place(guest, intent)) => Way::Forth,
            () if has_left(base, guest, file)? => Way::Forth,
            () => Way::Back,
        };
        let aside = |intent: &Intent| {
            let entry = intent.seq.to_string();
            self.aside.keep(staging, &entry, Some(&intent.object))
        };
        let (mut finished, mut mtime) = (Vec::new(), None);
        for intent in file {
            match heal_name(base, &self.aside, staging, guest, intent, way)? {
                Healed::Finished => finished.push(intent.path.clone()),
                Healed::FinishedAt(time) => {
                    finished.push(intent.path.clone());
                    mtime = Some(time);
                    done.spent.push(intent.seq.to_string());
                }
                Healed::FinishedAndKept(time) => {
                    finished.push(intent.path.clone());
                    mtime = mtime.or(time);
                    aside(intent)?;
                }
                Healed::Kept => recovered.kept += 1,
                Healed::NeedsPerson => aside(intent)?,
            }
        }
        recovered.finished += finished.len() as u64;
        let intent = file.first().filter(|_| !finished.is_empty());
        done.lines.extend(intent.map(|intent| ReceiptLine {
            guest: Some(intent.guest.clone()),
            paths: finished,
            object: intent.object,
            outcome: Outcome::Done {
                made: None,
                saved: 0,
                mtime,
            },
        }));
        Ok(())
    }
}

/// A guest's file in flight: its inode before and after. The journal has its names one after the other.
fn one_file(intent: &Intent) -> (&GuestName, FileId, FileId, ObjectId) {
    (&intent.guest, intent.was, intent.becomes, intent.object)
}

/// Staging entries may be names of flagged objects, which cannot be removed or exchanged.
fn lift_all(base: &Base, batch: &OpenBatch) -> SysResult<()> {
    for (object, _) in &batch.lifted {
        if let Some(file) = base.object(object)? {
            file.set_immutable(false)?;
        }
    }
    Ok(())
}

/// Sets the flags of all, whatever one of them says; the first error in the end.
fn flag_all(adopted: &Adopted<'_>) -> SysResult<u64> {
    let (mut flags, mut failed) = (0, None);
    for (object, _) in &adopted.batch.lifted {
        match flag_again(adopted, object) {
            Ok(set) => flags += u64::from(set),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(flags), Err)
}

/// False for what is no object, or none any more.
fn flag_again(adopted: &Adopted<'_>, object: &ObjectId) -> SysResult<bool> {
    let base = adopted.base;
    if adopted.is_own(object)? {
        return Ok(false);
    }
    match base.object(object)? {
        Some(file) => file.set_immutable(true).map(|()| true),
        None if base.lacks(object)? => Ok(false),
        None => {
            let why = std::io::Error::from(std::io::ErrorKind::NotFound);
            Err(SysError::new("open an object of", base.path(), why))
        }
    }
}
