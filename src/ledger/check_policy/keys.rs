//! The keys of a policy, and which rule each bound is for.

use crate::model::CheckRule;

/// Every key, for the test of the example.
#[cfg(test)]
pub const KEYS: &[&str] = &[
    "fail-on",
    "rule",
    "guest",
    "owned",
    "ignore",
    "level",
    "min-share",
    "min-bytes",
    "max-unique-bytes",
    "golden",
    "beneath",
    "locate",
    "path",
    "reason",
    "until",
];

/// Rules that have bounds, and the keys of these.
const BOUNDS: &[(CheckRule, &[&str])] = &[
    (CheckRule::SharingBelow, &["min-share", "min-bytes"]),
    (CheckRule::BudgetExceeded, &["max-unique-bytes"]),
    (CheckRule::DriftFromGolden, &["golden", "beneath"]),
];

/// Which rule a key of `[rule.X]` is for; `None` where all have it.
pub(super) fn rule_of(key: &str) -> Option<CheckRule> {
    let mut rows = BOUNDS.iter();
    rows.find(|(_, keys)| keys.contains(&key))
        .map(|(rule, _)| *rule)
}
