//! JUnit's XML as Jenkins' schema (`junit-10.xsd`) and GitLab take it: a suite is a guest, a case is a rule.
//!
//! Viewers count every `<failure>` as a broken build: only what fails the check is one. Other findings stand in
//! `<system-out>` of a case that passed, rules that were not asked are skipped, and what could not be looked at is an
//! `<error>`.

use std::io::{self, Write};

use super::words::sentence;
use super::xml::escaped;
use crate::model::{CheckOutcome, CheckedRule, GuestName, JudgedFinding, RuleLook};

/// Findings of one case that are written out.
const MOST: usize = 20;

/// The whole file.
pub fn junit(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"unify check\">")?;
    for guest in &checked.guests {
        suite(checked, Some(guest), out)?;
    }
    if checked.fresh().any(|judged| judged.guest().is_none()) {
        suite(checked, None, out)?;
    }
    writeln!(out, "</testsuites>")
}

/// A case: a rule, and its findings about the guest.
struct Case<'a> {
    rule: &'a CheckedRule,
    failing: Vec<&'a JudgedFinding>,
    others: Vec<&'a JudgedFinding>,
    /// Why it was not asked of this guest, if it was not.
    not_asked: Option<&'a str>,
}

impl<'a> Case<'a> {
    fn of(checked: &'a CheckOutcome, rule: &'a CheckedRule, guest: Option<&GuestName>) -> Case<'a> {
        let about =
            |judged: &&JudgedFinding| judged.guest() == guest && judged.finding.rule == rule.rule;
        let fails = |judged: &&JudgedFinding| {
            judged.level >= checked.fail_on || judged.finding.rule.is_blindness()
        };
        let (failing, others) = checked.fresh().filter(about).partition(fails);
        let mut not_of = rule.not_of.iter();
        let here = not_of.find(|(one, _)| Some(one) == guest);
        let not_asked = match rule.look {
            RuleLook::NotHere(why) => Some(why),
            RuleLook::Off => Some("off"),
            RuleLook::Whole => here.map(|(_, why)| *why),
        };
        Case {
            rule,
            failing,
            others,
            not_asked,
        }
    }

    fn is_error(&self) -> bool {
        !self.failing.is_empty() && self.rule.rule.is_blindness()
    }

    fn is_failure(&self) -> bool {
        !self.failing.is_empty() && !self.is_error()
    }

    fn is_skipped(&self) -> bool {
        self.failing.is_empty() && self.others.is_empty() && self.not_asked.is_some()
    }
}

fn suite(checked: &CheckOutcome, guest: Option<&GuestName>, out: &mut dyn Write) -> io::Result<()> {
    let rules = checked.rules.iter();
    let rules = rules.filter(|rule| rule.rule.is_of_policy() == guest.is_none());
    let cases: Vec<Case<'_>> = rules.map(|rule| Case::of(checked, rule, guest)).collect();
    let failures = cases.iter().filter(|case| case.is_failure()).count();
    let errors = cases.iter().filter(|case| case.is_error()).count();
    let skipped = cases.iter().filter(|case| case.is_skipped()).count();
    let name = guest.map_or("policy".to_owned(), ToString::to_string);
    let name = escaped(&name);
    writeln!(
        out,
        "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">",
        cases.len(),
        failures,
        errors,
        skipped
    )?;
    for case in &cases {
        write_case(&name, case, out)?;
    }
    writeln!(out, "</testsuite>")
}

fn write_case(suite: &str, case: &Case<'_>, out: &mut dyn Write) -> io::Result<()> {
    let rule = case.rule.rule;
    write!(
        out,
        "<testcase classname=\"{suite}\" name=\"{}\" time=\"0\"",
        rule.code()
    )?;
    if case.failing.is_empty() && case.others.is_empty() && !case.is_skipped() {
        return writeln!(out, "/>");
    }
    writeln!(out, ">")?;
    if let Some(why) = case.not_asked.filter(|_| case.is_skipped()) {
        writeln!(out, "<skipped message=\"{}\"/>", escaped(why))?;
    }
    if !case.failing.is_empty() {
        let tag = if case.is_error() { "error" } else { "failure" };
        let what = escaped(rule.sentence());
        let text = escaped(&listed(&case.failing));
        writeln!(
            out,
            "<{tag} type=\"{}\" message=\"{what}\">{text}</{tag}>",
            rule.code()
        )?;
    }
    if !case.others.is_empty() {
        writeln!(
            out,
            "<system-out>{}</system-out>",
            escaped(&listed(&case.others))
        )?;
    }
    writeln!(out, "</testcase>")
}

fn listed(findings: &[&JudgedFinding]) -> String {
    let shown = findings.iter().take(MOST);
    let mut lines: Vec<String> = shown
        .map(|judged| format!("{}: {}", judged.level.code(), sentence(judged)))
        .collect();
    let more = findings.len().saturating_sub(MOST);
    if more > 0 {
        lines.push(format!("and {more} more: the JSON form lists all"));
    }
    lines.join("\n")
}
