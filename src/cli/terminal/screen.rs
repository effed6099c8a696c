//! The observer of the core: bars on a terminal, warnings and refusals as lines, everything on standard error.
//!
//! Nothing is written while guests are frozen: a terminal that was paused, or a pipe that no process reads, would
//! keep them so. It is written when they run again, or when the screen is dropped, which is when the run is over.

use std::collections::HashSet;
use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::exit::say;
use super::manner::manner;
use crate::model::{Event, GuestName, GuestPath, Observer, Outcome, Stage, Unit};
use crate::report::layout::size::count;
use crate::report::run::NotDone;
use crate::report::words::sentence;

/// Refusals that are shown one by one; the receipt has them all.
const MOST_SHOWN: usize = 20;
const MORE: usize = MOST_SHOWN + 1;

/// Seconds after which an estimate is worth something.
const SEEN_ENOUGH: u64 = 3;

/// Draws and collects.
pub struct Screen {
    state: Mutex<State>,
    bars: bool,
    /// Where refusals are listed that are not shown.
    all: &'static str,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    not_done: NotDone,
    shown: usize,
    /// Was there an input that could not be read?
    unread: bool,
    /// Guests of which something was said that holds for all names in them.
    said: HashSet<String>,
    /// Are guests frozen?
    hushed: bool,
    /// What is to be written when they run again.
    unsaid: Vec<String>,
    /// How far the bar came meanwhile.
    steps: u64,
}

impl Screen {
    pub fn new() -> Screen {
        // A CI job's pseudo-terminal turns a bar into thousands of lines.
        let bars =
            io::stderr().is_terminal() && std::env::var_os("CI").is_none() && !manner().quiet;
        let not_done = match manner().json {
            true => NotDone::listing(),
            false => NotDone::default(),
        };
        let state = State {
            not_done,
            ..State::default()
        };
        Screen {
            state: Mutex::new(state),
            bars,
            all: "the receipt in the base has them all",
        }
    }

    /// For a run that changes nothing, and has no receipt.
    pub fn rehearsing() -> Screen {
        let mut screen = Screen::new();
        screen.all = "--json lists them all";
        // Its lines are written as they come, and not kept.
        screen.state().not_done = NotDone::default();
        screen
    }

    /// Was there an input that could not be read, and that the work went on without?
    pub fn has_unread(&self) -> bool {
        self.state().unread
    }

    /// What was refused and failed so far.
    pub fn not_done(self) -> NotDone {
        std::mem::take(&mut self.state().not_done)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Screen {
    fn notice(&self, event: &Event<'_>) {
        let mut state = self.state();
        match event {
            Event::Begin(stage, unit, total) if self.bars => {
                state.bar = Some(bar(*stage, *unit, *total));
            }
            Event::Advance(steps) => state.advance(*steps),
            Event::End => state
                .bar
                .take()
                .iter()
                .for_each(ProgressBar::finish_and_clear),
            Event::Warning(text) => state.line(&format!("unify: {}", sentence::safe(text))),
            Event::Unread(text) => {
                state.unread = true;
                state.line(&format!("unify: {}", sentence::safe(text)));
            }
            Event::NotDone(guest, paths, outcome) => {
                state.not_done(*guest, paths, outcome, self.all);
            }
            Event::Frozen => state.hushed = true,
            Event::GoOn => state.speak(),
            Event::Begin(..) => {}
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.state().speak();
    }
}

impl State {
    fn speak(&mut self) {
        self.hushed = false;
        for text in std::mem::take(&mut self.unsaid) {
            self.line(&text);
        }
        let steps = std::mem::take(&mut self.steps);
        self.advance(steps);
    }

    fn advance(&mut self, steps: u64) {
        match &self.bar {
            _ if self.hushed => self.steps += steps,
            Some(bar) if steps > 0 => bar.inc(steps),
            _ => {}
        }
    }

    fn line(&mut self, text: &str) {
        match &self.bar {
            _ if self.hushed => self.unsaid.push(text.to_owned()),
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn not_done(
        &mut self,
        guest: Option<&GuestName>,
        paths: &[GuestPath],
        outcome: &Outcome,
        all: &str,
    ) {
        self.not_done.take(guest, paths, outcome);
        let guest = guest.map(|guest| format!("{guest}:")).unwrap_or_default();
        let path = paths.first().map(ToString::to_string).unwrap_or_default();
        let sentence = sentence::outcome(outcome);
        let line = if outcome.is_of_guest() {
            format!("  {guest} {sentence}; this holds for all its names")
        } else {
            format!("  {guest}{path}: {sentence}")
        };
        if outcome.is_of_guest() && !self.said.insert(guest) {
            return;
        }
        self.shown += 1;
        match self.shown {
            0..=MOST_SHOWN => self.line(&line),
            MORE => self.line(&format!("  … more; {all}")),
            _ => {}
        }
    }
}

fn bar(stage: Stage, unit: Unit, total: Option<u64>) -> ProgressBar {
    let name = match stage {
        Stage::Scan => "scan",
        Stage::Hash => "read",
        Stage::ReadPlan => "check the plan",
        Stage::Clone => "copy",
        Stage::Apply => "apply",
        Stage::Compare => "compare",
        Stage::Verify | Stage::Scrub => "verify",
    };
    let progress = match unit {
        Unit::Nothing => "",
        Unit::Names => "{human_pos} names",
        Unit::Bytes => "{bar:30} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {left}",
        Unit::Lines => "{human_pos} lines",
        Unit::Actions | Unit::Files => "{bar:30} {human_pos}/{human_len} {rate} {left}",
        Unit::Objects => "{human_pos} objects",
    };
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    match ProgressStyle::with_template(&format!("{{spinner}} {name} {progress}")) {
        Ok(style) => bar.with_style(style.with_key("rate", rate).with_key("left", left)),
        Err(_) => bar,
    }
}

/// `862/s`: no part of a file is ever done.
fn rate(state: &ProgressState, out: &mut dyn Write) {
    write!(out, "{}/s", count(state.per_sec() as u64)).ok();
}

/// `2m left`, once it has been seen how fast it goes.
fn left(state: &ProgressState, out: &mut dyn Write) {
    let eta = state.eta().as_secs();
    if state.elapsed().as_secs() < SEEN_ENOUGH || state.pos() == 0 {
        return;
    }
    let (number, unit) = match eta {
        0..120 => (eta, "s"),
        120..7200 => (eta / 60, "m"),
        _ => (eta / 3600, "h"),
    };
    write!(out, "{number}{unit} left").ok();
}
