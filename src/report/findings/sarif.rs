//! SARIF 2.1.0 as GitHub's code scanning takes it (docs.github.com, "SARIF support for code scanning").
//!
//! GitHub refuses the whole file for one result without a physical location, an empty `uri`, or a line 0, and knows no
//! `originalUriBaseIds`: so each result has a location with a relative, percent-encoded `uri` and line 1. Results that
//! exceptions or the baseline cover are left out, for GitHub ignores `suppressions`. Of too many results it keeps the
//! first: the worst stand there, and a notification says how many were left out.

use std::io::{self, Write};

use serde::Serialize;

use super::words::{fix, sentence};
use crate::model::{CheckOutcome, CheckRule, FindingLevel, JudgedFinding, Reported};
use crate::report::layout::json;

/// GitHub shows 5,000 results of a run.
const MOST_RESULTS: usize = 5_000;

#[derive(Serialize)]
struct Sarif {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [SarifRun; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRun {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<SarifRule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: Vec<&'static str>,
    /// Out of 10; it makes an alert a security alert.
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "unifyFinding/v1")]
    key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

/// The whole file.
pub fn sarif(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    let mut fresh: Vec<&JudgedFinding> = checked.fresh().collect();
    fresh.sort_by_key(|judged| std::cmp::Reverse(judged.level));
    let omitted = fresh.len().saturating_sub(MOST_RESULTS);
    let results = fresh.into_iter().take(MOST_RESULTS);
    let run = SarifRun {
        tool: Tool {
            driver: Driver {
                name: "unify",
                version: env!("CARGO_PKG_VERSION"),
                rules: CheckRule::ALL
                    .iter()
                    .map(|rule| sarif_rule(*rule))
                    .collect(),
            },
        },
        invocations: [invocation(checked, omitted)],
        column_kind: "utf16CodeUnits",
        results: results.map(|judged| result(checked, judged)).collect(),
    };
    let sarif = Sarif {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: [run],
    };
    json::write_line(out, &sarif)
}

fn invocation(checked: &CheckOutcome, omitted: usize) -> Invocation {
    let note = |text: String| Notification {
        level: "warning",
        message: Text { text },
    };
    let more = format!("{omitted} more findings are not in this file: it holds the worst");
    Invocation {
        execution_successful: !checked.is_blind(),
        tool_execution_notifications: (omitted > 0).then(|| note(more)).into_iter().collect(),
    }
}

fn sarif_rule(rule: CheckRule) -> SarifRule {
    let severity = match rule {
        CheckRule::SharedSecret => Some("9.0"),
        CheckRule::BakedIdentity => Some("7.5"),
        _ => None,
    };
    let text = |text: &str| Text {
        text: text.to_owned(),
    };
    SarifRule {
        id: rule.code(),
        short_description: text(rule.sentence()),
        full_description: text(rule.sentence()),
        help: text(fix(rule)),
        default_configuration: Configuration {
            level: level(rule.level().unwrap_or(FindingLevel::Warn)),
        },
        properties: RuleProperties {
            tags: severity.iter().map(|_| "security").collect(),
            security_severity: severity,
        },
    }
}

/// Never `none`, which hides a result.
fn level(level: FindingLevel) -> &'static str {
    match level {
        FindingLevel::Error => "error",
        FindingLevel::Warn => "warning",
        FindingLevel::Info => "note",
    }
}

fn result(checked: &CheckOutcome, judged: &JudgedFinding) -> SarifResult {
    let reported = checked.reported(judged);
    let mut locations: Vec<Location> = reported.iter().map(location).collect();
    if locations.is_empty() {
        locations.push(at("unify-check".to_owned(), 1));
    }
    let rules = CheckRule::ALL.iter();
    let index = rules
        .take_while(|rule| **rule != judged.finding.rule)
        .count();
    SarifResult {
        rule_id: judged.finding.rule.code(),
        rule_index: index,
        level: level(judged.level),
        message: Text {
            text: plain(&sentence(judged)),
        },
        locations,
        partial_fingerprints: Fingerprints { key: hex(judged) },
    }
}

/// The digest without the name of its kind.
pub(super) fn hex(judged: &JudgedFinding) -> String {
    let text = judged.fingerprint.to_string();
    text.rsplit(':').next().unwrap_or_default().to_owned()
}

/// Text without the embedded links of SARIF 3.11.6.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '\\') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

fn location(reported: &Reported<'_>) -> Location {
    at(uri(&reported.bytes), reported.line)
}

fn at(uri: String, line: usize) -> Location {
    Location {
        physical_location: Physical {
            artifact_location: Artifact { uri },
            region: Region {
                start_line: line.max(1),
            },
        },
    }
}

/// A relative reference of RFC 3986: every byte but the unreserved ones and slashes is encoded.
fn uri(bytes: &[u8]) -> String {
    let mut uri = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
