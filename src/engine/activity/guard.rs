//! The watchdog of a command that freezes guests: told of every freeze before it happens.

use std::ffi::OsStr;
use std::time::Duration;

use crate::base::Base;
use crate::sys::host::machine;
use crate::sys::{Cgroup, SysResult, Watchdog};

/// For whom guests are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// A run, which looks whether all still stands before it does what needs that.
    Run,
    /// A healing, which is ended before what it froze, or took over, goes on.
    Healing,
    /// The same, started by a watchdog that knows what is frozen already.
    WatchedHealing,
}

/// A watchdog, started when something is frozen first.
pub(super) struct Guard {
    pub whose: Whose,
    watchdog: Option<Watchdog>,
}

impl Guard {
    pub fn of(whose: Whose) -> Guard {
        Guard {
            whose,
            watchdog: None,
        }
    }

    /// Says what will be frozen, and for how long at most. It is started where there is none, or none any more.
    pub fn watch(&mut self, base: &Base, cgroups: &[Cgroup], within: Duration) -> SysResult<()> {
        if let Some(watchdog) = &mut self.watchdog
            && watchdog.will_freeze(cgroups, within).is_ok()
        {
            return Ok(());
        }
        machine::ignore_stops()?;
        let own = std::process::id().to_string();
        let base = base.path().as_os_str();
        let mut args = vec![OsStr::new("watchdog"), OsStr::new("--base"), base];
        if self.whose != Whose::Run {
            args.extend(["--ends", &own].map(OsStr::new));
        }
        let mut watchdog = Watchdog::start(&args)?;
        watchdog.will_freeze(cgroups, within)?;
        self.watchdog = Some(watchdog);
        Ok(())
    }

    /// The watchdog's process id.
    pub fn process(&self) -> Option<u32> {
        self.watchdog.as_ref().map(Watchdog::id)
    }

    /// Nothing is frozen any more.
    pub fn go_on(&mut self) {
        if let Some(watchdog) = &mut self.watchdog {
            watchdog.go_on();
        }
    }

    /// Ends the watch.
    pub fn finish(&mut self) {
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.finish();
        }
    }
}
