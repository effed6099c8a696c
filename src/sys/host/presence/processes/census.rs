//! Looks at all processes until none was missed.
//!
//! A process that forks and ends is gone when it is looked at, and its child is not in the list. Linux counts births
//! (`processes` in `/proc/stat`: processes and threads alike), so a pass is complete if nobody was born from before
//! the list was read until all on it were looked at. Then whoever was listed and had ended left no child. A pass that
//! is not complete is followed by one that looks at the new ones only, which takes less time than the one before.
//! What was looked at whole needs no second look: its children and threads began where it was.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::CWD;

use super::look::{Looking, locked};
use super::proc_files::{has_ended, numbers};
use super::seen::SeenProcess;
use super::worker::PresenceWorker;

/// All processes that were seen.
#[derive(Debug, Default)]
pub struct Census {
    pub seen: HashMap<u32, SeenProcess>,
    /// Births when the last complete pass began.
    births: u64,
    /// Births when the first pass began: a number that was seen then may be another's after very many.
    first: u64,
    /// When it was last asked who has moved.
    asked: Option<Instant>,
    /// Why some may have been missed.
    pub missed: Option<&'static str>,
}

const OVERTAKEN: &str = "processes are born faster than they can be looked at";
const NO_COUNT: &str = "the kernel does not tell how many processes were born (/proc/stat)";
const NO_LIST: &str = "the processes cannot be listed";

/// A process that may not be seen, as one is that changes its program or its user, may be a moment later.
const OPENS: Duration = Duration::from_millis(300);

/// Who has moved is not asked again so soon: there may be thousands to ask, while guests wait.
const JUST_NOW: Duration = Duration::from_millis(100);

/// Processes with another root or working directory than they had.
fn moved_since(census: &Census, worker: &PresenceWorker) -> Vec<u32> {
    let is_known = |seen: &SeenProcess| seen.unseen.is_none() && !seen.ground[0].is_empty();
    let known = census.seen.iter().filter(|(_, seen)| is_known(seen));
    let known = known.map(|(pid, seen)| (*pid, seen.ground.clone()));
    worker.moved(known.collect())
}

/// A census that a thread takes.
#[derive(Debug, Clone)]
pub struct CensusTaker {
    pub census: Arc<Mutex<Census>>,
    /// These are left out.
    pub ours: Vec<u32>,
}

impl CensusTaker {
    /// Looks at all that were not seen yet, again and again until a pass is complete, or for so long.
    pub fn take(&self, worker: &mut PresenceWorker, patience: Duration) {
        let until = Instant::now() + patience;
        locked(&self.census).forget_if_numbers_return();
        let taker = self.clone();
        worker.run(move |looking, shift| taker.passes(looking, shift, until));
    }

    /// The same after a while, for those alone that may have come since: while guests wait.
    pub fn take_again(&self, worker: &mut PresenceWorker, patience: Duration) {
        let mut census = locked(&self.census);
        let mut moved = Vec::new();
        if census.asked.is_none_or(|asked| asked.elapsed() > JUST_NOW) {
            moved = moved_since(&census, worker);
            census.asked = Some(Instant::now());
        }
        for pid in &moved {
            census.seen.remove(pid);
        }
        let ended = census.ended();
        let is_whole = census.missed.is_none() && births() == Some(census.births);
        if is_whole {
            // They started nobody since they were looked at.
            census.seen.retain(|pid, _| !ended.contains(pid));
        }
        drop(census);
        if !is_whole || !moved.is_empty() {
            self.take(worker, patience);
        }
    }

    fn passes(&self, looking: &Looking, shift: u64, until: Instant) {
        let mut pause = Duration::from_micros(50);
        let closed_until = until.min(Instant::now() + OPENS);
        loop {
            let ended = locked(&self.census).ended();
            let before = births();
            // Whom they started was born by now, and is on the list if he lives.
            locked(&self.census)
                .seen
                .retain(|pid, _| !ended.contains(pid));
            let Ok(all) = numbers(CWD, "/proc") else {
                locked(&self.census).missed = Some(NO_LIST);
                return;
            };
            let Some(unsettled) = self.look_at_new(&all, looking, shift) else {
                return;
            };
            let after = births();
            let mut census = locked(&self.census);
            let is_over = Instant::now() > until;
            census.missed = match (before, after) {
                (Some(before), Some(after)) if before == after => {
                    census.births = before;
                    None
                }
                (Some(_), Some(_)) => Some(OVERTAKEN),
                _ => Some(NO_COUNT),
            };
            let is_whole = census.missed != Some(OVERTAKEN)
                && (Instant::now() > closed_until || !census.forget_closed());
            if is_whole || is_over {
                // Threads that ended meanwhile started nobody, or that is said.
                census.seen.extend(unsettled);
                return;
            }
            drop(census);
            std::thread::sleep(pause);
            looking.step();
            pause = (pause * 3 / 2).min(Duration::from_millis(10));
        }
    }

    /// Returns those that have to be looked at once more, should somebody have been born; `None` when others look.
    fn look_at_new(
        &self,
        all: &[u32],
        looking: &Looking,
        shift: u64,
    ) -> Option<Vec<(u32, SeenProcess)>> {
        let mut unsettled = Vec::new();
        for pid in self.not_seen_yet(all) {
            let seen = looking.look(pid);
            if looking.shift.load(Ordering::Relaxed) != shift {
                return None;
            }
            match seen.is_unsettled {
                true => unsettled.push((pid, seen)),
                false => drop(locked(&self.census).seen.insert(pid, seen)),
            }
        }
        Some(unsettled)
    }

    /// Those that were not seen yet; who has gone is forgotten.
    fn not_seen_yet(&self, all: &[u32]) -> Vec<u32> {
        let mut census = locked(&self.census);
        let alive: HashSet<u32> = all.iter().copied().collect();
        census.seen.retain(|pid, _| alive.contains(pid));
        let is_new = |pid: &u32| !self.ours.contains(pid) && !census.seen.contains_key(pid);
        all.iter().copied().filter(is_new).collect()
    }
}

impl Census {
    /// Those that held something and have ended.
    fn ended(&self) -> HashSet<u32> {
        let holds = |seen: &SeenProcess| !seen.holds.is_empty() || !seen.loose.is_empty();
        let held = self.seen.iter().filter(|(_, seen)| holds(seen));
        held.map(|(pid, _)| *pid)
            .filter(|pid| has_ended(*pid))
            .collect()
    }

    /// Forgets those of whom something could not be seen, so that they are looked at once more. Were there any? And
    /// other runs of this program that hold a mount which no table has: it is known for a view of theirs a moment after
    /// they have it, once it is read-only.
    fn forget_closed(&mut self) -> bool {
        let before = self.seen.len();
        self.seen.retain(|_, seen| {
            let may_be_making_a_view = seen.runs_this_program && !seen.loose.is_empty();
            seen.unseen.is_none() && !may_be_making_a_view
        });
        self.seen.len() < before
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

#[cfg(test)]
mod tests {
    use super::super::seen::LooseEnd;
    use super::*;

    fn holds_a_mount(runs_this_program: bool) -> SeenProcess {
        SeenProcess {
            runs_this_program,
            loose: vec![LooseEnd {
                what: "descriptor",
                mount: 7,
                text: None,
                trees: vec![0],
            }],
            ..SeenProcess::default()
        }
    }

    #[test]
    fn a_run_of_this_program_that_makes_a_view_is_looked_at_again() {
        let mut census = Census::default();
        let closed = SeenProcess {
            unseen: Some("its descriptors"),
            ..SeenProcess::default()
        };
        let all = [
            holds_a_mount(true),
            holds_a_mount(false),
            closed,
            SeenProcess::default(),
        ];
        census.seen.extend((1..).zip(all));
        assert!(census.forget_closed());
        let mut left: Vec<u32> = census.seen.keys().copied().collect();
        left.sort_unstable();
        assert_eq!(left, [2, 4]);
        assert!(!census.forget_closed());
    }
}
