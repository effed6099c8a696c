//! The bases that are answered for: their threads, and what becomes of those that cannot be served.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};
use std::time::Duration;

use super::life::Life;
use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::activity::base::must_be_ours;
use crate::engine::breaking::background::BackgroundJob;
use crate::engine::breaking::first_healing::heal_first;
use crate::engine::breaking::line::message::Message;
use crate::engine::breaking::line::queue::WriteQueue;
use crate::engine::breaking::request::WriterAsked;
use crate::engine::breaking::tell::Tellers;
use crate::engine::breaking::worker::{Answering, Worker};
use crate::engine::error::CannotHere;
use crate::model::Escaped;
use crate::sys::host::service::precede;

/// A base as it was opened, and the device of its objects; or why it cannot be used.
pub(super) struct OpenedBase {
    path: PathBuf,
    opened: Result<(Base, u64), String>,
}

/// All that can be used; the others are named, and those are answered for. With none left there is nothing to answer
/// for.
pub(super) fn opened(
    paths: &[PathBuf],
    tellers: &Tellers<'_>,
) -> Result<Vec<OpenedBase>, EngineError> {
    let mut bases: Vec<OpenedBase> = Vec::new();
    let mut refused = None;
    for path in paths {
        let opened = match usable(path) {
            Ok((base, _)) if bases.iter().any(|other| other.path == base.path()) => continue,
            Ok(opened) => Ok(opened),
            Err(error) => {
                let why = left_out(&Escaped::of(path).to_string(), &error, tellers);
                refused = Some(error);
                Err(why)
            }
        };
        let path = opened
            .as_ref()
            .map_or(path.clone(), |(base, _)| base.path().to_owned());
        bases.push(OpenedBase { path, opened });
    }
    match refused.filter(|_| bases.iter().all(|base| base.opened.is_err())) {
        Some(refused) => Err(refused),
        None => Ok(bases),
    }
}

fn usable(path: &Path) -> Result<(Base, u64), EngineError> {
    let base = Base::existing(path)?;
    must_be_ours(&base)?;
    let device = base.dir().state()?.id.dev;
    Ok((base, device))
}

fn left_out(base: &str, error: &EngineError, tellers: &Tellers<'_>) -> String {
    let why = format!("{base} is left out: {error}");
    tellers.say(&why);
    why
}

/// Nobody takes its requests any more.
pub(super) fn gone(base: &str) -> EngineError {
    CannotHere::Guard(format!("the thread of {base} has ended")).into()
}

/// A base, and its thread.
pub(super) struct ServedBase<'scope> {
    /// As it is said.
    pub path: String,
    /// Device of its objects; `None` where it could not be opened.
    device: Option<u64>,
    pub queue: Arc<WriteQueue>,
    /// Why nobody answers for it.
    pub left_out: Option<String>,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
}

/// All of them.
pub(super) struct ServedBases<'scope> {
    bases: Vec<ServedBase<'scope>>,
    /// How many have not said yet whether they are ready.
    begin: usize,
    readiness: Receiver<Readiness>,
    /// Why the last one was left out.
    refused: Option<EngineError>,
}

impl<'scope> ServedBases<'scope> {
    /// Begins a thread for each.
    pub fn begin<'a>(
        scope: &'scope Scope<'scope, 'a>,
        opened: Vec<OpenedBase>,
        ground: &'a Answering<'a>,
        life: &'a Life,
    ) -> ServedBases<'scope> {
        let (ready, readiness) = channel();
        let (mut bases, mut begin) = (Vec::new(), 0);
        for (number, one) in opened.into_iter().enumerate() {
            let mut served = ServedBase {
                path: Escaped::of(&one.path).to_string(),
                device: None,
                queue: Arc::default(),
                left_out: None,
                thread: None,
            };
            match one.opened {
                Ok((base, device)) => {
                    let (queue, ready) = (Arc::clone(&served.queue), ready.clone());
                    served.device = Some(device);
                    served.thread = Some(scope.spawn(move || {
                        precede();
                        let pulse = Box::new(move || life.pulse(number + 1));
                        serve(scope, base, ground, &queue, (number, &ready), pulse);
                    }));
                    begin += 1;
                }
                Err(why) => {
                    life.leave(number + 1);
                    served.left_out = Some(why);
                }
            }
            bases.push(served);
        }
        ServedBases {
            bases,
            begin,
            readiness,
            refused: None,
        }
    }

    /// Is one not ready yet?
    pub fn begin_still(&self) -> bool {
        self.begin > 0
    }

    /// How many are answered for.
    pub fn served(&self) -> usize {
        self.bases
            .iter()
            .filter(|base| base.left_out.is_none())
            .count()
    }

    /// Those that may have an object on this device.
    pub fn that_may_have(&self, device: u64) -> impl Iterator<Item = &ServedBase<'scope>> {
        let its = move |base: &&ServedBase<'_>| base.device.is_none_or(|its| its == device);
        self.bases.iter().filter(its)
    }

    /// Those that cannot be begun, as far as that is known by now.
    pub fn hear(&mut self) -> Vec<(usize, EngineError)> {
        let mut failed = Vec::new();
        while let Ok((number, begun)) = self.readiness.try_recv() {
            self.begin -= 1;
            failed.extend(begun.err().map(|error| (number, error)));
        }
        failed
    }

    /// Nobody answers for it. Gives what is to be said of that, and what was asked of it.
    pub fn leave_out(
        &mut self,
        number: usize,
        error: EngineError,
        tellers: &Tellers<'_>,
    ) -> (String, Vec<WriterAsked>) {
        let mut asked = Vec::new();
        let Some(base) = self.bases.get_mut(number) else {
            return (error.to_string(), asked);
        };
        let why = left_out(&base.path, &error, tellers);
        base.left_out = Some(why.clone());
        self.refused = Some(error);
        while let Some(message) = base.queue.next(Duration::ZERO) {
            if let Message::Asked(one) = message {
                asked.push(one);
            }
        }
        (why, asked)
    }

    /// With none left there is nothing to answer for.
    pub fn one_left(&mut self) -> Result<(), EngineError> {
        match self.served() {
            0 => self.refused.take().map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }

    /// Those whose threads have ended.
    pub fn ended(&self) -> Vec<usize> {
        let bases = self.bases.iter().enumerate();
        let ended = bases.filter(|(_, base)| {
            let thread = base.thread.as_ref().filter(|_| base.left_out.is_none());
            thread.is_some_and(ScopedJoinHandle::is_finished)
        });
        ended.map(|(number, _)| number).collect()
    }

    /// A thread ends where its base is left out, and for no other reason.
    pub fn are_left_out(&self, ended: &[usize]) -> Result<(), EngineError> {
        let mut ended = ended.iter().filter_map(|number| self.bases.get(*number));
        match ended.find(|base| base.left_out.is_none()) {
            Some(base) => Err(gone(&base.path)),
            None => Ok(()),
        }
    }
}

impl Drop for ServedBases<'_> {
    fn drop(&mut self) {
        for base in &self.bases {
            base.queue.tell(Message::End);
            // One that is read still is read no further.
            base.queue.close();
        }
    }
}

/// The number of a base, and that it has begun or why not.
type Readiness = (usize, Result<(), EngineError>);

/// The thread of one base.
fn serve<'scope, 'a>(
    scope: &'scope Scope<'scope, 'a>,
    base: Base,
    ground: &'a Answering<'a>,
    queue: &Arc<WriteQueue>,
    (number, ready): (usize, &Sender<Readiness>),
    pulse: Box<dyn Fn() + Sync + 'a>,
) {
    let healed = heal_first(&base, ground, queue, &*pulse);
    let begun = healed.and_then(|()| Worker::begin(base, ground, Arc::clone(queue), pulse));
    let mut worker = match begun {
        Ok(worker) => {
            drop(ready.send((number, Ok(()))));
            worker
        }
        Err(error) => return drop(ready.send((number, Err(error)))),
    };
    let begin = |job: BackgroundJob| {
        let may_be_left = job.may_be_left();
        let job = Arc::new(Mutex::new(Some(job)));
        let (theirs, its_queue) = (Arc::clone(&job), Arc::clone(queue));
        let work = move || {
            if let Some(job) = taken(&theirs) {
                job.run_apart(&its_queue);
            }
        };
        let begun = match may_be_left {
            true => Builder::new().spawn(work).map(drop),
            false => Builder::new().spawn_scoped(scope, work).map(drop),
        };
        // Where guests have all threads that there may be, it is done here, and this thread stays what it is.
        if begun.is_err()
            && let Some(job) = taken(&job)
        {
            job.run(queue);
        }
    };
    if let Err(error) = worker.serve(&begin) {
        ground.tellers.say(&error.to_string());
    }
}

fn taken(job: &Mutex<Option<BackgroundJob>>) -> Option<BackgroundJob> {
    job.lock().unwrap_or_else(PoisonError::into_inner).take()
}
