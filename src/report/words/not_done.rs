//! What a run did not do, counted by code while the outcomes stream by.
//!
//! One count and one example are kept for each code, so memory does not grow with a run.

use std::collections::BTreeMap;

use crate::model::{GuestName, GuestPath, Outcome, Refusal, RefusalKind};

use super::sentence;

/// Actions that were not done, by code.
#[derive(Debug, Default)]
pub struct NotDone {
    refused: BTreeMap<&'static str, NotDoneKind>,
    failed: Option<NotDoneKind>,
}

/// One code's count, its sentence, and the first action that had it.
#[derive(Debug)]
pub struct NotDoneKind {
    /// What all actions with this code have in common.
    pub sentence: &'static str,
    /// How many.
    pub actions: u64,
    /// The first one.
    pub first: Example,
}

/// One action that was not done, and its own facts.
#[derive(Debug)]
pub struct Example {
    pub guest: Option<GuestName>,
    pub path: Option<GuestPath>,
    pub sentence: String,
}

impl NotDone {
    /// Counts one action's outcome; what was done is counted in the run's totals and not here.
    pub fn take(&mut self, guest: Option<&GuestName>, paths: &[GuestPath], outcome: &Outcome) {
        let example = |sentence| Example {
            guest: guest.cloned(),
            path: paths.first().cloned(),
            sentence,
        };
        match outcome {
            Outcome::Done { .. } | Outcome::AlreadyDone => {}
            Outcome::Refused(why) => self.refuse(why, || example(sentence::refusal(why))),
            Outcome::Failed(why) => {
                let kind = NotDoneKind::new("the machine said no", || example(sentence::safe(why)));
                self.failed.get_or_insert_with(kind).more();
            }
        }
    }

    fn refuse(&mut self, why: &Refusal, example: impl FnOnce() -> Example) {
        let kind = NotDoneKind::new(sentence::refusal_kind(why.kind()), example);
        self.refused.entry(why.code()).or_insert_with(kind).more();
    }

    /// Codes with their kinds; what the machine refused comes last.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &NotDoneKind)> {
        let refused = self.refused.iter().map(|(code, kind)| (*code, kind));
        refused.chain(self.failed.iter().map(|kind| ("failed", kind)))
    }

    /// Was an action refused for this?
    pub fn has(&self, kind: RefusalKind) -> bool {
        self.refused.contains_key(kind.code())
    }
}

impl NotDoneKind {
    fn new(
        sentence: &'static str,
        first: impl FnOnce() -> Example,
    ) -> impl FnOnce() -> NotDoneKind {
        move || NotDoneKind {
            sentence,
            actions: 0,
            first: first(),
        }
    }

    fn more(&mut self) {
        self.actions = self.actions.saturating_add(1);
    }
}

impl Example {
    /// `web2:/usr/bin/perl (changed since the plan: ctime)`.
    pub fn text(&self) -> String {
        let guest = self.guest.as_ref().map(|guest| format!("{guest}:"));
        let path = self.path.as_ref().map(|path| format!("{path} "));
        let (guest, path) = (guest.unwrap_or_default(), path.unwrap_or_default());
        format!("{guest}{path}({})", self.sentence)
    }
}
