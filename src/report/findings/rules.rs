//! The rules of `check` as a table, for people and for editors of policies.

use std::io::{self, Write};

use serde::Serialize;

use super::words::fix;
use crate::model::{CheckRule, FindingLevel};
use crate::report::layout::json;

/// For people.
pub fn text(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "A policy gives a rule another level under [rule.RULE].\n"
    )?;
    for rule in CheckRule::ALL {
        let level = rule.level().map_or("off", FindingLevel::code);
        writeln!(out, "{}  {level}", rule.code())?;
        writeln!(out, "    {}", rule.sentence())?;
        writeln!(out, "    {}", fix(*rule))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct ListedRuleJson {
    rule: &'static str,
    level: &'static str,
    sentence: &'static str,
    fix: &'static str,
}

/// For programs: `{"kind":"unify.check-rules","rules":[…]}`.
pub fn json(out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct ListedRules {
        kind: &'static str,
        rules: Vec<ListedRuleJson>,
    }
    let rule = |rule: &CheckRule| ListedRuleJson {
        rule: rule.code(),
        level: rule.level().map_or("off", FindingLevel::code),
        sentence: rule.sentence(),
        fix: fix(*rule),
    };
    let rules = CheckRule::ALL.iter().map(rule).collect();
    json::write_line(
        out,
        &ListedRules {
            kind: "unify.check-rules",
            rules,
        },
    )
}
