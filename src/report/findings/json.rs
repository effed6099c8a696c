//! For programs: one object, with one finding a line.

use std::io::{self, Write};

use serde::Serialize;

use super::facts::FactsJson;
use super::words::{fix, sentence};
use crate::model::{
    CheckOutcome, CheckedRule, Digest, FindingLevel, FindingPlace, GuestName, JudgedFinding,
    NotVerified, RuleLook,
};
use crate::report::layout::json;
use crate::report::layout::json::PathJson;

#[derive(Serialize)]
struct CheckedRuleJson<'a> {
    rule: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// `asked`, `off`, `not-asked`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    findings_count: u64,
    known_count: u64,
    ignored: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_asked_of: Vec<NotAskedJson<'a>>,
}

#[derive(Serialize)]
struct NotAskedJson<'a> {
    guest: &'a str,
    why: &'static str,
}

#[derive(Serialize)]
struct PlaceJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: Option<PathJson>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    rule: &'static str,
    level: &'static str,
    known: bool,
    places: Vec<PlaceJson<'a>>,
    more_places: u64,
    sentence: String,
    fix: &'static str,
    facts: FactsJson<'a>,
    key: &'a str,
    fingerprint: Digest,
}

#[derive(Serialize)]
struct NotVerifiedJson<'a> {
    guest: &'a str,
    files: u64,
    why: &'a str,
}

/// The whole answer.
pub fn json(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let ok = checked.failing().next().is_none() && !checked.is_blind();
    write!(
        out,
        "{{\"kind\":\"unify.check\",\"ok\":{ok},\"blind\":{},\"fail_on\":",
        checked.is_blind()
    )?;
    json::write(out, &checked.fail_on.code())?;
    let guests: Vec<&str> = checked.guests.iter().map(GuestName::as_str).collect();
    member(out, "guests", &guests)?;
    let rules: Vec<CheckedRuleJson<'_>> = checked
        .rules
        .iter()
        .map(|rule| rule_json(checked, rule))
        .collect();
    member(out, "rules", &rules)?;
    write!(out, ",\n\"findings\":[")?;
    for (number, judged) in checked.findings.iter().enumerate() {
        writeln!(out, "{}", if number == 0 { "" } else { "," })?;
        json::write(out, &finding(judged))?;
    }
    write!(out, "]")?;
    let not = checked.not_verified.iter().map(not_verified);
    member(out, "not_verified", &not.collect::<Vec<_>>())?;
    member(out, "vanished", &checked.vanished)?;
    writeln!(out, "}}")
}

fn member(out: &mut dyn Write, key: &str, value: &impl Serialize) -> io::Result<()> {
    write!(out, ",\n\"{key}\":")?;
    json::write(out, value)
}

fn rule_json<'a>(checked: &CheckOutcome, rule: &'a CheckedRule) -> CheckedRuleJson<'a> {
    let of_rule = checked
        .findings
        .iter()
        .filter(|judged| judged.finding.rule == rule.rule);
    let known = of_rule.clone().filter(|judged| judged.is_known).count() as u64;
    let (state, why) = match rule.look {
        RuleLook::Whole => ("asked", None),
        RuleLook::Off => ("off", None),
        RuleLook::NotHere(why) => ("not-asked", Some(why)),
    };
    CheckedRuleJson {
        rule: rule.rule.code(),
        level: rule.level.map(FindingLevel::code),
        state,
        why,
        findings_count: of_rule.count() as u64,
        known_count: known,
        ignored: rule.ignored,
        not_asked_of: rule.not_of.iter().map(not_asked).collect(),
    }
}

fn not_asked<'a>((guest, why): &'a (GuestName, &'static str)) -> NotAskedJson<'a> {
    let guest = guest.as_str();
    NotAskedJson { guest, why }
}

fn finding(judged: &JudgedFinding) -> FindingJson<'_> {
    let finding = &judged.finding;
    FindingJson {
        rule: finding.rule.code(),
        level: judged.level.code(),
        known: judged.is_known,
        places: finding.listed().0.iter().map(place).collect(),
        more_places: finding.unlisted(),
        sentence: sentence(judged),
        fix: fix(finding.rule),
        facts: FactsJson::of(&finding.facts),
        key: &judged.key,
        fingerprint: judged.fingerprint,
    }
}

fn place(place: &FindingPlace) -> PlaceJson<'_> {
    PlaceJson {
        guest: place.guest.as_str(),
        path: place.path.as_ref().map(PathJson::from),
    }
}

fn not_verified(not: &NotVerified) -> NotVerifiedJson<'_> {
    NotVerifiedJson {
        guest: not.guest.as_str(),
        files: not.files,
        why: not.why,
    }
}
