//! Lines of a plan, read and decoded in a thread of its own while those before them are worked on.
//!
//! Some lines are taken at a time: memory does not grow with the plan. A plan of few lines needs no thread, and
//! is read by the thread that asks for it.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, scope};

use super::EngineError;
use crate::ledger::{PlanError, PlanReader};
use crate::model::Action;

/// Lines that are handed over at once.
pub(super) const STRETCH: usize = 1024;

/// Lines that come one by one.
pub(super) trait ActionLines {
    /// The next one; `None` after the last.
    fn next_line(&mut self) -> Result<Option<Action>, PlanError>;
}

impl<R: BufRead> ActionLines for PlanReader<R> {
    fn next_line(&mut self) -> Result<Option<Action>, PlanError> {
        Ok(self.next_action()?.map(|(_, line)| line.action))
    }
}

/// Lines, or why there are none.
type ReadLines = Result<Vec<Action>, PlanError>;

/// Takes lines, and says when it has enough.
type Take<'a> = dyn FnMut(Vec<Action>) -> Result<ControlFlow<()>, EngineError> + 'a;

/// Hands out all actions in their order. Where a line is no plan's, the lines before it may not have been handed
/// out when that is reported.
pub(super) fn stretches(
    lines: &mut (dyn ActionLines + Send),
    take: &mut Take<'_>,
) -> Result<(), EngineError> {
    loop {
        let stretch = stretch(lines)?;
        let last = is_last(&stretch);
        if take(stretch)?.is_break() || last {
            return Ok(());
        }
        if read_ahead(lines, take)? {
            return Ok(());
        }
    }
}

/// Reads the rest in a thread; returns false where this process may have none.
fn read_ahead(
    lines: &mut (dyn ActionLines + Send),
    take: &mut Take<'_>,
) -> Result<bool, EngineError> {
    scope(|scope| {
        let (sender, receiver) = sync_channel(1);
        let read = move || send_all(lines, &sender);
        let thread = Builder::new().name("reader".into());
        if thread.spawn_scoped(scope, read).is_err() {
            return Ok(false);
        }
        for lines in receiver {
            if take(lines?)?.is_break() {
                break;
            }
        }
        Ok(true)
    })
}

/// Sends lines until the last one, the first error, or until the receiver is gone.
fn send_all(lines: &mut dyn ActionLines, to: &SyncSender<ReadLines>) {
    loop {
        let stretch = stretch(lines);
        let last = stretch.as_ref().map_or(true, |lines| is_last(lines));
        if to.send(stretch).is_err() || last {
            return;
        }
    }
}

fn stretch(lines: &mut dyn ActionLines) -> ReadLines {
    let mut stretch = Vec::new();
    while stretch.len() < STRETCH {
        match lines.next_line()? {
            Some(action) => stretch.push(action),
            None => break,
        }
    }
    Ok(stretch)
}

fn is_last(lines: &[Action]) -> bool {
    lines.len() < STRETCH
}
