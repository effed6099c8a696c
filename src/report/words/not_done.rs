//! What a run did not do, counted by code while the outcomes stream by.
//!
//! One count and one example are kept for each code, so memory does not grow with a run; it does where every action is
//! asked for, which is for JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{GuestName, GuestPath, Outcome, Refusal, RefusalKind};

use super::sentence;

/// The code of all that the machine refused.
const FAILED: &str = "failed";

/// So many causes of failures are told apart.
const MOST_CAUSES: usize = 20;

/// Actions that were not done, by code.
#[derive(Debug, Default)]
pub struct NotDone {
    refused: BTreeMap<&'static str, NotDoneKind>,
    /// By what the machine said.
    failed: BTreeMap<String, NotDoneKind>,
    /// Every one of them, where that was asked for.
    listed: Option<Vec<Example>>,
}

/// One code's count, its sentence, and the first action that had it.
#[derive(Debug)]
pub struct NotDoneKind {
    /// What all actions with this code have in common.
    pub sentence: Cow<'static, str>,
    /// How many.
    pub actions: u64,
    /// The first one.
    pub first: Example,
}

/// One action that was not done, and its own facts.
#[derive(Debug, Clone)]
pub struct Example {
    pub code: &'static str,
    pub guest: Option<GuestName>,
    pub path: Option<GuestPath>,
    pub sentence: String,
}

impl NotDone {
    /// Keeps every action that was not done.
    pub fn listing() -> NotDone {
        NotDone {
            listed: Some(Vec::new()),
            ..NotDone::default()
        }
    }

    /// Counts one action's outcome; what was done is counted in the run's totals and not here.
    pub fn take(&mut self, guest: Option<&GuestName>, paths: &[GuestPath], outcome: &Outcome) {
        let example = |code, sentence| Example {
            code,
            guest: guest.cloned(),
            path: paths.first().cloned(),
            sentence,
        };
        match outcome {
            Outcome::Done { .. } | Outcome::AlreadyDone => {}
            Outcome::Refused(why) => {
                self.refuse(why, &|| example(why.code(), sentence::refusal(why)));
            }
            Outcome::Failed(why) => self.fail(why, &|| example(FAILED, sentence::safe(why))),
        }
    }

    /// The sentences of all that was not done, each once.
    pub fn sentences(&self) -> Vec<&str> {
        let kinds = self.refused.values().chain(self.failed.values());
        kinds.map(|kind| &*kind.sentence).collect()
    }

    fn refuse(&mut self, why: &Refusal, example: &dyn Fn() -> Example) {
        self.listed.iter_mut().for_each(|all| all.push(example()));
        let kind = NotDoneKind::new(|| sentence::refusal_kind(why.kind()).into(), example);
        self.refused.entry(why.code()).or_insert_with(kind).more();
    }

    fn fail(&mut self, why: &str, example: &dyn Fn() -> Example) {
        self.listed.iter_mut().for_each(|all| all.push(example()));
        let mut cause = why
            .rsplit_once(": ")
            .map_or(why, |(_, cause)| cause)
            .to_owned();
        if self.failed.len() >= MOST_CAUSES && !self.failed.contains_key(&cause) {
            cause = "other causes".to_owned();
        }
        let kind = NotDoneKind::new(|| sentence::failure(&cause).into(), example);
        self.failed.entry(cause.clone()).or_insert_with(kind).more();
    }

    /// Codes with their kinds; what the machine refused comes last, by what it said.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &NotDoneKind)> {
        let refused = self.refused.iter().map(|(code, kind)| (*code, kind));
        refused.chain(self.failed.values().map(|kind| (FAILED, kind)))
    }

    /// Every action, where they are kept.
    pub fn listed(&self) -> &[Example] {
        self.listed.as_deref().unwrap_or_default()
    }

    /// Was an action refused for this?
    pub fn has(&self, kind: RefusalKind) -> bool {
        self.refused.contains_key(kind.code())
    }
}

impl NotDoneKind {
    fn new(
        sentence: impl FnOnce() -> Cow<'static, str>,
        first: &dyn Fn() -> Example,
    ) -> impl FnOnce() -> NotDoneKind {
        move || NotDoneKind {
            sentence: sentence(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart_by_their_cause() {
        let mut all = NotDone::listing();
        for (n, cause) in [
            (1, "No space left on device"),
            (2, "Operation not permitted"),
            (3, "No space left on device"),
        ] {
            all.take(
                None,
                &[],
                &Outcome::Failed(format!("cannot link /x: {n}: {cause}")),
            );
        }
        let told: Vec<(u64, String)> = all
            .all()
            .map(|(_, kind)| (kind.actions, kind.sentence.to_string()))
            .collect();
        assert_eq!(
            (told.len(), told[0].clone()),
            (2, (2, "No space left on device".to_owned()))
        );
        assert!(
            told[1].1.starts_with("Operation not permitted: "),
            "{told:?}"
        );
        assert_eq!(all.listed().len(), 3);
        for n in 0..100 {
            all.take(None, &[], &Outcome::Failed(format!("cannot: {n}")));
        }
        assert_eq!(all.all().count(), MOST_CAUSES + 1);
    }
}
