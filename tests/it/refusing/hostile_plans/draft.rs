//! A plan as lines, and ways to spoil one.

use serde_json::Value;

/// The lines of a real plan, in the hands of an attacker.
#[derive(Clone)]
pub struct Draft(pub Vec<String>);

impl Draft {
    pub fn of(plan: &str) -> Draft {
        Draft(plan.lines().map(str::to_owned).collect())
    }

    pub fn text(&self) -> String {
        self.0.join("\n") + "\n"
    }

    /// Where the first line stands that contains this.
    #[track_caller]
    pub fn find(&self, text: &str) -> usize {
        let found = self.0.iter().position(|line| line.contains(text));
        found.unwrap_or_else(|| panic!("{text} is in the plan: {}", self.text()))
    }

    /// Where the link line of a name stands.
    #[track_caller]
    pub fn link(&self, guest: &str, path: &str) -> usize {
        self.find(&format!(
            r#"{{"action":"link","guest":"{guest}","path":"{path}""#
        ))
    }

    /// Where the line of a guest stands.
    #[track_caller]
    pub fn guest(&self, name: &str) -> usize {
        self.find(&format!(r#"{{"name":"{name}","#))
    }

    /// Where a key of the document stands.
    #[track_caller]
    pub fn head(&self, key: &str) -> usize {
        self.find(&format!("\"{key}\": "))
    }

    /// Where the first flag line stands.
    pub fn flag(&self) -> usize {
        self.find(r#"{"action":"flag""#)
    }

    /// Changes the JSON value of one line; key and comma stay.
    #[track_caller]
    pub fn edit(&mut self, at: usize, edit: impl FnOnce(&mut Value)) {
        let line = &self.0[at];
        let start = if line.starts_with('{') {
            0
        } else {
            line.find(": ").unwrap() + 2
        };
        let end = line.strip_suffix(',').unwrap_or(line).len();
        let mut value: Value = serde_json::from_str(&line[start..end]).unwrap();
        edit(&mut value);
        self.0[at] = format!("{}{value}{}", &line[..start], &line[end..]);
    }

    /// Puts another text in place of one that is in the line.
    #[track_caller]
    pub fn swap_text(&mut self, at: usize, from: &str, to: &str) {
        assert!(self.0[at].contains(from), "{from} in {}", self.0[at]);
        self.0[at] = self.0[at].replacen(from, to, 1);
    }

    /// One more line in front of the one at `at`.
    pub fn insert(&mut self, at: usize, line: &str) {
        self.0.insert(at, line.to_owned());
    }

    /// The line at `at` as one that another follows.
    pub fn with_comma(&self, at: usize) -> String {
        format!("{},", self.0[at].trim_end_matches(','))
    }

    /// The same plan as JSON Lines.
    pub fn json_lines(&self) -> String {
        let whole: Value = serde_json::from_str(&self.text()).unwrap();
        let is_part = |key: &str| matches!(key, "guests" | "actions" | "summary" | "digest");
        let head: serde_json::Map<String, Value> = whole.as_object().unwrap().clone();
        let head: serde_json::Map<String, Value> =
            head.into_iter().filter(|(key, _)| !is_part(key)).collect();
        let mut lines = vec![Value::Object(head)];
        let mut add = |kind: &str, value: &Value| {
            let mut value = value.clone();
            value["kind"] = kind.into();
            lines.push(value);
        };
        let guests = whole["guests"].as_array().unwrap();
        guests.iter().for_each(|guest| add("unify.guest", guest));
        lines.extend(whole["actions"].as_array().unwrap().iter().cloned());
        for part in ["summary", "digest"] {
            let mut value = whole[part].clone();
            value["kind"] = format!("unify.{part}").into();
            lines.push(value);
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
