//! Workflow commands of GitHub Actions: annotations of a step.
//!
//! Of each kind GitHub shows ten in a step and drops the rest in silence: so where there are more, nine are written and
//! the tenth says how many others there are. This is the one form whose lines are commands; what comes from a guest is
//! escaped so that it cannot be one (actions/toolkit, `command.ts`).

use std::io::{self, Write};

use super::words::sentence;
use crate::model::{CheckOutcome, Escaped, FindingLevel, JudgedFinding, Reported};

/// Annotations of a kind that GitHub shows of a step.
const MOST: usize = 10;

/// One command a line.
pub fn github(checked: &CheckOutcome, out: &mut dyn Write) -> io::Result<()> {
    for (level, command) in [
        (FindingLevel::Error, "error"),
        (FindingLevel::Warn, "warning"),
        (FindingLevel::Info, "notice"),
    ] {
        let all: Vec<&JudgedFinding> = checked
            .fresh()
            .filter(|judged| judged.level == level)
            .collect();
        let shown = if all.len() > MOST {
            MOST - 1
        } else {
            all.len()
        };
        for judged in all.iter().take(shown) {
            annotation(checked, judged, command, out)?;
        }
        let more = all.len() - shown;
        if more > 0 {
            let what =
                format!("and {more} more findings of this level: see the summary or the JSON form");
            writeln!(out, "::{command} title=unify check::{}", data(&what))?;
        }
    }
    Ok(())
}

fn annotation(
    checked: &CheckOutcome,
    judged: &JudgedFinding,
    command: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let reported = checked.reported(judged);
    let at = reported
        .first()
        .map_or(String::new(), |first: &Reported<'_>| {
            let file = Escaped(&first.bytes).to_string();
            format!("file={},line={},", property(&file), first.line.max(1))
        });
    let title = property(judged.finding.rule.code());
    writeln!(
        out,
        "::{command} {at}title={title}::{}",
        data(&sentence(judged))
    )
}

/// The text of a command.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
