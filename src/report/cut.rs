//! What `unify cut` kept of a plan.
//!
//! The JSON form is the fields of `CutJson`.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{Cut, Escaped, KeptLines};

use super::answer::next::{self, NextJson, NextStep};
use super::layout::json;
use super::layout::size::{count, counted, iec};

/// For people: two lines, and what to do next.
pub fn text(cut: &Cut, output: &Path, out: &mut dyn Write) -> io::Result<()> {
    let Cut { links, flags, .. } = cut;
    let of =
        |kept: &KeptLines, thing| format!("{} of {}", count(kept.kept), counted(kept.of, thing));
    writeln!(
        out,
        "Kept {}, of which up to {} come back, and {}.",
        of(links, "link action"),
        iec(cut.saves),
        of(flags, "flag")
    )?;
    let content = cut.content.map(|content| content.to_string());
    let content = content.map_or_else(String::new, |content| format!(" (content {content})"));
    if output == Path::new("-") {
        return writeln!(out, "Wrote the narrower plan to standard output{content}.");
    }
    writeln!(out, "Wrote {}{content}.", Escaped::of(output))?;
    next::text(&next(output), out)
}

/// Nothing may be done with what went to standard output: nobody knows where it is.
fn next(output: &Path) -> Vec<NextStep> {
    if output == Path::new("-") {
        return Vec::new();
    }
    let apply = |words: &[&str], why| {
        let words = words.iter().map(OsStr::new).chain([output.as_os_str()]);
        NextStep::unify(&words.collect::<Vec<_>>(), why)
    };
    vec![
        apply(&["apply", "--dry-run"], "to prove each line"),
        apply(&["apply"], "to do it"),
    ]
}

#[derive(Serialize)]
struct CutJson {
    /// `unify.cut`.
    kind: &'static str,
    /// Lines of links that are kept, and how many the plan has.
    links: u64,
    of_links: u64,
    flags: u64,
    of_flags: u64,
    skips: u64,
    of_skips: u64,
    /// Allocated bytes that the kept links give back at most.
    saves: u64,
    /// The content digest of the narrower plan.
    content: Option<String>,
    /// What may be done now.
    next: Vec<NextJson>,
}

/// For programs.
pub fn json(cut: &Cut, output: &Path, out: &mut dyn Write) -> io::Result<()> {
    let value = CutJson {
        kind: "unify.cut",
        links: cut.links.kept,
        of_links: cut.links.of,
        flags: cut.flags.kept,
        of_flags: cut.flags.of,
        skips: cut.skips.kept,
        of_skips: cut.skips.of,
        saves: cut.saves,
        content: cut.content.map(|content| content.to_string()),
        next: NextJson::all(&next(output)),
    };
    json::write_line(out, &value)
}
