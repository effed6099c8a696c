//! The threads that small work in parallel is done by, where nobody has started threads of its own for it.

use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

/// Are there threads beside this one? Asked before anything is done in parallel: where this process may start none
/// (`pids.max`, `RLIMIT_NPROC`, a filter of system calls), rayon would panic at its first use, in the middle of a run.
/// They are started at the first question, all or none, and the answer stays.
pub fn has_workers() -> bool {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let has_own = rayon::current_thread_index().is_some();
    has_own || *STARTED.get_or_init(|| ThreadPoolBuilder::new().build_global().is_ok())
}
