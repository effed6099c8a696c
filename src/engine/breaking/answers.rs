//! What one request is answered: by what is known, and by the act.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use super::background::BackgroundJob;
use super::copies::LONG;
use super::decide::{FileOnObject, MOST_NAMES};
use super::line::asker::Asker;
use super::line::message::WriteStep;
use super::line::waiting::WaitsFor;
use super::names::{Resolver, WriteResolved};
use super::part::{ActDone, CopyBegun, CopyKey, Hand, NotParted, PrivateCopy, begin_copy};
use super::request::WriterAsked;
use super::tell::WriteTold;
use super::worker::Worker;
use crate::engine::{EngineError, Guest};
use crate::model::{FileState, GuestName, GuestPath, ObjectId};
use crate::sys::guard::{InodeMark, WriteAnswer, WriteRequest};
use crate::sys::host::writer::has_ended;
use crate::sys::{Meaning, Regular, SysResult};

/// From this attempt on it is a call by a descriptor, which looks again in vain.
const IN_VAIN: u32 = 4;

/// The kernel lets a call begin no more after this attempt (`ask.bpf.h`): only then a name moves too often.
const LAST_ATTEMPT: u32 = 8;

/// So long a writer waits until it is known which of its guest's names are of one file, where a run goes on naming more
/// than is read meanwhile.
const MOST_READING: Duration = Duration::from_secs(60);

const OUTRUN: &str =
    "a run shares files of this guest quicker than can be told which of them are one";

/// All names of a file are written into the journal before the first is moved, and into the receipt: so many bytes at
/// most.
const MOST_NAME_BYTES: usize = 1 << 20;

impl Worker<'_> {
    pub(super) fn step(&mut self, asked: &WriterAsked) -> Result<WriteStep, EngineError> {
        let request = &asked.request;
        let is_fresh = self.knowledge.since >= asked.since;
        let seen = match self.object(request) {
            // It has led elsewhere already.
            Err(error) if error.meaning() == Meaning::Busy && request.stale => {
                return Ok(look_again(request));
            }
            Err(error) if error.meaning() == Meaning::Busy => return Ok(self.open_leased(asked)),
            seen => seen?,
        };
        let Some((id, object, state)) = seen else {
            return Ok(if is_fresh || !self.may_lack(request)? {
                WriteStep::NotMine
            } else {
                WriteStep::Wait(WaitsFor::Knowledge)
            });
        };
        if request.stale {
            return Ok(look_again(request));
        }
        if self.leases.keep_from_healing() {
            return Ok(self.await_lease(asked));
        }
        match self.has_turn() {
            Ok(true) => {}
            Ok(false) => return Ok(WriteStep::Wait(WaitsFor::Turn)),
            Err(error) if error.is_busy() => return Ok(self.await_healing(asked)),
            Err(error) => return Err(error),
        }
        let resolved = self.resolve(asked, &id, &state)?;
        if self.is_short(resolved.as_ref(), &id, is_fresh)? {
            return Ok(match is_fresh && asked.since.elapsed() >= MOST_READING {
                true => denied(id, OUTRUN),
                false => WriteStep::Wait(WaitsFor::Knowledge),
            });
        }
        match resolved {
            Some(WriteResolved::Files { guest, files, .. }) if !files.is_empty() => {
                self.part(asked, guest, &id, &object, &state, &files)
            }
            Some(WriteResolved::Search(guest)) => Ok(WriteStep::Wait(WaitsFor::Guest(guest))),
            Some(WriteResolved::Unsearchable(why)) => Ok(denied(id, &unsearchable(&why))),
            Some(WriteResolved::Files { guest, .. }) => Ok(self.no_name(asked, guest, id)),
            // Its guest may have been given a file of its own just now, for another writer.
            Some(WriteResolved::Nobody) | None if may_be_late(request) => Ok(LOOK_AGAIN),
            Some(WriteResolved::Nobody) | None => Ok(nobody_s(request, id)),
        }
    }

    /// The object of this inode, if it is one of this base's.
    fn object(&self, request: &WriteRequest) -> SysResult<Option<(ObjectId, Regular, FileState)>> {
        let Some(held) = self.knowledge.index.of_inode(request.inode) else {
            return Ok(None);
        };
        let Some((object, state)) = self.base.object_seen(&held.id)? else {
            return Ok(None);
        };
        let is_it = state.id == request.inode
            && InodeMark::of(&object).is_ok_and(|mark| mark.generation == request.generation);
        Ok(is_it.then_some((held.id, object, state)))
    }

    fn resolve(
        &mut self,
        asked: &WriterAsked,
        id: &ObjectId,
        state: &FileState,
    ) -> SysResult<Option<WriteResolved>> {
        let Some(burst) = &mut self.burst else {
            return Ok(None);
        };
        let mut resolver = Resolver {
            base: self.base.dir(),
            knowledge: &self.knowledge,
            searched: &self.searched,
            cgroups: &mut self.cgroups,
            moves: &mut self.moves,
            directories: &mut self.directories,
            roots: &self.roots,
            burst,
        };
        resolver.resolve(asked, id, state).map(Some)
    }

    /// The guest has no name of it any more: another writer was quicker. Or it is one that nobody can find.
    fn no_name(&mut self, asked: &WriterAsked, guest: usize, id: ObjectId) -> WriteStep {
        let request = &asked.request;
        if may_be_late(request) || self.has_moved(request, guest) {
            return LOOK_AGAIN;
        }
        let searched = self.searched.get(&guest);
        match searched.filter(|one| one.is_since(asked.since) && one.is_of(&id)) {
            Some(found) => {
                let why = found.failed().map_or_else(
                    || "the guest has no name of it: it is written to by a descriptor or by a mount of the file".into(),
                    unsearchable,
                );
                denied(id, &why)
            }
            None => WriteStep::Wait(WaitsFor::Guest(guest)),
        }
    }

    /// The writer's entry lies in this guest, and its name was another one when it was looked there.
    fn has_moved(&mut self, request: &WriteRequest, guest: usize) -> bool {
        let guests = &self.knowledge.names;
        let burst = self.burst.as_mut();
        let (Some(above), Some(guest)) = (
            request.parent,
            burst.and_then(|burst| burst.guest(guests, guest)),
        ) else {
            return false;
        };
        let may_look = request.attempt < LAST_ATTEMPT && request.waits;
        may_look && above.place_beneath(&guest.root).is_some()
    }

    fn part(
        &mut self,
        asked: &WriterAsked,
        at: usize,
        id: &ObjectId,
        object: &Regular,
        state: &FileState,
        files: &[FileOnObject],
    ) -> Result<WriteStep, EngineError> {
        let Some((name, root)) = self.knowledge.names.guests().get(at).cloned() else {
            return Ok(WriteStep::NotMine);
        };
        let bytes = state.allocated();
        let mut all: Vec<GuestPath> = Vec::new();
        for (number, file) in files.iter().enumerate() {
            if let Err(why) = may_part(files) {
                let first = file.names.get(..1).unwrap_or_default();
                let told = WriteTold::of(&name, first, *id, Some(why), 0);
                return Ok(WriteStep::Answered(WriteAnswer::Denied, told));
            }
            match self.part_one(asked.asker, (at, &name, &root), id, (object, bytes), file)? {
                FileStep::Parted => {
                    if let Some(burst) = &mut self.burst {
                        burst.parted(&name, &file.names, *id, bytes);
                    }
                    all.extend_from_slice(&file.names);
                }
                FileStep::Wait(key) => {
                    let told = WriteTold::of(&name, &all, *id, None, bytes * number as u64);
                    if number > 0 {
                        self.tell(asked, &told, Duration::ZERO);
                    }
                    return Ok(WriteStep::Wait(WaitsFor::Copy(key)));
                }
                FileStep::Broken(error) => return Ok(WriteStep::Broken(error)),
                FileStep::Not(why) => {
                    let (answer, why) = self.not_parted(why, &asked.request);
                    let told = why.map(|why| WriteTold::of(&name, &file.names, *id, Some(why), 0));
                    let told = told.unwrap_or(WriteTold::Nothing);
                    return Ok(WriteStep::Answered(answer, told));
                }
            }
        }
        let told = WriteTold::of(&name, &all, *id, None, bytes * files.len() as u64);
        Ok(WriteStep::Answered(WriteAnswer::LookAgain, told))
    }

    /// What a writer is told that gets no copy, and why, where that is to be said.
    pub(super) fn not_parted(
        &self,
        why: NotParted,
        request: &WriteRequest,
    ) -> (WriteAnswer, Option<String>) {
        let denied = |why: String| (WriteAnswer::Denied, Some(why));
        match why {
            NotParted::Moved if request.attempt < LAST_ATTEMPT || !request.waits => {
                (WriteAnswer::LookAgain, None)
            }
            NotParted::Moved => {
                denied("its names move all the time, or a process has it open for writing".into())
            }
            NotParted::Cannot(why) => denied(why),
            NotParted::NoRoom { quota } => match quota {
                true => (WriteAnswer::OverQuota, Some("its quota is used up".into())),
                false => (WriteAnswer::NoSpace, Some("the disk is full".into())),
            },
        }
    }

    fn part_one(
        &mut self,
        by: Asker,
        (at, name, root): (usize, &GuestName, &Path),
        id: &ObjectId,
        (object, bytes): (&Regular, u64),
        file: &FileOnObject,
    ) -> Result<FileStep, EngineError> {
        let key = CopyKey {
            guest: name.clone(),
            object: *id,
            mtime: file.mtime,
        };
        let copy = match self.copy(&key, by, (object, bytes)) {
            Ok(Some(copy)) => copy,
            Ok(None) => return Ok(FileStep::Wait(key)),
            Err(why) => return Ok(FileStep::Not(why)),
        };
        let guest = Guest::open(name.clone(), root)?;
        let done = match self.act((at, &guest), id, file, copy) {
            Ok(done) => done,
            Err(error) => return Ok(FileStep::Broken(error)),
        };
        if let Some(copy) = done.copy {
            self.copies.keep(key, copy);
        }
        Ok(match done.parted {
            Ok(()) => FileStep::Parted,
            Err(why) => {
                if why.is_for_room() {
                    // The journal may end in the midst of a line.
                    self.close_burst();
                }
                FileStep::Not(why)
            }
        })
    }

    /// Moves names, in the run of the burst. An error leaves them in a state that is not known.
    fn act(
        &mut self,
        (at, guest): (usize, &Guest),
        id: &ObjectId,
        file: &FileOnObject,
        copy: PrivateCopy,
    ) -> Result<ActDone, EngineError> {
        let Some(burst) = &mut self.burst else {
            return Ok(ActDone::not(NotParted::Moved));
        };
        let (names, desk) = (&self.knowledge.names, self.ground.desk);
        let directories = &self.directories;
        let own = (&mut self.own_runs, &self.closings);
        let begun = burst.run(&self.base, names, desk, own)?;
        let mut hand = Hand {
            base: &self.base,
            run: &begun.run,
            journal: &mut begun.journal,
            desk,
            pulse: &*self.pulse,
            seen: &|name| directories.of(at, name),
        };
        let done = hand.part(guest, id, file, copy)?;
        burst.kept(done.kept);
        Ok(done)
    }

    /// A copy that is ready or made at once; `None` where it takes long and is not ready. Where it may it is begun.
    /// It is charged once, whatever a guest does meanwhile and wherever this ends.
    fn copy(
        &mut self,
        key: &CopyKey,
        by: Asker,
        (object, bytes): (&Regular, u64),
    ) -> Result<Option<PrivateCopy>, NotParted> {
        if let Some(ready) = self.copies.take(key) {
            return Ok(Some(ready));
        }
        if self.copies.is_under_way(key) {
            return Ok(None);
        }
        let allowance = self.ground.options.allowance;
        let charge = self
            .used
            .charge(&key.guest, bytes, allowance, Instant::now())
            .map_err(NotParted::Cannot)?;
        let is_copied = Cell::new(false);
        let begun = begin_copy(self.base.dir(), object, key.mtime, LONG, &|| {
            is_copied.set(true);
            (self.pulse)();
        });
        match begun {
            Ok(CopyBegun::Made(copy)) => Ok(Some(copy)),
            Ok(CopyBegun::Long(copy)) if self.copies.may_begin(&key.guest, by) => {
                let job = self.copies.begin(key.clone(), by, (copy, charge));
                self.jobs.push(BackgroundJob::Copy(Box::new(job)));
                Ok(None)
            }
            Ok(CopyBegun::Long(_)) => {
                self.used.give_back(&charge);
                Ok(None)
            }
            Err(why) => {
                if why.is_for_room() || !is_copied.get() {
                    self.used.give_back(&charge);
                }
                Err(why)
            }
        }
    }
}

/// May these files be parted? If not: why.
fn may_part(files: &[FileOnObject]) -> Result<(), String> {
    let names = files.iter().flat_map(|file| &file.names);
    let (many, long) = names.fold((0, 0), |(many, long), name| {
        (many + 1, long + name.as_bytes().len())
    });
    if many > MOST_NAMES {
        return Err(format!("it has more names in this guest than {MOST_NAMES}"));
    }
    if long > MOST_NAME_BYTES {
        return Err(format!(
            "its names in this guest take more than {MOST_NAME_BYTES} bytes"
        ));
    }
    Ok(())
}

/// The call is begun anew, and nothing is said of it.
const LOOK_AGAIN: WriteStep = WriteStep::Answered(WriteAnswer::LookAgain, WriteTold::Nothing);

/// A writer that asks for the first time may have walked the path before another's break moved the name.
fn may_be_late(request: &WriteRequest) -> bool {
    request.attempt < 2 && request.waits
}

fn denied(id: ObjectId, why: &str) -> WriteStep {
    WriteStep::Answered(WriteAnswer::Denied, WriteTold::denied(Some(id), why))
}

fn unsearchable(why: &str) -> String {
    format!("its guest could not be searched: {why}")
}

/// Of a writer that waited and has ended, nobody can tell where it lived, and nobody is denied.
fn nobody_s(request: &WriteRequest, id: ObjectId) -> WriteStep {
    match request.waits && has_ended(request.process) {
        true => WriteStep::Answered(WriteAnswer::Denied, WriteTold::Nothing),
        false => denied(
            id,
            "no guest that is known has this name, and the writer lives in none",
        ),
    }
}

/// What became of one file.
enum FileStep {
    Parted,
    Wait(CopyKey),
    Not(NotParted),
    Broken(EngineError),
}

/// The name leads elsewhere by now, unless the writer has no name.
fn look_again(request: &WriteRequest) -> WriteStep {
    match request.attempt < IN_VAIN {
        true => LOOK_AGAIN,
        false => WriteStep::Answered(WriteAnswer::Denied, WriteTold::Nothing),
    }
}
