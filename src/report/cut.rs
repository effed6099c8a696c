//! What `unify cut` kept of a plan.
//!
//! The JSON form is the fields of `CutJson`.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{Cut, Escaped, KeptLines};

use super::layout::json;
use super::layout::shell::shell_word;
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
    let (shown, word) = (Escaped::of(output), shell_word(output));
    writeln!(out, "Wrote {shown}{content}.")?;
    writeln!(
        out,
        "Next: unify apply --dry-run {word}   or   unify apply {word}"
    )
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
}

/// For programs.
pub fn json(cut: &Cut, out: &mut dyn Write) -> io::Result<()> {
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
    };
    json::write_line(out, &value)
}
