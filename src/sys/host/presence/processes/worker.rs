//! Looks at processes in a thread of its own, so that a process that makes us wait (for the lock of its mappings, for a
//! file server that does not answer) keeps nobody waiting but that thread.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::look::{Looking, locked};
use super::proc_files::ground;

/// How long a look may stand still at one step.
const PATIENCE: Duration = Duration::from_secs(1);

/// So often is it asked for a step in this time.
const TIMES_STILL: u32 = 20;

/// How many processes may keep a thread waiting. What is left after those is not seen.
const MOST_STUCK: usize = 4;

/// Threads that were not waited for, and wait themselves.
static LEFT: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Does a thread of an earlier look wait still? Who looks again and again would leave more and more of them.
pub fn is_any_left() -> bool {
    let mut left = locked(&LEFT);
    left.retain(|handle| !handle.is_finished());
    !left.is_empty()
}

/// What a thread does next.
type LookJob = Box<dyn FnOnce() + Send>;

/// A thread at work. It ends when nobody asks any more.
struct LookingThread {
    jobs: Sender<LookJob>,
    handle: JoinHandle<()>,
}

impl LookingThread {
    /// `None` where no thread can be started.
    fn start() -> Option<LookingThread> {
        let (jobs, taken) = channel::<LookJob>();
        let work = move || {
            // Who is overtaken by births has to look again: better not to be interrupted. Without the right to it, it
            // goes as it goes.
            rustix::process::setpriority_process(None, -15).unwrap_or_default();
            taken.into_iter().for_each(|job| job());
        };
        let handle = std::thread::Builder::new().spawn(work).ok()?;
        Some(LookingThread { jobs, handle })
    }

    /// Has it do this; the answer comes when it is done.
    fn ask<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
        let (told, answer) = channel();
        // Who is not there any more does not answer, and that is seen.
        drop(self.jobs.send(Box::new(move || drop(told.send(job())))));
        answer
    }
}

/// Looks at processes, one after the other.
pub struct PresenceWorker {
    looking: Arc<Looking>,
    thread: Option<LookingThread>,
}

impl PresenceWorker {
    /// Starts the thread. Where there can be none, looks are done without.
    pub fn new(looking: Arc<Looking>) -> PresenceWorker {
        PresenceWorker {
            thread: LookingThread::start(),
            looking,
        }
    }

    /// What all looks share.
    pub fn looking(&self) -> &Looking {
        &self.looking
    }

    /// Does what looks at processes. Where one of them keeps it waiting, that is noted, and it is done once more: what
    /// was done so far has to be kept by the job, which ends early when it is not the one of this shift any more.
    pub fn run(&mut self, job: impl Fn(&Looking, u64) + Clone + Send + 'static) {
        loop {
            let shift = self.looking.shift.fetch_add(1, Ordering::Relaxed) + 1;
            let Some(thread) = &self.thread else {
                return job(&self.looking, shift);
            };
            let (looking, again) = (Arc::clone(&self.looking), job.clone());
            let done = thread.ask(move || again(&looking, shift));
            if self.is_done(&done) {
                return;
            }
            let mut stuck = locked(&self.looking.stuck);
            stuck.insert(self.looking.at.load(Ordering::Relaxed));
            let is_over = stuck.len() > MOST_STUCK || self.looking.limit.is_over();
            self.looking.gives_up.store(is_over, Ordering::Relaxed);
            drop(stuck);
            if let Some(LookingThread { jobs, handle }) = self.thread.take() {
                drop(jobs);
                locked(&LEFT).push(handle);
            }
            self.thread = LookingThread::start();
        }
    }

    /// False once the thread stands still. While a whole machine does, time passes and nobody could make a step: so it
    /// is asked for often, and a pause of any length counts for one time.
    fn is_done(&self, done: &Receiver<()>) -> bool {
        let mut steps = self.looking.steps.load(Ordering::Relaxed);
        let mut still = 0;
        while still < TIMES_STILL {
            match done.recv_timeout(PATIENCE / TIMES_STILL) {
                Ok(()) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = self.looking.steps.load(Ordering::Relaxed);
            still = if now == steps { still + 1 } else { 0 };
            steps = now;
        }
        false
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

impl Drop for PresenceWorker {
    /// No thread that has all rights is left, but one that waits, and that does nothing more.
    fn drop(&mut self) {
        if let Some(LookingThread { jobs, handle }) = self.thread.take() {
            drop(jobs);
            drop(handle.join());
        }
    }
}

fn moved(known: &[(u32, [Vec<u8>; 2])]) -> Vec<u32> {
    let moved = known.iter().filter(|(pid, was)| ground(*pid) != *was);
    moved.map(|(pid, _)| *pid).collect()
}
