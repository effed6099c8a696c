//! What comes before a base's thread answers: what an earlier process was cut off in is healed. Another process may
//! have the turn meanwhile, or hold a lease on what is to be healed: both are waited for, with signs of life.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::leases::{HELD_LEFT, LEASE_PAUSE, patience};
use super::line::queue::WriteQueue;
use super::tell::Tellers;
use super::worker::{Answering, PulseObserver};
use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::healing::breaks::heal_breaks;
use crate::model::Recovered;
use crate::sys::SysError;
use crate::sys::guard::WriteAnswer;
use crate::sys::own::papers::Lock;
use crate::sys::own::turns::TURN_PAUSE;

/// It is said then that the turn is waited for.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// Heals what an earlier process has left, as soon as no lease is in the way. Who has waited for that for too long is
/// denied, and the base is answered for nonetheless when it is done.
pub(super) fn heal_first(
    base: &Base,
    ground: &Answering<'_>,
    queue: &WriteQueue,
    pulse: &(dyn Fn() + Sync),
) -> Result<(), EngineError> {
    let (place, mut is_told) = (base.path().display(), false);
    loop {
        let healed = turn_at_last(base, ground.tellers, queue, pulse)
            .and_then(|_turn| heal_breaks(base, &PulseObserver(pulse)));
        let error = match healed {
            Err(error) if error.is_busy() && !queue.is_over() => error,
            healed => {
                tell_healed(base, ground, &healed?);
                return Ok(());
            }
        };
        if !std::mem::replace(&mut is_told, true) {
            let why = format!("{place}: what was cut off is healed when nobody holds it: {error}");
            ground.tellers.say(&why);
        }
        pulse();
        refuse_late(ground, queue)?;
        std::thread::sleep(LEASE_PAUSE);
    }
}

fn tell_healed(base: &Base, ground: &Answering<'_>, healed: &Recovered) {
    if healed.runs > 0 {
        ground.tellers.say(&format!(
            "{}: finished what an earlier process was cut off in: {} names",
            base.path().display(),
            healed.finished
        ));
    }
}

fn refuse_late(ground: &Answering<'_>, queue: &WriteQueue) -> Result<(), EngineError> {
    let patience = patience();
    for asked in queue.take_late(patience) {
        if let Some(why) = asked.others.refuse(HELD_LEFT) {
            ground.desk.answer(&asked.request, WriteAnswer::Denied)?;
            ground.tellers.lone(&asked.request, asked.asker, &why);
        }
    }
    Ok(())
}

/// Another process may have the turn for hours, where it proves all objects. The base is served once that is over,
/// however late: whoever left it out would leave it out for good.
fn turn_at_last(
    base: &Base,
    tellers: &Tellers<'_>,
    queue: &WriteQueue,
    pulse: &dyn Fn(),
) -> Result<Arc<Lock>, EngineError> {
    let (mut line, since, mut is_told) = (base.turn_line(), Instant::now(), false);
    while !queue.is_over() {
        pulse();
        if let Some(turn) = base.turn_in_line(&mut line)? {
            return Ok(turn);
        }
        if !is_told && since.elapsed() > TOLD_AFTER {
            let path = base.path().display();
            tellers.say(&format!(
                "{path}: waits for another process to be done with it"
            ));
            is_told = true;
        }
        std::thread::sleep(TURN_PAUSE);
    }
    Err(SysError::busy("lock", base.path()).into())
}
