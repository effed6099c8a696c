//! For people: the answer first, then findings by rule, the worst first, then what was not asked and why.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::words::{fix, level, sentence};
use crate::model::{CheckOutcome, CheckRule, FindingLevel, GuestName, JudgedFinding, RuleLook};
use crate::report::layout::size::{count, counted};
use crate::report::words::list::{ListLimits, some};
use crate::report::words::sentence::safe;

/// Everything, or as much as a screen has room for.
pub fn text(checked: &CheckOutcome, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    first(checked, out)?;
    for ((weight, rule), of_rule) in by_rule(checked) {
        group(weight, rule, &of_rule, listing, out)?;
    }
    for not in &checked.not_verified {
        let files = counted(not.files, "file");
        writeln!(out, "\nNOT VERIFIED: {files} of {}: {}", not.guest, not.why)?;
    }
    not_asked(checked, out)?;
    vanished(checked, listing, out)
}

fn first(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let failing = checked.failing().count() as u64;
    let fail_on = checked.fail_on.code();
    let answer = match (checked.is_blind(), failing) {
        (true, _) => "NOT WHOLLY CHECKED: something could not be looked at".to_owned(),
        (false, 0) => format!("PASSED: no finding at {fail_on} or above"),
        (false, n) => format!("FAILED: {} at {fail_on} or above", counted(n, "finding")),
    };
    let all = checked.findings.len() as u64;
    let known = all - checked.fresh().count() as u64;
    let ignored: u64 = checked.rules.iter().map(|rule| rule.ignored).sum();
    let guests = counted(checked.guests.len() as u64, "guest");
    writeln!(out, "{answer}.")?;
    writeln!(
        out,
        "  {guests}, {}, {} known from the baseline, {} ignored by the policy",
        counted(all, "finding"),
        count(known),
        count(ignored)
    )
}

/// New findings first by their weight, then by rule.
fn by_rule(
    checked: &CheckOutcome,
) -> BTreeMap<(std::cmp::Reverse<FindingLevel>, CheckRule), Vec<&JudgedFinding>> {
    let mut all: BTreeMap<_, Vec<&JudgedFinding>> = BTreeMap::new();
    for judged in checked.fresh() {
        let key = (std::cmp::Reverse(judged.level), judged.finding.rule);
        all.entry(key).or_default().push(judged);
    }
    all
}

fn group(
    std::cmp::Reverse(weight): std::cmp::Reverse<FindingLevel>,
    rule: CheckRule,
    findings: &[&JudgedFinding],
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let number = count(findings.len() as u64);
    let (level, what) = (level(weight), rule.sentence());
    writeln!(out, "\n{level} {} ({number}): {what}", rule.code())?;
    for judged in findings.iter().take(listing.most) {
        writeln!(out, "  {}", sentence(judged))?;
    }
    listing.more(findings.len(), out)?;
    writeln!(out, "  To mend it: {}", fix(rule))
}

fn not_asked(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let mut by_why: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut passed = Vec::new();
    let mut not_of: BTreeMap<(&GuestName, &str), Vec<&str>> = BTreeMap::new();
    for rule in &checked.rules {
        let code = rule.rule.code().to_owned();
        let mut fresh = checked.fresh();
        for (guest, why) in &rule.not_of {
            not_of
                .entry((guest, why))
                .or_default()
                .push(rule.rule.code());
        }
        match rule.look {
            RuleLook::NotHere(why) => by_why.entry(why).or_default().push(code),
            RuleLook::Off => by_why.entry("off").or_default().push(code),
            RuleLook::Whole if fresh.any(|judged| judged.finding.rule == rule.rule) => {}
            RuleLook::Whole if rule.not_of.is_empty() => passed.push(code),
            RuleLook::Whole => passed.push(format!("{code} where it was asked")),
        }
    }
    if !passed.is_empty() {
        writeln!(out, "\nPassed: {}", passed.join(", "))?;
    }
    for (why, rules) in by_why {
        writeln!(out, "Not asked ({why}): {}", rules.join(", "))?;
    }
    for ((guest, why), rules) in not_of {
        writeln!(out, "Not asked of {guest} ({why}): {}", rules.join(", "))?;
    }
    Ok(())
}

fn vanished(checked: &CheckOutcome, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    if checked.vanished.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = checked
        .vanished
        .iter()
        .map(|key| safe(&key.replace('\t', " ")))
        .collect();
    writeln!(
        out,
        "\nGONE from the baseline, {}: {}",
        counted(keys.len() as u64, "finding"),
        some(&keys, listing.most.min(3))
    )
}
