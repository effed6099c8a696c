//! Runs `check`, and says what it found.

use serde_json::Value;

use super::Out;
use super::unify;
use crate::support::{Guest, Lab};

/// The answer of a check.
pub struct CheckAnswer {
    /// The exit code, and everything that was said.
    pub out: Out,
    /// The answer.
    pub json: Value,
}

impl Lab {
    /// Checks these guests.
    pub fn check(&self, guests: &[&Guest], options: &[&str]) -> CheckAnswer {
        let mut args: Vec<String> = vec!["check".into(), "--json".into(), "--not-a-root".into()];
        args.extend(options.iter().map(|option| (*option).to_owned()));
        args.extend(guests.iter().map(|guest| guest.arg()));
        let out = unify(&args);
        let json = match out.stdout.is_empty() {
            true => Value::Null,
            false => out.json(),
        };
        CheckAnswer { out, json }
    }
}

impl CheckAnswer {
    /// The places of all findings of a rule, each as `guest:path`, joined by blanks; sorted.
    pub fn found(&self, rule: &str) -> Vec<String> {
        let shown = |place: &Value| {
            let guest = place["guest"].as_str().unwrap();
            match place["path"].as_str() {
                Some(path) => format!("{guest}:{path}"),
                None => guest.to_owned(),
            }
        };
        let places = |finding: &Value| {
            let places = finding["places"].as_array().unwrap();
            places.iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        self.findings(rule).into_iter().map(places).collect()
    }

    /// All findings of a rule.
    pub fn findings(&self, rule: &str) -> Vec<&Value> {
        let all = self.json["findings"].as_array().unwrap().iter();
        all.filter(|finding| finding["rule"] == rule).collect()
    }

    /// Rules with findings.
    pub fn rules(&self) -> Vec<&str> {
        let all = self.json["findings"].as_array().unwrap().iter();
        let mut rules: Vec<&str> = all.map(|one| one["rule"].as_str().unwrap()).collect();
        rules.dedup();
        rules
    }
}
