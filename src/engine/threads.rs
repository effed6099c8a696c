//! The threads of a command that reads much: workers, of which all or some read content. They are started when
//! the process has given up what it does not need, so that they have given it up, too.

use std::collections::VecDeque;
use std::sync::atomic::{self, AtomicBool};
use std::sync::mpsc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{EngineError, Guest};
use crate::engine::error::CannotHere;
use crate::rules::reading::{Disk, Machine, ReadOrder, Reading};
use crate::sys::host::machine;
use crate::sys::{Dir, PageCache, SysResult, rotates};

/// How a command reads what it checks.
#[derive(Debug, Clone, Copy)]
pub struct Readers {
    /// What becomes of pages that are read.
    pub cache: PageCache,
    /// At most so many threads; as many as there are cores where nothing is said.
    pub jobs: Option<usize>,
}

/// How guests are read, by so many threads at most. Where one of their disks rotates, all are read as that one is.
pub(super) fn reading(guests: &[Guest], jobs: Option<usize>) -> SysResult<Reading> {
    let mut disks: Vec<&Guest> = guests.iter().collect();
    disks.sort_by_key(|guest| guest.id.dev);
    disks.dedup_by_key(|guest| guest.id.dev);
    let mut any = false;
    for guest in disks {
        any |= rotates(&guest.root)?;
    }
    Ok(reading_of(any, jobs))
}

/// The same for the disk that holds a directory.
pub(super) fn reading_in(dir: Option<&Dir>, jobs: Option<usize>) -> SysResult<Reading> {
    Ok(reading_of(dir.map_or(Ok(false), rotates)?, jobs))
}

fn reading_of(rotates: bool, jobs: Option<usize>) -> Reading {
    let disk = if rotates { Disk::Rotating } else { Disk::Other };
    let machine = Machine {
        disk,
        cores: machine::cores(),
        descriptors: machine::descriptors(),
    };
    Reading::of(machine, jobs)
}

/// So much for each worker is made before it is taken.
const AHEAD: usize = 8;

/// The threads that were started.
pub(super) struct Threads {
    workers: ThreadPool,
    /// The workers that read content, where those are not all.
    readers: Option<ThreadPool>,
    /// The order in which files are read.
    pub order: ReadOrder,
    /// Files that a reader holds open in parallel.
    pub abreast: usize,
    /// Had the disk to bring anything of what was read last?
    cold: AtomicBool,
}

impl Threads {
    pub fn start(reading: Reading) -> Result<Threads, EngineError> {
        let apart = reading.readers != reading.workers;
        Ok(Threads {
            workers: threads(reading.workers)?,
            readers: apart.then(|| threads(reading.readers)).transpose()?,
            order: reading.order,
            abreast: reading.abreast,
            cold: AtomicBool::new(true),
        })
    }

    /// Is the disk to be asked for what will be read, before it is read? Where all is in memory that gains
    /// nothing.
    pub fn asks_ahead(&self) -> bool {
        self.cold.load(atomic::Ordering::Relaxed)
    }

    /// Reads, and notes whether the disk had to bring anything.
    pub fn learning<T>(&self, read: impl FnOnce() -> T) -> T {
        let before = machine::reads_from_disk();
        let done = read();
        let cold = machine::reads_from_disk() != before;
        self.cold.store(cold, atomic::Ordering::Relaxed);
        done
    }

    /// How many there are.
    pub fn workers(&self) -> usize {
        self.workers.current_num_threads()
    }

    /// Does the work in the workers: what it does in parallel, they do.
    pub fn work<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.workers.install(work)
    }

    /// Hands what the workers make of each to this thread, in their order, while they make what comes next.
    pub fn make_ahead<T: Send, M: Send, E>(
        &self,
        mut items: impl Iterator<Item = T>,
        make: impl Fn(T) -> M + Sync,
        mut take: impl FnMut(M) -> Result<(), E>,
    ) -> Result<(), E> {
        let most = AHEAD * self.workers();
        let mut coming = VecDeque::with_capacity(most);
        let make = &make;
        self.workers.in_place_scope(|scope| {
            loop {
                for item in items.by_ref().take(most - coming.len()) {
                    let (done, made) = mpsc::sync_channel(1);
                    // Where one could not be taken, no thread waits for it any more.
                    scope.spawn(move |_| drop(done.send(make(item))));
                    coming.push_back(made);
                }
                // Nothing comes of one whose making ended in a panic, which the scope passes on.
                match coming.pop_front().map(|made| made.recv()) {
                    Some(Ok(made)) => take(made)?,
                    Some(Err(_)) | None => return Ok(()),
                }
            }
        })
    }

    /// Does the work in the threads that read content, as [`Threads::work`] does it in all.
    pub fn read<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.readers.as_ref().unwrap_or(&self.workers).install(work)
    }
}

fn threads(number: usize) -> Result<ThreadPool, EngineError> {
    let pool = ThreadPoolBuilder::new().num_threads(number).build();
    pool.map_err(|error| {
        CannotHere::NoThreads {
            number,
            error: error.to_string(),
        }
        .into()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    fn threads() -> Threads {
        let reading = Reading {
            workers: 3,
            readers: 3,
            order: ReadOrder::Inodes,
            abreast: 1,
        };
        Threads::start(reading).expect("threads")
    }

    /// The order is kept however long each takes.
    #[test]
    fn what_is_made_is_taken_in_its_order() {
        let make = |n: u64| {
            std::thread::sleep(std::time::Duration::from_micros(n * 7919 % 300));
            n
        };
        let mut taken = Vec::new();
        let done = threads().make_ahead(0..500, make, |n| {
            taken.push(n);
            Ok::<(), ()>(())
        });
        assert_eq!(done, Ok(()));
        assert!(taken.into_iter().eq(0..500));
    }

    /// At no time is more than a few made ahead for each worker.
    #[test]
    fn what_cannot_be_taken_ends_it() {
        let (made, threads) = (AtomicUsize::new(0), threads());
        let make = |n| {
            made.fetch_add(1, Relaxed);
            n
        };
        let done = threads.make_ahead(0..100_000, make, |n| if n == 10 { Err(n) } else { Ok(()) });
        assert_eq!(done, Err(10));
        let most = 10 + AHEAD * threads.workers();
        assert!(made.load(Relaxed) <= most, "{made:?}");
    }

    #[test]
    #[should_panic(expected = "cannot make 5")]
    fn a_panic_is_passed_on() {
        let make = |n| assert!(n != 5, "cannot make {n}");
        let done = threads().make_ahead(0..9, make, |()| Ok::<(), ()>(()));
        assert_eq!(done, Ok(()));
    }
}
