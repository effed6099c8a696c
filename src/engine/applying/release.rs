//! Releases the files that came out of a batch while the next one is prepared: the last descriptor of a file
//! without names gives its room back, which takes the kernel as long as all else that is done for it. Where the
//! disk is informed of free room at once (`discard`), each file waits for the disk, so many are released in
//! parallel.
//!
//! Small batches, and all where room is scarce, are released at once: the next batch may need what they give
//! back.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::base::Base;
use crate::engine::exchange::job::Job;
use crate::sys::host::machine;

/// Fewer files are released at once.
const SMALL: usize = 64;

/// Where fewer bytes are free, nothing is put off: this is what some batches may hold.
const SCARCE: u64 = 1 << 30;

/// Files that are released in parallel: by threads that wait for the disk, and need no core meanwhile.
const ABREAST: usize = 16;

/// One thread and those that it leads, at most two batches late.
#[derive(Default)]
pub(super) struct Release(Option<(SyncSender<Vec<Job>>, JoinHandle<()>)>);

impl Release {
    /// Releases the files of a batch that is over.
    pub fn take(&mut self, jobs: Vec<Job>, base: &Base) {
        let room = || machine::filesystem(base.dir()).is_ok_and(|fs| fs.free > SCARCE);
        if jobs.len() < SMALL || !room() {
            self.wait();
            return drop(jobs);
        }
        if self.0.is_none() {
            self.0 = start();
        }
        if let Some((sender, _)) = &self.0 {
            // A thread that is gone hands them back, and they are dropped here.
            drop(sender.send(jobs));
        }
    }

    fn wait(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            drop(thread.join());
        }
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        self.wait();
    }
}

/// `None` where this process may have no thread.
fn start() -> Option<(SyncSender<Vec<Job>>, JoinHandle<()>)> {
    let (sender, receiver) = sync_channel::<Vec<Job>>(1);
    let pool = ThreadPoolBuilder::new().num_threads(ABREAST);
    let pool = pool.thread_name(|_| "dropper".into()).build().ok();
    let run = move || {
        for jobs in receiver {
            let_go(jobs, pool.as_ref());
        }
    };
    let thread = Builder::new().name("dropper".into()).spawn(run).ok()?;
    Some((sender, thread))
}

fn let_go(jobs: Vec<Job>, pool: Option<&ThreadPool>) {
    match pool {
        Some(pool) => pool.install(|| jobs.into_par_iter().for_each(drop)),
        None => drop(jobs),
    }
}
