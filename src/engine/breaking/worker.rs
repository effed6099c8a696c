//! One base's answers, in one thread. What takes long is read in the background meanwhile, and the requests that need
//! it wait; the others do not wait for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::GuarddOptions;
use super::allowance::Used;
use super::background::BackgroundRead;
use super::burst::Burst;
use super::knowledge::{Knowledge, Searched};
use super::names::{Cgroups, Moves};
use super::request::{Message, ToRead, WriteStep, WriterAsked};
use super::tell::{Tellers, WriteTold};
use crate::base::{Base, BaseError};
use crate::engine::{EngineError, Guest, healing};
use crate::model::{FileId, Observer, RunId};
use crate::sys::guard::{AnswersWriters, WriteAnswer};
use crate::sys::{Meaning, SysResult};

/// So many requests wait for what is read at most.
const MOST_WAITING: usize = 4096;

/// What all workers have in common.
pub(super) struct Answering<'a> {
    pub desk: &'a dyn AnswersWriters,
    pub options: &'a GuarddOptions,
    pub tellers: &'a Tellers<'a>,
    pub observer: &'a dyn Observer,
}

pub(super) struct Worker<'a> {
    pub(super) base: Base,
    pub(super) ground: &'a Answering<'a>,
    pub(super) knowledge: Knowledge,
    pub(super) roots: HashMap<FileId, usize>,
    pub(super) searched: HashMap<usize, Searched>,
    pub(super) cgroups: Cgroups,
    pub(super) moves: Moves,
    pub(super) used: Used,
    pub(super) burst: Option<Burst<'a>>,
    /// Did a burst end in the midst, and could that not be healed yet?
    is_left: bool,
    pub(super) own_runs: Vec<RunId>,
    pub(super) waiting: Vec<(ToRead, WriterAsked)>,
    pub(super) reading: Option<ToRead>,
}

impl<'a> Worker<'a> {
    /// Heals what an earlier process has left, and reads what the base knows.
    pub fn begin(base: Base, ground: &'a Answering<'a>) -> Result<Worker<'a>, EngineError> {
        let healed = healing::breaks::heal_breaks(&base, ground.observer)?;
        if healed.runs > 0 {
            ground.tellers.say(&format!(
                "{}: finished what an earlier process was cut off in: {} names",
                base.path().display(),
                healed.finished
            ));
        }
        let knowledge = Knowledge::read(&base)?;
        let mut worker = Worker {
            base,
            ground,
            knowledge,
            roots: HashMap::new(),
            searched: HashMap::new(),
            cgroups: Cgroups::default(),
            moves: Moves::default(),
            used: Used::default(),
            burst: None,
            is_left: false,
            own_runs: Vec::new(),
            waiting: Vec::new(),
            reading: None,
        };
        worker.learn_roots();
        Ok(worker)
    }

    /// Device of the objects.
    pub fn device(&self) -> SysResult<u64> {
        Ok(self.base.dir().state()?.id.dev)
    }

    /// Answers until the end. `pulse` is called whenever it gets on.
    pub fn serve(
        &mut self,
        messages: &Receiver<Message>,
        read: &dyn Fn(BackgroundRead),
        pulse: &dyn Fn(),
    ) -> Result<(), EngineError> {
        loop {
            pulse();
            let patience = match self.burst {
                Some(_) => Duration::from_millis(10),
                None => Duration::from_secs(1),
            };
            match messages.recv_timeout(patience) {
                Ok(Message::Asked(asked)) => self.take(asked)?,
                Ok(Message::Known(known)) => self.know(known)?,
                Ok(Message::Searched(guest, found)) => self.find(guest, found)?,
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.burst.as_ref().is_some_and(Burst::is_due) {
                self.close_burst();
            }
            self.read_next(read);
        }
        self.close_burst();
        Ok(())
    }

    fn learn_roots(&mut self) {
        let guests = self.knowledge.names.guests().iter().enumerate();
        let open = guests.filter_map(|(at, (name, root))| {
            let guest = Guest::open(name.clone(), root).ok()?;
            Some((guest.id, at))
        });
        self.roots = open.collect();
    }

    fn know(&mut self, known: Result<Knowledge, EngineError>) -> Result<(), EngineError> {
        self.reading = None;
        match known {
            Ok(knowledge) => {
                // Guests have other numbers now.
                self.close_burst();
                self.knowledge = knowledge;
                self.searched.clear();
                self.cgroups = Cgroups::default();
                self.moves = Moves::default();
                self.learn_roots();
            }
            Err(error) => self
                .ground
                .tellers
                .say(&format!("{}: {error}", self.base.path().display())),
        }
        // Whatever it waited for had the old numbers.
        let due = std::mem::take(&mut self.waiting);
        due.into_iter().try_for_each(|(_, asked)| self.take(asked))
    }

    fn find(
        &mut self,
        guest: usize,
        found: Result<Searched, EngineError>,
    ) -> Result<(), EngineError> {
        self.reading = None;
        match found {
            Ok(searched) => drop(self.searched.insert(guest, searched)),
            Err(error) => self.ground.tellers.say(&error.to_string()),
        }
        self.retry(ToRead::Guest(guest))
    }

    /// What waited for it is looked at again; once, for what could not be read then cannot be known.
    fn retry(&mut self, read: ToRead) -> Result<(), EngineError> {
        let (due, rest) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(what, _)| *what == read);
        self.waiting = rest;
        let due: Vec<(ToRead, WriterAsked)> = due;
        due.into_iter().try_for_each(|(_, asked)| self.take(asked))
    }

    fn take(&mut self, asked: WriterAsked) -> Result<(), EngineError> {
        let begun = Instant::now();
        let request = asked.request.clone();
        let (answer, told) = match self.step(&asked) {
            Ok(WriteStep::Answered(answer, told)) => (answer, told),
            Ok(WriteStep::NotMine) => {
                if asked.others.fetch_sub(1, Ordering::AcqRel) > 1 {
                    return Ok(());
                }
                (
                    WriteAnswer::Denied,
                    WriteTold::denied(None, "no base that is known has this object"),
                )
            }
            Ok(WriteStep::Wait(reading)) => return self.wait(reading, asked),
            Err(error) => {
                // A name may be in flight: what is left is healed before anything else.
                self.burst = None;
                self.is_left = true;
                let why = match self.heal_what_is_left() {
                    Ok(()) => error.to_string(),
                    Err(more) => format!("{error}; and what it left could not be healed: {more}"),
                };
                (answer_of(&error), WriteTold::denied(None, &why))
            }
        };
        self.ground.desk.answer(&request, answer)?;
        self.ground
            .tellers
            .tell(&self.base, &request, &told, begun.elapsed());
        Ok(())
    }

    fn wait(&mut self, reading: ToRead, asked: WriterAsked) -> Result<(), EngineError> {
        let same = |(_, other): &(ToRead, WriterAsked)| {
            (other.request.thread, other.request.number)
                == (asked.request.thread, asked.request.number)
                && asked.request.waits
        };
        if self.waiting.iter().any(same) {
            return Ok(());
        }
        if self.waiting.len() >= MOST_WAITING {
            self.ground
                .desk
                .answer(&asked.request, WriteAnswer::Denied)?;
            return Ok(());
        }
        self.waiting.push((reading, asked));
        Ok(())
    }

    fn read_next(&mut self, read: &dyn Fn(BackgroundRead)) {
        let Some((reading, _)) = self.waiting.first().filter(|_| self.reading.is_none()) else {
            return;
        };
        let reading = *reading;
        let guest = |at: usize| self.knowledge.names.guests().get(at).cloned();
        let job = match reading {
            ToRead::Knowledge => Some(BackgroundRead::Knowledge(self.base.path().to_owned())),
            ToRead::Guest(at) => guest(at).map(|guest| BackgroundRead::Search {
                at,
                guest,
                index: Arc::clone(&self.knowledge.index),
            }),
        };
        if let Some(job) = job {
            self.reading = Some(reading);
            read(job);
        }
    }

    pub(super) fn close_burst(&mut self) {
        if let Some(burst) = self.burst.take()
            && let Err(error) = burst.close(&self.base)
        {
            let base = self.base.path().display().to_string();
            let why = "what was done could not be written down, and is to be recovered";
            self.ground.tellers.say(&format!("{base}: {why}: {error}"));
            self.is_left = true;
            if let Err(error) = self.heal_what_is_left() {
                let later = "it is tried again with the next write";
                self.ground
                    .tellers
                    .say(&format!("{base}: {error}; {later}"));
            }
        }
    }

    /// Heals what a burst has left that ended in the midst.
    pub(super) fn heal_what_is_left(&mut self) -> Result<(), EngineError> {
        if self.is_left {
            healing::breaks::heal_breaks(&self.base, self.ground.observer)?;
            self.is_left = false;
        }
        Ok(())
    }
}

/// A writer is told of a full disk, and not that it may not write.
fn answer_of(error: &EngineError) -> WriteAnswer {
    match error {
        EngineError::Sys(error) | EngineError::Base(BaseError::Sys(error))
            if error.meaning() == Meaning::NoSpace =>
        {
            match error.is_over_quota() {
                true => WriteAnswer::OverQuota,
                false => WriteAnswer::NoSpace,
            }
        }
        _ => WriteAnswer::Denied,
    }
}
