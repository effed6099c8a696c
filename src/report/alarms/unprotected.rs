//! Shared files that lost their flag: what `plan`, `status` and `recover` say of them, above everything else.

use std::io::{self, Write};

use crate::model::{Escaped, GuestName, Status};
use crate::report::PlanView;
use crate::report::layout::size::counted;
use crate::report::words::list::some;

/// So many guests are named.
const NAMED: usize = 20;

/// `UNPROTECTED: 7,499 shared files are without their flag, so a write in one guest changes the others' (c2, c3): run
/// ...`.
pub fn line(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let files = status.objects.unprotected;
    if files == 0 {
        return Ok(());
    }
    let open = status
        .guests
        .iter()
        .filter(|guest| guest.unprotected_names > 0);
    let guests = who(open.map(|guest| &guest.name));
    let base = Escaped::of(&status.base);
    writeln!(
        out,
        "UNPROTECTED: {}{guests}: run `unify recover --base {base}`",
        without(files)
    )
}

/// What `plan` says of the whole base, and of this plan's part in mending it.
pub fn planned(plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let files = plan.summary.flags_lost;
    let Some(target) = plan.header.target.as_ref().filter(|_| files > 0) else {
        return Ok(());
    };
    let base = Escaped::of(&target.base.path);
    let flags = plan.tally.totals().flags;
    let here = match flags {
        0 => String::new(),
        _ => " apply of this plan sets those that it has as flag lines;".to_owned(),
    };
    writeln!(
        out,
        "UNPROTECTED: {}:{here} `unify recover --base {base}` sets all, and finds what was written to\n",
        without(files)
    )
}

/// What it means that so many shared files are without their flag.
pub fn without(files: u64) -> String {
    let (its, are) = match files {
        1 => ("its flag", "is"),
        _ => ("their flags", "are"),
    };
    format!(
        "{} {are} without {its}, so a write in one guest changes the others'",
        counted(files, "shared file")
    )
}

/// ` (c2, c3)`; nothing where nobody is known.
pub fn who<'a>(guests: impl Iterator<Item = &'a GuestName>) -> String {
    let names: Vec<String> = guests.map(ToString::to_string).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" ({})", some(&names, NAMED))
}

/// What `recover` did about it.
pub fn set_again<'a>(
    files: u64,
    guests: impl Iterator<Item = &'a GuestName>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if files == 0 {
        return Ok(());
    }
    let has = if files == 1 { "has" } else { "have" };
    writeln!(
        out,
        "{} {has} the flag again, which no run had taken off: until now a write in one guest changed the others'{}.",
        counted(files, "shared file"),
        who(guests)
    )
}
