//! Freezes running guests: the cgroups of every guest that a batch concerns are frozen for the moments in which
//! its names are exchanged, if the user allows it.
//!
//! What is frozen is thawed whatever happens. Before the first freeze its cgroup is written into the base, and a
//! second process of this program waits for our end: if we die it heals what we left and then thaws. If both die,
//! `recover` does the same, which a boot unit calls before guests start. While anything is frozen the observer is
//! asked to keep what is reported to it: no terminal may keep guests waiting.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::time::Instant;

use super::{Activity, Sight};
use crate::base::{Base, FrozenPaper};
use crate::engine::Guest;
use crate::model::{Event, FreezeTimes, GuestPath, Observer, Running};
use crate::sys::host::machine;
use crate::sys::{Cgroup, Freezer, Inside, SysResult, Watchdog};

/// Freezes guests, if it may.
pub struct Freeze<'a> {
    base: &'a Base,
    observer: &'a dyn Observer,
    running: Running,
    freezer: Option<Freezer>,
    /// Why there is no freezer although it is allowed.
    lacking: Option<String>,
    watchdog: Option<Watchdog>,
    /// Is there a paper that says what is frozen?
    written: bool,
    /// What did not freeze when it was asked to.
    restless: Vec<Cgroup>,
    /// What is frozen: by us, or by another process before.
    frozen: Vec<Cgroup>,
    /// What we froze.
    ours: Vec<Cgroup>,
    since: Option<Instant>,
    /// What was seen before the freeze. While guests wait, only what is new is looked at.
    sight: RefCell<Option<Sight>>,
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
            Running::Freeze => Freezer::find()?,
            Running::Refuse => None,
        };
        let lacking = (running == Running::Freeze && freezer.is_none())
            .then(|| "this host has no cgroups of version 2".to_owned());
        Ok(Freeze {
            base,
            observer,
            running,
            freezer,
            lacking,
            watchdog: None,
            written: false,
            restless: Vec::new(),
            frozen: Vec::new(),
            ours: Vec::new(),
            since: None,
            sight: RefCell::new(None),
            stillness: FreezeTimes::default(),
        })
    }

    /// Most names of one batch: few where guests wait for it.
    pub fn names_a_batch(&self) -> usize {
        let most = machine::names_a_batch();
        match self.running {
            Running::Freeze => most.min(256),
            Running::Refuse => most,
        }
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

    /// Looks at all guests: which run, and which of those could be frozen. While guests are frozen for these, only what
    /// was born, mounted or moved since is looked at.
    pub fn look(&self, guests: &[&Guest]) -> SysResult<Vec<Activity>> {
        let mut kept = self.sight.borrow_mut();
        let known = kept.as_mut().filter(|sight| sight.is_of(guests));
        let mut taken;
        let sight = match known {
            Some(sight) => {
                sight.presence.look_again()?;
                sight
            }
            None => {
                taken = self.full_look(guests)?;
                &mut taken
            }
        };
        self.judged(sight, guests)
    }

    fn full_look(&self, guests: &[&Guest]) -> SysResult<Sight> {
        let watchdog = self.watchdog.as_ref().map(Watchdog::id);
        Sight::take(guests, Some(self.base.dir()), watchdog.as_slice())
    }

    fn judged(&self, sight: &mut Sight, guests: &[&Guest]) -> SysResult<Vec<Activity>> {
        let mut all = sight.conditions(&self.now()?);
        for (at, condition) in all.iter_mut().enumerate().take(guests.len()) {
            self.judge(sight, at, condition)?;
        }
        Ok(all)
    }

    /// Names in the base that something is mounted on, in any namespace.
    pub fn covered_in_base(&self, guests: &[&Guest]) -> SysResult<Vec<GuestPath>> {
        let mut kept = self.sight.borrow_mut();
        let at = guests.len();
        let covered = match kept.as_mut().filter(|sight| sight.is_of(guests)) {
            Some(sight) => {
                sight.presence.look_at_mounts()?;
                sight.presence.covered(at)
            }
            None => self.full_look(guests)?.presence.covered(at),
        };
        Ok(covered)
    }

    fn judge(&self, sight: &mut Sight, at: usize, condition: &mut Activity) -> SysResult<()> {
        if condition.running.is_none() || self.running == Running::Refuse {
            return Ok(());
        }
        let why = match (&self.freezer, &self.lacking) {
            (None, None) => return Ok(()),
            (None, Some(why)) => Some(why.clone()),
            (Some(freezer), _) => self.why_not(freezer, sight, at, condition)?,
        };
        match why {
            None => condition.can_freeze = true,
            Some(why) => {
                let who = condition.running.take().unwrap_or_default();
                condition.running = Some(format!("{who}; it cannot be frozen: {why}"));
            }
        }
        Ok(())
    }

    /// Freezes those of `guests` that run and can be frozen. The caller looks again afterwards: a guest that runs
    /// even then is in the way.
    pub fn freeze(&mut self, guests: &[&Guest]) -> SysResult<()> {
        let Some(freezer) = self
            .freezer
            .clone()
            .filter(|_| self.running == Running::Freeze)
        else {
            return Ok(());
        };
        let mut cgroups = Vec::new();
        let mut sight = self.full_look(guests)?;
        for (at, condition) in self.judged(&mut sight, guests)?.iter().enumerate() {
            if !condition.can_freeze {
                continue;
            }
            let Ok(cgroup) = subtree(&freezer, &mut sight, at, &condition.inside)? else {
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
        self.freeze_all(&freezer, cgroups)
    }

    fn freeze_all(&mut self, freezer: &Freezer, cgroups: Vec<Cgroup>) -> SysResult<()> {
        if cgroups.is_empty() {
            return Ok(());
        }
        self.start_watchdog(&cgroups)?;
        if let Some(sight) = self.sight.get_mut() {
            // What this finds now need not be found while guests wait.
            sight.presence.look_again()?;
        }
        self.observer.notice(&Event::Frozen);
        self.since = Some(Instant::now());
        let (stands, moves) = freezer.freeze(&cgroups);
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
        if let Some(since) = self.since.take() {
            self.stillness.add(since.elapsed());
        }
        if self.written && left.is_empty() {
            FrozenPaper::remove(self.base)?;
            self.written = false;
        }
        self.ours = left;
        if let Some(error) = failed {
            return Err(error);
        }
        self.observer.notice(&Event::GoOn);
        Ok(())
    }

    /// Ends the run: nothing is frozen any more.
    pub fn finish(mut self) -> SysResult<FreezeTimes> {
        self.thaw()?;
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.finish();
        }
        Ok(self.stillness)
    }

    /// Writes down what will be frozen, and starts the process that watches over it, before it happens.
    fn start_watchdog(&mut self, cgroups: &[Cgroup]) -> SysResult<()> {
        FrozenPaper::write(self.base, cgroups)?;
        self.written = true;
        if self.watchdog.is_none() {
            machine::ignore_stops()?;
            let base = self.base.path().as_os_str();
            let args = [OsStr::new("watchdog"), OsStr::new("--base"), base];
            self.watchdog = Some(Watchdog::start(&args)?);
        }
        Ok(())
    }

    /// Why a guest cannot be frozen; `None` where it can.
    fn why_not(
        &self,
        freezer: &Freezer,
        sight: &mut Sight,
        at: usize,
        condition: &Activity,
    ) -> SysResult<Option<String>> {
        if condition.stays_in_use {
            return Ok(Some("it would be in use nevertheless".into()));
        }
        if condition.unknown.is_some() {
            return Ok(Some("not all that runs in it is known".into()));
        }
        let inside = &condition.inside;
        if let Some(process) = inside.iter().find(|process| process.may_clear_flags) {
            return Ok(Some(format!(
                "process {} may take flags off files (CAP_LINUX_IMMUTABLE)",
                process.pid
            )));
        }
        if inside.is_empty() {
            return Ok(Some("its processes are not seen".into()));
        }
        Ok(match subtree(freezer, sight, at, inside)? {
            Ok(cgroup) if self.restless.contains(&cgroup) => Some(format!(
                "{cgroup} does not stand still: a process in it waits for the kernel"
            )),
            found => found.err(),
        })
    }
}

fn subtree(
    freezer: &Freezer,
    sight: &mut Sight,
    at: usize,
    inside: &[Inside],
) -> SysResult<Result<Cgroup, String>> {
    let pids: Vec<String> = inside.iter().map(|process| process.pid.clone()).collect();
    freezer.subtree_of(&pids, &mut |pid| sight.presence.belongs(pid, at, &pids))
}
