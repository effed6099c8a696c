//! What `unify undo --dry-run` found.
//!
//! The JSON form is the fields of `UndoViewJson`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{GuestName, UndoView};

use super::answer::next::{self, NextJson, NextStep};
use super::layout::json;
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};

/// For people; `command` is the same without what makes it a dry run.
pub fn text(
    view: &UndoView,
    command: &[OsString],
    sizes: Sizes,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "DRY RUN, nothing was changed.\n")?;
    let (files, names) = (counted(view.files, "file"), counted(view.names, "name"));
    writeln!(
        out,
        "WOULD UNDO: {files} with {names}; takes {} of {} that may be used",
        sizes.of(view.needed),
        sizes.of(view.free)
    )?;
    if view.needed > view.free {
        writeln!(
            out,
            "NO ROOM: make room, or undo a part with --guest or --path"
        )?;
    }
    let mut table = TextTable::new(&[
        ("", Column::Name),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    for (guest, names) in &view.guests {
        table.row([guest.to_string(), count(*names), "names".into()]);
    }
    table.text(out)?;
    if view.not_shared > 0 {
        let files = counted(view.not_shared, "file");
        writeln!(out, "  {files} more were linked and share nothing any more")?;
    }
    if view.lost > 0 {
        let files = counted(view.lost, "file");
        writeln!(out, "  {files} more are in guests whose roots are gone")?;
    }
    next::text(&next(view, command), out)
}

/// The undo itself, where there is something to undo and room for it.
fn next(view: &UndoView, command: &[OsString]) -> Vec<NextStep> {
    match view.files > 0 && view.needed <= view.free {
        true => vec![NextStep::of(command, "to do it")],
        false => Vec::new(),
    }
}

#[derive(Serialize)]
struct UndoViewJson<'a> {
    /// `unify.undo-dry-run`.
    kind: &'static str,
    /// Is there room?
    ok: bool,
    files: u64,
    names: u64,
    /// Names by guest.
    by_guest: &'a BTreeMap<GuestName, u64>,
    not_shared: u64,
    lost_files: u64,
    /// Bytes that the copies take, and that may be taken.
    needed: u64,
    free: u64,
    /// What may be done now.
    next: Vec<NextJson>,
}

/// For programs.
pub fn json(view: &UndoView, command: &[OsString], out: &mut dyn Write) -> io::Result<()> {
    let value = UndoViewJson {
        kind: "unify.undo-dry-run",
        ok: view.needed <= view.free,
        files: view.files,
        names: view.names,
        by_guest: &view.guests,
        not_shared: view.not_shared,
        lost_files: view.lost,
        needed: view.needed,
        free: view.free,
        next: NextJson::all(&next(view, command)),
    };
    json::write_line(out, &value)
}
