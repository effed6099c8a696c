//! `unify apply --dry-run`

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::cli::args::{OutputArgs, this_command_for_real};
use crate::cli::terminal::exit::{Exit, Failure, say};
use crate::cli::terminal::screen::Screen;
use crate::cli::terminal::voice::tell_fitted;
use crate::engine::{ApplyOptions, PlanFile, rehearse, stop_on_signals};
use crate::model::{Event, Observer};
use crate::report::rehearsal::{self, RehearsalView};
use crate::report::words::left_open;
use crate::rules::selectors::Selection;

pub(super) fn run(
    plan: &mut PlanFile,
    selection: &Selection,
    options: ApplyOptions,
    output: OutputArgs,
) -> Result<Exit, Failure> {
    let listing = RefusalList::new(output.json);
    let stop = stop_on_signals()?;
    let found = match rehearse(plan, selection, options, &listing, &stop) {
        Ok(found) => found,
        Err(error) => return Err(listing.ends(error.into())),
    };
    let open = left_open::warnings(found.unflagged, found.protect);
    open.iter().for_each(|line| say(line));
    let RefusalList { screen, written } = listing;
    let (unread, not_done) = (screen.has_unread(), screen.not_done());
    let totals = &found.result.totals;
    let command = this_command_for_real();
    let view = RehearsalView {
        command: &command,
        totals,
        promised: &found.promised,
        left_out: found.left_out,
        is_read_only: found.is_read_only,
        is_whole: totals.stopped.is_none(),
        not_done: &not_done,
    };
    let exit = match () {
        () if found.result.interrupted => Exit::stopped(&stop),
        () if totals.refused + totals.failed > 0 || found.result.limit.is_some() => Exit::InPart,
        () => Exit::Done.if_all_read(unread),
    };
    match written {
        Some(written) => {
            let written = written.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut out = io::stdout().lock();
            written.finish(&mut out)?;
            rehearsal::end_json(&view, &mut out)?;
        }
        None => tell_fitted(exit, false, |_, out| {
            rehearsal::text(&view, output.sizes(), out)
        })?,
    }
    Ok(exit)
}

/// The screen, and every line that would not be done as JSON: there may be as many as the plan has, and none is held.
struct RefusalList {
    screen: Screen,
    written: Option<Mutex<Written>>,
}

/// What stands on standard output so far.
#[derive(Default)]
struct Written {
    lines: u64,
    /// The first error: the work goes on, and it is reported in the end.
    failed: Option<io::Error>,
}

impl RefusalList {
    fn new(json: bool) -> RefusalList {
        RefusalList {
            screen: Screen::rehearsing(),
            written: json.then(Mutex::default),
        }
    }
}

impl RefusalList {
    /// Ends what stands on standard output so far, where anything does.
    fn ends(self, failure: Failure) -> Failure {
        let written = self.written.map(Mutex::into_inner);
        let written = written.map(|written| written.unwrap_or_else(PoisonError::into_inner));
        match written {
            Some(Written {
                lines: 1..,
                failed: None,
            }) => failure.ends(&mut io::stdout().lock()),
            _ => failure,
        }
    }
}

impl Written {
    fn line(&mut self, event: &Event<'_>) {
        let Event::NotDone(guest, paths, outcome) = event else {
            return;
        };
        if self.failed.is_some() {
            return;
        }
        let mut out = io::stdout().lock();
        let begun = match self.lines {
            0 => rehearsal::begin_json(&mut out),
            _ => Ok(()),
        };
        let first = self.lines == 0;
        let written =
            begun.and_then(|()| rehearsal::line_json(first, *guest, paths, outcome, &mut out));
        self.failed = written.err();
        self.lines += 1;
    }

    fn finish(self, out: &mut dyn Write) -> io::Result<()> {
        match (self.failed, self.lines) {
            (Some(error), _) => Err(error),
            (None, 0) => rehearsal::begin_json(out),
            (None, _) => Ok(()),
        }
    }
}

impl Observer for RefusalList {
    fn notice(&self, event: &Event<'_>) {
        self.screen.notice(event);
        if let Some(written) = &self.written {
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.line(event);
        }
    }
}
