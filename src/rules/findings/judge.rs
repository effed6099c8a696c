//! What counts of what was found: the levels of the policy, its exceptions, and the baseline.
//!
//! An exception holds to the end of its last day. One that has ended covers nothing and is a finding itself, and so is
//! one that covers nothing any more. What could not be looked at is never known from a baseline.

use std::collections::{BTreeMap, BTreeSet};

use super::key::{guests_of, key, rule_of};
use crate::model::{
    CheckIgnore, CheckOutcome, CheckPolicy, CheckRule, CheckedRule, Digest, Finding, FindingFacts,
    FindingLevel, GuestName, JudgedFinding, NotVerified, RuleLook,
};
use crate::rules::pattern::glob::Wildcard;
use crate::rules::pattern::path_index::PathIndex;

/// How findings are judged.
pub struct Judging<'a> {
    /// What people have chosen.
    pub policy: &'a CheckPolicy,
    /// The policy as it was named.
    pub file: Option<&'a str>,
    /// Today, as `YYYY-MM-DD` in UTC.
    pub today: &'a str,
    /// Do exceptions count?
    pub ignores: bool,
    /// Is an exception an error that is of no use any more?
    pub strict: bool,
    /// The keys of the baseline.
    pub baseline: Option<&'a BTreeSet<String>>,
    /// Makes the digest of a key.
    pub digest: fn(&[u8]) -> Digest,
}

/// What was found, and how far rules were asked.
#[derive(Debug, Default)]
pub struct FoundAll {
    /// All guests, in order.
    pub guests: Vec<GuestName>,
    /// What the rules say.
    pub findings: Vec<Finding>,
    /// Rules that could not be asked, and why.
    pub not_here: BTreeMap<CheckRule, &'static str>,
    /// Guests of which a rule could not be asked although it was asked of others, and why.
    pub not_of: BTreeMap<CheckRule, Vec<(GuestName, &'static str)>>,
    /// What could not be verified.
    pub not_verified: Vec<NotVerified>,
}

impl FoundAll {
    /// A rule could not be asked of these guests; where that is so of all of them it was not asked here.
    pub fn not_asked_of(
        &mut self,
        rule: CheckRule,
        guests: Vec<(GuestName, &'static str)>,
        of_none: &'static str,
    ) {
        if guests.len() == self.guests.len() {
            self.not_here.insert(rule, of_none);
        } else if !guests.is_empty() {
            self.not_of.insert(rule, guests);
        }
    }
}

/// An exception, compiled.
struct Exception<'a> {
    ignore: &'a CheckIgnore,
    guests: Vec<Wildcard>,
    path: PathIndex,
    is_over: bool,
    used: bool,
}

/// A glob of an exception that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadIgnore {
    /// The line of the exception.
    pub line: usize,
    /// The glob, and what is wrong with it.
    pub why: String,
}

impl Judging<'_> {
    /// The verdict.
    pub fn judge(&self, found: FoundAll) -> Result<CheckOutcome, BadIgnore> {
        let mut exceptions = self.exceptions()?;
        let mut ignored: BTreeMap<CheckRule, u64> = BTreeMap::new();
        let mut kept = Vec::new();
        for finding in found.findings {
            let Some(level) = self.weight(&finding) else {
                continue;
            };
            match covers(&mut exceptions, &finding) {
                true => *ignored.entry(finding.rule).or_default() += 1,
                false => kept.push(self.judged(finding, level)),
            }
        }
        let is_here = |rule: CheckRule| !found.not_here.contains_key(&rule);
        for finding in self.of_exceptions(&exceptions, is_here) {
            if let Some(level) = self.weight(&finding) {
                kept.push(self.judged(finding, level));
            }
        }
        kept.sort_by(|a, b| order(a).cmp(&order(b)));
        kept.dedup_by(|later, first| later.key == first.key);
        let asked = AskedFor {
            guests: found.guests.iter().map(ToString::to_string).collect(),
            not_here: &found.not_here,
        };
        let (vanished, not_asked) = self.not_found(&kept, &asked);
        Ok(CheckOutcome {
            guests: found.guests,
            rules: self.rules(&found.not_here, &found.not_of, &ignored),
            vanished,
            not_asked,
            findings: kept,
            not_verified: found.not_verified,
            fail_on: self.policy.fail_on,
            locate: self.policy.locate.clone(),
            policy: self.file.map(str::to_owned),
        })
    }

    /// A level that the policy gives a rule is that of all its findings.
    fn weight(&self, finding: &Finding) -> Option<FindingLevel> {
        let of_rule = self.policy.level(finding.rule)?;
        let chosen = self.policy.levels.contains_key(&finding.rule);
        let strict = self.strict && finding.rule == CheckRule::IgnoreUnused;
        Some(match finding.level {
            _ if strict => FindingLevel::Error,
            Some(own) if !chosen => own,
            _ => of_rule,
        })
    }

    fn judged(&self, finding: Finding, level: FindingLevel) -> JudgedFinding {
        let key = key(&finding, self.digest);
        let known = self
            .baseline
            .is_some_and(|baseline| baseline.contains(&key));
        JudgedFinding {
            level,
            fingerprint: (self.digest)(key.as_bytes()),
            is_known: known && can_be_known(finding.rule),
            key,
            finding,
        }
    }

    fn exceptions(&self) -> Result<Vec<Exception<'_>>, BadIgnore> {
        let all = self.policy.ignores.iter().filter(|_| self.ignores);
        all.map(|ignore| Exception::new(ignore, self.today))
            .collect()
    }

    fn of_exceptions(
        &self,
        exceptions: &[Exception<'_>],
        asked: impl Fn(CheckRule) -> bool,
    ) -> Vec<Finding> {
        let is_on = |rule| self.policy.level(rule).is_some() && asked(rule);
        let finding = |exception: &Exception<'_>| {
            let rule = match (exception.is_over, exception.used) {
                (true, _) => CheckRule::IgnoreExpired,
                (false, false) if is_on(exception.ignore.rule) => CheckRule::IgnoreUnused,
                _ => return None,
            };
            let facts = FindingFacts::Ignore {
                rule: exception.ignore.rule.code(),
                line: exception.ignore.line,
                path: exception.ignore.path.clone(),
                until: exception.ignore.until.clone(),
            };
            Some(Finding::at(rule, [], facts))
        };
        exceptions.iter().filter_map(finding).collect()
    }

    fn rules(
        &self,
        not_here: &BTreeMap<CheckRule, &'static str>,
        not_of: &BTreeMap<CheckRule, Vec<(GuestName, &'static str)>>,
        ignored: &BTreeMap<CheckRule, u64>,
    ) -> Vec<CheckedRule> {
        let rule = |rule: &CheckRule| {
            let level = self.policy.level(*rule);
            let look = match (level, not_here.get(rule)) {
                (None, _) => RuleLook::Off,
                (_, Some(why)) => RuleLook::NotHere(why),
                _ => RuleLook::Whole,
            };
            let not_of = not_of.get(rule).filter(|_| look == RuleLook::Whole);
            CheckedRule {
                rule: *rule,
                level,
                not_of: not_of.cloned().unwrap_or_default(),
                look,
                ignored: ignored.get(rule).copied().unwrap_or(0),
            }
        };
        CheckRule::ALL.iter().map(rule).collect()
    }

    /// Keys of the baseline that nothing has any more, and those that were not asked for: of rules that are off, and of
    /// guests that were not looked at.
    fn not_found(
        &self,
        kept: &[JudgedFinding],
        asked: &AskedFor<'_>,
    ) -> (Vec<String>, Vec<String>) {
        let now: BTreeSet<&str> = kept.iter().map(|judged| judged.key.as_str()).collect();
        let all = self.baseline.into_iter().flatten();
        let gone = all.filter(|key| !now.contains(key.as_str())).cloned();
        gone.partition(|key| {
            let rule = CheckRule::ALL
                .iter()
                .find(|rule| rule.code() == rule_of(key));
            let is_on = |rule: &CheckRule| self.policy.level(*rule).is_some();
            let was_asked = |rule: &&CheckRule| is_on(rule) && !asked.not_here.contains_key(rule);
            let mut guests = guests_of(key);
            rule.filter(was_asked).is_some() && guests.all(|guest| asked.guests.contains(guest))
        })
    }
}

/// What was asked for.
struct AskedFor<'a> {
    guests: BTreeSet<String>,
    not_here: &'a BTreeMap<CheckRule, &'static str>,
}

/// May a baseline hold findings of this rule?
pub fn can_be_known(rule: CheckRule) -> bool {
    !rule.is_blindness() && !rule.is_of_policy()
}

fn order(judged: &JudgedFinding) -> (CheckRule, &str) {
    (judged.finding.rule, &judged.key)
}

impl<'a> Exception<'a> {
    fn new(ignore: &'a CheckIgnore, today: &str) -> Result<Exception<'a>, BadIgnore> {
        let bad = |glob: &str, why: &str| BadIgnore {
            line: ignore.line,
            why: format!("{glob:?}: {why}"),
        };
        let mut path = PathIndex::default();
        path.push(&ignore.path)
            .map_err(|why| bad(&ignore.path, why))?;
        let guests = ignore
            .guests
            .iter()
            .map(|glob| Wildcard::new(glob).map_err(|why| bad(glob, why)));
        Ok(Exception {
            ignore,
            guests: guests.collect::<Result<_, _>>()?,
            path,
            is_over: ignore.until.as_str() < today,
            used: false,
        })
    }

    /// Every place of the finding must be covered: who lets two guests have one secret does not let a third.
    fn covers(&self, finding: &Finding) -> bool {
        let guest = |name: &GuestName| {
            let name = name.as_str().as_bytes();
            self.guests.is_empty() || self.guests.iter().any(|glob| glob.matches(name))
        };
        let path = |path: &[u8]| self.path.first(path).is_some();
        self.ignore.rule == finding.rule
            && !self.is_over
            && finding.more == 0
            && finding.places.iter().all(|place| {
                let at = place
                    .path
                    .as_ref()
                    .map_or(b"/".as_slice(), |path| path.as_bytes());
                guest(&place.guest) && path(at)
            })
    }
}

fn covers(exceptions: &mut [Exception<'_>], finding: &Finding) -> bool {
    let mut any = false;
    for exception in exceptions
        .iter_mut()
        .filter(|exception| exception.covers(finding))
    {
        exception.used = true;
        any = true;
    }
    any
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
