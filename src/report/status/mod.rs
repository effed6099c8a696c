//! What `unify status` found: how much each guest shares, which names drifted, which runs there were.
//!
//! The JSON form is the fields of `StatusJson`. All sizes are allocated bytes.

mod guard;
mod memory;
mod next;
mod runs;
mod written;

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    DamagedLine, Drift, Escaped, GuestStatus, MaintainedGuest, ObjectId, ReflinkCount, RunEnd,
    RunStatus, Sign, Status, WritersMeet,
};

use super::alarms::{frozen, unprotected};
use super::answer::next::NextJson;
use super::layout::json;
use super::layout::json::{PathJson, RootJson};
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable, section, section_within};
use super::words::list::ListLimits;
use super::words::sentence::safe;
pub(super) mod orphans;

/// For people.
pub fn text(
    status: &Status,
    sizes: Sizes,
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let columns = listing.columns;
    frozen::left(&status.frozen, &status.base, out)?;
    unprotected::line(status, out)?;
    objects(status, sizes, out)?;
    guard::text(status, out)?;
    maintained(status, out)?;
    warnings(status, listing, out)?;
    orphans::text(status, listing, out)?;
    section_within(columns, "Guests:", &guests(status, sizes), out)?;
    held_elsewhere(status, sizes, out)?;
    reflinks(status, out)?;
    let title = "Drifted (unified once, not any more):";
    section(title, &drifted(status, listing), out)?;
    let drifted = status.guests.iter().map(|guest| guest.drifted.len());
    listing.more(drifted.sum(), out)?;
    written::text(status, sizes, listing, out)?;
    let runs = runs::table(status, sizes, listing);
    section_within(columns, "Runs:", &runs, out)?;
    listing.more(status.runs.len(), out)
}

fn objects(status: &Status, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let base = Escaped(status.base.as_os_str().as_encoded_bytes());
    let it = &status.objects;
    let (all, bytes) = (counted(it.all, "object"), sizes.of(it.bytes));
    let reflinks: u64 = status.guests.iter().map(|guest| guest.reflinks.files).sum();
    let by = if reflinks > 0 {
        "hard links"
    } else {
        "sharing"
    };
    writeln!(
        out,
        "Base {base}: {all}, {bytes}; {} came back by {by}",
        sizes.of(it.saved_bytes)
    )?;
    if it.unused == 0 {
        return Ok(());
    }
    let (unused, bytes) = (counted(it.unused, "object"), sizes.of(it.unused_bytes));
    let marks = match status.sign {
        Sign::Mark => ", and takes off the guard's marks",
        Sign::Flag | Sign::Flags | Sign::Seal | Sign::Protection => "",
    };
    writeln!(
        out,
        "  {unused} without a name in any guest: `unify gc --base {base}` gives back {bytes}{marks}"
    )
}

/// Guests of which no plan links anything for now.
fn maintained(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let base = Escaped::of(&status.base);
    for MaintainedGuest { name, since, .. } in &status.maintained {
        writeln!(
            out,
            "BEING MAINTAINED: {name}, since {}: `unify refreeze --base {base} {name}` shares again what is equal",
            safe(since)
        )?;
    }
    Ok(())
}

fn warnings(status: &Status, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    let base = Escaped::of(&status.base);
    for guest in &status.guests {
        if let Some(missing) = &guest.missing {
            let (name, missing) = (&guest.name, safe(missing));
            if guest.is_gone {
                writeln!(
                    out,
                    "MISSING: {name}: {missing}, and no name of it is anywhere, so it was deleted; `unify forget --base {base} {name}` ends this line"
                )?;
                continue;
            }
            writeln!(
                out,
                "MISSING: {name}: {missing}; plan it where it is now, or, if it was deleted, `unify forget --base {base} {name}`"
            )?;
        }
        if guest.unread > 0 {
            let (name, unread) = (&guest.name, counted(guest.unread, "name"));
            writeln!(
                out,
                "UNREAD: {name}: {unread} could not be read and are not counted"
            )?;
        }
    }
    let unfinished = |run: &&RunStatus| run.end == RunEnd::Unfinished;
    for run in status.runs.iter().filter(unfinished) {
        match status.at_work {
            true => writeln!(out, "AT WORK: run {}", run.run)?,
            false => writeln!(
                out,
                "UNFINISHED: run {}: run `unify recover --base {base}`",
                run.run
            )?,
        }
    }
    memory::text(status, listing, out)
}

/// What deleting a guest would not free, and what it may.
fn held_elsewhere(status: &Status, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    for guest in &status.guests {
        let (name, stays, unsure) = (&guest.name, guest.elsewhere, guest.unsure);
        if stays > 0 {
            let stays = sizes.of(stays);
            writeln!(
                out,
                "  {name}: {stays} more are shared by other names, files or snapshots, and freed only with the last of these"
            )?;
        }
        if unsure > 0 {
            let unsure = sizes.of(unsure);
            writeln!(
                out,
                "  {name}: of what is freed {unsure} are an upper bound: compressed, beside the metadata, or shared without a sign"
            )?;
        }
    }
    Ok(())
}

/// Files that share blocks, which nobody sees by their names.
fn reflinks(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    for guest in &status.guests {
        let (name, it) = (&guest.name, guest.reflinks);
        if it.files > 0 {
            let files = counted(it.files, "file");
            writeln!(out, "  {name}: {files} made to share blocks (reflinks)")?;
        }
        if it.written > 0 {
            let files = counted(it.written, "file");
            writeln!(
                out,
                "  {name}: {files} shared blocks and share none now: they or all that they shared with were changed since"
            )?;
        }
    }
    Ok(())
}

fn guests(status: &Status, sizes: Sizes) -> TextTable {
    let mut table = TextTable::new(&[
        ("guest", Column::Name),
        ("names", Column::Number),
        ("shared names", Column::Number),
        ("unique", Column::Number),
        ("shared", Column::Number),
        ("freed if deleted", Column::Number),
        ("drifted", Column::Number),
    ]);
    for guest in &status.guests {
        table.row([
            guest.name.to_string(),
            count(guest.names),
            count(guest.shared_names),
            sizes.of(guest.unique),
            sizes.of(guest.shared),
            sizes.of(guest.freed_if_deleted),
            count(guest.drifted.len() as u64),
        ]);
    }
    table
}

fn drifted(status: &Status, listing: ListLimits) -> TextTable {
    let mut table = TextTable::new(&[("", Column::Name), ("", Column::Words)]);
    let guests = status.guests.iter();
    let names = guests.flat_map(|guest| guest.drifted.iter().map(move |drift| (guest, drift)));
    for (guest, drift) in names.take(listing.most) {
        let what = if drift.exists {
            "another file now"
        } else {
            "does not exist any more"
        };
        table.row([format!("{}:{}", guest.name, drift.path), what.into()]);
    }
    table
}

#[derive(Serialize)]
struct StatusJson<'a> {
    /// `unify.status`.
    kind: &'static str,
    /// Where the base is: `root`, `root_b64`.
    base: RootJson,
    /// Cgroups that a run left frozen: `unify recover` lets them go.
    frozen: &'a [String],
    /// Objects in the base.
    objects: u64,
    object_bytes: u64,
    /// Objects without a name in any guest.
    unused_objects: u64,
    unused_bytes: u64,
    /// What sharing saves.
    saves: u64,
    /// Objects in use that lack the flag which protects them.
    unprotected_objects: u64,
    /// Every guest that the base remembers.
    guests: Vec<GuestStatusJson<'a>>,
    /// Guests that are being maintained: `name`, `since`.
    maintained: &'a [MaintainedGuest],
    /// Every run, oldest first; `totals` is null for one that did not end.
    runs: &'a [RunStatus],
    /// Lines of receipts that are damaged and count for nothing: `run`, `paper`, `line`, `why`.
    damaged_lines: &'a [DamagedLine],
    /// Names of objects that are in no guest which the base knows.
    unknown_names: u64,
    /// Is a run at work now?
    at_work: bool,
    /// What guests wrote to shared files, as the daemon of the guard recorded it.
    writers: written::WrittenJson<'a>,
    /// What writers meet now: `level`, `daemon`; `null` for a base that no guard which is loaded protects.
    guard: Option<WritersMeet>,
    /// What may be done now.
    next: Vec<NextJson>,
}

#[derive(Serialize)]
struct GuestStatusJson<'a> {
    name: &'a str,
    #[serde(flatten)]
    root: RootJson,
    /// Why the root is not there; null if it is.
    missing: Option<&'a str>,
    /// Was it deleted, with nothing of it left anywhere?
    gone: bool,
    /// Inodes.
    files: u64,
    names: u64,
    shared_names: u64,
    unprotected_names: u64,
    unique_bytes: u64,
    elsewhere_bytes: u64,
    shared_bytes: u64,
    freed_if_deleted: u64,
    unsure_bytes: u64,
    unread: u64,
    drifted: Vec<DriftJson>,
    #[serde(flatten)]
    reflinks: ReflinkCount,
    #[serde(flatten)]
    orphans: orphans::OrphansJson<'a>,
}

#[derive(Serialize)]
struct DriftJson {
    #[serde(flatten)]
    path: PathJson,
    object: ObjectId,
    exists: bool,
}

/// For programs.
pub fn json(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let count = &status.objects;
    let value = StatusJson {
        kind: "unify.status",
        base: RootJson::from(status.base.as_path()),
        frozen: &status.frozen,
        objects: count.all,
        object_bytes: count.bytes,
        unused_objects: count.unused,
        unused_bytes: count.unused_bytes,
        saves: count.saved_bytes,
        unprotected_objects: count.unprotected,
        guests: status.guests.iter().map(guest_json).collect(),
        maintained: &status.maintained,
        runs: &status.runs,
        damaged_lines: &status.damaged,
        unknown_names: status.unknown_names,
        at_work: status.at_work,
        writers: (&status.written).into(),
        guard: status.guard,
        next: NextJson::all(&next::steps(status)),
    };
    json::write_line(out, &value)
}

fn guest_json(guest: &GuestStatus) -> GuestStatusJson<'_> {
    GuestStatusJson {
        name: guest.name.as_str(),
        root: RootJson::from(guest.root.as_path()),
        missing: guest.missing.as_deref(),
        gone: guest.is_gone,
        files: guest.files,
        names: guest.names,
        shared_names: guest.shared_names,
        unprotected_names: guest.unprotected_names,
        unique_bytes: guest.unique,
        elsewhere_bytes: guest.elsewhere,
        shared_bytes: guest.shared,
        freed_if_deleted: guest.freed_if_deleted,
        unsure_bytes: guest.unsure,
        unread: guest.unread,
        drifted: guest.drifted.iter().map(drift_json).collect(),
        reflinks: guest.reflinks,
        orphans: (&guest.orphans).into(),
    }
}

fn drift_json(drift: &Drift) -> DriftJson {
    DriftJson {
        path: PathJson::from(&drift.path),
        object: drift.object,
        exists: drift.exists,
    }
}

#[cfg(test)]
mod tests;
