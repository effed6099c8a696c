//! Running guests made to stand still: the cgroups of every guest that a batch concerns are frozen for the moments in
//! which its names are exchanged, if the user allows it.
//!
//! What is frozen is let go again whatever happens. Before the first freeze its cgroup is written into the base, and
//! a second process of this program waits for our end: if we die it heals what we left and then lets go. If both die,
//! `recover` does the same, which a boot unit calls before guests start.

use std::ffi::OsStr;
use std::time::Instant;

use super::Guest;
use super::quiet::{self, Condition};
use crate::base::{Base, FrozenPaper};
use crate::model::Stillness;
use crate::sys::{Cgroup, Freezer, Helper, Inside, SysResult, is_inside, machine};

/// Freezes, if it may.
pub(super) struct Still<'a> {
    base: &'a Base,
    /// May running guests be frozen?
    allowed: bool,
    freezer: Option<Freezer>,
    /// Why there is no freezer although it is allowed.
    lacking: Option<String>,
    guardian: Option<Helper>,
    written: Vec<Cgroup>,
    /// What stands still: frozen by us, or by somebody else before.
    frozen: Vec<Cgroup>,
    /// What we froze.
    ours: Vec<Cgroup>,
    since: Option<Instant>,
    /// How long guests stood still so far.
    pub stillness: Stillness,
}

impl<'a> Still<'a> {
    /// `allowed`: running guests may be frozen.
    pub fn new(base: &'a Base, allowed: bool) -> SysResult<Still<'a>> {
        let freezer = if allowed { Freezer::find()? } else { None };
        let lacking = (allowed && freezer.is_none())
            .then(|| "this host has no cgroups of version 2".to_owned());
        Ok(Still {
            base,
            allowed,
            freezer,
            lacking,
            guardian: None,
            written: Vec::new(),
            frozen: Vec::new(),
            ours: Vec::new(),
            since: None,
            stillness: Stillness::default(),
        })
    }

    /// Most names of one batch: few where guests wait for it.
    pub fn names_a_batch(&self) -> usize {
        let most = machine::names_a_batch();
        if self.allowed { most.min(256) } else { most }
    }

    /// Takes over what an earlier run left frozen, as far as it stands still.
    pub fn inherit(&mut self) -> SysResult<()> {
        self.written = FrozenPaper::read(self.base)?;
        if self.written.is_empty() {
            return Ok(());
        }
        let Some(freezer) = Freezer::find()? else {
            return Ok(());
        };
        for cgroup in &self.written {
            if freezer.stands_still(cgroup)? {
                self.frozen.push(cgroup.clone());
            }
            self.ours.push(cgroup.clone());
        }
        self.since = Some(Instant::now());
        self.freezer.get_or_insert(freezer);
        Ok(())
    }

    /// What stands still now.
    pub fn now(&self) -> &[Cgroup] {
        &self.frozen
    }

    /// Looks at all guests: who runs, and who of them could be frozen.
    pub fn look(&self, guests: &[&Guest]) -> SysResult<Vec<Condition>> {
        let mut all = quiet::look(guests.iter().copied(), &self.frozen)?;
        for (condition, guest) in all.iter_mut().zip(guests) {
            self.judge(condition, guest)?;
        }
        Ok(all)
    }

    fn judge(&self, condition: &mut Condition, guest: &Guest) -> SysResult<()> {
        let Some(running) = &mut condition.running else {
            return Ok(());
        };
        if !self.allowed {
            return Ok(());
        }
        let why = match (&self.freezer, &self.lacking) {
            (None, None) => return Ok(()),
            (None, Some(why)) => Some(why.clone()),
            (Some(freezer), _) => why_not(freezer, guest, &condition.inside)?,
        };
        match why {
            None => condition.can_freeze = true,
            Some(why) => *running = format!("{running}; it cannot be frozen: {why}"),
        }
        Ok(())
    }

    /// Freezes those of `guests` that run and can be. The caller looks again afterwards: whoever still moves is in the
    /// way.
    pub fn freeze(&mut self, guests: &[&Guest]) -> SysResult<()> {
        let Some(freezer) = self.freezer.clone().filter(|_| self.allowed) else {
            return Ok(());
        };
        let mut cgroups = Vec::new();
        for (condition, guest) in self.look(guests)?.iter().zip(guests) {
            if !condition.can_freeze {
                continue;
            }
            let Ok(cgroup) = subtree(&freezer, guest, &condition.inside)? else {
                continue;
            };
            // Somebody else's freeze is left to them, and is as good as ours.
            if freezer.stands_still(&cgroup)? {
                self.frozen.push(cgroup);
            } else {
                cgroups.push(cgroup);
            }
        }
        self.freeze_all(&freezer, cgroups)
    }

    fn freeze_all(&mut self, freezer: &Freezer, cgroups: Vec<Cgroup>) -> SysResult<()> {
        if cgroups.is_empty() {
            return Ok(());
        }
        self.guard(&cgroups)?;
        self.since = Some(Instant::now());
        for cgroup in cgroups {
            self.ours.push(cgroup.clone());
            // What does not stand still in time is let go again, and is then in the way.
            if freezer.freeze(&cgroup).is_ok() {
                self.frozen.push(cgroup);
            }
        }
        Ok(())
    }

    /// Lets everything go on.
    pub fn thaw(&mut self) -> SysResult<()> {
        if let Some(freezer) = &self.freezer {
            self.ours
                .iter()
                .try_for_each(|cgroup| freezer.thaw(cgroup))?;
        }
        self.ours.clear();
        self.frozen.clear();
        if let Some(since) = self.since.take() {
            self.stillness.add(since.elapsed());
        }
        Ok(())
    }

    /// The run is over: nothing is frozen any more.
    pub fn finish(mut self) -> SysResult<Stillness> {
        self.thaw()?;
        if !self.written.is_empty() {
            FrozenPaper::remove(self.base)?;
        }
        if let Some(guardian) = self.guardian.take() {
            guardian.finish();
        }
        Ok(self.stillness)
    }

    /// Written down and watched over, before it happens.
    fn guard(&mut self, cgroups: &[Cgroup]) -> SysResult<()> {
        if cgroups.iter().any(|cgroup| !self.written.contains(cgroup)) {
            self.written.extend(cgroups.iter().cloned());
            self.written.sort();
            self.written.dedup();
            FrozenPaper::write(self.base, &self.written)?;
        }
        if self.guardian.is_none() {
            let base = self.base.path().as_os_str();
            let args = [OsStr::new("guard"), OsStr::new("--base"), base];
            self.guardian = Some(Helper::start(&args)?);
        }
        Ok(())
    }
}

fn subtree(
    freezer: &Freezer,
    guest: &Guest,
    inside: &[Inside],
) -> SysResult<Result<Cgroup, String>> {
    let pids: Vec<String> = inside.iter().map(|process| process.pid.clone()).collect();
    freezer.subtree_of(&pids, &|pid| is_inside(pid, &guest.path, guest.id))
}

/// Why a guest cannot be frozen; `None` where it can.
fn why_not(freezer: &Freezer, guest: &Guest, inside: &[Inside]) -> SysResult<Option<String>> {
    if let Some(process) = inside.iter().find(|process| process.may_clear_flags) {
        return Ok(Some(format!(
            "process {} may take flags off files (CAP_LINUX_IMMUTABLE)",
            process.pid
        )));
    }
    if inside.is_empty() {
        return Ok(Some("its processes are not seen".into()));
    }
    Ok(subtree(freezer, guest, inside)?.err())
}
