//! One file of two guests, for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::DiffView;
use super::guests_json::EntryJson;
use crate::model::{
    ContentCompared, Digest, FileCompared, FileSide, HunkLine, LineFrom, TextHunk, TextOfTwo,
};
use crate::report::layout::json::{self, BytesJson, PathJson};

#[derive(Serialize)]
struct FilesDiffJson<'a> {
    /// `unify.diff-files`.
    kind: &'static str,
    same: bool,
    fields: &'a [&'static str],
    old_file: FileSideJson<'a>,
    new_file: FileSideJson<'a>,
    /// Null where one of them is no regular file.
    same_bytes: Option<bool>,
    /// Null where it is not known.
    first_difference: Option<u64>,
    /// Null where the lines are not shown.
    hunks: Option<Vec<HunkJson>>,
    /// Why they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_shown: Option<&'static str>,
    fewest: bool,
}

#[derive(Serialize)]
struct FileSideJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
    sha256: Option<Digest>,
    entry: Option<EntryJson<'a>>,
}

#[derive(Serialize)]
struct HunkJson {
    old_start: u64,
    old_count: u64,
    new_start: u64,
    new_count: u64,
    hunk_lines: Vec<HunkLineJson>,
}

#[derive(Serialize)]
struct HunkLineJson {
    what: &'static str,
    #[serde(flatten)]
    text: BytesJson,
    ended: bool,
}

/// For programs; with `--stat` without the lines.
pub fn json(found: &FileCompared, view: DiffView, out: &mut dyn Write) -> io::Result<()> {
    let (same_bytes, first_difference) = match found.content {
        None => (None, None),
        Some(ContentCompared::Same) => (Some(true), None),
        Some(ContentCompared::DifferAt(byte)) => (Some(false), byte),
    };
    let (hunks, not_shown) = match &found.text {
        _ if view.stat => (None, Some("stat")),
        TextOfTwo::Hunks(hunks) => (Some(hunks.iter().map(hunk).collect()), None),
        TextOfTwo::NotShown(why) => (None, Some(why.code())),
    };
    let value = FilesDiffJson {
        kind: "unify.diff-files",
        same: found.fields.is_empty(),
        fields: &found.fields,
        old_file: side(&found.old),
        new_file: side(&found.new),
        same_bytes,
        first_difference,
        hunks,
        not_shown,
        fewest: found.fewest,
    };
    json::write_line(out, &value)
}

fn side(side: &FileSide) -> FileSideJson<'_> {
    FileSideJson {
        guest: side.guest.as_str(),
        path: PathJson::from(&side.path),
        sha256: side.digest,
        entry: side.entry.as_ref().map(EntryJson::of),
    }
}

fn hunk(hunk: &TextHunk) -> HunkJson {
    HunkJson {
        old_start: hunk.old.0,
        old_count: hunk.old.1,
        new_start: hunk.new.0,
        new_count: hunk.new.1,
        hunk_lines: hunk.lines.iter().map(line).collect(),
    }
}

fn line(line: &HunkLine) -> HunkLineJson {
    HunkLineJson {
        what: match line.from {
            LineFrom::Both => "none",
            LineFrom::Old => "gone",
            LineFrom::New => "new",
        },
        text: BytesJson::from(line.text.as_slice()),
        ended: line.ended,
    }
}
