//! The daemon: a thread that takes requests, one for each base that answers, and one that shows that all of them get
//! on.

mod bases;
mod life;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use super::GuarddOptions;
use super::line::asker::Asker;
use super::line::queue::QueuePlace;
use super::request::{OtherBases, TOO_MANY, WriterAsked};
use super::tell::Tellers;
use super::worker::Answering;
use crate::engine::EngineError;
use crate::engine::error::CannotHere;
use crate::engine::host::{lock_note, nothing_learnt};
use crate::engine::privileges::entitled;
use crate::model::{DeniedOnce, FileId, GuardLevel};
use crate::sys::guard::{self, AnswersWriters, Desk, WriteAnswer, WriteRequest};
use crate::sys::host::machine;
use crate::sys::host::service::{Precedence, ServiceManager, precede, watchdog};
use crate::sys::host::signals::Stop;
use crate::sys::host::writer::{ground_of, is_traced};
use crate::sys::own::papers;
use bases::{OpenedBase, ServedBase, ServedBases, gone, opened};
use life::Life;

/// How often a sign of life is given, unless the service manager wants it more often.
const BEAT: Duration = Duration::from_millis(250);

/// How long a request is waited for before something else is looked at; and as long as a base is not ready.
const PATIENCE: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_millis(10);

/// A guard that was loaded anew is seen so soon; until then, those who write are denied.
const AS_LONG_AS_UNASKED: Duration = Duration::from_secs(1);

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
    let desk = desk_of_this_kernel(say)?;
    // The roots of guests are open while writers are answered.
    machine::descriptors();
    let tellers = Tellers::new(say);
    let ground = Answering {
        desk: &*desk,
        options,
        tellers: &tellers,
    };
    let mut last_word = LastWord {
        desk: &*desk,
        is_due: true,
    };
    // Whatever becomes of the bases: who waits for these would wait for ever.
    for held in desk.held()? {
        desk.unhold(&held)?;
    }
    let bases = opened(&options.bases, &tellers)?;
    let life = Life::of(bases.len() + 1);
    thread::scope(|scope| {
        let begun = Daemon::begin(scope, bases, &ground, &life, (stop, precedence));
        let served = begun.and_then(Daemon::serve);
        life.end();
        served
    })?;
    // One that is asked to end is started anew, perhaps.
    last_word.is_due = false;
    Ok(())
}

/// Programs of another version are no use to a daemon of this one, and an upgrade leaves them; so does a load that was
/// cut short.
fn desk_of_this_kernel(
    say: &(dyn Fn(&str) + Sync),
) -> Result<Box<dyn AnswersWriters + Send>, EngineError> {
    let lack = |why: &str| CannotHere::Guard(format!("{why} (`unify guard load`)"));
    if guard::is_mixed() {
        let other = "what is loaded of the guard is of another version of unify, or not whole";
        say(&format!("{other}: this one's takes its place"));
        guard::load(&lock_note("guardd"))
            .map_err(|e| lack(&format!("{other}, and this one's is not loaded: {e}")))?;
    }
    let desk = Desk::open()?;
    Ok(desk.ok_or_else(|| lack("no guard that asks is loaded"))?)
}

struct Daemon<'scope, 'a> {
    ground: &'a Answering<'a>,
    life: &'a Life,
    stop: &'a Stop,
    level: GuardLevel,
    precedence: Precedence,
    bases: ServedBases<'scope>,
    manager: Option<Arc<ServiceManager>>,
    /// When it was seen that it is still asked.
    asked: Instant,
}

impl<'scope, 'a> Daemon<'scope, 'a> {
    /// From here on writers wait: healing and reading may take longer than they wait for a daemon that is silent. Each
    /// base takes their requests at once, and answers as soon as it is ready itself.
    fn begin(
        scope: &'scope Scope<'scope, 'a>,
        opened: Vec<OpenedBase>,
        ground: &'a Answering<'a>,
        life: &'a Life,
        (stop, precedence): (&'a Stop, Precedence),
    ) -> Result<Daemon<'scope, 'a>, EngineError> {
        let manager = ServiceManager::of_this_process()?.map(Arc::new);
        let untried = nothing_learnt(&ground.desk.learn());
        untried.iter().for_each(|line| ground.tellers.say(line));
        let able = ground.desk.ability()?;
        let level = as_asked(able, ground.options.most);
        ground.desk.begin(level)?;
        let beats = manager.clone();
        scope.spawn(move || beat(ground, life, beats.as_deref()));
        Ok(Daemon {
            ground,
            life,
            stop,
            level,
            precedence,
            bases: ServedBases::begin(scope, opened, ground, life),
            manager,
            asked: Instant::now(),
        })
    }

    fn ready(&self) {
        let (bases, word) = (self.bases.served(), word(self.level));
        let before = match self.precedence {
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

    fn serve(mut self) -> Result<(), EngineError> {
        while !self.stop.asked() {
            self.life.pulse(0);
            let patience = match self.bases.begin_still() {
                true => SOON,
                false => PATIENCE,
            };
            if let Some(request) = self.ground.desk.next(patience)? {
                self.hand_over(&request)?;
            }
            self.look_after_bases()?;
            self.is_still_asked()?;
            self.ground.tellers.tell_left_out();
        }
        if let Some(manager) = &self.manager {
            manager.tell("STOPPING=1");
        }
        self.ground.tellers.say("ends");
        Ok(())
    }

    /// Else it would wait for ever for those who ask elsewhere.
    fn is_still_asked(&mut self) -> Result<(), EngineError> {
        if self.asked.elapsed() < AS_LONG_AS_UNASKED {
            return Ok(());
        }
        self.asked = Instant::now();
        if self.ground.desk.is_asked() {
            return Ok(());
        }
        let why = "another guard was loaded, or this one taken out, since this daemon began: start it anew";
        Err(CannotHere::Guard(why.into()).into())
    }

    /// Hears which bases are ready. What was asked of one that is left out is denied.
    fn look_after_bases(&mut self) -> Result<(), EngineError> {
        let (ended, were_ready) = (self.bases.ended(), !self.bases.begin_still());
        for (number, error) in self.bases.hear() {
            self.life.leave(number + 1);
            let (why, asked) = self.bases.leave_out(number, error, self.ground.tellers);
            for one in asked {
                self.refuse(&one, &why)?;
            }
        }
        self.bases.one_left()?;
        self.bases.are_left_out(&ended)?;
        if !were_ready && !self.bases.begin_still() {
            self.ready();
        }
        Ok(())
    }

    /// To every base of its file system: one of them knows the inode. Waits for none of them.
    fn hand_over(&self, request: &WriteRequest) -> Result<(), EngineError> {
        let its: Vec<&ServedBase> = self.bases.that_may_have(request.inode.dev).collect();
        if its.is_empty() {
            let asker = Asker::of(request, &[], &HashMap::new());
            let why = "no base that is served here is on its file system";
            return self.deny(request, asker, why);
        }
        let others = Arc::new(OtherBases::of(its.len()));
        // The number of a process that does not wait may be another's by now.
        let ground: Arc<[FileId]> = match request.waits {
            true => ground_of(request.process, request.inode.dev).into(),
            false => Arc::new([]),
        };
        let once = denied_once(request);
        for base in its {
            let asked = WriterAsked {
                request: request.clone(),
                since: Instant::now(),
                others: Arc::clone(&others),
                ground: Arc::clone(&ground),
                asker: base.queue.asker(request, &ground),
                once,
            };
            if let Some(why) = &base.left_out {
                self.refuse(&asked, why)?;
                continue;
            }
            match base.queue.put(asked) {
                QueuePlace::Waits => {}
                QueuePlace::None(refused) => self.refuse(&refused, TOO_MANY)?,
                QueuePlace::Over => return Err(gone(&base.path)),
            }
        }
        Ok(())
    }

    /// A base does not look at it: it is denied, unless another one knows the inode.
    fn refuse(&self, refused: &WriterAsked, why: &str) -> Result<(), EngineError> {
        match refused.others.refuse(why) {
            Some(why) => self.deny(&refused.request, refused.asker, &why),
            None => Ok(()),
        }
    }

    fn deny(&self, request: &WriteRequest, by: Asker, why: &str) -> Result<(), EngineError> {
        self.ground.desk.answer(request, WriteAnswer::Denied)?;
        self.ground.tellers.lone(request, by, why);
        Ok(())
    }
}

/// What is known of a writer that does not wait.
fn denied_once(request: &WriteRequest) -> Option<DeniedOnce> {
    match request.waits {
        true => None,
        false if is_traced(request.process) => Some(DeniedOnce::Traced),
        false => Some(DeniedOnce::Other),
    }
}

/// Nobody answers after this: who waits is denied at once, by whatever way it ends. A service manager starts a daemon
/// that fails anew without end, and each one would let writers wait a while more.
struct LastWord<'a> {
    desk: &'a dyn AnswersWriters,
    is_due: bool,
}

impl Drop for LastWord<'_> {
    fn drop(&mut self) {
        if self.is_due {
            // Where that fails they wait for as long as for one that is silent.
            drop(self.desk.rest());
        }
    }
}

/// What the kernel is able to do, and no more than is wanted.
fn as_asked(able: GuardLevel, most: Option<GuardLevel>) -> GuardLevel {
    most.map_or(able, |most| able.min(most))
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

/// As long as every thread gets on, both the kernel and the service manager are told so.
fn beat(ground: &Answering<'_>, life: &Life, manager: Option<&ServiceManager>) {
    precede();
    let every = watchdog().map_or(BEAT, |wanted| (wanted / 3).min(BEAT));
    while !life.is_over() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_done_than_can_be_and_is_wanted() {
        use GuardLevel::{DenyFirst, Immutable, RestartBySignal, RestartByTaskWork};
        assert_eq!(as_asked(RestartBySignal, None), RestartBySignal);
        assert_eq!(as_asked(RestartByTaskWork, Some(DenyFirst)), DenyFirst);
        assert_eq!(as_asked(Immutable, Some(DenyFirst)), Immutable);
        assert_eq!(as_asked(DenyFirst, Some(RestartByTaskWork)), DenyFirst);
    }
}
