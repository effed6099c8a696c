//! What changed before the lines of a plan: its choices, and where and by what it was made.

use std::collections::BTreeMap;

use super::Depth;
use crate::model::HeaderChange;

/// Choices that decide nothing: where they were written down, and what is listed.
const NO_DECISION: &[&str] = &["policy.file", "policy.skips"];

/// Two plans are never made at one time: this says nothing of what changed.
const CREATED: &str = "created";

/// What is told besides the choices, where only decisions count: it says where and by what the plan was made.
const TOLD: &[&str] = &[
    "base.path",
    "format",
    "host",
    "kind",
    "protection.mode",
    "tool",
    "unseen_attributes",
];

/// The same of a guest.
const TOLD_OF_GUESTS: &[&str] = &["databases_ignored", "left_out", "root"];

/// The mode in which shared files stay open to everybody who may write to them, as JSON.
const OPEN: &str = "\"none\"";

/// The facts that differ, by their keys. What is said of a guest counts where `in_both` says that both plans have it.
pub fn header_changes(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    in_both: &dyn Fn(&str) -> bool,
    depth: Depth,
) -> Vec<HeaderChange> {
    let only_new = new.keys().filter(|key| !old.contains_key(*key));
    let mut keys: Vec<&String> = old.keys().chain(only_new).collect();
    keys.sort_unstable();
    let is_told = |key: &&String| match of_guest(key) {
        Some((guest, own)) => {
            in_both(guest) && (depth == Depth::Evidence || TOLD_OF_GUESTS.contains(&own))
        }
        None if *key == CREATED => false,
        None => {
            depth == Depth::Evidence || key.starts_with("policy.") || TOLD.contains(&key.as_str())
        }
    };
    let changed = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key));
    let change = |key: &String| HeaderChange {
        field: key.clone(),
        old: old.get(key).cloned(),
        new: new.get(key).cloned(),
        decides: decides(key, old.get(key), new.get(key)),
    };
    changed.filter(is_told).map(change).collect()
}

fn of_guest(key: &str) -> Option<(&str, &str)> {
    key.strip_prefix("guests.")?.rsplit_once('.')
}

fn decides(key: &str, old: Option<&String>, new: Option<&String>) -> bool {
    let is_open = |mode: Option<&String>| mode.is_some_and(|mode| mode == OPEN);
    match key {
        "protection.mode" => is_open(old) != is_open(new),
        _ => key.starts_with("policy.") && !NO_DECISION.contains(&key),
    }
}
