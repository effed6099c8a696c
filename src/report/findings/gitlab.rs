//! Code quality as GitLab's merge requests read it: an array of issues. Of two with one fingerprint only the first is
//! shown, so that is the digest of the key, which no two findings share.

use std::io::{self, Write};

use serde::Serialize;

use super::sarif::hex;
use super::words::sentence;
use crate::model::{CheckOutcome, Escaped, FindingLevel, JudgedFinding};
use crate::report::layout::json;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: IssuePlace,
}

#[derive(Serialize)]
struct IssuePlace {
    path: String,
    lines: IssueLines,
}

#[derive(Serialize)]
struct IssueLines {
    begin: usize,
}

/// The whole file, an issue a line.
pub fn gitlab(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "[")?;
    for (number, judged) in checked.fresh().enumerate() {
        writeln!(out, "{}", if number == 0 { "" } else { "," })?;
        json::write(out, &issue(checked, judged))?;
    }
    writeln!(out, "]")
}

fn issue(checked: &CheckOutcome, judged: &JudgedFinding) -> Issue {
    let reported = checked.reported(judged);
    let first = reported.first();
    let path = first.map_or("unify-check".to_owned(), |first| {
        Escaped(&first.bytes).to_string()
    });
    Issue {
        description: sentence(judged),
        check_name: judged.finding.rule.code(),
        fingerprint: hex(judged),
        severity: severity(judged),
        location: IssuePlace {
            path,
            lines: IssueLines {
                begin: first.map_or(1, |first| first.line.max(1)),
            },
        },
    }
}

fn severity(judged: &JudgedFinding) -> &'static str {
    match judged.level {
        _ if judged.finding.rule.is_blindness() => "blocker",
        FindingLevel::Error => "critical",
        FindingLevel::Warn => "minor",
        FindingLevel::Info => "info",
    }
}
