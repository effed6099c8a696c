//! A plan for a merge request: headings, tables, and the actions in a fenced block.
//!
//! All that comes from a guest or from the plan's free text stands in code spans or in the fence, where no link,
//! mention or HTML comes to life. No action begins with a backtick, so none closes the fence.

use std::io::{self, Write};

use crate::model::Escaped;

use super::request::{Show, heading};
use super::text;
use crate::report::layout::table::{TextTable, code, escape};
use crate::report::near_misses;
use crate::report::plan_view::{ON_TOP, PlanView};

/// Everything but the actions.
pub(super) fn begin(show: Show, plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# unify plan\n")?;
    title(plan, out)?;
    text::totals(show.sizes(), plan).markdown(out)?;
    for line in plan.caveats(show.sizes()) {
        writeln!(out, "\nNote: {}.", escape(&line))?;
    }
    writeln!(out, "\nNote: {}.", escape(ON_TOP))?;
    list("Changed by hand", &plan.edits(), out)?;
    list("Shared without protection", &plan.alarm(show.sizes()), out)?;
    list("Warnings", &plan.warnings(), out)?;
    section("Left alone", &text::skipped(show.sizes(), plan), out)?;
    section("Shared", &text::pairs(show.sizes(), plan), out)?;
    let missed = &plan.summary.near_misses;
    section("Near misses", &near_misses::by(missed, show.sizes()), out)?;
    if show.near_misses {
        section(
            "One by one",
            &near_misses::listed(missed, show.sizes()),
            out,
        )?;
        list(
            "Of near misses",
            &near_misses::remarks(missed, show.sizes()),
            out,
        )?;
    }
    if let Some(by) = show.by {
        section(
            &format!("By {}", heading(by)),
            &text::groups(show, plan),
            out,
        )?;
    }
    if show.lines {
        writeln!(out, "\n## Actions\n\n```text")?;
    }
    Ok(())
}

/// Closes the fence.
pub(super) fn end(lines: bool, out: &mut dyn Write) -> io::Result<()> {
    if lines { writeln!(out, "```") } else { Ok(()) }
}

fn title(plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let header = plan.header;
    let base = header.base.path.as_os_str().as_encoded_bytes();
    let base = Escaped(base).to_string();
    writeln!(
        out,
        "- made {} by {}",
        code(&header.created),
        code(&header.tool)
    )?;
    writeln!(
        out,
        "- base {} ({})",
        code(&base),
        code(&header.base.filesystem)
    )?;
    let why = code(&header.protection.why);
    writeln!(out, "- protect {}: {why}", code(plan.protect()))?;
    if let Some(content) = plan.content {
        writeln!(out, "- content {}", code(&content.to_string()))?;
    }
    writeln!(out)
}

fn section(title: &str, table: &TextTable, out: &mut dyn Write) -> io::Result<()> {
    if table.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    table.markdown(out)
}

fn list(title: &str, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## {title}\n")?;
    lines
        .iter()
        .try_for_each(|line| writeln!(out, "- {}", code(line)))
}
