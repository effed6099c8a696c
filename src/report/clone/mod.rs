//! What `unify clone` made, or would make.
//!
//! The JSON form is the fields of `CloneJson`.

mod json;
mod remarks;

use std::io::{self, Write};

use crate::model::{Blocks, GuestClone, RunId, RunTotals};

use super::answer::next;
use super::answer::next::NextStep;
use super::layout::shell::shell_word;
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};
use super::run::not_done;
use super::words::not_done::NotDone;
use crate::model::Escaped;

pub use json::json;

/// A clone, and what became of its names that shall refer to objects.
#[derive(Debug, Clone, Copy)]
pub struct CloneView<'a> {
    /// What it is.
    pub clone: &'a GuestClone,
    /// Was nothing made, and only told?
    pub dry_run: bool,
    /// Why the rest of its names was not linked, if that ended early.
    pub not_linked: Option<&'a str>,
    /// The runs that linked names of it.
    pub runs: &'a [(RunId, RunTotals)],
    /// What these did not do.
    pub not_done: &'a NotDone,
}

impl CloneView<'_> {
    /// What all its runs came to.
    fn linked(&self) -> RunTotals {
        let mut sum = RunTotals::default();
        for (_, totals) in self.runs {
            sum.done += totals.done;
            sum.already += totals.already;
            sum.names += totals.names;
            sum.bytes += totals.bytes;
            sum.refused += totals.refused;
            sum.failed += totals.failed;
        }
        sum
    }

    /// Why no name is linked, or not all.
    fn why_not(&self) -> Option<&str> {
        self.not_linked.or(self.clone.not_linked.as_deref())
    }
}

/// For people.
pub fn text(view: &CloneView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let clone = view.clone;
    let (source, new) = (&clone.source.name, &clone.new.name);
    let root = Escaped::of(&clone.new.root);
    match view.dry_run {
        true => writeln!(
            out,
            "PLAN ONLY, nothing was changed.\nWould clone {source} to {new}, at {root}:\n"
        )?,
        false => writeln!(out, "Cloned {source} to {new}, at {root}:\n")?,
    }
    table(view, sizes).text(out)?;
    room(view, sizes, out)?;
    if let Some(why) = view.why_not() {
        writeln!(
            out,
            "\nNOT LINKED: {why}. The files are whole, and private."
        )?;
    }
    not_done("Not linked", view.not_done, out)?;
    remarks::text(clone, view.dry_run, out)?;
    writeln!(out)?;
    before_it_starts(clone, out)?;
    next::text(&steps(view), out)
}

fn table(view: &CloneView<'_>, sizes: Sizes) -> TextTable {
    let (totals, dry) = (&view.clone.totals, view.dry_run);
    let mut table = TextTable::new(&[
        ("", Column::Words),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    let mut row = |word: &str, number: u64, remark: String| {
        table.row([word.into(), count(number), remark]);
    };
    row("directories", totals.directories, String::new());
    row("files", totals.files, files(view, sizes));
    row("links", totals.symlinks, String::new());
    if totals.special > 0 {
        row("devices, FIFOs", totals.special, String::new());
    }
    if totals.more_names > 0 {
        row("further names", totals.more_names, "of these".into());
    }
    let linked = view.linked();
    let base = view.clone.base.as_deref().map(Escaped::of);
    match (base, dry) {
        (Some(base), true) if view.clone.not_linked.is_none() => {
            let bytes = sizes.of(totals.shared_bytes);
            let remark = format!("of these would then refer to objects of {base} ({bytes})");
            row("linked", totals.shared_files, remark);
        }
        (Some(base), false) if linked.done > 0 => {
            let bytes = sizes.of(linked.bytes);
            let remark =
                format!("of these refer to objects of {base}; {bytes} came back with that");
            row("linked", linked.done, remark);
        }
        _ => {}
    }
    table
}

fn files(view: &CloneView<'_>, sizes: Sizes) -> String {
    let totals = &view.clone.totals;
    let (bytes, allocated) = (sizes.of(totals.bytes), sizes.of(totals.allocated));
    let how = match (view.clone.blocks, view.dry_run) {
        (Blocks::Copied, true) => "would be copied: files cannot share blocks there".to_owned(),
        (Blocks::Copied, false) => "were copied".to_owned(),
        (Blocks::Shared, true) => "would be shared, not copied (reflinks)".to_owned(),
        (Blocks::Shared, false) => format!(
            "are shared, not copied (reflinks of {})",
            counted(totals.reflinked, "file")
        ),
    };
    format!("{bytes} long; the {allocated} that they take {how}")
}

fn room(view: &CloneView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let clone = view.clone;
    let (needed, free) = (sizes.of(clone.needed), sizes.of(clone.free));
    if view.dry_run {
        writeln!(out, "  (takes up to {needed} of {free} that are free)")?;
        if clone.needed > clone.free {
            writeln!(out, "NO ROOM: make room there first")?;
        }
    }
    let Some(disk) = clone.disk else {
        return Ok(());
    };
    let bytes = sizes.of(disk.used_after.abs_diff(disk.used_before));
    let what = if disk.used_after < disk.used_before {
        "less"
    } else {
        "more"
    };
    writeln!(
        out,
        "  (on the whole disk {bytes} {what} are in use than before, the base's own records and other writers counted)"
    )
}

/// What nobody does for the new guest.
fn before_it_starts(clone: &GuestClone, out: &mut dyn Write) -> io::Result<()> {
    let root = shell_word(&clone.new.root);
    let name = &clone.new.name;
    writeln!(
        out,
        "Before it starts, by hand: tell its manager of it (LXC: in a copy of the other's configuration, lxc.rootfs.path = dir:{root} and lxc.uts.name = {name}, and another hardware address); give it a name of its own in /etc/hostname and /etc/hosts, which are copies."
    )?;
    let lacks_keys = clone.left_out.iter().any(|one| one.code == "ssh-host-key");
    if lacks_keys {
        writeln!(
            out,
            "It has no SSH host keys, without which sshd does not start: make new ones with `ssh-keygen -A -f {root}`, or in the guest."
        )?;
    }
    Ok(())
}

fn steps(view: &CloneView<'_>) -> Vec<NextStep> {
    let clone = view.clone;
    let word = |guest: &crate::model::ClonedGuest| {
        let mut word = std::ffi::OsString::from(format!("{}=", guest.name));
        word.push(&guest.root);
        word
    };
    let (source, new) = (word(&clone.source), word(&clone.new));
    let base = clone.base.as_ref().map(|base| base.as_os_str().to_owned());
    match base {
        _ if view.dry_run => {
            let words = ["clone".into(), source, new];
            vec![NextStep::unify(&words, "to make it")]
        }
        Some(base) if !view.runs.is_empty() => {
            let words = ["status".into(), "--base".into(), base];
            vec![NextStep::unify(&words, "to see what is shared now")]
        }
        _ => {
            let words = ["plan", "-o", "plan.json"].map(std::ffi::OsString::from);
            let words = [&words[..], &[source, new]].concat();
            vec![NextStep::unify(&words, "to see what the two could share")]
        }
    }
}
