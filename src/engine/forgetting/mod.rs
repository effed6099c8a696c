//! `forget`: a guest that is deleted, or about to be, gives up its names of objects, without a copy.
//!
//! Deleting a guest by other means takes the flags off all objects that it has names of, and leaves them off for
//! everybody. Here each name is moved out of the guest while the flag of its one object is off, and looked at before it
//! goes: what is not the object is nobody's to drop, and is moved back. Then the flag is on again, and the object is
//! proven like everything that was lifted, where other guests refer to it still.
//!
//! Where the root is gone there is nothing to move: what receipts say of it is forgotten. A receipt of its own says so
//! in both cases, and is the memory that these names are nobody's.
//!
//! An interruption loses nothing: `lifted` names what may be without its flag, and a name in staging is one of an
//! object or is kept. The same command goes on from there.

mod chosen;
mod names;

use std::cell::Cell;
use std::path::Path;

use super::activity::base::must_be_ours;
use super::activity::freeze::Freeze;
use super::exchange::journal::JournalFile;
use super::host::lock_note;
use super::lifting::Lifting;
use super::privileges::{entitled, must_see_all};
use super::proof;
use super::receipt_file::{ReceiptFile, RunResult, receipt_head};
use super::records::holders::Holding;
use super::records::{History, receipts};
use super::{EngineError, Guest, guest, healing, parting};
use crate::base::{Base, Index, MaintainedPaper, RECEIPT, Run};
use crate::model::{Event, GuestName, Observer, Receipt, Recovered, RunKind, Running, Stage, Unit};
use crate::protect::NameStep;
use crate::sys::host::signals::Stop;
use crate::sys::own::papers::Lock;
use chosen::{ForgetView, Forgotten, look_at};
use names::{Landing, NamedFile};

/// Guests that were looked at and can be forgotten once.
pub struct ReadyToForget {
    base: Base,
    run: Run,
    history: History,
    chosen: Vec<Forgotten>,
    healed: Recovered,
    running: Running,
    _lock: Lock,
}

impl ReadyToForget {
    /// Finds out what they have. Nothing in a guest is changed.
    pub fn check(
        base: &Path,
        guests: &[GuestName],
        running: Running,
        observer: &dyn Observer,
    ) -> Result<ReadyToForget, EngineError> {
        entitled("forget", "it takes flags off")?;
        must_see_all("forget")?;
        let base = Base::existing(base)?;
        let lock = base.lock(&lock_note("forget"))?;
        must_be_ours(&base)?;
        let healed = healing::watch_first(&base, running, observer)?;
        let history = History::read(&base)?;
        receipts::tell(&history.damaged, &base, observer);
        let index = Index::read(&base)?;
        let chosen = guests
            .iter()
            .map(|name| look_at(&base, &index, &history, name, observer))
            .collect::<Result<Vec<_>, _>>()?;
        guest::hold(
            chosen
                .iter()
                .filter_map(|one: &Forgotten| one.guest.as_ref()),
        )?;
        Ok(ReadyToForget {
            run: base.begin_run()?,
            base,
            history,
            chosen,
            healed,
            running,
            _lock: lock,
        })
    }

    /// What would become of each guest.
    pub fn guests(&self) -> impl Iterator<Item = ForgetView<'_>> {
        self.chosen.iter().map(|one| ForgetView {
            name: &one.named.name,
            root: one.guest.as_ref().map(|guest| guest.path.as_path()),
            names: one.files.iter().map(|file| file.paths.len() as u64).sum(),
            gone: one.gone_names(),
            blocks: one.gone.len() as u64 - one.gone_files(),
            elsewhere: one.elsewhere,
        })
    }

    /// The user did not agree: leaves no trace of the run.
    pub fn cancel(self) -> Result<(), EngineError> {
        Ok(self.base.forget_run(&self.run)?)
    }

    /// Executes it.
    pub fn execute(self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        self.work(observer, stop)
            .map_err(|error| error.in_a_run(&self.base))
    }

    fn work(&self, observer: &dyn Observer, stop: &Stop) -> Result<RunResult, EngineError> {
        // It says what the run was, should the receipt not be able to.
        drop(JournalFile::begin(&self.run, RunKind::Forget)?);
        let papers = self.run.papers.join(RECEIPT);
        let mut receipt = ReceiptFile::create(&papers, &self.receipt(), observer)?;
        receipt.result.spoiled.clone_from(&self.healed.spoiled);
        let open = self.chosen.iter().filter_map(|one| one.guest.as_ref());
        let others = self.history.holders(&[]);
        let others = others
            .iter()
            .filter(|other| !self.chosen.iter().any(|one| one.named.name == other.name));
        let everybody: Vec<&Guest> = open.chain(others).collect();
        let mut holding = Holding::new(everybody, &self.base, &self.history)?;
        let mut still = Freeze::new(&self.base, self.running, observer)?;
        let files = self.chosen.iter().map(|one| one.files.len() as u64).sum();
        observer.notice(&Event::Begin(Stage::Apply, Unit::Files, Some(files)));
        let (mut at, entries, quarantined) = (0, Cell::new(0), Cell::new(0));
        for one in &self.chosen {
            one.gone.iter().try_for_each(|line| receipt.add(line))?;
            receipt.sync()?;
            let Some(guest) = &one.guest else { continue };
            let mut rest = &one.files[..];
            while !rest.is_empty() && !receipt.result.interrupted {
                let some = names::first_batch(rest, still.room().names);
                rest = &rest[some.len()..];
                let land = Landing {
                    base: &self.base,
                    run: &self.run,
                    guest,
                    at,
                    entries: &entries,
                    quarantined: &quarantined,
                };
                self.land(
                    &land,
                    some,
                    &mut holding,
                    &mut still,
                    &mut receipt,
                    observer,
                )?;
                observer.notice(&Event::Advance(some.len() as u64));
                receipt.result.interrupted = stop.asked();
            }
            at += 1;
        }
        observer.notice(&Event::End);
        receipt.result.quarantined += quarantined.get();
        receipt.result.stillness = still.finish()?;
        let result = receipt.finish()?;
        self.base.end_run(&self.run)?;
        let mut names = self.chosen.iter().map(|one| &one.named.name);
        names.try_for_each(|name| MaintainedPaper::end(&self.base, name))?;
        Ok(result)
    }

    /// Takes these files' names from their guest.
    fn land(
        &self,
        land: &Landing<'_>,
        files: &[NamedFile],
        holding: &mut Holding<'_>,
        still: &mut Freeze<'_>,
        receipt: &mut ReceiptFile<'_>,
        observer: &dyn Observer,
    ) -> Result<(), EngineError> {
        for file in files {
            holding.learn(file.object, land.at, &file.paths)?;
        }
        still.holds(files.iter().map(|file| file.paths.len()).sum(), 0);
        still.freeze(holding.guests())?;
        let mut conditions = still.look(holding.guests())?;
        // All guests that could be frozen were; one that runs nevertheless is in the way.
        conditions.iter_mut().for_each(|one| one.can_freeze = false);
        holding.next_batch();
        let (lifting, _) = Lifting::resume(&self.base)?;
        lifting.write_down(files.iter().map(|file| file.object), &[NameStep::Unlink])?;
        let mut lines = Vec::new();
        for file in files {
            let outcome = land.take(file, &lifting, &conditions, holding, still)?;
            lines.push(file.line(&land.guest.name, outcome));
        }
        lifting.give_up()?;
        still.thaw()?;
        self.base.dir().sync_filesystem()?;
        lines.iter().try_for_each(|line| receipt.add(line))?;
        receipt.sync()?;
        let spoiled = proof::spoiled(&self.base, lifting.shared()?)?;
        let parted = parting::part(&self.base, still, observer, &spoiled)?;
        receipt.result.spoiled.extend(parted);
        Ok(lifting.finish()?)
    }

    fn receipt(&self) -> Receipt {
        let guests = self.chosen.iter().map(|one| one.named.clone());
        receipt_head(&self.run.id, RunKind::Forget, guests.collect())
    }
}
