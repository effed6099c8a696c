//! Looks at processes in a thread of its own, so that a process that makes us wait (for the lock of its mappings, for a
//! file server that does not answer) keeps nobody waiting but that thread.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::look::{Looking, SeenProcess, ground, locked};

/// How long a look may stand still at one step.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many processes may keep a thread waiting. What is left after those is not seen.
const MOST_STUCK: u32 = 4;

/// What a thread does next.
type LookJob = Box<dyn FnOnce() + Send>;

/// A thread at work. It ends when nobody asks any more.
struct LookingThread(Sender<LookJob>);

impl LookingThread {
    /// `None` where no thread can be started.
    fn start() -> Option<LookingThread> {
        let (jobs, taken) = channel::<LookJob>();
        let work = move || taken.into_iter().for_each(|job| job());
        std::thread::Builder::new().spawn(work).ok()?;
        Some(LookingThread(jobs))
    }

    /// Has it do this; the answer comes when it is done.
    fn ask<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
        let (told, answer) = channel();
        // Who is not there any more does not answer, and that is seen.
        drop(self.0.send(Box::new(move || drop(told.send(job())))));
        answer
    }

    /// What was seen of the first of these: of all, unless the thread stands still at the next.
    fn look(&self, pids: &[u32], looking: &Arc<Looking>) -> Vec<SeenProcess> {
        let answers = Arc::new(Mutex::new(Vec::with_capacity(pids.len())));
        let (mine, pids, shared) = (Arc::clone(&answers), pids.to_vec(), Arc::clone(looking));
        let done = self.ask(move || {
            for pid in pids {
                let seen = shared.look(pid);
                locked(&mine).push(seen);
            }
        });
        loop {
            let before = looking.steps.load(Ordering::Relaxed);
            let told = done.recv_timeout(PATIENCE);
            let is_waiting = told == Err(RecvTimeoutError::Timeout);
            if !is_waiting || looking.steps.load(Ordering::Relaxed) == before {
                return std::mem::take(&mut *locked(&answers));
            }
        }
    }
}

/// Looks at processes, one after the other.
pub(super) struct PresenceWorker {
    looking: Arc<Looking>,
    thread: Option<LookingThread>,
    stuck: u32,
}

impl PresenceWorker {
    /// Starts the thread. Where there can be none, looks are done without.
    pub fn new(looking: Arc<Looking>) -> PresenceWorker {
        PresenceWorker {
            thread: LookingThread::start(),
            looking,
            stuck: 0,
        }
    }

    /// What all looks share.
    pub fn looking(&self) -> &Looking {
        &self.looking
    }

    /// Looks at all of these.
    pub fn look(&mut self, pids: &[u32]) -> Vec<SeenProcess> {
        let mut seen = Vec::with_capacity(pids.len());
        while seen.len() < pids.len() {
            let rest = &pids[seen.len()..];
            let Some(thread) = &self.thread else {
                seen.extend(rest.iter().map(|pid| self.looking.look(*pid)));
                break;
            };
            seen.extend(thread.look(rest, &self.looking));
            if seen.len() == pids.len() {
                break;
            }
            seen.push(stuck());
            self.stuck += 1;
            if self.stuck > MOST_STUCK {
                seen.resize_with(pids.len(), stuck);
            }
            self.thread = LookingThread::start();
        }
        seen
    }

    /// Which of these have another root or working directory than they had: half of them asked by the thread.
    pub fn moved(&self, mut known: Vec<(u32, [Vec<u8>; 2])>) -> Vec<u32> {
        let half = known.split_off(known.len() / 2);
        let told = self.thread.as_ref().map(|thread| {
            let half = half.clone();
            thread.ask(move || moved(&half))
        });
        let mut all = moved(&known);
        let others = told.and_then(|told| told.recv_timeout(PATIENCE).ok());
        all.extend(others.unwrap_or_else(|| moved(&half)));
        all
    }
}

fn moved(known: &[(u32, [Vec<u8>; 2])]) -> Vec<u32> {
    let mut moved = known.iter().filter(|(pid, was)| ground(*pid) != *was);
    moved.by_ref().map(|(pid, _)| *pid).collect()
}

fn stuck() -> SeenProcess {
    SeenProcess {
        unseen: Some("what it holds, for it makes whoever looks wait"),
        ..SeenProcess::default()
    }
}
