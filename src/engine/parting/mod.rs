//! Parting: every holder of a spoiled object gets a file of its own again, as it was.
//!
//! The object was changed while its flag was off, by a process of which this host did not know. Another shared inode in
//! its place would be open to the same process for the same moment, so nothing is shared any more: each name gets a
//! private copy. The copies are made of what was equal to the object and is there still, and each is proven by the
//! object's name, which says content and metadata. Where no such file is left, the holders keep what they have, under
//! the flag, and are named.
//!
//! It is a run of its own, with the journal and the receipt of an undo: what interrupts it is healed like an undo, and
//! the next plan may share the files again. In the end no guest refers to the inode; it goes into quarantine without
//! any permission, with what was written to it. What remains to be said is an answer and no error: see
//! [`Spoiled`].

mod copies;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::activity::freeze::Freeze;
use super::exchange::job::{Fate, Flagged, Job, LeaseBy, Old};
use super::exchange::journal::JournalFile;
use super::exchange::{Batch, FlagOrder};
use super::proof::SpoiledObject;
use super::receipt_file::{ReceiptFile, receipt_head};
use super::records::holders::Holding;
use super::records::{History, Linked};
use super::{EngineError, Guest};
use crate::base::{Base, RECEIPT, Run};
use crate::engine::protection;
use crate::model::{
    About, Event, FileId, GuestPath, HeldNames, Moved, ObjectId, Observer, Outcome, ReceiptLine,
    RunKind, Running, Spoiled,
};
use crate::protect::NameStep;
use crate::sys::{Regular, SysResult};
use copies::Copies;

/// Files that the base remembers, each with the number of its guest.
type HeldFiles = Vec<(usize, Linked)>;

/// The same for a command that freezes nobody.
pub(super) fn part_stopped(
    base: &Base,
    observer: &dyn Observer,
    spoiled: &[SpoiledObject],
) -> Result<Vec<Spoiled>, EngineError> {
    let mut still = Freeze::new(base, Running::Refuse, observer)?;
    part(base, &mut still, observer, spoiled)
}

/// The same for a batch that left its journal open for it: whoever heals before the holders are parted finds them.
pub(super) fn part_after_batch(
    base: &Base,
    still: &mut Freeze<'_>,
    observer: &dyn Observer,
    spoiled: &[SpoiledObject],
    journal: &JournalFile,
) -> Result<Vec<Spoiled>, EngineError> {
    let told = part(base, still, observer, spoiled)?;
    if !spoiled.is_empty() {
        journal.write_done()?;
    }
    Ok(told)
}

/// Parts the holders of these objects; the caller holds the lock, and what it has written into receipts is synced.
pub(super) fn part(
    base: &Base,
    still: &mut Freeze<'_>,
    observer: &dyn Observer,
    spoiled: &[SpoiledObject],
) -> Result<Vec<Spoiled>, EngineError> {
    if spoiled.is_empty() {
        return Ok(Vec::new());
    }
    let _turn = base.turn()?;
    let history = History::read(base)?;
    let guests = history.holders(&[]);
    let run = base.begin_run()?;
    let mut journal = JournalFile::begin(&run, RunKind::Undo)?;
    let known = guests.iter().map(Guest::for_receipt).collect();
    let head = receipt_head(&run.id, RunKind::Undo, known);
    let receipt = ReceiptFile::create(&run.papers.join(RECEIPT), &head, observer)?;
    let held = held(&history, &guests, spoiled)?;
    let mut parting = Parting {
        base,
        run: &run,
        guests: &guests,
        holding: Holding::new(guests.iter().collect(), base, &history)?,
        still,
        journal: &mut journal,
        receipt,
        observer,
    };
    let all = spoiled.iter().map(|object| {
        let files = held.get(&object.id).map_or(&[][..], Vec::as_slice);
        parting.part(object, files)
    });
    let told = all.collect::<Result<Vec<Spoiled>, EngineError>>()?;
    parting.receipt.finish()?;
    base.end_run(&run)?;
    Ok(told)
}

/// What the base remembers of the holders of these objects.
fn held(
    history: &History,
    guests: &[Guest],
    spoiled: &[SpoiledObject],
) -> SysResult<BTreeMap<ObjectId, HeldFiles>> {
    let mut held: BTreeMap<ObjectId, HeldFiles> = BTreeMap::new();
    for file in history.files() {
        let (name, file) = file?;
        let at = guests.iter().position(|guest| guest.name == *name);
        if let Some(at) = at.filter(|_| spoiled.iter().any(|one| one.id == file.object)) {
            held.entry(file.object).or_default().push((at, file));
        }
    }
    Ok(held)
}

struct Parting<'a, 'f> {
    base: &'a Base,
    run: &'a Run,
    guests: &'a [Guest],
    holding: Holding<'a>,
    still: &'a mut Freeze<'f>,
    journal: &'a mut JournalFile,
    receipt: ReceiptFile<'a>,
    observer: &'a dyn Observer,
}

impl Parting<'_, '_> {
    fn part(
        &mut self,
        spoiled: &SpoiledObject,
        files: &[(usize, Linked)],
    ) -> Result<Spoiled, EngineError> {
        let id = spoiled.id;
        let mut told = Spoiled {
            object: id,
            fields: spoiled.flaw.fields.clone(),
            written: spoiled.flaw.has_writer,
            parted: Vec::new(),
            left: Vec::new(),
            unknown: 0,
        };
        let Some(file) = self.base.object(&id)?.map(Arc::new) else {
            return Ok(told);
        };
        let inode = file.state()?.id;
        if let Some(copies) = Copies::of(self.base, &id, &spoiled.sources)? {
            for some in files.chunks(self.still.room().names.max(1)) {
                let jobs = self.jobs(&id, &file, &copies, some)?;
                told.parted.extend(self.give_copies(&id, &file, &jobs)?);
            }
        }
        for (at, linked) in files {
            let paths = self.names_of(*at, linked, inode);
            let guest = self.guests[*at].name.clone();
            told.left
                .extend((!paths.is_empty()).then_some(HeldNames { guest, paths }));
        }
        let left: usize = told.left.iter().map(|held| held.paths.len()).sum();
        told.unknown = u64::from(file.state()?.nlink).saturating_sub(1 + left as u64);
        self.put_away(&id, &file, &told)?;
        Ok(told)
    }

    /// The names of a file that refer to the spoiled inode now.
    fn names_of(&self, at: usize, linked: &Linked, inode: FileId) -> Vec<GuestPath> {
        let root = &self.guests[at].root;
        let refers = |path: &&GuestPath| {
            root.look(path.relative())
                .is_ok_and(|state| state.id == inode)
        };
        linked.paths.iter().filter(refers).cloned().collect()
    }

    /// A copy for each file that refers to the spoiled inode, as far as there is room.
    fn jobs(
        &self,
        id: &ObjectId,
        file: &Arc<Regular>,
        copies: &Copies<'_>,
        files: &[(usize, Linked)],
    ) -> SysResult<Vec<Job>> {
        let state = file.state()?;
        let mut jobs = Vec::new();
        for (at, linked) in files {
            let names = self.names_of(*at, linked, state.id);
            if names.is_empty() {
                continue;
            }
            let new = match copies.make(linked.mtime) {
                Ok(new) => new,
                Err(error) => {
                    self.observer.notice(&Event::Warning(&error.to_string()));
                    break;
                }
            };
            jobs.push(Job {
                guest: *at,
                names,
                object: *id,
                old: Old::Spoiled(Arc::clone(file)),
                state,
                new: Some(new),
            });
        }
        Ok(jobs)
    }

    /// Gives the names their copies.
    fn give_copies(
        &mut self,
        id: &ObjectId,
        file: &Arc<Regular>,
        jobs: &[Job],
    ) -> Result<Vec<HeldNames>, EngineError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let fates = self.land(id, file, jobs)?;
        let done = jobs.iter().zip(&fates).filter(|(_, fate)| fate.is_done());
        let parted = done.map(|(job, _)| HeldNames {
            guest: self.guests[job.guest].name.clone(),
            paths: job.names.clone(),
        });
        Ok(parted.collect())
    }

    fn land(
        &mut self,
        id: &ObjectId,
        file: &Arc<Regular>,
        jobs: &[Job],
    ) -> Result<Vec<Fate>, EngineError> {
        let (receipt, guests) = (&mut self.receipt, self.guests);
        let spoiled = Flagged {
            id: *id,
            file: Arc::clone(file),
            content: id.content,
            lease: LeaseBy::Nobody,
        };
        let batch = Batch {
            base: self.base,
            run: self.run,
            guests,
            journal: self.journal,
            order: FlagOrder::DropThenFlag,
            protection: protection::of(self.base)?,
            ignore: &[],
            holding: &self.holding,
            still: self.still,
        };
        let result = batch.execute(jobs, &[spoiled], &[], &mut |fates| {
            for (job, fate) in jobs.iter().zip(fates) {
                receipt.add(&line(&guests[job.guest], job, fate))?;
            }
            receipt.sync()
        })?;
        let warnings = result.warnings.iter();
        warnings.for_each(|warning| self.observer.notice(&Event::Warning(warning)));
        Ok(result.fates)
    }

    /// An inode that no name refers to any more loses its permissions and its place among the objects. Where names are
    /// left it stays under its flag, without what somebody may have added to its mode: setuid and setgid.
    fn put_away(
        &mut self,
        id: &ObjectId,
        file: &Arc<Regular>,
        told: &Spoiled,
    ) -> Result<(), EngineError> {
        let stays = !told.left.is_empty() || told.unknown > 0;
        if stays && !told.fields.contains(&Moved::Mode) {
            return Ok(());
        }
        // Its mode changes, whatever becomes of its names.
        let changes = [NameStep::Unlink, NameStep::Retire];
        let lifted = self.journal.lift(id, Arc::clone(file), &changes)?;
        match lifted {
            Some(lifted) if stays => {
                self.withdraw(id, file, stays)?;
                lifted.restore()?;
            }
            Some(lifted) => lifted.retire(|| self.withdraw(id, file, stays))?,
            None => self.withdraw(id, file, stays)?,
        }
        Ok(())
    }

    fn withdraw(&self, id: &ObjectId, file: &Regular, stays: bool) -> SysResult<()> {
        if stays {
            return file.set_mode(file.state()?.mode & 0o0777);
        }
        file.set_mode(0)?;
        self.base.object_to_quarantine(self.run, id)
    }
}

fn line(guest: &Guest, job: &Job, fate: &Fate) -> ReceiptLine {
    let done = || Outcome::Done {
        made: None,
        saved: job.state.allocated(),
        mtime: None,
    };
    ReceiptLine {
        about: About::Names {
            guest: guest.name.clone(),
            paths: job.names.clone(),
            object: job.object,
        },
        outcome: fate.bad_outcome().unwrap_or_else(done),
    }
}
