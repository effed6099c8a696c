//! One base's answers, in one thread. What takes long is read or copied in the background meanwhile, and the requests
//! that need it wait (`waits`); the others do not wait for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::GuarddOptions;
use super::allowance::Used;
use super::background::BackgroundJob;
use super::burst::{Burst, BurstEnd, Closings};
use super::copies::LongCopies;
use super::knowledge::{Knowledge, ReadingGround};
use super::line::message::{Message, WriteStep};
use super::line::queue::WriteQueue;
use super::line::waiting::{Waiting, WaitsFor};
use super::line::wanted::{BackgroundReading, LeasesMet, TurnWanted};
use super::names::{Cgroups, Directories, Moves, Searched};
use super::request::{TOO_MANY, WriterAsked};
use super::tell::{Tellers, WriteTold};
use super::uses::{FileWritten, UseLooks};
use crate::base::{Base, Run};
use crate::engine::{EngineError, Guest, healing};
use crate::model::{Event, FileId, Observer, RunId, UsesMet};
use crate::sys::guard::{AnswersWriters, WriteAnswer};
use crate::sys::own::turns::TURN_PAUSE;
use crate::sys::{Meaning, SysError};

/// What all workers have in common.
pub(super) struct Answering<'a> {
    pub desk: &'a dyn AnswersWriters,
    pub options: &'a GuarddOptions,
    pub tellers: &'a Tellers<'a>,
}

/// What gets on is a sign of life, and no news.
pub(super) struct PulseObserver<'a>(pub &'a (dyn Fn() + Sync));

impl Observer for PulseObserver<'_> {
    fn notice(&self, _: &Event<'_>) {
        (self.0)();
    }
}

pub(super) struct Worker<'a> {
    pub(super) base: Arc<Base>,
    pub(super) ground: &'a Answering<'a>,
    pub(super) queue: Arc<WriteQueue>,
    /// Called whenever it gets on.
    pub(super) pulse: Box<dyn Fn() + Sync + 'a>,
    pub(super) knowledge: Knowledge,
    pub(super) roots: HashMap<FileId, usize>,
    pub(super) searched: HashMap<usize, Searched>,
    pub(super) cgroups: Cgroups,
    pub(super) moves: Moves,
    pub(super) directories: Directories,
    pub(super) used: Used,
    pub(super) burst: Option<Burst<'a>>,
    pub(super) closings: Closings<'a>,
    /// The turn is another process's, or is to be, and we stand in line for it.
    pub(super) wanted: Option<TurnWanted>,
    /// Did a burst end in the midst, and could that not be healed yet?
    pub(super) is_left: bool,
    pub(super) own_runs: Vec<RunId>,
    pub(super) leases: LeasesMet,
    pub(super) waiting: Waiting,
    pub(super) reading: BackgroundReading,
    pub(super) copies: LongCopies,
    pub(super) looks: UseLooks,
    /// What is to be begun.
    pub(super) jobs: Vec<BackgroundJob>,
}

impl<'a> Worker<'a> {
    /// Reads what the base knows. What an earlier process has left is healed.
    pub fn begin(
        base: Base,
        ground: &'a Answering<'a>,
        queue: Arc<WriteQueue>,
        pulse: Box<dyn Fn() + Sync + 'a>,
    ) -> Result<Worker<'a>, EngineError> {
        let first = ReadingGround::look(&base, &[], &Arc::default())?;
        let knowledge = Knowledge::read(&base, first, &|| {
            pulse();
            match queue.is_over() {
                true => Err(SysError::busy("read", base.path())),
                false => Ok(()),
            }
        })?;
        let mut worker = Worker {
            base: Arc::new(base),
            ground,
            queue,
            pulse,
            knowledge,
            roots: HashMap::new(),
            searched: HashMap::new(),
            cgroups: Cgroups::default(),
            moves: Moves::default(),
            directories: Directories::default(),
            used: Used::default(),
            burst: None,
            closings: Closings::default(),
            wanted: None,
            is_left: false,
            own_runs: Vec::new(),
            leases: LeasesMet::default(),
            waiting: Waiting::default(),
            reading: BackgroundReading::default(),
            copies: LongCopies::default(),
            looks: UseLooks::new(),
            jobs: Vec::new(),
        };
        worker.learn_roots();
        Ok(worker)
    }

    /// Answers until the end. `begin` does a job in the background.
    pub fn serve(&mut self, begin: &dyn Fn(BackgroundJob)) -> Result<(), EngineError> {
        let ended = self.serve_all(begin);
        self.queue.close();
        self.copies.give_up();
        self.close_all();
        ended
    }

    /// Waits until all is durable. Nothing else is begun any more.
    fn close_all(&mut self) {
        self.close_burst();
        while !self.closings.are_done() {
            let jobs = std::mem::take(&mut self.jobs).into_iter();
            jobs.filter(BackgroundJob::is_close)
                .for_each(|job| job.run(&self.queue));
            (self.pulse)();
            if let Some(Message::Closed(closed)) = self.queue.next(Duration::from_secs(1)) {
                self.closed(closed);
            }
        }
    }

    fn serve_all(&mut self, begin: &dyn Fn(BackgroundJob)) -> Result<(), EngineError> {
        loop {
            (self.pulse)();
            let patience = match (&self.wanted, &self.burst) {
                (Some(_), _) => TURN_PAUSE,
                (None, Some(_)) => Duration::from_millis(10),
                (None, None) if self.looks.wait() || self.leases.are_awaited() => {
                    Duration::from_millis(100)
                }
                (None, None) => Duration::from_secs(1),
            };
            match self.queue.next(patience) {
                Some(Message::Asked(asked)) => {
                    let (begun, asker) = (Instant::now(), asked.asker);
                    self.take(asked)?;
                    self.queue.charge(&asker, begun.elapsed());
                }
                Some(Message::Known(known)) => self.know(known)?,
                Some(Message::Searched { number, found }) => self.find(number, found),
                Some(Message::Copied(key, made)) => self.copied(&key, made)?,
                Some(Message::Used(took, met)) => self.used(took, met),
                Some(Message::Opened(id, file)) => self.opened(&id, file),
                Some(Message::Closed(closed)) => self.closed(closed),
                Some(Message::End) => return Ok(()),
                None => {}
            }
            if self.is_burst_due() {
                self.close_burst();
            }
            self.stand_in_line()?;
            self.look_at_leased();
            self.deny_stuck()?;
            self.begin_next();
            self.jobs.drain(..).for_each(begin);
        }
    }

    pub(super) fn learn_roots(&mut self) {
        let guests = self.knowledge.names.guests().iter().enumerate();
        let open = guests.filter_map(|(at, (name, root))| {
            let guest = Guest::open(name.clone(), root).ok()?;
            Some((guest.id, at))
        });
        self.roots = open.collect();
        self.queue.learn_roots(&self.roots);
    }

    fn take(&mut self, asked: WriterAsked) -> Result<(), EngineError> {
        let begun = Instant::now();
        let (answer, told) = match self.step(&asked) {
            Ok(WriteStep::Answered(answer, told)) => (answer, told),
            Ok(WriteStep::NotMine) => match asked.others.not_mine() {
                Some(why) => (WriteAnswer::Denied, WriteTold::denied(None, &why)),
                None => return Ok(()),
            },
            Ok(WriteStep::Wait(what)) => return self.wait(what, asked),
            Ok(WriteStep::Broken(error)) => (
                answer_of(&error),
                WriteTold::denied(None, &self.healed_after(&error)),
            ),
            // Nothing was moved, and what is open for others goes on.
            Err(error) => (
                answer_of(&error),
                WriteTold::denied(None, &error.to_string()),
            ),
        };
        self.answer(&asked, answer, &told, begun.elapsed())
    }

    /// A name may be in flight: what is left is healed before anything else. Gives what is to be said of it.
    fn healed_after(&mut self, error: &EngineError) -> String {
        let Some(burst) = self.burst.take() else {
            return error.to_string();
        };
        // No other process begins anything before.
        let _turn = burst.turn();
        drop(burst);
        self.is_left = true;
        // What is being closed is not healed: all of it waits for that.
        if !self.closings.are_done() {
            return error.to_string();
        }
        match self.heal_what_is_left() {
            Ok(()) => error.to_string(),
            Err(more) => format!("{error}; and what it left could not be healed: {more}"),
        }
    }

    pub(super) fn answer(
        &mut self,
        asked: &WriterAsked,
        answer: WriteAnswer,
        told: &WriteTold,
        took: Duration,
    ) -> Result<(), EngineError> {
        self.ground.desk.answer(&asked.request, answer)?;
        self.tell(asked, told, took);
        Ok(())
    }

    pub(super) fn deny(&mut self, asked: &WriterAsked, why: &str) -> Result<(), EngineError> {
        let told = WriteTold::denied(None, why);
        let took = asked.since.elapsed();
        self.answer(asked, WriteAnswer::Denied, &told, took)
    }

    pub(super) fn tell(&mut self, asked: &WriterAsked, told: &WriteTold, took: Duration) {
        self.ground.tellers.tell(&self.base, asked, told, took);
        let names = &self.knowledge.names;
        let written = FileWritten::of(&asked.request, told, |guest| names.root_of(guest));
        let written = written.filter(|_| told.is_of_the_only_file(names));
        written.into_iter().for_each(|one| self.looks.add(one));
    }

    /// A look that fails says nothing of what it was to look at.
    fn used(&mut self, took: Duration, met: Result<Vec<UsesMet>, EngineError>) {
        self.looks.end(took, Instant::now());
        let tellers = self.ground.tellers;
        match met {
            Ok(met) => met
                .iter()
                .for_each(|one| tellers.tell_uses(&self.base, one)),
            Err(error) => tellers.say(&format!("it is not known who used what: {error}")),
        }
    }

    fn wait(&mut self, what: WaitsFor, asked: WriterAsked) -> Result<(), EngineError> {
        let Some(refused) = self.waiting.put(what, asked) else {
            return Ok(());
        };
        match refused.others.refuse(TOO_MANY) {
            Some(why) => self.deny(&refused, &why),
            None => Ok(()),
        }
    }

    /// Ends the burst. It is closed in the background.
    pub(super) fn close_burst(&mut self) {
        let Some(burst) = self.burst.take() else {
            return;
        };
        let _turn = burst.turn();
        match burst.end(&self.base, &mut self.own_runs) {
            Ok(ended) => {
                let end = ended.and_then(|ended| self.closings.add(ended));
                self.close(end);
            }
            Err(error) => self.not_closed(&error),
        }
    }

    fn close(&mut self, end: Option<BurstEnd>) {
        let job = |end| BackgroundJob::Close(Arc::clone(&self.base), Box::new(end));
        self.jobs.extend(end.map(job));
    }

    /// A burst is closed, or could not be: then the disk may have lost what came after it as well.
    fn closed(&mut self, closed: Result<Run, EngineError>) {
        // Whoever sees that nothing is in flight any more finds that the next burst goes on with the run.
        let closed = closed.and_then(|run| Ok(self.base.end_run(&run)?));
        if closed.is_err() {
            self.burst = None;
            self.closings.give_up();
        }
        // No other process begins anything before what is left is healed.
        let (_turn, next) = self.closings.end();
        self.close(next);
        match closed {
            Err(error) => self.not_closed(&error),
            Ok(()) if self.is_left => self.heal_unasked(),
            Ok(()) => {}
        }
    }

    fn not_closed(&mut self, error: &EngineError) {
        let base = self.base.path().display();
        let why = "what was done could not be written down, and is to be recovered";
        self.ground.tellers.say(&format!("{base}: {why}: {error}"));
        self.is_left = true;
        self.heal_unasked();
    }

    /// Where bursts are being closed it is done after that.
    fn heal_unasked(&mut self) {
        if !self.closings.are_done() {
            return;
        }
        if let Err(error) = self.heal_what_is_left() {
            let base = self.base.path().display();
            let later = "it is tried again with the next write";
            let said = format!("{base}: {error}; {later}");
            self.ground.tellers.say(&said);
        }
    }

    /// Heals what a burst has left that ended in the midst. We have the turn.
    pub(super) fn heal_what_is_left(&mut self) -> Result<(), EngineError> {
        if self.is_left {
            healing::breaks::heal_breaks(&self.base, &PulseObserver(&*self.pulse))?;
            self.is_left = false;
        }
        Ok(())
    }
}

/// A writer is told of a full disk, and not that it may not write.
fn answer_of(error: &EngineError) -> WriteAnswer {
    match error
        .system()
        .filter(|error| error.meaning() == Meaning::NoSpace)
    {
        Some(error) if error.is_over_quota() => WriteAnswer::OverQuota,
        Some(_) => WriteAnswer::NoSpace,
        None => WriteAnswer::Denied,
    }
}
