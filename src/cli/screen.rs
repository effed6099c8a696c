//! The observer of the core: bars on a terminal, warnings and refusals as lines, everything on standard error.

use std::io::{self, IsTerminal};
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressStyle};

use super::exit::say;
use crate::model::{Event, GuestName, GuestPath, Observer, Outcome, Stage};
use crate::report::run::NotDone;
use crate::report::sentence;

/// Refusals that are shown one by one; the receipt has them all.
const MOST_SHOWN: usize = 20;

/// Draws and collects.
pub(super) struct Screen {
    state: Mutex<State>,
    bars: bool,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    not_done: NotDone,
    shown: usize,
}

impl Screen {
    pub fn new() -> Screen {
        // A CI job's pseudo-terminal turns a bar into thousands of lines.
        let bars = io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        Screen {
            state: Mutex::new(State::default()),
            bars,
        }
    }

    /// What was refused and failed so far.
    pub fn not_done(self) -> NotDone {
        self.state
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .not_done
    }
}

impl Observer for Screen {
    fn notice(&self, event: &Event<'_>) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Begin(stage, total) if self.bars => state.bar = Some(bar(*stage, *total)),
            Event::Advance(_, steps) => state.bar.iter().for_each(|bar| bar.inc(*steps)),
            Event::End(_) => state
                .bar
                .take()
                .iter()
                .for_each(ProgressBar::finish_and_clear),
            Event::Warning(text) => state.line(&format!("unify: {}", sentence::safe(text))),
            Event::NotDone(guest, paths, outcome) => state.not_done(*guest, paths, outcome),
            Event::Begin(..) => {}
        }
    }
}

impl State {
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(text)),
            None => say(text),
        }
    }

    fn not_done(&mut self, guest: Option<&GuestName>, paths: &[GuestPath], outcome: &Outcome) {
        self.not_done.take(guest, paths, outcome);
        self.shown += 1;
        if self.shown > MOST_SHOWN {
            return;
        }
        let guest = guest.map(|guest| format!("{guest}:")).unwrap_or_default();
        let path = paths.first().map(ToString::to_string).unwrap_or_default();
        self.line(&format!("  {guest}{path}: {}", sentence::outcome(outcome)));
        if self.shown == MOST_SHOWN {
            self.line("  … more; the receipt in the base has them all");
        }
    }
}

fn bar(stage: Stage, total: Option<u64>) -> ProgressBar {
    let (name, unit) = match stage {
        Stage::Scan => ("scan", "{human_pos} names"),
        Stage::Hash => ("read", "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}"),
        Stage::ReadPlan => ("check the plan", ""),
        Stage::Apply => ("apply", "{bar:30} {human_pos}/{human_len} {per_sec}"),
        Stage::Verify => ("verify", "{human_pos} lines"),
    };
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    match ProgressStyle::with_template(&format!("{{spinner}} {name} {unit}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
