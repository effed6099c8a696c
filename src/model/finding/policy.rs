//! By what findings are judged: levels, bounds, and exceptions with a reason and an end.

use std::collections::BTreeMap;

use super::{CheckRule, FindingLevel};
use crate::model::GuestName;

/// What people have chosen. Nothing in it is read from a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPolicy {
    /// From this level on findings fail.
    pub fail_on: FindingLevel,
    /// Levels of rules; `None` switches one off.
    pub levels: BTreeMap<CheckRule, Option<FindingLevel>>,
    /// The guest that the others shall be like.
    pub golden: Option<GuestName>,
    /// Directories that are compared with the golden guest.
    pub beneath: Vec<String>,
    /// What two guests shall share at least.
    pub least_share: Option<LeastShare>,
    /// Most bytes that a guest may have alone.
    pub most_unique: Option<u64>,
    /// The same for single guests.
    pub most_unique_of: BTreeMap<GuestName, u64>,
    /// Paths that are owned, though by no package.
    pub owned: Vec<OwnedPath>,
    /// Exceptions.
    pub ignores: Vec<CheckIgnore>,
    /// Where people mend a guest: a path in their repository.
    pub locate: BTreeMap<GuestName, String>,
}

/// What two guests shall share: a share alone would fail small guests, so it counts only where bytes are missing, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeastShare {
    /// Thousandths of the smaller guest.
    pub thousandths: u64,
    /// Bytes that must be missing.
    pub bytes: u64,
}

/// A path that somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedPath {
    /// A glob.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIgnore {
    /// Of which rule.
    pub rule: CheckRule,
    /// Globs of guests' names; none for all guests.
    pub guests: Vec<String>,
    /// A glob of paths.
    pub path: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds, as `YYYY-MM-DD`.
    pub until: String,
    /// Its line in the policy file.
    pub line: usize,
}

impl Default for CheckPolicy {
    fn default() -> CheckPolicy {
        CheckPolicy {
            fail_on: FindingLevel::Error,
            levels: BTreeMap::new(),
            golden: None,
            beneath: vec!["/usr".to_owned()],
            least_share: None,
            most_unique: None,
            most_unique_of: BTreeMap::new(),
            owned: Vec::new(),
            ignores: Vec::new(),
            locate: BTreeMap::new(),
        }
    }
}

impl CheckPolicy {
    /// The level of a rule: as it was chosen, else its own. A rule that needs a bound is on as soon as it has one.
    pub fn level(&self, rule: CheckRule) -> Option<FindingLevel> {
        if let Some(chosen) = self.levels.get(&rule) {
            return chosen.filter(|_| self.has_bound(rule));
        }
        match rule {
            CheckRule::BudgetExceeded => self.has_bound(rule).then_some(FindingLevel::Error),
            CheckRule::SharingBelow | CheckRule::DriftFromGolden => {
                self.has_bound(rule).then_some(FindingLevel::Warn)
            }
            other => other.level(),
        }
    }

    fn has_bound(&self, rule: CheckRule) -> bool {
        match rule {
            CheckRule::BudgetExceeded => {
                self.most_unique.is_some() || !self.most_unique_of.is_empty()
            }
            CheckRule::SharingBelow => self.least_share.is_some(),
            CheckRule::DriftFromGolden => self.golden.is_some(),
            _ => true,
        }
    }

    /// Most bytes that this guest may have alone.
    pub fn budget(&self, guest: &GuestName) -> Option<u64> {
        self.most_unique_of.get(guest).copied().or(self.most_unique)
    }
}
