//! What `recover` found and did.
//!
//! The JSON form is the fields of [`Recovered`], with `kind` `unify.recover`.

mod taken;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::alarms::spoiled::{self, SpoiledJson};
use super::alarms::unprotected::{self, counted_again};
use super::answer::next::{self, NextJson, NextStep};
use super::layout::json;
use super::layout::size::{counted, counted_does};
use super::words::sentence::safe;
use crate::model::{GuestName, ObjectId, Recovered, TakenOver};

/// For people.
pub fn text(recovered: &Recovered, base: &Path, out: &mut dyn Write) -> io::Result<()> {
    let sign = recovered.sign;
    if let Some(taken) = &recovered.taken {
        taken::text(taken, &counted_again(recovered.flags, sign), out)?;
    } else {
        let open = recovered.were_open.keys();
        unprotected::set_again(recovered.unprotected, sign, open, out)?;
    }
    let flags = recovered.flags - recovered.unprotected;
    if recovered.taken.is_some() && recovered.runs == 0 {
        // All is said.
    } else if recovered.runs == 0 && recovered.flags > 0 && flags == 0 {
        writeln!(out, "No run was cut short.")?;
    } else if recovered.runs == 0 && flags == 0 {
        writeln!(out, "No run was cut short; nothing was changed.")?;
    } else if recovered.runs == 0 {
        let set = counted_again(flags, sign);
        writeln!(out, "A recovery or gc was interrupted; {set}.")?;
    } else {
        writeln!(out, "Healed what {} left.", counted(recovered.runs, "run"))?;
        let finished = counted_does(
            recovered.finished,
            "name",
            "is on its object or private copy now",
            "are on their objects or private copies now",
        );
        let kept = counted_does(
            recovered.kept,
            "name",
            "has the file that it had",
            "have the files that they had",
        );
        writeln!(out, "  {finished}\n  {kept}")?;
        writeln!(out, "  {}", counted_again(flags, sign))?;
    }
    spoiled::text(&recovered.spoiled, out)?;
    if !recovered.damaged.is_empty() {
        writeln!(
            out,
            "\nMay have been written to while they were not protected:"
        )?;
    }
    for object in &recovered.damaged {
        writeln!(out, "  {object}")?;
    }
    if !recovered.quarantined.is_empty() {
        writeln!(
            out,
            "\nIn quarantine, for a person to look at and move or remove:"
        )?;
    }
    let mut paths = recovered.quarantined.iter();
    paths.try_for_each(|path| writeln!(out, "  {}", safe(path)))?;
    next::text(&next(recovered, base), out)
}

/// Whom a spoiled object reaches is what a person wants to know.
fn next(recovered: &Recovered, base: &Path) -> Vec<NextStep> {
    match recovered.damaged.is_empty() {
        true => Vec::new(),
        false => vec![NextStep::on_base(
            "verify",
            base,
            "to name every file that a damaged object reaches",
        )],
    }
}

#[derive(Serialize)]
struct RecoverJson<'a> {
    kind: &'static str,
    healed_runs: u64,
    finished: u64,
    kept: u64,
    flags: u64,
    /// Flags among these that no run had taken off.
    flags_lost: u64,
    /// Names that refer to such objects, by guest.
    were_open: &'a BTreeMap<GuestName, u64>,
    quarantined: &'a [String],
    /// Objects that may have been written to while they were not protected.
    damaged_objects: &'a [ObjectId],
    spoiled: Vec<SpoiledJson<'a>>,
    notes: &'a [String],
    /// What `--restored` found; null without it.
    taken: Option<&'a TakenOver>,
    /// What may be done now.
    next: Vec<NextJson>,
}

/// For programs.
pub fn json(recovered: &Recovered, base: &Path, out: &mut dyn Write) -> io::Result<()> {
    let Recovered {
        sign: _,
        runs,
        finished,
        kept,
        flags,
        unprotected,
        were_open,
        quarantined,
        damaged,
        spoiled,
        notes,
        taken,
    } = recovered;
    json::write_line(
        out,
        &RecoverJson {
            kind: "unify.recover",
            healed_runs: *runs,
            finished: *finished,
            kept: *kept,
            flags: *flags,
            flags_lost: *unprotected,
            were_open,
            quarantined,
            damaged_objects: damaged,
            spoiled: SpoiledJson::all(spoiled),
            notes,
            taken: taken.as_ref(),
            next: NextJson::all(&next(recovered, base)),
        },
    )
}
