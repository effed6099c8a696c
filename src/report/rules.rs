//! The care rules as a table: code, what it covers, why, and which source says so. Their order is their priority.

use std::io::{self, Write};

use serde::Serialize;

use super::layout::json;
use crate::rules::care::{CareRule, Covers, table};
use crate::rules::reflink::{STANCES, Stance};

/// For people.
pub fn text(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "The first rule that covers a name decides. Each can be switched off with --allow CODE.\n"
    )?;
    for rule in table() {
        let because = if rule.because.is_empty() {
            String::new()
        } else {
            format!(": {}", rule.because)
        };
        writeln!(
            out,
            "{}  {}{because}  [{}]",
            rule.reason,
            rule.reason.sentence(),
            rule.source
        )?;
        words(rule)
            .iter()
            .try_for_each(|line| writeln!(out, "    {line}"))?;
        if let Some(why) = of_reflinks(rule) {
            writeln!(out, "  of reflinks: {why}")?;
        }
    }
    Ok(())
}

/// What the rule means where files share blocks; nothing where it means the same.
fn of_reflinks(rule: &CareRule) -> Option<String> {
    let stance = STANCES.iter().find(|(reason, ..)| *reason == rule.reason);
    stance.and_then(|(_, stance, why)| match stance {
        Stance::Holds => None,
        Stance::Falls => Some(format!("not asked, for {why}")),
        Stance::HoldsForConfig => Some(format!("not asked with --reflink-config; else, {why}")),
    })
}

/// What a rule covers, a line each.
fn words(rule: &CareRule) -> Vec<String> {
    match rule.covers {
        Covers::Names(names) => names.iter().map(ToString::to_string).collect(),
        Covers::UnreadableNames(names) => names
            .iter()
            .map(|name| format!("{name} if not readable by everybody"))
            .collect(),
        Covers::Files(test) => vec![format!("any file that is {}", test.words)],
        Covers::Used(_, words) => vec![format!("any file with {words}")],
    }
}

#[derive(Serialize)]
struct RuleJson {
    /// The code of its skips, which `--allow` takes.
    reason: &'static str,
    sentence: &'static str,
    covers: Vec<String>,
    because: &'static str,
    source: &'static str,
    /// What it means where files share blocks, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    for_reflinks: Option<String>,
}

/// For programs: `{"kind":"unify.rules","rules":[…]}`.
pub fn json(out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct All {
        kind: &'static str,
        rules: Vec<RuleJson>,
    }
    let rule = |rule: &CareRule| RuleJson {
        reason: rule.reason.code(),
        sentence: rule.reason.sentence(),
        covers: words(rule),
        because: rule.because,
        source: rule.source,
        for_reflinks: of_reflinks(rule),
    };
    json::write_line(
        out,
        &All {
            kind: "unify.rules",
            rules: table().iter().map(rule).collect(),
        },
    )
}
