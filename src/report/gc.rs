//! What `unify gc` removed, or would remove.
//!
//! The JSON form is the fields of `Collected` after `kind` (`unify.gc`) and `dry_run`.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Collected, PapersGone};

use super::alarms::spoiled::{self, SpoiledJson};
use super::layout::json;
use super::layout::size::{Sizes, count, counted};

/// For people: a line, and one more where papers went.
pub fn text(
    collected: &Collected,
    dry_run: bool,
    sizes: Sizes,
    out: &mut dyn Write,
) -> io::Result<()> {
    let verb = if dry_run { "Would remove" } else { "Removed" };
    let objects = counted(collected.objects, "object");
    let (bytes, kept) = (sizes.of(collected.bytes), counted(collected.kept, "object"));
    let back = if dry_run { "come back" } else { "came back" };
    writeln!(
        out,
        "{verb} {objects} without a name in any guest, {bytes} {back}; {kept} in use."
    )?;
    if collected.still_open > 0 {
        writeln!(
            out,
            "Marks that stay until a later `unify gc`: {}, of files without any name that something has open or mounted still.",
            count(collected.still_open)
        )?;
    }
    if let Some(papers) = &collected.papers {
        let PapersGone {
            runs,
            needed,
            bytes,
        } = papers;
        let all = counted(*runs, "run");
        let (some, bytes) = (counted(*needed, "run"), sizes.of(*bytes));
        writeln!(
            out,
            "{verb} all papers of {all}, and the journals of {some} whose names are still shared ({bytes})."
        )?;
    }
    spoiled::text(&collected.spoiled, out)
}

#[derive(Serialize)]
struct GcJson<'a> {
    kind: &'static str,
    dry_run: bool,
    objects: u64,
    bytes: u64,
    kept: u64,
    /// Files without any name that are open, and keep their marks.
    #[serde(skip_serializing_if = "Option::is_none")]
    still_open: Option<u64>,
    /// Where `--keep-runs` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    papers: Option<PapersGone>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spoiled: Vec<SpoiledJson<'a>>,
}

/// For programs.
pub fn json(collected: &Collected, dry_run: bool, out: &mut dyn Write) -> io::Result<()> {
    let kind = "unify.gc";
    let value = GcJson {
        kind,
        dry_run,
        objects: collected.objects,
        bytes: collected.bytes,
        kept: collected.kept,
        still_open: Some(collected.still_open).filter(|files| *files > 0),
        papers: collected.papers,
        spoiled: SpoiledJson::all(&collected.spoiled),
    };
    json::write_line(out, &value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::written;

    const SOME: Collected = Collected {
        objects: 1,
        bytes: 4096,
        kept: 1200,
        still_open: 0,
        spoiled: Vec::new(),
        papers: None,
    };

    #[test]
    fn a_dry_run_says_would() {
        let told = |dry_run| written(|out| text(&SOME, dry_run, Sizes::default(), out));
        let want = |verb, back| {
            format!(
                "{verb} 1 object without a name in any guest, 4.00 KiB {back}; 1,200 objects in use.\n"
            )
        };
        assert_eq!(told(true), want("Would remove", "come back"));
        assert_eq!(told(false), want("Removed", "came back"));
        let want =
            "{\"kind\":\"unify.gc\",\"dry_run\":true,\"objects\":1,\"bytes\":4096,\"kept\":1200}\n";
        assert_eq!(written(|out| json(&SOME, true, out)), want);
    }

    #[test]
    fn what_keeps_its_mark_is_told() {
        let some = Collected {
            still_open: 2,
            ..SOME
        };
        let told = written(|out| text(&some, false, Sizes::default(), out));
        assert!(told.contains("later `unify gc`: 2, of files"), "{told}");
        let told = written(|out| json(&some, false, out));
        assert!(told.contains("\"kept\":1200,\"still_open\":2"), "{told}");
    }
}
