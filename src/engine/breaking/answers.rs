//! What one request is answered: by what is known, and by the act.

use std::time::Instant;

use super::burst::Burst;
use super::decide::FileOnObject;
use super::names::{Resolver, WriteResolved};
use super::part::{Hand, NotParted};
use super::request::{ToRead, WriteStep, WriterAsked};
use super::tell::WriteTold;
use super::worker::Worker;
use crate::engine::{EngineError, Guest};
use crate::model::{FileState, GuestPath, ObjectId};
use crate::sys::guard::{InodeMark, WriteAnswer, WriteRequest};
use crate::sys::{Regular, SysResult};

/// From this attempt on it is a call by a descriptor, which looks again in vain.
const IN_VAIN: u32 = 4;

/// All names of a file are moved while its writer waits, and others wait behind it.
const MOST_NAMES: usize = 10_000;

impl Worker<'_> {
    pub(super) fn step(&mut self, asked: &WriterAsked) -> Result<WriteStep, EngineError> {
        let request = &asked.request;
        let is_fresh = self.knowledge.since >= asked.since;
        let Some((id, object, state)) = self.object(request)? else {
            let current = is_fresh || self.knowledge.is_current(&self.base, &self.own_runs)?;
            return Ok(if current {
                WriteStep::NotMine
            } else {
                WriteStep::Wait(ToRead::Knowledge)
            });
        };
        if request.stale {
            return Ok(look_again(request));
        }
        if !self.has_turn()? {
            let why = "a run moves names of this base for longer than a writer can wait";
            return Ok(WriteStep::Answered(
                WriteAnswer::Denied,
                WriteTold::denied(Some(id), why),
            ));
        }
        let resolved = self.resolve(asked, &id, &state)?;
        match resolved {
            Some(WriteResolved::Files(guest, files)) if !files.is_empty() => {
                self.part(request, guest, &id, &object, &state, &files)
            }
            // Known to the base by a run that is not known here, perhaps.
            _ if !is_fresh && !self.knowledge.is_current(&self.base, &self.own_runs)? => {
                Ok(WriteStep::Wait(ToRead::Knowledge))
            }
            Some(WriteResolved::Search(guest)) => Ok(WriteStep::Wait(ToRead::Guest(guest))),
            Some(WriteResolved::Files(guest, _)) => Ok(self.no_name(asked, guest, id)),
            Some(WriteResolved::Nobody) | None => {
                let why = "no guest that is known has this name, and the writer lives in none";
                Ok(WriteStep::Answered(
                    WriteAnswer::Denied,
                    WriteTold::denied(Some(id), why),
                ))
            }
        }
    }

    /// Names are moved in a burst, and what an earlier one left is healed before the next.
    fn has_turn(&mut self) -> Result<bool, EngineError> {
        if self.burst.is_none() {
            self.heal_what_is_left()?;
            self.burst = Burst::begin(&self.base)?;
        }
        Ok(self.burst.is_some())
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
            knowledge: &self.knowledge,
            searched: &self.searched,
            cgroups: &mut self.cgroups,
            moves: &mut self.moves,
            roots: &self.roots,
            burst,
        };
        resolver
            .resolve(&asked.request, id, state, asked.since)
            .map(Some)
    }

    /// The guest has no name of it any more: another writer was quicker. Or it is one that nobody can find.
    fn no_name(&self, asked: &WriterAsked, guest: usize, id: ObjectId) -> WriteStep {
        let request = &asked.request;
        if request.attempt < 2 && request.waits {
            return WriteStep::Answered(WriteAnswer::LookAgain, WriteTold::Nothing);
        }
        let is_searched = self
            .searched
            .get(&guest)
            .is_some_and(|one| one.since >= asked.since);
        match is_searched {
            true => {
                let why = "the guest has no name of it: it is written to by a descriptor or by a mount of the file";
                WriteStep::Answered(WriteAnswer::Denied, WriteTold::denied(Some(id), why))
            }
            false => WriteStep::Wait(ToRead::Guest(guest)),
        }
    }

    fn part(
        &mut self,
        request: &WriteRequest,
        at: usize,
        id: &ObjectId,
        object: &Regular,
        state: &FileState,
        files: &[FileOnObject],
    ) -> Result<WriteStep, EngineError> {
        let Some((name, _)) = self.knowledge.names.guests().get(at).cloned() else {
            return Ok(WriteStep::NotMine);
        };
        let allowance = self.ground.options.allowance;
        let mut all: Vec<GuestPath> = Vec::new();
        for file in files {
            let bytes = state.allocated();
            if file.names.len() > MOST_NAMES {
                let why = format!("it has more names in this guest than {MOST_NAMES}");
                let told = WriteTold::of(
                    &name,
                    file.names.get(..1).unwrap_or_default(),
                    *id,
                    Some(why),
                    0,
                );
                return Ok(WriteStep::Answered(WriteAnswer::Denied, told));
            }
            if let Err(why) = self.used.may(&name, bytes, allowance, Instant::now()) {
                let told = WriteTold::of(&name, &file.names, *id, Some(why), 0);
                return Ok(WriteStep::Answered(WriteAnswer::Denied, told));
            }
            match self.part_one(at, id, object, file)? {
                Ok(()) => {
                    self.used.add(&name, bytes);
                    if let Some(burst) = &mut self.burst {
                        burst.parted(&name, &file.names, *id, bytes);
                    }
                    all.extend_from_slice(&file.names);
                }
                Err(why) => {
                    let (answer, why) = self.not_parted(why, request);
                    let told = why.map(|why| WriteTold::of(&name, &file.names, *id, Some(why), 0));
                    return Ok(WriteStep::Answered(
                        answer,
                        told.unwrap_or(WriteTold::Nothing),
                    ));
                }
            }
        }
        let bytes = state.allocated() * files.len() as u64;
        Ok(WriteStep::Answered(
            WriteAnswer::LookAgain,
            WriteTold::of(&name, &all, *id, None, bytes),
        ))
    }

    /// What a writer is told that gets no copy, and why, where that is to be said.
    fn not_parted(
        &mut self,
        why: NotParted,
        request: &WriteRequest,
    ) -> (WriteAnswer, Option<String>) {
        let denied = |why: String| (WriteAnswer::Denied, Some(why));
        match why {
            NotParted::Moved if request.attempt < IN_VAIN || !request.waits => {
                (WriteAnswer::LookAgain, None)
            }
            NotParted::Moved => {
                denied("its names move all the time, or a process has it open for writing".into())
            }
            NotParted::Cannot(why) => denied(why),
            NotParted::NoRoom { quota } => {
                // Its journal may end in the midst of a line.
                self.close_burst();
                match quota {
                    true => (WriteAnswer::OverQuota, Some("its quota is used up".into())),
                    false => (WriteAnswer::NoSpace, Some("the disk is full".into())),
                }
            }
        }
    }

    fn part_one(
        &mut self,
        at: usize,
        id: &ObjectId,
        object: &Regular,
        file: &FileOnObject,
    ) -> Result<Result<(), NotParted>, EngineError> {
        let Some(burst) = &mut self.burst else {
            return Ok(Err(NotParted::Moved));
        };
        let names = &self.knowledge.names;
        let Some((name, root)) = names.guests().get(at) else {
            return Ok(Err(NotParted::Moved));
        };
        let guest = Guest::open(name.clone(), root)?;
        let ground = (self.ground.desk, self.ground.observer);
        let begun = burst.run(&self.base, names, ground, &mut self.own_runs)?;
        let mut hand = Hand {
            base: &self.base,
            run: &begun.run,
            journal: &mut begun.journal,
            desk: self.ground.desk,
        };
        Ok(hand.part(&guest, id, object, file)?)
    }
}

/// The name leads elsewhere by now, unless the writer has no name.
fn look_again(request: &WriteRequest) -> WriteStep {
    match request.attempt < IN_VAIN {
        true => WriteStep::Answered(WriteAnswer::LookAgain, WriteTold::Nothing),
        false => WriteStep::Answered(WriteAnswer::Denied, WriteTold::Nothing),
    }
}
