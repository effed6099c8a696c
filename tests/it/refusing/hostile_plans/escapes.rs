//! Strings that a terminal would obey.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::json;

use super::{Case, Draft, edit, never};

/// Sets the title, rings, turns red, returns, and turns the line around.
pub const ORDERS: &str = r"\u001b]0;x\u0007\u001b[31m\r\u009b2J\u202e";

/// The same as bytes, which JSON does not allow within a string.
pub const RAW: &str = "\u{1b}[31m\u{9b}2J";

/// The strings in a plan that are values: each kind of line and each key once.
pub fn values(plan: &str) -> Vec<(String, Range<usize>)> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    let mut start = 0;
    for line in plan.split_inclusive('\n') {
        let kind: String = line.chars().take(15).collect();
        for (key, range) in values_of(line) {
            let what = format!("{kind} {key}");
            if seen.insert(what.clone()) {
                all.push((what, start + range.start..start + range.end));
            }
        }
        start += line.len();
    }
    all
}

/// Key and place (without quotes) of each string after a colon, or in a list.
fn values_of(line: &str) -> Vec<(String, Range<usize>)> {
    let quotes: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
    let mut key = String::new();
    let mut found = Vec::new();
    for pair in quotes.chunks_exact(2) {
        let range = pair[0] + 1..pair[1];
        if line[range.end + 1..].trim_start().starts_with(':') {
            key = line[range].to_owned();
        } else {
            found.push((key.clone(), range));
        }
    }
    found
}

/// The plan with `text` at the end of one of its strings.
pub fn with(plan: &str, at: &Range<usize>, text: &str) -> String {
    format!("{}{text}{}", &plan[..at.end], &plan[at.end..])
}

/// What [`ORDERS`] says.
const OBEYED: &str = "\u{1b}]0;x\u{7}\u{1b}[31m\r\u{9b}2J\u{202e}";

/// Puts a field into the link line of `db:/usr/b`.
fn field(draft: &mut Draft, field: &str) {
    let at = draft.link("db", "/usr/b");
    draft.edit(at, |line| line[field] = json!(OBEYED));
}

const ANY: &[i32] = &[0, 1, 2, 4, 5, 8];

/// Fields that a plan may have, and this one has not.
pub const CASES: &[Case] = &[
    Case {
        name: "orders in a note",
        make: |_, d| field(d, "note"),
        plain: &[0],
        accepted: &[0],
    },
    edit("orders in a package", ANY, |_, d| field(d, "package")),
    never("orders in a version", |_, d| field(d, "version")),
    never("orders as a key", |_, d| field(d, OBEYED)),
    never("orders as a key of the head", |_, d| {
        d.insert(1, &format!("{}: 1,", json!(OBEYED)));
    }),
    edit("orders in a link that is not there", ANY, |_, d| {
        let at = d.link("db", "/usr/b");
        d.edit(at, |line| line["path"] = json!(format!("/usr/b{OBEYED}")));
    }),
    never("orders in a guest's name, everywhere", |_, d| {
        let orders = json!(OBEYED).to_string();
        let orders = format!("\"db{}\"", orders.trim_matches('"'));
        d.0.iter_mut()
            .for_each(|line| *line = line.replace("\"db\"", &orders));
    }),
    edit("orders in why a guest was left out", ANY, |_, d| {
        let at = d.guest("db");
        d.edit(at, |guest| guest["left_out"] = json!(OBEYED));
    }),
    edit("orders in what a database says", ANY, |_, d| {
        let at = d.guest("db");
        let database = json!({"manager": OBEYED, "state": "damaged", "packages": 1, "config_files": 1, "problem": OBEYED});
        d.edit(at, |guest| guest["databases"] = json!([database]));
    }),
    edit("orders in the place of the base", ANY, |yard, d| {
        let path = format!("{}/{OBEYED}/base", yard.lab.guests().display());
        let at = d.head("base");
        d.edit(at, |base| base["path"] = json!(path));
    }),
    edit("orders in the place of a guest", ANY, |yard, d| {
        let at = d.guest("db");
        let path = format!("{}/{OBEYED}/db", yard.lab.guests().display());
        d.edit(at, |guest| guest["root"] = json!(path));
    }),
];
