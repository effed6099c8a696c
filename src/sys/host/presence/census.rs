//! Looks at all processes until none was missed.
//!
//! A process that forks and ends is gone when it is looked at, and its child is not in the list. Linux counts births
//! (`processes` in `/proc/stat`: processes and threads alike), so a pass is complete if nobody was born from before the
//! list was read until all on it were looked at. Then whoever was listed and had ended left no child. A pass that is not
//! complete is followed by one that looks at the new ones only, which takes less time than the one before.
//! What was looked at whole needs no second look: its children and threads began where it was.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use super::look::SeenProcess;
use super::worker::PresenceWorker;
use crate::sys::SysResult;
use crate::sys::host::pids::pids;

/// All processes that were seen.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub seen: HashMap<u32, SeenProcess>,
    /// Births when the last complete pass began.
    births: u64,
    /// Births when the first pass began: a number that was seen then may be another's after very many.
    first: u64,
    /// Why some may have been missed.
    pub missed: Option<&'static str>,
}

const OVERTAKEN: &str = "processes are born faster than they can be looked at";
const NO_COUNT: &str = "the kernel does not tell how many processes were born (/proc/stat)";

impl Census {
    /// Looks at all that were not seen yet, again and again until a pass is complete, or for so long. `ours` are left
    /// out.
    pub fn take(
        &mut self,
        worker: &mut PresenceWorker,
        ours: &[u32],
        patience: Duration,
    ) -> SysResult<()> {
        let start = Instant::now();
        let mut pause = Duration::from_micros(100);
        self.forget_if_numbers_return();
        loop {
            let births = births();
            let unsettled = self.look_at_new(&all_pids()?, worker, ours);
            self.missed = match (births, self::births()) {
                (Some(before), Some(after)) if before == after => {
                    self.births = before;
                    None
                }
                (Some(_), Some(_)) => Some(OVERTAKEN),
                _ => Some(NO_COUNT),
            };
            if self.missed != Some(OVERTAKEN) || start.elapsed() > patience {
                // Threads that ended meanwhile started nobody, or that is said.
                self.seen.extend(unsettled);
                return Ok(());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// The same after a while, for those alone that may have come since: while guests wait.
    pub fn take_again(
        &mut self,
        worker: &mut PresenceWorker,
        ours: &[u32],
        patience: Duration,
    ) -> SysResult<()> {
        let is_known = |seen: &&SeenProcess| seen.unseen.is_none() && !seen.ground[0].is_empty();
        let known = self.seen.iter().filter(|(_, seen)| is_known(seen));
        let known = known.map(|(pid, seen)| (*pid, seen.ground.clone()));
        let moved = worker.moved(known.collect());
        moved.iter().for_each(|pid| drop(self.seen.remove(pid)));
        if moved.is_empty() && self.missed.is_none() && births() == Some(self.births) {
            return Ok(());
        }
        self.take(worker, ours, patience)
    }

    /// Returns those that have to be looked at once more, should somebody have been born.
    fn look_at_new(
        &mut self,
        all: &[u32],
        worker: &mut PresenceWorker,
        ours: &[u32],
    ) -> Vec<(u32, SeenProcess)> {
        let alive: HashSet<u32> = all.iter().copied().collect();
        self.seen.retain(|pid, _| alive.contains(pid));
        let is_new = |pid: &u32| !ours.contains(pid) && !self.seen.contains_key(pid);
        let new: Vec<u32> = all.iter().copied().filter(is_new).collect();
        let looked = worker.look(&new);
        let looked = new.into_iter().zip(looked);
        let (unsettled, settled): (Vec<_>, Vec<_>) =
            looked.partition(|(_, seen)| seen.is_unsettled);
        self.seen.extend(settled);
        unsettled
    }

    /// Numbers are given in a circle. Half way round, one that was seen may be another's.
    fn forget_if_numbers_return(&mut self) {
        let births = births().unwrap_or(0);
        let largest = std::fs::read_to_string("/proc/sys/kernel/pid_max");
        let largest = largest
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(32768u64);
        let free = largest.saturating_sub(300 + tasks());
        if births.saturating_sub(self.first) >= free / 2 {
            self.seen.clear();
            self.first = births;
        }
    }
}

/// Ids of all processes.
fn all_pids() -> SysResult<Vec<u32>> {
    let all = pids()?;
    Ok(all.iter().filter_map(|pid| pid.parse().ok()).collect())
}

/// Processes and threads that were born since the machine was started.
fn births() -> Option<u64> {
    let text = std::fs::read("/proc/stat").ok()?;
    let mut lines = text.split(|&byte| byte == b'\n');
    let count = lines.find_map(|line| line.strip_prefix(b"processes "))?;
    std::str::from_utf8(count).ok()?.trim().parse().ok()
}

/// Processes and threads that there are now: the number after the slash in `/proc/loadavg`.
fn tasks() -> u64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let all = text
        .split(' ')
        .nth(3)
        .and_then(|field| field.split('/').nth(1));
    all.and_then(|number| number.parse().ok()).unwrap_or(0)
}
