//! What is looked at before and while guests are frozen: which of them run, and which of those can be frozen.

use super::Freeze;
use super::Whose;
use crate::engine::Guest;
use crate::engine::activity::clearing::could;
use crate::engine::activity::{Activity, Sight};
use crate::model::{GuestPath, Running};
use crate::sys::{Cgroup, Freezer, Inside, Patience, SysResult};

impl Freeze<'_> {
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

    pub(super) fn full_look(&self, guests: &[&Guest]) -> SysResult<Sight> {
        let watchdog = self.guard.process();
        Sight::take(
            guests,
            Some(self.base.dir()),
            watchdog.as_slice(),
            Patience::ToChange,
        )
    }

    pub(super) fn judged(&self, sight: &mut Sight, guests: &[&Guest]) -> SysResult<Vec<Activity>> {
        let mut all = sight.conditions(&self.now()?);
        for (at, condition) in all.iter_mut().enumerate().take(guests.len()) {
            self.judge(sight, guests, at, condition)?;
        }
        Ok(all)
    }

    /// The same, before a batch is prepared: of all guests that may have to wait for it, and what is done with their
    /// files counts. Nothing is frozen yet.
    pub fn look_whole(&self, guests: &[&Guest]) -> SysResult<Vec<Activity>> {
        let mut sight = self.full_look(guests)?;
        let mut all = self.judged(&mut sight, guests)?;
        self.waits.set(all.iter().any(|one| one.can_freeze));
        sight.look_at_uses(&mut all);
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

    fn judge(
        &self,
        sight: &mut Sight,
        guests: &[&Guest],
        at: usize,
        condition: &mut Activity,
    ) -> SysResult<()> {
        if condition.running.is_none() || self.running == Running::Refuse {
            return Ok(());
        }
        let why = match (&self.freezer, &self.lacking) {
            (None, None) => return Ok(()),
            (None, Some(why)) => Some(why.clone()),
            (Some(freezer), _) => self.why_not(freezer, sight, guests, at, condition)?,
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

    /// Why a guest cannot be frozen; `None` where it can.
    fn why_not(
        &self,
        freezer: &Freezer,
        sight: &mut Sight,
        guests: &[&Guest],
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
            let may_read = self.since.is_none() && self.guard.whose != Whose::WatchedHealing;
            let remedy = self.clearers.remedy(guests, at, process, may_read);
            let remedy = remedy.map(|remedy| format!("; {remedy}"));
            return Ok(Some(could(process) + &remedy.unwrap_or_default()));
        }
        if inside.is_empty() {
            return Ok(Some("its processes are not seen".into()));
        }
        Ok(match Self::subtree(freezer, sight, at, inside)? {
            Ok(cgroup) if self.restless.contains(&cgroup) => Some(format!(
                "{cgroup} does not stand still: a process in it waits for the kernel"
            )),
            found => found.err(),
        })
    }

    /// The cgroup that holds what is inside, and nothing else; or why there is none.
    pub(super) fn subtree(
        freezer: &Freezer,
        sight: &mut Sight,
        at: usize,
        inside: &[Inside],
    ) -> SysResult<Result<Cgroup, String>> {
        let pids: Vec<String> = inside.iter().map(|process| process.pid.clone()).collect();
        freezer.subtree_of(&pids, &mut |pid| sight.presence.belongs(pid, at, &pids))
    }
}
