//! A summary for people: `$GITHUB_STEP_SUMMARY`, which holds 1 MiB, and merge requests. Names mean nothing to
//! markdown, and mention nobody.

use std::io::{self, Write};

use super::words::{fix, sentence};
use crate::model::{CheckOutcome, CheckRule, FindingLevel, JudgedFinding};
use crate::report::layout::size::{count, counted};
use crate::report::layout::table::escape;

/// Findings of a rule that are written out.
const MOST: usize = 20;

/// Bytes of one finding: a long name of a guest must not fill the summary.
const LONGEST: usize = 1_000;

/// The whole summary.
pub fn markdown(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "## unify check: {}\n", answer(checked))?;
    writeln!(out, "| rule | level | findings | known | ignored |")?;
    writeln!(out, "| --- | --- | ---: | ---: | ---: |")?;
    for rule in &checked.rules {
        let of_rule = checked
            .findings
            .iter()
            .filter(|judged| judged.finding.rule == rule.rule);
        let known = of_rule.clone().filter(|judged| judged.is_known).count() as u64;
        let all = of_rule.count() as u64;
        if all + rule.ignored > 0 {
            let level = rule.level.map_or("off", FindingLevel::code);
            let (all, known, ignored) = (count(all), count(known), count(rule.ignored));
            writeln!(
                out,
                "| {} | {level} | {all} | {known} | {ignored} |",
                rule.rule.code()
            )?;
        }
    }
    for rule in CheckRule::ALL {
        let of_rule = checked
            .fresh()
            .filter(|judged| judged.finding.rule == *rule);
        section(*rule, &of_rule.collect::<Vec<_>>(), out)?;
    }
    Ok(())
}

fn answer(checked: &CheckOutcome) -> String {
    let failing = checked.failing().count() as u64;
    match (checked.is_blind(), failing) {
        (true, _) => "not wholly checked".to_owned(),
        (false, 0) => "passed".to_owned(),
        (false, n) => format!(
            "{} at {} or above",
            counted(n, "finding"),
            checked.fail_on.code()
        ),
    }
}

fn section(rule: CheckRule, findings: &[&JudgedFinding], out: &mut dyn Write) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### {}: {}\n", rule.code(), escape(rule.sentence()))?;
    for judged in findings.iter().take(MOST) {
        writeln!(
            out,
            "* {}: {}",
            judged.level.code(),
            shown(&sentence(judged))
        )?;
    }
    let more = findings.len().saturating_sub(MOST) as u64;
    if more > 0 {
        writeln!(out, "* and {} more: the JSON form lists all", count(more))?;
    }
    writeln!(out, "\nTo mend it: {}", escape(fix(rule)))
}

/// Without meaning to markdown; `@` would call somebody, and `:` a picture.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    escape(&short).replace('@', "&#64;")
}
