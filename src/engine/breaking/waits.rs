//! What requests wait for, and what they meet when it is there: the turn, what is read, long copies.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::background::BackgroundJob;
use super::burst::Burst;
use super::knowledge::{Knowledge, ReadingGround};
use super::line::asker::Asker;
use super::line::waiting::WaitsFor;
use super::line::wanted::TurnWanted;
use super::names::{Cgroups, Directories, Moves, Searched, keep, renumber};
use super::part::{CopyKey, NotParted, PrivateCopy};
use super::tell::WriteTold;
use super::worker::Worker;
use crate::engine::EngineError;
use crate::sys::SysResult;
use crate::sys::own::turns::TurnLine;

/// So long a turn is waited for: a batch or two of a run. Then all who wait for it are denied at once, and told why.
const PATIENCE: Duration = Duration::from_secs(10);

impl Worker<'_> {
    /// Names are moved in a burst, and what an earlier one left is healed before the next. False where the turn is to
    /// be waited for.
    pub(super) fn has_turn(&mut self) -> Result<bool, EngineError> {
        if self.burst.is_some() {
            return Ok(true);
        }
        if self.wanted.is_some() {
            return Ok(false);
        }
        let mut line = self.base.turn_line();
        if self.step_up(&mut line)? {
            return Ok(true);
        }
        let since = Instant::now();
        self.wanted = Some(TurnWanted { line, since });
        Ok(false)
    }

    fn step_up(&mut self, line: &mut TurnLine) -> Result<bool, EngineError> {
        if self.hands_turn_on()? {
            return Ok(false);
        }
        let Some(turn) = self.base.turn_in_line(line)? else {
            return Ok(false);
        };
        self.heal_what_is_left()?;
        self.burst = Some(Burst::begin(turn));
        Ok(true)
    }

    /// A turn is ours until its bursts are closed. None goes on in it where others want it, where something is to be
    /// healed first, or where the disk is behind by two already.
    fn hands_turn_on(&self) -> SysResult<bool> {
        let is_closed = self.closings.are_done();
        let is_last = || self.is_left || self.closings.are_behind();
        Ok(!is_closed && (is_last() || self.base.is_turn_wanted()?))
    }

    /// Is the burst to end? One that would wait for another to be closed goes on where nobody wants the turn.
    pub(super) fn is_burst_due(&self) -> bool {
        let is_due = self.burst.as_ref().is_some_and(Burst::is_due);
        is_due && (self.closings.are_done() || self.base.is_turn_wanted().unwrap_or(true))
    }

    /// Takes the turn if it is ours by now. All who wait for it have one deadline: who came late waits for less.
    pub(super) fn stand_in_line(&mut self) -> Result<(), EngineError> {
        let Some(mut wanted) = self.wanted.take() else {
            return Ok(());
        };
        let why = match self.step_up(&mut wanted.line) {
            Ok(true) => {
                self.put_back(&WaitsFor::Turn);
                return Ok(());
            }
            Ok(false) if wanted.since.elapsed() < PATIENCE => {
                self.wanted = Some(wanted);
                return Ok(());
            }
            Ok(false) if !self.closings.are_done() => {
                "the disk takes longer for what was done than a writer can wait".to_owned()
            }
            Ok(false) => {
                "a run moves names of this base for longer than a writer can wait".to_owned()
            }
            // Each of them waits for that.
            Err(error) if error.is_busy() => {
                self.put_back(&WaitsFor::Turn);
                return Ok(());
            }
            Err(error) => error.to_string(),
        };
        self.deny_all(&WaitsFor::Turn, &why)
    }

    fn deny_all(&mut self, what: &WaitsFor, why: &str) -> Result<(), EngineError> {
        for asked in self.waiting.take(what) {
            // What is not known may be another base's.
            let is_ours = *what != WaitsFor::Knowledge || asked.others.not_mine().is_some();
            if is_ours {
                self.deny(&asked, why)?;
            }
        }
        Ok(())
    }

    /// What waited for this is looked at again, each in its asker's share.
    pub(super) fn put_back(&mut self, what: &WaitsFor) {
        for asked in self.waiting.take(what).into_iter().rev() {
            self.queue.put_back(asked);
        }
    }

    pub(super) fn know(
        &mut self,
        known: Result<Knowledge, EngineError>,
    ) -> Result<(), EngineError> {
        self.reading.is_known_anew = false;
        let knowledge = match known {
            Ok(knowledge) => knowledge,
            Err(error) => {
                self.say(&error);
                return self.deny_all(&WaitsFor::Knowledge, "the base's own papers cannot be read");
            }
        };
        // Guests have other numbers now.
        self.close_burst();
        let before = std::mem::replace(&mut self.knowledge, knowledge);
        self.cgroups = Cgroups::default();
        self.moves = Moves::default();
        self.directories = Directories::default();
        // One that is being closed is still at work, and is no other's.
        let (knowledge, closings) = (&self.knowledge, &self.closings);
        self.own_runs
            .retain(|run| closings.has(run) || !knowledge.knows_of(run));
        self.keep_searches(&before);
        for asked in self.waiting.take_all().into_iter().rev() {
            self.queue.put_back(asked);
        }
        Ok(())
    }

    /// A guest that is where it was, by name and root, was not searched in vain.
    fn keep_searches(&mut self, before: &Knowledge) {
        let roots = self.roots.clone();
        self.learn_roots();
        let (old, new) = (before.names.guests(), self.knowledge.names.guests());
        let numbers = roots.into_iter().filter_map(|(root, at)| {
            let now = *self.roots.get(&root)?;
            (old.get(at)? == new.get(now)?).then_some((at, now))
        });
        let numbers: HashMap<usize, usize> = numbers.collect();
        let added = self.knowledge.added.as_ref();
        let searched = std::mem::take(&mut self.searched);
        self.searched = renumber(searched, &numbers, added);
        self.reading.renumber(&numbers, added);
    }

    /// What a search found. One that failed counts as one as well: who needs no name of that guest does not mind.
    pub(super) fn find(&mut self, number: u64, mut found: Searched) {
        let Some(search) = self.reading.end_search(number) else {
            return;
        };
        if let Some(guest) = search.guest {
            found.lacks(search.unsought);
            keep(&mut self.searched, guest, found);
            self.put_back(&WaitsFor::Guest(guest));
        }
    }

    pub(super) fn copied(
        &mut self,
        key: &CopyKey,
        made: Result<PrivateCopy, NotParted>,
    ) -> Result<(), EngineError> {
        let waits = WaitsFor::Copy(key.clone());
        let Err((why, charge)) = self.copies.end(key, made) else {
            self.put_back(&waits);
            return Ok(());
        };
        if let Some(charge) = charge.filter(|_| why.is_for_room()) {
            self.used.give_back(&charge);
        }
        for asked in self.waiting.take(&waits) {
            let (answer, said) = self.not_parted(why.clone(), &asked.request);
            let told = said.map(|said| WriteTold::of(&key.guest, &[], key.object, Some(said), 0));
            let told = told.unwrap_or(WriteTold::Nothing);
            self.answer(&asked, answer, &told, asked.since.elapsed())?;
        }
        Ok(())
    }

    /// A copy that gets on by nothing is waited for no more.
    pub(super) fn deny_stuck(&mut self) -> Result<(), EngineError> {
        for key in self.copies.stuck() {
            self.deny_all(
                &WaitsFor::Copy(key),
                "the disk does not get on with its copy",
            )?;
        }
        Ok(())
    }

    fn say(&self, error: &EngineError) {
        let base = self.base.path().display();
        self.ground.tellers.say(&format!("{base}: {error}"));
    }

    /// Begins what is waited for, as far as it may be done at once.
    pub(super) fn begin_next(&mut self) {
        if self.waiting.has(&WaitsFor::Knowledge) && !self.reading.is_known_anew {
            self.reading.is_known_anew = true;
            let base = self.base.path().to_owned();
            let ground = ReadingGround::look(&self.base, &self.own_runs, &self.knowledge.index);
            self.jobs.push(BackgroundJob::Knowledge(base, ground));
        }
        if let Some(written) = self.looks.next(Instant::now()) {
            let base = self.base.path().to_owned();
            self.jobs.push(BackgroundJob::Uses(base, written));
        }
        let (reading, copies) = (&self.reading, &self.copies);
        let may = |what: &WaitsFor, by| match what {
            WaitsFor::Guest(guest) => reading.may_search(*guest, by),
            WaitsFor::Copy(key) => copies.may_begin(&key.guest, by),
            WaitsFor::Knowledge | WaitsFor::Turn | WaitsFor::Lease => false,
        };
        match self.waiting.next(may) {
            Some((WaitsFor::Guest(guest), asked)) => self.search(guest, asked.asker),
            // It is asked for anew, and begun then.
            Some((WaitsFor::Copy(_), asked)) => {
                if let Some(asked) = self.waiting.take_one(&asked) {
                    self.queue.put_back(asked);
                }
            }
            _ => {}
        }
    }

    fn search(&mut self, at: usize, by: Asker) {
        let Some(guest) = self.knowledge.names.guests().get(at).cloned() else {
            return self.put_back(&WaitsFor::Guest(at));
        };
        self.jobs.push(BackgroundJob::Search {
            number: self.reading.begin_search(at, by),
            guest,
            index: Arc::clone(&self.knowledge.index),
        });
    }
}
