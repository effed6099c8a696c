//! What a person should know of a clone, list by list.

use std::io::{self, Write};

use crate::model::{GuestClone, SomePaths};
use crate::report::layout::size::count;
use crate::report::layout::table::{Column, TextTable};
use crate::report::words::list::MOST;

/// For people: nothing where there is nothing to say.
pub(super) fn text(clone: &GuestClone, dry_run: bool, out: &mut dyn Write) -> io::Result<()> {
    left_out(clone, out)?;
    if let Some(who) = &clone.running {
        writeln!(
            out,
            "\nNOT OF ONE MOMENT: {} runs ({who}), and its files {} one after the other while it may change them; a database in it may need repair.",
            clone.source.name,
            if dry_run {
                "would be copied"
            } else {
                "were copied"
            }
        )?;
    }
    let remarks = &clone.remarks;
    let immutable = match clone.base {
        Some(_) => "Immutable there and not here, because nobody could remove them",
        None => "Immutable there and not here; if a base shares these, name it with --base",
    };
    let lists = [
        (
            "SAME SECRET, because nothing would make it anew: both guests have",
            &remarks.secrets,
        ),
        ("Changed while they were copied", &remarks.changed),
        (
            "Not kept by the file system: inode flags, project or part of a time of",
            &remarks.not_kept,
        ),
        (immutable, &remarks.were_immutable),
        (
            "Sockets, which are nothing without their process, and are not copied",
            &remarks.sockets,
        ),
        (
            "What is mounted there is not copied, what lies beneath is",
            &remarks.mounts,
        ),
        (
            "File systems of their own (subvolumes), which are empty directories here",
            &remarks.foreign,
        ),
    ];
    lists
        .into_iter()
        .try_for_each(|(title, paths)| list(title, paths, out))
}

fn left_out(clone: &GuestClone, out: &mut dyn Write) -> io::Result<()> {
    if clone.left_out.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nLeft out, because it stands for one machine (--keep-identity keeps it):"
    )?;
    let mut table = TextTable::new(&[("", Column::Name), ("", Column::Words)]);
    for one in clone.left_out.iter().take(MOST) {
        let how = match one.emptied {
            true => format!("emptied: {}", one.why),
            false => one.why.to_owned(),
        };
        table.row([one.path.to_string(), how]);
    }
    table.text(out)?;
    more(clone.left_out.len() as u64, MOST, out)
}

fn list(title: &str, paths: &SomePaths, out: &mut dyn Write) -> io::Result<()> {
    if paths.all == 0 {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for path in paths.listed.iter().take(MOST) {
        writeln!(out, "  {path}")?;
    }
    more(paths.all, MOST, out)
}

fn more(all: u64, most: usize, out: &mut dyn Write) -> io::Result<()> {
    match all.saturating_sub(most as u64) {
        0 => Ok(()),
        more => writeln!(out, "  and {} more", count(more)),
    }
}
