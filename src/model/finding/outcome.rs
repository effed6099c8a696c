//! What a check came to.

use std::collections::BTreeMap;

use super::{CheckRule, Finding, FindingFacts, FindingLevel, FindingPlace};
use crate::model::{Digest, GuestName};

/// A finding that counts, as the policy weighs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedFinding {
    /// What was found.
    pub finding: Finding,
    /// How much it weighs.
    pub level: FindingLevel,
    /// What it is known by in a baseline: the same for the same finding on another machine, in another directory, and
    /// in the next build.
    pub key: String,
    /// The digest of the key.
    pub fingerprint: Digest,
    /// Was it in the baseline?
    pub is_known: bool,
}

impl JudgedFinding {
    /// The guest that has to mend it, where it is about one.
    pub fn guest(&self) -> Option<&GuestName> {
        self.finding.places.first().map(|place| &place.guest)
    }
}

/// How far a rule was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleLook {
    /// Every file and guest that it is about.
    Whole,
    /// Not at all: the policy has switched it off, or nothing gave it a bound.
    Off,
    /// Not at all, because it cannot be asked of what was given.
    NotHere(&'static str),
}

/// A rule, and how far it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedRule {
    /// The rule.
    pub rule: CheckRule,
    /// Its level; `None` where it is off.
    pub level: Option<FindingLevel>,
    /// How far it was asked.
    pub look: RuleLook,
    /// Guests of which it could not be asked although it was asked of others, and why.
    pub not_of: Vec<(GuestName, &'static str)>,
    /// Findings that an exception of the policy covers.
    pub ignored: u64,
}

/// Files of packages of which it cannot be said whether they were modified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotVerified {
    /// The guest.
    pub guest: GuestName,
    /// How many.
    pub files: u64,
    /// Why.
    pub why: &'static str,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckOutcome {
    /// All guests that were looked at, in order.
    pub guests: Vec<GuestName>,
    /// All rules, in their order.
    pub rules: Vec<CheckedRule>,
    /// What counts, by rule, and within a rule by what it is about.
    pub findings: Vec<JudgedFinding>,
    /// Keys of the baseline that nothing has any more.
    pub vanished: Vec<String>,
    /// Keys of the baseline that were not asked for: of rules that are off, or of other guests.
    pub not_asked: Vec<String>,
    /// What could not be verified. It is told as something that could not be looked at, too.
    pub not_verified: Vec<NotVerified>,
    /// From this level on findings fail the check.
    pub fail_on: FindingLevel,
    /// Files of a repository that people mend guests in.
    pub locate: BTreeMap<GuestName, String>,
    /// The policy, as it was named, where there is one.
    pub policy: Option<String>,
}

/// A finding is reported where people can mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported<'a> {
    /// A path: of a file in a repository, or of a name in a guest, in front of which the guest stands.
    pub bytes: Vec<u8>,
    /// The line in it.
    pub line: usize,
    /// The place in a guest that it stands for.
    pub place: Option<&'a FindingPlace>,
}

impl CheckOutcome {
    /// New findings at or above the level that fails.
    pub fn failing(&self) -> impl Iterator<Item = &JudgedFinding> {
        let fails = |judged: &&JudgedFinding| !judged.is_known && judged.level >= self.fail_on;
        self.findings.iter().filter(fails)
    }

    /// Was there something that could not be looked at?
    pub fn is_blind(&self) -> bool {
        let mut all = self.findings.iter();
        all.any(|judged| judged.finding.rule.is_blindness())
    }

    /// Findings that are in no baseline.
    pub fn fresh(&self) -> impl Iterator<Item = &JudgedFinding> {
        self.findings.iter().filter(|judged| !judged.is_known)
    }

    /// Where a finding is mended: one place for each of its own, and always at least one, which is never empty.
    pub fn reported<'a>(&'a self, judged: &'a JudgedFinding) -> Vec<Reported<'a>> {
        let finding = &judged.finding;
        if let FindingFacts::Ignore { line, .. } = finding.facts {
            let policy = self.policy.clone().unwrap_or_else(|| "policy".to_owned());
            return vec![Reported {
                bytes: policy.into_bytes(),
                line,
                place: None,
            }];
        }
        let mut all: Vec<Reported<'_>> = Vec::with_capacity(finding.places.len());
        for place in finding.listed().0 {
            let bytes = match self.locate.get(&place.guest) {
                Some(file) => file.clone().into_bytes(),
                None => bytes_of(place),
            };
            all.push(Reported {
                bytes,
                line: 1,
                place: Some(place),
            });
        }
        all
    }
}

/// `web1/etc/machine-id`; of a whole guest its name.
fn bytes_of(place: &FindingPlace) -> Vec<u8> {
    let guest = place.guest.as_str().as_bytes();
    match &place.path {
        Some(path) if !path.is_root() => [guest, path.as_bytes()].concat(),
        _ => guest.to_vec(),
    }
}
