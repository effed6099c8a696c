//! Freezes running guests: the cgroups of every guest that a batch concerns are frozen for the moments in which
//! its names are exchanged, if the user allows it.
//!
//! What is frozen is thawed whatever happens, after a bounded time. Before a freeze its cgroup is written into the
//! base, and a second process of this program is told of it (`healing::watching`): if we die, it heals what we left
//! and thaws, or thaws first where that cannot be done at once; and if we live and do not thaw, it thaws too, and we
//! notice. If both die, `recover` does the same, which a boot unit calls before guests start. While anything is frozen
//! the observer is asked to keep what is reported to it: no terminal may keep guests waiting.

mod look;

use std::cell::{Cell, RefCell};
use std::io;
use std::time::{Duration, Instant};

use super::Sight;
use super::budget::{FreezeBudget, Room, largest_alone};
use super::clearing::RunningClearers;
use super::guard::{Guard, Whose};
use crate::base::{Base, FrozenPaper};
use crate::engine::Guest;
use crate::model::{Event, FlagClearer, FreezeTimes, Observer, Running};
use crate::sys::host::machine;
use crate::sys::{Cgroup, Freezer, SysError, SysResult};

/// Most bytes of victims in one batch: what a full disk may have to hold twice.
const BATCH_BYTES: u64 = 128 << 20;

/// What an earlier run left frozen stands still for so long at most while it is healed.
const INHERITED: Duration = Duration::from_secs(1);

/// The watchdog lets go what stands still for longer, or ten times as long as is allowed.
const LONGEST: Duration = Duration::from_secs(2);

/// How often it is looked whether all stands still, while names are exchanged.
const LOOKS: Duration = Duration::from_millis(2);

/// Freezes guests, if it may.
pub struct Freeze<'a> {
    base: &'a Base,
    observer: &'a dyn Observer,
    running: Running,
    /// Most names of any batch on this host.
    most_names: usize,
    freezer: Option<Freezer>,
    /// Why there is no freezer although it is allowed.
    lacking: Option<String>,
    guard: Guard,
    /// When it was last seen that all stands still.
    seen: Cell<Option<Instant>>,
    /// Is there a paper that says what is frozen?
    written: bool,
    /// What did not freeze when it was asked to.
    restless: Vec<Cgroup>,
    /// What is frozen: by us, or by another process before.
    frozen: Vec<Cgroup>,
    /// What we froze.
    ours: Vec<Cgroup>,
    since: Option<Instant>,
    /// Since when the batch at work would keep guests waiting, did any of them have to.
    begun: Option<Instant>,
    budget: Option<FreezeBudget>,
    /// Ran a guest that could be frozen, when all were looked at last? Before that, it may be so.
    waits: Cell<bool>,
    /// What the batch at work holds.
    held: Option<Room>,
    /// What was seen before the freeze. While guests wait, only what is new is looked at.
    sight: RefCell<Option<Sight>>,
    /// Guests that could not be frozen because a process in them may take flags off.
    clearers: RunningClearers,
    /// How long guests were frozen so far.
    pub stillness: FreezeTimes,
}

impl<'a> Freeze<'a> {
    /// Nothing is frozen yet.
    pub fn new(
        base: &'a Base,
        running: Running,
        observer: &'a dyn Observer,
    ) -> SysResult<Freeze<'a>> {
        let freezer = match running {
            Running::Freeze { .. } => Freezer::find()?,
            Running::Refuse => None,
        };
        let lacking = (running != Running::Refuse && freezer.is_none())
            .then(|| "this host has no cgroups of version 2".to_owned());
        Ok(Freeze {
            base,
            observer,
            running,
            most_names: machine::names_a_batch(),
            freezer,
            lacking,
            guard: Guard::of(Whose::Run),
            seen: Cell::new(None),
            written: false,
            restless: Vec::new(),
            frozen: Vec::new(),
            ours: Vec::new(),
            since: None,
            begun: None,
            sight: RefCell::new(None),
            budget: running.at_most().map(FreezeBudget::new),
            waits: Cell::new(true),
            held: None,
            clearers: RunningClearers::default(),
            stillness: FreezeTimes {
                budget: running.at_most().unwrap_or_default(),
                ..FreezeTimes::default()
            },
        })
    }

    /// For a command that heals, or begins with that. It is ended before what it froze, or took over, goes on.
    pub fn for_healing(
        base: &'a Base,
        running: Running,
        observer: &'a dyn Observer,
    ) -> SysResult<Freeze<'a>> {
        let mut still = Freeze::new(base, running, observer)?;
        still.guard.whose = Whose::Healing;
        Ok(still)
    }

    /// Another process watches over what is taken over.
    pub fn watched(mut self) -> Freeze<'a> {
        self.guard.whose = Whose::WatchedHealing;
        self
    }

    /// What the next batch may hold: little where guests wait for it.
    pub fn room(&self) -> Room {
        let all = Room {
            names: self.most_names,
            bytes: BATCH_BYTES,
        };
        match &self.budget {
            None => all,
            Some(budget) if self.waits.get() => budget.room().within(all),
            Some(_) => Room::MOST.within(all),
        }
    }

    /// The batch at work holds so much.
    pub fn holds(&mut self, names: usize, bytes: u64) {
        self.held = Some(Room { names, bytes });
    }

    /// Guests that could not be frozen because a process in them may take flags off, and what ends that.
    pub fn clearers(&self) -> Vec<FlagClearer> {
        self.clearers.all()
    }

    /// The largest file for which guests are frozen.
    pub fn largest_file(&self) -> u64 {
        self.running.at_most().map_or(u64::MAX, largest_alone)
    }

    /// Takes over what an earlier run left frozen, as far as it is frozen still.
    pub fn inherit(&mut self) -> SysResult<()> {
        self.ours = FrozenPaper::read(self.base)?;
        self.written = !self.ours.is_empty();
        if self.written {
            self.observer.notice(&Event::Frozen);
        }
        if self.written && self.freezer.is_none() {
            self.freezer = Freezer::find()?;
        }
        self.frozen.clone_from(&self.ours);
        self.since = self.written.then(Instant::now);
        if self.written && self.guard.whose != Whose::WatchedHealing {
            // Where it cannot be watched over, it is healed all the sooner.
            drop(self.guard.watch(self.base, &self.ours, INHERITED));
        }
        Ok(())
    }

    /// Keeps frozen what could not be healed, for it must not run: it stays frozen, and written down, for the
    /// next `recover`.
    pub fn keep_frozen(&mut self) {
        self.ours.clear();
        self.written = false;
    }

    /// What is frozen now; another process may have thawed it.
    pub fn now(&self) -> SysResult<Vec<Cgroup>> {
        let mut still = Vec::new();
        for cgroup in &self.frozen {
            if let Some(freezer) = &self.freezer
                && freezer.stands_still(cgroup)?
            {
                still.push(cgroup.clone());
            }
        }
        Ok(still)
    }

    /// Freezes those of `guests` that run and can be frozen. The caller looks again afterwards: a guest that runs
    /// even then is in the way.
    pub fn freeze(&mut self, guests: &[&Guest]) -> SysResult<()> {
        let Some(freezer) = self
            .freezer
            .clone()
            .filter(|_| self.running != Running::Refuse)
        else {
            return Ok(());
        };
        let mut cgroups = Vec::new();
        let mut sight = self.full_look(guests)?;
        for (at, condition) in self.judged(&mut sight, guests)?.iter().enumerate() {
            if !condition.can_freeze {
                continue;
            }
            let Ok(cgroup) = Self::subtree(&freezer, &mut sight, at, &condition.inside)? else {
                continue;
            };
            // Another process's freeze is left to it, and is as good as ours.
            if freezer.stands_still(&cgroup)? {
                self.frozen.push(cgroup);
            } else {
                cgroups.push(cgroup);
            }
        }
        if !cgroups.is_empty() || !self.frozen.is_empty() {
            self.sight.replace(Some(sight));
        }
        self.begun = Some(Instant::now());
        self.freeze_all(&freezer, cgroups)
    }

    fn freeze_all(&mut self, freezer: &Freezer, cgroups: Vec<Cgroup>) -> SysResult<()> {
        if cgroups.is_empty() {
            return Ok(());
        }
        FrozenPaper::write(self.base, &cgroups)?;
        self.written = true;
        let at_most = self.running.at_most().unwrap_or_default();
        if let Err(error) = self
            .guard
            .watch(self.base, &cgroups, LONGEST.max(10 * at_most))
        {
            // Nothing is frozen while nobody watches over it.
            self.freezer = None;
            self.lacking = Some(error.to_string());
            self.written = false;
            return FrozenPaper::remove(self.base);
        }
        if let Some(sight) = self.sight.get_mut() {
            // What this finds now need not be found while guests wait.
            sight.presence.look_again()?;
        }
        self.observer.notice(&Event::Frozen);
        self.since = Some(Instant::now());
        let (stands, moves) = freezer.freeze(&cgroups, (LONGEST / 2).max(5 * at_most));
        self.ours = cgroups;
        self.frozen.extend(stands);
        // They are not asked again: their neighbours have waited for them once.
        self.restless.extend(moves);
        Ok(())
    }

    /// Thaws all that we froze, as far as that can be done; returns the first error at the end.
    pub fn thaw(&mut self) -> SysResult<()> {
        let (mut left, mut failed) = (Vec::new(), None);
        if let Some(freezer) = &self.freezer {
            for cgroup in self.ours.drain(..) {
                if let Err(error) = freezer.thaw(&cgroup) {
                    failed = failed.or(Some(error));
                    left.push(cgroup);
                }
            }
        }
        self.frozen.clear();
        self.sight.replace(None);
        let since = self.since.take();
        if let Some(since) = since {
            self.stillness.add(since.elapsed());
        }
        self.learn(since);
        if self.written && left.is_empty() {
            FrozenPaper::remove(self.base)?;
            self.written = false;
        }
        self.ours = left;
        if let Some(error) = failed {
            return Err(error);
        }
        self.guard.go_on();
        self.observer.notice(&Event::GoOn);
        Ok(())
    }

    /// A batch for which nobody had to wait tells as well how long the next may take: where some run that hold
    /// nothing of it, or the guard is on, all batches would be as small as the first.
    fn learn(&mut self, since: Option<Instant>) {
        let (begun, held) = (self.begun.take(), self.held.take());
        if let (Some(budget), Some(held), Some(begun)) = (&mut self.budget, held, since.or(begun)) {
            budget.learn(held, begun.elapsed(), since.is_some());
        }
    }

    /// Ends the run: nothing is frozen any more.
    pub fn finish(mut self) -> SysResult<FreezeTimes> {
        self.thaw()?;
        self.guard.finish();
        Ok(self.stillness)
    }

    /// Fails where what was frozen goes on: the watchdog has let it go after too long a time, or somebody else has.
    /// Asked before each step that needs guests to stand still.
    pub fn must_stand(&self) -> SysResult<()> {
        let Some(freezer) = self.freezer.as_ref().filter(|_| !self.frozen.is_empty()) else {
            return Ok(());
        };
        if self.seen.get().is_some_and(|at| at.elapsed() < LOOKS) {
            return Ok(());
        }
        for cgroup in &self.frozen {
            // An operator may have frozen what it is in.
            if !freezer.is_asked_to_stand(cgroup)? && !freezer.stands_still(cgroup)? {
                let why = "it was let go on before all was done: by the watchdog, after ten times --max-freeze or two seconds, or by somebody else";
                return Err(SysError::new(
                    "keep frozen",
                    cgroup.to_string(),
                    io::Error::other(why),
                ));
            }
        }
        self.seen.set(Some(Instant::now()));
        Ok(())
    }
}
