//! The daemon: a thread that takes requests, one for each base that answers, and one that shows that all of them get
//! on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::GuarddOptions;
use super::background::BackgroundJob;
use super::line::message::Message;
use super::line::queue::{QueuePlace, WriteQueue};
use super::request::{OtherBases, WriterAsked};
use super::tell::Tellers;
use super::worker::{Answering, Worker};
use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::activity::base::must_be_ours;
use crate::engine::error::CannotHere;
use crate::engine::host::lock_note;
use crate::engine::privileges::entitled;
use crate::model::{Escaped, GuardLevel, Quiet};
use crate::sys::guard::{Desk, WriteAnswer, WriteRequest};
use crate::sys::host::service::{Precedence, ServiceManager, precede, watchdog};
use crate::sys::host::signals::Stop;
use crate::sys::host::writer::ground_of;
use crate::sys::own::papers;

/// How often a sign of life is given, unless the service manager wants it more often.
const BEAT: Duration = Duration::from_millis(250);

/// So long a thread may not get on before no sign of life is given any more: a copy of a large file takes its time.
const SILENT: Duration = Duration::from_secs(600);

/// Answers writers of shared files until a signal asks it to end.
pub fn answer_writers(
    options: &GuarddOptions,
    say: &(dyn Fn(&str) + Sync),
    stop: &Stop,
) -> Result<(), EngineError> {
    entitled("guardd", "it gives guests' files owners and attributes")?;
    // Those who wait for a daemon that was killed take the processor meanwhile.
    let precedence = precede();
    let seat = Desk::seat();
    let _seat = papers::lock(&seat, &lock_note("guardd"))?.map_err(|holder| {
        let (lock, holder) = (seat, holder.trim().to_owned());
        EngineError::AnsweredAlready { lock, holder }
    })?;
    let desk = Desk::open()?.ok_or_else(|| {
        CannotHere::Guard("no guard that asks is loaded (`unify guard load`)".into())
    })?;
    let tellers = Tellers::new(say);
    let ground = Answering {
        desk: &*desk,
        options,
        tellers: &tellers,
        observer: &Quiet,
    };
    // Whatever becomes of the bases: who waits for these would wait for ever.
    for held in desk.held()? {
        desk.unhold(&held)?;
    }
    let bases = opened(&options.bases, &tellers)?;
    let life = Life::of(bases.len() + 1);
    thread::scope(|scope| {
        let begun = Daemon::begin(scope, bases, &ground, &life, stop);
        let served = begun.and_then(|daemon| {
            daemon.ready(precedence);
            daemon.serve()
        });
        life.end.store(true, Ordering::Release);
        served
    })
}

/// All that can be used; the others are named, and those are answered for.
fn opened(paths: &[PathBuf], tellers: &Tellers<'_>) -> Result<Vec<Base>, EngineError> {
    let mut bases: Vec<Base> = Vec::new();
    let mut refused = None;
    for path in paths {
        match usable(path) {
            Ok(base) if bases.iter().any(|other| other.path() == base.path()) => {}
            Ok(base) => bases.push(base),
            Err(error) => refused = Some(left_out(path, error, tellers)),
        }
    }
    one_left(bases, refused)
}

fn usable(path: &Path) -> Result<Base, EngineError> {
    let base = Base::existing(path)?;
    must_be_ours(&base)?;
    Ok(base)
}

fn left_out(base: &Path, error: EngineError, tellers: &Tellers<'_>) -> EngineError {
    tellers.say(&format!("{} is left out: {error}", Escaped::of(base)));
    error
}

/// With none left there is nothing to answer for.
fn one_left<T>(left: Vec<T>, refused: Option<EngineError>) -> Result<Vec<T>, EngineError> {
    match refused.filter(|_| left.is_empty()) {
        Some(refused) => Err(refused),
        None => Ok(left),
    }
}

/// When each thread got on last, in milliseconds since the start, and whether all is over.
struct Life {
    start: Instant,
    pulses: Vec<AtomicU64>,
    end: AtomicBool,
}

impl Life {
    fn of(threads: usize) -> Life {
        Life {
            start: Instant::now(),
            pulses: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            end: AtomicBool::new(false),
        }
    }

    fn pulse(&self, thread: usize) {
        if let Some(pulse) = self.pulses.get(thread) {
            pulse.store(self.now(), Ordering::Relaxed);
        }
    }

    /// This thread is no more, and nothing is wrong.
    fn leave(&self, thread: usize) {
        if let Some(pulse) = self.pulses.get(thread) {
            pulse.store(u64::MAX, Ordering::Relaxed);
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_well(&self) -> bool {
        let (now, most) = (self.now(), SILENT.as_millis() as u64);
        let mut pulses = self.pulses.iter();
        pulses.all(|pulse| now.saturating_sub(pulse.load(Ordering::Relaxed)) < most)
    }
}

/// A base's thread.
struct Served {
    device: u64,
    queue: Arc<WriteQueue>,
}

struct Daemon<'a> {
    ground: &'a Answering<'a>,
    life: &'a Life,
    stop: &'a Stop,
    level: GuardLevel,
    bases: Vec<Served>,
    manager: Option<Arc<ServiceManager>>,
}

impl<'a> Daemon<'a> {
    /// Ready when every base has been healed and read, or left out.
    fn begin<'scope>(
        scope: &'scope Scope<'scope, 'a>,
        bases: Vec<Base>,
        ground: &'a Answering<'a>,
        life: &'a Life,
        stop: &'a Stop,
    ) -> Result<Daemon<'a>, EngineError> {
        let manager = ServiceManager::of_this_process()?.map(Arc::new);
        let able = ground.desk.ability()?;
        let level = ground.options.most.map_or(able, |most| able.min(most));
        // From here on writers wait: healing and reading may take longer than they wait for a daemon that is silent.
        ground.desk.begin(level)?;
        let beats = manager.clone();
        scope.spawn(move || beat(ground, life, beats.as_deref()));
        let (mut served, mut refused) = (Vec::new(), None);
        for (number, base) in bases.into_iter().enumerate() {
            let path = base.path().to_owned();
            let (ready, readiness) = channel();
            let queue = Arc::new(WriteQueue::default());
            let its = Arc::clone(&queue);
            scope.spawn(move || {
                precede();
                let pulse = Box::new(move || life.pulse(number + 1));
                serve(scope, base, ground, its, &ready, pulse);
            });
            let gone = || gone(&Escaped::of(&path).to_string());
            match readiness.recv().unwrap_or_else(|_| Err(gone())) {
                Ok(device) => served.push(Served { device, queue }),
                Err(error) => {
                    life.leave(number + 1);
                    refused = Some(left_out(&path, error, ground.tellers));
                }
            }
        }
        Ok(Daemon {
            ground,
            life,
            stop,
            level,
            bases: one_left(served, refused)?,
            manager,
        })
    }

    fn ready(&self, precedence: Precedence) {
        let (bases, word) = (self.bases.len(), word(self.level));
        let before = match precedence {
            Precedence::Realtime => "before all other threads (SCHED_FIFO)",
            Precedence::Nice => "at nice -20",
            Precedence::None => {
                "at no raised priority, so that a writer of a higher one delays its own answer"
            }
        };
        let tellers = self.ground.tellers;
        tellers.say(&format!("ready: {bases} bases, {word}, {before}"));
        if let Some(manager) = &self.manager {
            manager.tell("READY=1");
        }
    }

    fn serve(self) -> Result<(), EngineError> {
        while !self.stop.asked() {
            self.life.pulse(0);
            if let Some(request) = self.ground.desk.next(Duration::from_millis(200))? {
                self.hand_over(&request)?;
            }
        }
        if let Some(manager) = &self.manager {
            manager.tell("STOPPING=1");
        }
        self.ground.tellers.say("ends");
        Ok(())
    }

    /// To every base of its file system: one of them knows the inode. Waits for none of them.
    fn hand_over(&self, request: &WriteRequest) -> Result<(), EngineError> {
        let its = self
            .bases
            .iter()
            .filter(|base| base.device == request.inode.dev);
        let its: Vec<&Served> = its.collect();
        if its.is_empty() {
            return self.deny(request, "no base that is served here is on its file system");
        }
        let others = Arc::new(OtherBases::of(its.len()));
        // The number of a process that does not wait may be another's by now.
        let ground = match request.waits {
            true => ground_of(request.process, request.inode.dev),
            false => Vec::new(),
        };
        for base in its {
            let asked = WriterAsked {
                request: request.clone(),
                since: Instant::now(),
                others: Arc::clone(&others),
                asker: base.queue.asker(request, &ground),
            };
            match base.queue.put(asked) {
                QueuePlace::Waits => {}
                QueuePlace::None(refused) => self.refuse(&refused)?,
                QueuePlace::Over => return Err(gone("a base")),
            }
        }
        Ok(())
    }

    /// Whoever asks for more than is kept for him is denied, unless another base knows the inode.
    fn refuse(&self, refused: &WriterAsked) -> Result<(), EngineError> {
        match refused.others.refuse() {
            Some(why) => self.deny(&refused.request, why),
            None => Ok(()),
        }
    }

    fn deny(&self, request: &WriteRequest, why: &str) -> Result<(), EngineError> {
        self.ground.desk.answer(request, WriteAnswer::Denied)?;
        self.ground.tellers.lone(request, why);
        Ok(())
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        for base in &self.bases {
            base.queue.tell(Message::End);
        }
    }
}

fn gone(base: &str) -> EngineError {
    CannotHere::Guard(format!("the thread of {base} has ended")).into()
}

/// What a writer meets.
fn word(level: GuardLevel) -> &'static str {
    match level {
        GuardLevel::Immutable => "writes are denied, and nothing more",
        GuardLevel::DenyFirst => "a first write is denied, and the next one succeeds",
        GuardLevel::RestartBySignal => "writes wait for a copy (by a signal that does nothing)",
        GuardLevel::RestartByTaskWork => "writes wait for a copy",
    }
}

/// The thread of one base.
fn serve<'scope, 'a>(
    scope: &'scope Scope<'scope, 'a>,
    base: Base,
    ground: &'a Answering<'a>,
    queue: Arc<WriteQueue>,
    ready: &Sender<Result<u64, EngineError>>,
    pulse: Box<dyn Fn() + 'a>,
) {
    let begun = Worker::begin(base, ground, Arc::clone(&queue), pulse);
    let begun = begun.and_then(|worker| Ok((worker.device()?, worker)));
    let mut worker = match begun {
        Ok((device, worker)) => {
            drop(ready.send(Ok(device)));
            worker
        }
        Err(error) => return drop(ready.send(Err(error))),
    };
    let begin = |job: BackgroundJob| {
        let queue = Arc::clone(&queue);
        scope.spawn(move || job.run(&queue));
    };
    if let Err(error) = worker.serve(&begin) {
        ground.tellers.say(&error.to_string());
    }
}

/// As long as every thread gets on, both the kernel and the service manager are told so.
fn beat(ground: &Answering<'_>, life: &Life, manager: Option<&ServiceManager>) {
    precede();
    let every = watchdog().map_or(BEAT, |wanted| (wanted / 3).min(BEAT));
    while !life.end.load(Ordering::Acquire) {
        if life.is_well() {
            if let Err(error) = ground.desk.beat() {
                ground.tellers.say(&error.to_string());
            }
            if let Some(manager) = manager {
                manager.tell("WATCHDOG=1");
            }
        }
        thread::sleep(every);
    }
}
