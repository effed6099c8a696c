//! For unit tests: how much of a long series a test tries, and how much work something was.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Every so many-th of a series: `often` on a commit, each one where `UNIFY_LONG=1`.
pub fn stride(often: usize) -> usize {
    match std::env::var_os("UNIFY_LONG").is_some_and(|value| value == "1") {
        true => 1,
        false => often,
    }
}

/// The time for which this thread has computed: that does not grow while others do.
pub fn computed() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}
