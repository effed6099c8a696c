//! `verify --base`: every object read again, and every name found that a damaged one reaches. It changes nothing,
//! so it takes no lock and keeps no run waiting; only what it reports of flags is looked at once more under the
//! lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;

use super::executed_plans::ExecutedPlans;
use super::proof::first;
use crate::base::{Base, BaseError, Held, Index, Scrubbed};
use crate::engine::proof::differing;
use crate::engine::records::unprotected::AT_WORK;
use crate::engine::records::{History, receipts};
use crate::engine::threads::{Readers, Threads, reading_in};
use crate::engine::{EngineError, Guest, Stop, protection};
use crate::model::{
    Difference, Event, FileId, GuestName, GuestPath, Metadata, Moved, ObjectId, Observer,
    RunStatus, Scrub, Stage, Unit, Wrong,
};
use crate::protect;
use crate::sys::host::machine;
use crate::sys::{PageCache, Regular, SysResult};

/// Fan-out directories between two notes of how far it came.
const NOTED: usize = 16;

/// Reads the objects of a base whole; with `since` (seconds since 1970) only those that no scrub has read since.
pub fn scrub(
    base: &Path,
    since: Option<i64>,
    readers: Readers,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Scrub, EngineError> {
    let base = &Base::existing(base)?;
    let index = Index::read(base)?;
    let history = History::read(base)?;
    receipts::tell(&history.damaged, base, observer);
    let mut work = Scrubbing {
        base,
        protection: history.protection()?,
        names: Names::new(&history)?,
        cache: readers.cache,
        threads: Threads::start(reading_in(Some(base.dir()), readers.jobs)?)?,
        found: Scrub::default(),
        unflagged: Vec::new(),
        unnamed: Vec::new(),
    };
    let strangers = index.strangers().iter();
    work.found.differences = strangers
        .map(|name| about(None, Wrong::Stranger(name.clone())))
        .collect();
    observer.notice(&Event::Begin(
        Stage::Scrub,
        Unit::Objects,
        Some(index.len() as u64),
    ));
    work.all(&index, since, observer, stop)?;
    observer.notice(&Event::End);
    work.name_fields(&history.runs);
    work.flags(observer)?;
    Ok(work.found)
}

struct Scrubbing<'a> {
    base: &'a Base,
    protection: std::collections::HashMap<ObjectId, bool>,
    names: Names,
    cache: PageCache,
    threads: Threads,
    found: Scrub,
    unflagged: Vec<ObjectId>,
    /// Damaged objects of which it is not known what differs: where their differences stand, and what they are now.
    unnamed: Vec<(usize, ObjectId, Metadata)>,
}

impl Scrubbing<'_> {
    fn all(
        &mut self,
        index: &Index,
        since: Option<i64>,
        observer: &dyn Observer,
        stop: &Stop,
    ) -> Result<(), EngineError> {
        let mut read = Scrubbed::read(self.base)?;
        let fan = |held: &Held| held.id.file_name()[..2].to_owned();
        let mut left = index.objects().peekable();
        for at in 0.. {
            let Some(first) = left.next() else { break };
            let mut objects = vec![first];
            while let Some(next) = left.next_if(|next| fan(next) == fan(&first)) {
                objects.push(next);
            }
            let name = fan(&first);
            if since.is_some_and(|moment| read.is_fresh(&name, moment)) {
                self.found.fresh += objects.len() as u64;
                continue;
            }
            let begun = machine::seconds();
            let before = self.findings();
            for (held, judged) in objects.iter().zip(self.judge_all(&objects, stop)) {
                let Some(judged) = judged else {
                    self.found.interrupted = true;
                    return Ok(read.write(self.base)?);
                };
                self.object(held, judged);
                observer.notice(&Event::Advance(1));
            }
            // What is not as it should be is found again by the next scrub.
            if self.findings() == before {
                read.set(&name, begun);
            }
            if at % NOTED == 0 {
                read.write(self.base)?;
            }
        }
        Ok(read.write(self.base)?)
    }

    fn findings(&self) -> usize {
        self.found.differences.len() + self.unflagged.len()
    }

    /// Reads objects in parallel; `None` for those that were not read because the user asked to stop.
    fn judge_all(
        &self,
        objects: &[Held],
        stop: &Stop,
    ) -> Vec<Option<SysResult<Option<ScrubbedObject>>>> {
        let (base, cache) = (self.base, self.cache);
        let judge = |held: &Held| {
            let object = base.object(&held.id);
            object.and_then(|object| {
                let judged = object.map(|object| judge(&held.id, object, cache));
                judged.transpose()
            })
        };
        let judge = |held: &Held| (!stop.asked()).then(|| judge(held));
        self.threads
            .read(|| objects.par_iter().map(judge).collect())
    }

    fn object(&mut self, held: &Held, judged: SysResult<Option<ScrubbedObject>>) {
        match judged {
            // gc was here meanwhile.
            Ok(None) => {}
            Ok(Some(judged)) => {
                self.found.objects += 1;
                self.found.bytes += judged.bytes;
                if !judged.wrong.is_empty() {
                    self.damaged(held, judged.wrong, judged.unnamed);
                }
                let wanted = self.protection.get(&held.id) == Some(&true);
                if wanted && !judged.flagged {
                    self.unflagged.push(held.id);
                }
            }
            Err(error) => self.say(Some(held.id), Wrong::Unreadable(error.to_string())),
        }
    }

    fn damaged(&mut self, held: &Held, wrong: Vec<Moved>, unnamed: Option<Metadata>) {
        let at = self.found.differences.len();
        self.unnamed.extend(unnamed.map(|now| (at, held.id, now)));
        self.say(Some(held.id), Wrong::ObjectDamaged(wrong));
        for (guest, path) in self.names.of(&held.id, held.state.id) {
            self.found.differences.push(Difference {
                guest: Some(guest),
                path: Some(path),
                object: Some(held.id),
                what: Wrong::ReachesDamage,
            });
        }
    }

    /// The plans that were applied say what metadata objects were made with: newer ones are believed before older ones.
    fn name_fields(&mut self, runs: &[RunStatus]) {
        let wanted: BTreeSet<ObjectId> = self.unnamed.iter().map(|(_, id, _)| first(id)).collect();
        let (plans, mut told) = (ExecutedPlans::of(self.base, runs), BTreeMap::new());
        for run in plans.runs() {
            if told.len() == wanted.len() {
                break;
            }
            for (id, before) in plans.evidence(&run, |id| wanted.contains(&first(id))) {
                told.entry(first(&id)).or_insert(before);
            }
        }
        for (at, id, now) in std::mem::take(&mut self.unnamed) {
            let Some(before) = told.get(&first(&id)) else {
                continue;
            };
            if let Wrong::ObjectDamaged(fields) = &mut self.found.differences[at].what {
                fields.retain(|field| *field != Moved::Metadata);
                fields.extend(differing(&now, &id, Some(before)));
            }
        }
    }

    /// A run at work has flags off for a moment, so a missing flag is believed only while no other run works.
    fn flags(&mut self, observer: &dyn Observer) -> Result<(), EngineError> {
        if self.unflagged.is_empty() {
            return Ok(());
        }
        let _lock = match self.base.lock(&crate::engine::host::lock_note("verify")) {
            Err(BaseError::Locked { .. }) => {
                observer.notice(&Event::Warning(AT_WORK));
                return Ok(());
            }
            other => other?,
        };
        let sign = protection::sign(self.base);
        for id in std::mem::take(&mut self.unflagged) {
            let object = self.base.object(&id);
            match object.and_then(|object| object.map_or(Ok(true), |file| is_protected(&file))) {
                Ok(true) => {}
                Ok(false) => self.say(Some(id), Wrong::NotFlagged(sign)),
                Err(error) => self.say(Some(id), Wrong::Unreadable(error.to_string())),
            }
        }
        Ok(())
    }

    fn say(&mut self, object: Option<ObjectId>, what: Wrong) {
        self.found.differences.push(about(object, what));
    }
}

fn about(object: Option<ObjectId>, what: Wrong) -> Difference {
    Difference {
        guest: None,
        path: None,
        object,
        what,
    }
}

struct ScrubbedObject {
    wrong: Vec<Moved>,
    /// Its metadata, where it is not known what differs.
    unnamed: Option<Metadata>,
    flagged: bool,
    bytes: u64,
}

/// Compares an object with its name. Which policy made it is not known, so its metadata may be with its time or
/// without.
fn judge(id: &ObjectId, object: Regular, cache: PageCache) -> SysResult<ScrubbedObject> {
    let bytes = object.state()?.size;
    let object = object.passing(bytes, cache);
    let mut wrong = Vec::new();
    object.expect_sequential();
    if object.digest(bytes)? != id.content {
        wrong.push(Moved::Content);
    }
    let metadata = object.metadata(&[])?;
    wrong.extend(differing(&metadata, id, None));
    Ok(ScrubbedObject {
        unnamed: wrong.contains(&Moved::Metadata).then_some(metadata),
        wrong,
        flagged: is_protected(&object)?,
        bytes,
    })
}

fn is_protected(object: &Regular) -> SysResult<bool> {
    Ok(protect::on(object)?.is_some())
}

/// Names by object, as the base remembers them; the disk confirms those that are asked for.
struct Names {
    guests: Vec<Guest>,
    by_object: BTreeMap<ObjectId, Vec<(usize, GuestPath)>>,
}

impl Names {
    fn new(history: &History) -> SysResult<Names> {
        let guests = history.holders(&[]);
        let mut by_object: BTreeMap<ObjectId, Vec<(usize, GuestPath)>> = BTreeMap::new();
        let mut all = history.by_guest(|_, _| true)?;
        for (at, guest) in guests.iter().enumerate() {
            for file in all.remove(&guest.name).into_iter().flatten() {
                let names = by_object.entry(file.object).or_default();
                names.extend(file.paths.into_iter().map(|path| (at, path)));
            }
        }
        Ok(Names { guests, by_object })
    }

    fn of(&self, object: &ObjectId, inode: FileId) -> Vec<(GuestName, GuestPath)> {
        let names = self.by_object.get(object).into_iter().flatten();
        let refers = |(at, path): &&(usize, GuestPath)| {
            let guest = self.guests.get(*at);
            guest.is_some_and(|guest| {
                guest
                    .root
                    .look(path.relative())
                    .is_ok_and(|state| state.id == inode)
            })
        };
        let named = |(at, path): &(usize, GuestPath)| {
            Some((self.guests.get(*at)?.name.clone(), path.clone()))
        };
        names.filter(refers).filter_map(named).collect()
    }
}
