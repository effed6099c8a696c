//! Whether all threads get on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::sys::host::service::longest_silence;

/// When each thread got on last, in milliseconds since the start, and whether all is over.
pub(super) struct Life {
    start: Instant,
    /// So long a thread may not get on before no sign of life is given any more.
    silence: Duration,
    pulses: Vec<AtomicU64>,
    end: AtomicBool,
}

impl Life {
    pub fn of(threads: usize) -> Life {
        Life {
            start: Instant::now(),
            silence: longest_silence(),
            pulses: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            end: AtomicBool::new(false),
        }
    }

    pub fn pulse(&self, thread: usize) {
        if let Some(pulse) = self.pulses.get(thread) {
            pulse.store(self.now(), Ordering::Relaxed);
        }
    }

    /// This thread is no more, and nothing is wrong.
    pub fn leave(&self, thread: usize) {
        if let Some(pulse) = self.pulses.get(thread) {
            pulse.store(u64::MAX, Ordering::Relaxed);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub fn is_well(&self) -> bool {
        let (now, most) = (self.now(), self.silence.as_millis() as u64);
        let mut pulses = self.pulses.iter();
        pulses.all(|pulse| now.saturating_sub(pulse.load(Ordering::Relaxed)) < most)
    }

    /// All is over.
    pub fn end(&self) {
        self.end.store(true, Ordering::Release);
    }

    pub fn is_over(&self) -> bool {
        self.end.load(Ordering::Acquire)
    }
}
