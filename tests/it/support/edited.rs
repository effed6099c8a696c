//! Plans that a person has edited between `plan` and `apply`.

use std::path::PathBuf;

use serde_json::Value;

use super::{Lab, Planned};

/// Writes the plan again with some of its lines changed.
pub fn edited(lab: &Lab, plan: &Planned, edit: impl FnOnce(&mut Vec<String>)) -> PathBuf {
    let text = std::fs::read_to_string(&plan.path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    edit(&mut lines);
    let path = lab.path("edited.json");
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

/// The plan without the line that protects this object.
pub fn without_flag_of(lab: &Lab, plan: &Planned, object: &Value) -> PathBuf {
    edited(lab, plan, |lines| {
        lines.retain(|line| {
            let action = action_of(line).unwrap_or_default();
            action["action"] != "flag" || action["object"] != *object
        });
    })
}

/// The action of a line of a plan, if the line holds one.
pub fn action_of(line: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(line.trim_end_matches(',')).ok()?;
    value.get("action").is_some().then_some(value)
}
