//! What a plan says before its lines, fact by fact: for whoever compares two plans.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::ledger::json;
use crate::model::{Header, PlannedGuest};

/// Facts by their keys, such as `policy.min_size` or `guests.web1.root`, each as JSON in which nothing hides or
/// commands.
pub type PlanFacts = BTreeMap<String, String>;

/// Keys of the header whose own keys are told one by one.
const OPENED: &[&str] = &["base", "policy", "protection"];

/// All facts of a header and of the guests of a plan. A guest's name stands in the key as it is: it holds no slash and
/// no control character, and whoever shows it escapes the rest.
pub fn plan_facts(header: &Header, guests: &[PlannedGuest]) -> PlanFacts {
    let mut facts = PlanFacts::new();
    // Where a pattern was written down is none of the choices.
    let mut header = header.clone();
    let patterns = header.policy.patterns.iter_mut();
    patterns.for_each(|pattern| pattern.from.clear());
    for (key, value) in fields(&header) {
        match value {
            Value::Object(inner) if OPENED.contains(&key.as_str()) => {
                let inner = inner.into_iter();
                facts.extend(inner.map(|(sub, value)| (format!("{key}.{sub}"), text(&value))));
            }
            value => drop(facts.insert(key, text(&value))),
        }
    }
    for guest in guests {
        let own = fields(guest).into_iter().filter(|(key, _)| key != "name");
        let key = |key: String| format!("guests.{}.{key}", guest.name.as_str());
        facts.extend(own.map(|(sub, value)| (key(sub), text(&value))));
    }
    facts
}

fn fields(of: &impl Serialize) -> Vec<(String, Value)> {
    match serde_json::to_value(of) {
        Ok(Value::Object(map)) => map.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value) -> String {
    let mut out = Vec::new();
    let written = json::write(value, &mut out);
    debug_assert!(written.is_ok(), "a value is written into memory");
    String::from_utf8(out).unwrap_or_default()
}
