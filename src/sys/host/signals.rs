//! SIGINT and SIGTERM as a wish that is looked at between two batches. A second one ends the process at once, which
//! loses nothing either: the next run heals.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::libc::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::sys::{SysError, SysResult};

/// Was the run asked to stop?
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Listens from now on.
    pub fn on_signals() -> SysResult<Stop> {
        let stop = Stop::default();
        for (signal, number, code) in [(SIGINT, 2, 130), (SIGTERM, 15, 143)] {
            let failed = |e| SysError::new("listen to signals of", "this process", e);
            // Armed by the first signal, so only the second one ends the process.
            flag::register_conditional_shutdown(signal, code, Arc::clone(&stop.asked))
                .map_err(failed)?;
            flag::register(signal, Arc::clone(&stop.asked)).map_err(failed)?;
            flag::register_usize(signal, Arc::clone(&stop.signal), number).map_err(failed)?;
        }
        Ok(stop)
    }

    /// Was a signal received?
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Was it SIGINT?
    pub fn was_interrupt(&self) -> bool {
        self.signal.load(Ordering::Relaxed) == 2
    }
}
