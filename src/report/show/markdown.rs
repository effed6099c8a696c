//! A plan for a merge request: headings, tables, and the actions in a fenced block.
//!
//! All that comes from a guest or from the plan's free text stands in code spans or in the fence, where no link,
//! mention or HTML comes to life. No action begins with a backtick, so none closes the fence.

use std::io::{self, Write};

use crate::model::Escaped;

use super::request::{Show, heading};
use super::text;
use crate::report::audit::ONLY;
use crate::report::layout::table::{TextTable, code, escape};
use crate::report::near_misses;
use crate::report::plan_view::{ON_TOP, PlanView};

/// Everything but the actions. A document is whole, whatever tables were asked for; of some lines it has their sums.
pub(super) fn begin(show: Show, plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let what = if plan.is_audit() { "audit" } else { "plan" };
    if show.selected {
        writeln!(out, "# unify {what}: some of its lines\n")?;
        title(plan, out)?;
        text::totals(show.sizes(), plan).markdown(out)?;
        section("Left alone", &text::left_alone(show.sizes(), plan), out)?;
        return asked_for(show, plan, out);
    }
    writeln!(out, "# unify {what}\n")?;
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
    asked_for(show, plan, out)
}

/// Tables that come on top, and where the actions begin.
fn asked_for(show: Show, plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let missed = &plan.summary.near_misses;
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
    let (created, tool) = (code(&header.created), code(&header.tool));
    writeln!(out, "- made {created} by {tool}")?;
    match &header.target {
        None => writeln!(out, "- {ONLY}")?,
        Some(target) => {
            let base = code(&Escaped::of(&target.base.path).to_string());
            writeln!(out, "- base {base} ({})", code(&target.base.filesystem))?;
            if let Some(how) = &target.method {
                let mode = code(how.mode.code());
                writeln!(out, "- method {mode}: {}", code(&how.why))?;
            }
            if let Some(how) = &target.protection {
                let mode = code(how.mode.code());
                writeln!(out, "- protect {mode}: {}", code(&how.why))?;
            }
        }
    }
    if let Some(digest) = plan.digest {
        writeln!(out, "- content {}", code(&digest.content.to_string()))?;
        let mut decision = digest.decision.iter();
        decision.try_for_each(|it| writeln!(out, "- decision {}", code(&it.to_string())))?;
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
