//! How far and how fast a run may go: limits that end it early, and a pace.

use std::time::{Duration, Instant};

use super::receipt_file::RunResult;
use crate::sys::host::machine;
use crate::sys::host::signals::Stop;

/// What the user allows a run; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most link actions (apply) or files (undo) that are done.
    pub max_actions: Option<u64>,
    /// Most that may be refused or fail before the run ends.
    pub max_failures: Option<u64>,
    /// Most names a second.
    pub rate: Option<u64>,
}

/// The steps in which a pace is kept, so that a signal is not kept waiting.
const STEP: Duration = Duration::from_millis(50);

/// A run under its limits.
pub(super) struct Pace {
    limits: Limits,
    start: Instant,
    names: u64,
}

impl Pace {
    pub fn new(limits: Limits) -> Pace {
        Pace {
            limits,
            start: Instant::now(),
            names: 0,
        }
    }

    /// Most names of a batch that keeps the pace: about a quarter of a second's.
    pub fn names_a_batch(&self, most: usize) -> usize {
        let paced = self.limits.rate.map(|rate| (rate / 4).max(1));
        let paced = paced.and_then(|names| usize::try_from(names).ok());
        paced.map_or(most, |names| names.min(most))
    }

    /// Most actions of the next batch.
    pub fn actions_left(&self, so_far: &RunResult) -> usize {
        let left = self
            .limits
            .max_actions
            .map(|most| most.saturating_sub(so_far.links).max(1));
        left.and_then(|left| usize::try_from(left).ok())
            .unwrap_or(usize::MAX)
    }

    /// Notes in the result why the run is over, if it is: by a signal, or by a limit.
    pub fn is_over(&self, so_far: &mut RunResult, stop: &Stop) -> bool {
        so_far.interrupted = stop.asked();
        so_far.limit = self.reached(so_far);
        so_far.interrupted || so_far.limit.is_some()
    }

    /// The limit that ends the run now.
    fn reached(&self, so_far: &RunResult) -> Option<&'static str> {
        let failures = so_far.totals.refused + so_far.totals.failed;
        if self
            .limits
            .max_actions
            .is_some_and(|most| so_far.links >= most)
        {
            Some("--max-actions")
        } else if self
            .limits
            .max_failures
            .is_some_and(|most| failures >= most && failures > 0)
        {
            Some("--max-failures")
        } else {
            None
        }
    }

    /// Waits until so many names more are in keeping with the pace, or a signal comes.
    pub fn keep(&mut self, names: u64, stop: &Stop) {
        self.names += names;
        let Some(rate) = self.limits.rate.filter(|rate| *rate > 0) else {
            return;
        };
        while let Some(step) = next_step(self.names, rate, self.start.elapsed()) {
            if stop.asked() {
                return;
            }
            machine::pause(step);
        }
    }
}

/// How long to wait now, so long after the start, until so many names fit the rate; `None` where they do.
fn next_step(names: u64, rate: u64, since: Duration) -> Option<Duration> {
    let due = Duration::from_millis(names.saturating_mul(1000) / rate);
    let left = due.checked_sub(since).filter(|left| !left.is_zero());
    left.map(|left| left.min(STEP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunKind;

    fn totals(links: u64, refused: u64) -> RunResult {
        let run = "20260102T030405Z-0a1b2c3d".parse().unwrap();
        let mut result = RunResult::begun(run, RunKind::Apply);
        (result.links, result.totals.refused) = (links, refused);
        result
    }

    #[test]
    fn limits_end_a_run() {
        let pace = Pace::new(Limits {
            max_actions: Some(10),
            max_failures: Some(2),
            rate: Some(100),
        });
        assert_eq!(pace.reached(&totals(9, 1)), None);
        assert_eq!(pace.reached(&totals(10, 0)), Some("--max-actions"));
        assert_eq!(pace.reached(&totals(0, 2)), Some("--max-failures"));
        assert_eq!(pace.actions_left(&totals(7, 0)), 3);
        assert_eq!((pace.names_a_batch(1000), pace.names_a_batch(3)), (25, 3));
        let free = Pace::new(Limits::default());
        assert_eq!(free.reached(&totals(u64::MAX, 9)), None);
        assert_eq!(free.actions_left(&totals(5, 0)), usize::MAX);
    }

    /// The waits of a run add up to the time that its names take at the rate, in steps.
    #[test]
    fn a_pace_is_kept_in_steps() {
        let ms = Duration::from_millis;
        let mut since = Duration::ZERO;
        let mut steps = Vec::new();
        while let Some(step) = next_step(30, 200, since) {
            steps.push(step);
            since += step;
        }
        assert_eq!(steps, [ms(50); 3]);
        assert_eq!(next_step(30, 200, ms(130)), Some(ms(20)));
        assert_eq!(next_step(30, 200, ms(150)), None);
        assert_eq!(next_step(30, 200, ms(151)), None);
        assert_eq!(next_step(0, 1, Duration::ZERO), None);
        assert_eq!(next_step(u64::MAX, 1, Duration::ZERO), Some(STEP));
    }

    /// Names of several batches add up, and no run is ahead of its rate.
    #[test]
    fn a_run_is_not_ahead_of_its_rate() {
        let stop = Stop::on_signals().unwrap();
        let mut pace = Pace::new(Limits {
            rate: Some(1000),
            ..Limits::default()
        });
        for (names, least) in [(20, 20), (40, 60)] {
            pace.keep(names, &stop);
            let since = pace.start.elapsed();
            assert!(since >= Duration::from_millis(least), "{since:?}");
        }
        // Neither no rate nor one of nothing a second waits for ever.
        for rate in [None, Some(0)] {
            let limits = Limits {
                rate,
                ..Limits::default()
            };
            Pace::new(limits).keep(u64::MAX, &stop);
        }
    }

    /// The first failure ends a run that allows none.
    #[test]
    fn no_failure_is_allowed() {
        let pace = Pace::new(Limits {
            max_failures: Some(0),
            ..Limits::default()
        });
        assert_eq!(pace.reached(&totals(5, 0)), None);
        assert_eq!(pace.reached(&totals(5, 1)), Some("--max-failures"));
    }
}
