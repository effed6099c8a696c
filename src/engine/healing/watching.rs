//! The watchdog of a run that may freeze guests: what was frozen goes on after a bounded time, whatever it waits for.
//!
//! It knows what is frozen from the run itself, and touches no disk before it lets that go on: all that may wait, on a
//! disk that does not answer or for a lock, is done by further processes, which are ended when the time is over. Shared
//! files get their flags back first where that can be done in time; names are healed later.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::interrupted_run::{guests_of, read_journal, receipt_of};
use super::run::flag_all;
use super::{Adopted, EngineError, Lifting};
use crate::base::Base;
use crate::model::{Observer, RunId};
use crate::sys::{Cgroup, Freezer, Heard, Helper, SysResult, WatchdogEar, end_parent};

/// When a run ends while guests are frozen, what it left is healed in this time, or later.
const TO_HEAL: Duration = Duration::from_millis(600);

/// Flags that are off are set in this time before guests go on, or later.
const TO_PROTECT: Duration = Duration::from_millis(250);

/// Who is watched over.
#[derive(Debug, Clone, Copy)]
pub struct Watch<'a> {
    /// Its base.
    pub base: &'a Path,
    /// It is ended before guests go on that it has frozen for too long: it heals, and the next healing goes on from
    /// there. Else it is left to itself: it looks whether all stands still before each step that needs that.
    pub ends: Option<u32>,
}

impl Watch<'_> {
    /// Watches until the run has ended and nothing is frozen any more. `say` is called when guests go on.
    pub fn keep(&self, say: &dyn Fn(&str)) {
        let freezer = Freezer::find().ok().flatten();
        let mut ear = WatchdogEar::default();
        let mut frozen: Option<(Vec<Cgroup>, Instant)> = None;
        loop {
            match ear.hear(frozen.as_ref().map(|(_, end)| *end)) {
                Some(Heard::Frozen(cgroups, within)) => {
                    frozen = Some((cgroups, Instant::now() + within));
                }
                Some(Heard::GoOn) => frozen = None,
                Some(Heard::AllIsWell) => return,
                Some(Heard::End) => break,
                None => {
                    let late = frozen.take().map(|(cgroups, _)| cgroups);
                    self.too_late(freezer.as_ref(), &late.unwrap_or_default(), say);
                }
            }
        }
        let left = frozen.map(|(cgroups, _)| cgroups).unwrap_or_default();
        self.after_the_end(freezer.as_ref(), &left, say);
    }

    /// The run lives, and has kept guests waiting for too long.
    fn too_late(&self, freezer: Option<&Freezer>, cgroups: &[Cgroup], say: &dyn Fn(&str)) {
        let Some(freezer) = freezer.filter(|freezer| any_stands(freezer, cgroups)) else {
            return;
        };
        if let Some(pid) = self.ends {
            end_parent(pid);
        }
        self.let_go(freezer, cgroups);
        say(match self.ends {
            None => {
                "guests stood still for too long, and were let go on before the run was done with them; a longer --max-freeze allows more"
            }
            Some(_) => {
                "guests stood still for too long while names were healed: they go on, and that was ended; run `unify recover` again, with the guests stopped, or with --allow-running and a longer --max-freeze"
            }
        });
    }

    /// The run is gone. What it left is healed, while guests stand still if that is quickly done.
    fn after_the_end(&self, freezer: Option<&Freezer>, cgroups: &[Cgroup], say: &dyn Fn(&str)) {
        let end = Instant::now() + TO_HEAL;
        let stands = || freezer.is_some_and(|freezer| any_stands(freezer, cgroups));
        let healer = self.start("--heal");
        if let (Some(freezer), true) = (freezer, stands()) {
            let mut healer = healer.ok();
            let done = healer
                .as_mut()
                .is_none_or(|healer| healer.wait_until(end, || !stands()));
            if stands() {
                if let Some(healer) = healer.as_mut().filter(|_| !done) {
                    healer.kill();
                }
                self.let_go(freezer, cgroups);
                say(
                    "a run ended while guests were frozen: they go on; what it left is healed as soon as that can be done (`unify recover` says how far it is)",
                );
                // It freezes them once more, for as long as healing may take, if it has to.
                if let Ok(healer) = self.start("--heal") {
                    healer.wait();
                }
            } else if let Some(healer) = healer {
                healer.wait();
            }
        } else if let Ok(healer) = healer {
            healer.wait();
        }
    }

    /// Sets flags that are off, if that can be done at once, and lets guests go on in any case.
    fn let_go(&self, freezer: &Freezer, cgroups: &[Cgroup]) {
        let end = Instant::now() + TO_PROTECT;
        if let Ok(mut protector) = self.start("--protect")
            && !protector.wait_until(end, || false)
        {
            protector.kill();
        }
        for cgroup in cgroups {
            // There is nobody to tell, and the others are not to wait for it.
            drop(freezer.thaw(cgroup));
        }
    }

    fn start(&self, what: &str) -> SysResult<Helper> {
        let words = ["watchdog", what, "--base"].map(OsStr::new);
        Helper::start(&[&words[..], &[self.base.as_os_str()]].concat())
    }
}

fn any_stands(freezer: &Freezer, cgroups: &[Cgroup]) -> bool {
    let mut cgroups = cgroups.iter();
    cgroups.any(|cgroup| freezer.is_asked_to_stand(cgroup).unwrap_or(true))
}

/// Sets the flags of all objects that an interrupted run, or one that does not go on, may have lifted; looks at no name
/// and takes no lock.
pub fn protect_after_death(base: &Path, observer: &dyn Observer) -> Result<(), EngineError> {
    let base = &Base::wherever_made(base)?.0;
    let (lifting, _) = Lifting::resume(base)?;
    for name in base.staging().list()? {
        let Ok(run) = String::from_utf8_lossy(&name).parse::<RunId>() else {
            continue;
        };
        let staging = base.staging().open_dir(&name)?;
        let journal = read_journal(base, &run, &staging)?;
        let receipt = receipt_of(base, &run);
        let adopted = Adopted {
            base,
            lifting: &lifting,
            guests: &guests_of(receipt.as_ref()),
            batch: &journal.batch,
            observer,
            stirring: true,
        };
        flag_all(&adopted)?;
    }
    Ok(())
}
