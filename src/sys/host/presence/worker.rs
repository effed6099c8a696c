//! Looks at processes in a thread of its own, so that a process that makes us wait (for the lock of its mappings, for a
//! file server that does not answer) keeps nobody waiting but that thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::look::{Looking, SeenProcess};

/// How long a look may stand still at one step.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many processes may keep a thread waiting. What is left after those is not seen.
const MOST_STUCK: u32 = 4;

/// A thread that looks at one process after the other.
pub(super) struct PresenceWorker {
    looking: Arc<Looking>,
    channels: Option<(Sender<u32>, Receiver<SeenProcess>)>,
    stuck: u32,
}

impl PresenceWorker {
    /// Starts the thread. Where there can be none, looks are done without.
    pub fn new(looking: Arc<Looking>) -> PresenceWorker {
        let mut worker = PresenceWorker {
            looking,
            channels: None,
            stuck: 0,
        };
        worker.start();
        worker
    }

    /// What all looks share.
    pub fn looking(&self) -> &Looking {
        &self.looking
    }

    fn start(&mut self) {
        let (jobs, taken) = channel::<u32>();
        let (told, answers) = channel();
        let looking = Arc::clone(&self.looking);
        let work = move || {
            // Ends when nobody asks or hears any more.
            for pid in taken {
                if told.send(looking.look(pid)).is_err() {
                    return;
                }
            }
        };
        let started = std::thread::Builder::new().name("looks".into()).spawn(work);
        self.channels = started.ok().map(|_| (jobs, answers));
    }

    /// Looks at all of these.
    pub fn look(&mut self, pids: &[u32]) -> Vec<SeenProcess> {
        let mut seen = Vec::with_capacity(pids.len());
        while seen.len() < pids.len() {
            let rest = &pids[seen.len()..];
            if self.stuck >= MOST_STUCK {
                seen.extend(rest.iter().map(|_| stuck()));
                break;
            }
            let Some((jobs, answers)) = &self.channels else {
                seen.extend(rest.iter().map(|pid| self.looking.look(*pid)));
                break;
            };
            for pid in rest {
                // A thread that has ended does not answer.
                jobs.send(*pid).unwrap_or_default();
            }
            let before = seen.len();
            seen.extend(std::iter::from_fn(|| self.answer(answers)).take(rest.len()));
            if seen.len() - before < rest.len() {
                seen.push(stuck());
                self.stuck += 1;
                self.start();
            }
        }
        seen
    }

    /// `None` once the thread stands still.
    fn answer(&self, answers: &Receiver<SeenProcess>) -> Option<SeenProcess> {
        loop {
            let before = self.looking.steps.load(Ordering::Relaxed);
            match answers.recv_timeout(PATIENCE) {
                Ok(seen) => return Some(seen),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.looking.steps.load(Ordering::Relaxed) == before {
                return None;
            }
        }
    }
}

fn stuck() -> SeenProcess {
    SeenProcess {
        unseen: Some("what it holds, for it makes whoever looks wait"),
        ..SeenProcess::default()
    }
}
