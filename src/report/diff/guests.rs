//! What two guests have not in common, for people.

use std::io::{self, Write};

use super::DiffView;
use super::words::kind_word;
use crate::model::{
    ComparedGuest, EntrySide, EntryVerdict, Escaped, FileKind, GuestsCompared, NameDifference,
    PackageDifference, SideOf, harmless,
};
use crate::report::layout::size::{count, counted, counted_does};

/// The first names of two guests that are not the same, as many as are shown of each kind. Of a directory that only one
/// guest has what is in it is counted and not named.
#[derive(Debug, Default)]
pub struct FirstNames {
    /// Those whose rights differ.
    privileged: FirstOfKind,
    /// Those that both have, or that could not be compared.
    differing: FirstOfKind,
    /// Those that one has.
    only: FirstOfKind,
}

/// Names, how many names lie beneath each, and how many there are.
#[derive(Debug, Default)]
struct FirstOfKind {
    names: Vec<(NameDifference, u64)>,
    all: u64,
}

impl FirstOfKind {
    fn take(&mut self, name: &NameDifference, most: usize) {
        self.all += 1;
        if self.names.len() < most {
            self.names.push((name.clone(), 0));
        }
    }

    /// One more name in the directory that was taken last.
    fn take_beneath(&mut self) {
        if self.all == self.names.len() as u64 {
            let last = self.names.last_mut();
            last.into_iter().for_each(|(_, beneath)| *beneath += 1);
        }
    }

    fn text(&self, title: &str, view: DiffView, out: &mut dyn Write) -> io::Result<()> {
        if self.names.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{title}:")?;
        for (name, beneath) in &self.names {
            let line = line(name, view);
            match beneath {
                0 => writeln!(out, "{line}")?,
                more => writeln!(out, "{line}, with {} in it", counted(*more, "name"))?,
            }
        }
        view.more(self.all, "name", out)
    }
}

impl FirstNames {
    /// One more.
    pub fn take(&mut self, name: &NameDifference, view: DiffView) {
        if name.rights_differ() {
            self.privileged.take(name, view.most());
        }
        match (&name.verdict, name.beneath) {
            (EntryVerdict::Only(_), true) => self.only.take_beneath(),
            (EntryVerdict::Only(_), false) => self.only.take(name, view.most()),
            _ => self.differing.take(name, view.most()),
        }
    }
}

/// What the rights are that a privileged file gives.
const PRIVILEGED: &str = "Privileged files (set user or group id, capabilities)";

/// The sums, then packages, privileged files and names.
pub fn text(
    found: &GuestsCompared,
    first: &FirstNames,
    view: DiffView,
    out: &mut dyn Write,
) -> io::Result<()> {
    let GuestsCompared { old, new, .. } = found;
    writeln!(
        out,
        "{} ({}) → {} ({})",
        old.name, old.place, new.name, new.place
    )?;
    sums(found, view, out)?;
    packages(found, view, out)?;
    first.privileged.text(PRIVILEGED, view, out)?;
    first.differing.text("Names that differ", view, out)?;
    first.only.text("Names that only one has", view, out)
}

fn sums(found: &GuestsCompared, view: DiffView, out: &mut dyn Write) -> io::Result<()> {
    if !found.has_something() && found.unread == 0 {
        writeln!(
            out,
            "No difference in {}.",
            counted(found.equal + found.mtime_only, "name")
        )?;
    }
    let sides = [
        (&found.old, found.only_old, found.others_only.0),
        (&found.new, found.only_new, found.others_only.1),
    ];
    for (guest, files, others) in sides
        .into_iter()
        .filter(|(_, files, others)| files.files + others > 0)
    {
        let (number, bytes) = (counted(files.files, "file"), view.sizes.of(files.bytes));
        let others = count(others);
        let name = &guest.name;
        writeln!(
            out,
            "  only in {name}: {number} of {bytes}, {others} other names"
        )?;
    }
    if found.differing > 0 {
        let by = found
            .by
            .iter()
            .map(|(key, n)| format!("{key} {}", count(*n)));
        let by: Vec<String> = by.collect();
        let differ = counted_does(found.differing, "name", "differs", "differ");
        writeln!(out, "  {differ}: {}", by.join(", "))?;
    }
    if found.has_something() {
        writeln!(
            out,
            "  {} the same",
            counted_does(found.equal, "name", "is", "are")
        )?;
    }
    remarks(found, out)
}

fn remarks(found: &GuestsCompared, out: &mut dyn Write) -> io::Result<()> {
    if found.mtime_only > 0 {
        let files = counted_does(found.mtime_only, "more file", "differs", "differ");
        writeln!(
            out,
            "  {files} in the modification time alone, which --mtime counts"
        )?;
    }
    if found.unread > 0 {
        let names = counted(found.unread, "name");
        writeln!(
            out,
            "  NOT COMPARED: {names}, marked with a question mark below and in --json"
        )?;
    }
    if !found.not_held.is_empty() {
        let what = found.not_held.join(", ");
        writeln!(
            out,
            "  NOT COMPARED: {what}, which one of the two cannot hold"
        )?;
    }
    Ok(())
}

fn packages(found: &GuestsCompared, view: DiffView, out: &mut dyn Write) -> io::Result<()> {
    if let Some(why) = &found.packages_unknown {
        return writeln!(out, "\nPackages: NOT COMPARED: {}", harmless(why));
    }
    if found.packages.is_empty() {
        return Ok(());
    }
    let number = |guest: &ComparedGuest| match guest.packages {
        Some(packages) => count(packages),
        None => "none known".to_owned(),
    };
    let GuestsCompared { old, new, .. } = found;
    writeln!(
        out,
        "\nPackages: {} in {}, {} in {}",
        number(old),
        old.name,
        number(new),
        new.name
    )?;
    for package in found.packages.iter().take(view.most()) {
        writeln!(out, "{}", package_line(package))?;
    }
    view.more(found.packages.len() as u64, "package", out)
}

fn package_line(package: &PackageDifference) -> String {
    let safe = |text: &str| Escaped(text.as_bytes()).to_string();
    let versions = |all: &[String]| safe(&all.join(", "));
    let name = safe(&package.name);
    match (package.is_in(SideOf::Old), package.is_in(SideOf::New)) {
        (true, false) => format!("- {name} {}", versions(&package.old)),
        (false, _) => format!("+ {name} {}", versions(&package.new)),
        (true, true) => format!(
            "~ {name} {} → {}",
            versions(&package.old),
            versions(&package.new)
        ),
    }
}

fn line(name: &NameDifference, view: DiffView) -> String {
    let path = &name.path;
    let what = |side: &Option<EntrySide>| {
        side.as_ref()
            .map(|side| what(side, view))
            .unwrap_or_default()
    };
    match &name.verdict {
        EntryVerdict::Only(SideOf::Old) => format!("- {path}  {}", what(&name.old)),
        EntryVerdict::Only(SideOf::New) => format!("+ {path}  {}", what(&name.new)),
        EntryVerdict::Unknown(why) => format!("? {path}  {}", harmless(why)),
        EntryVerdict::Differs(fields) => {
            let (Some(old), Some(new)) = (&name.old, &name.new) else {
                return format!("~ {path}  {}", fields.join(", "));
            };
            let field = |key: &&'static str| field(key, old, new, view);
            let fields: Vec<String> = fields.iter().map(field).collect();
            let owner = new.owner.as_ref().or(old.owner.as_ref());
            let owner = owner.map(|owner| format!(" ({})", Escaped(owner.package.as_bytes())));
            format!(
                "~ {path}  {}{}",
                fields.join(", "),
                owner.unwrap_or_default()
            )
        }
    }
}

/// What stands alone.
fn what(side: &EntrySide, view: DiffView) -> String {
    let owner = side.owner.as_ref();
    let owner = owner.map(|owner| format!(" ({})", Escaped(owner.package.as_bytes())));
    let owner = owner.unwrap_or_default();
    match side.state.kind {
        FileKind::Regular if side.is_privileged() => {
            format!(
                "{}, mode {:04o}{}{owner}",
                view.sizes.of(side.state.size),
                side.state.mode,
                rights(side)
            )
        }
        FileKind::Regular => format!("{}{owner}", view.sizes.of(side.state.size)),
        FileKind::Symlink => format!("link to {}{owner}", target(side)),
        kind => format!("{}{owner}", kind_word(kind)),
    }
}

fn rights(side: &EntrySide) -> &'static str {
    match side.capability() {
        Some(_) => ", with capabilities",
        None => "",
    }
}

/// `mode 0644 → 0755`.
fn field(key: &str, old: &EntrySide, new: &EntrySide, view: DiffView) -> String {
    let (a, b) = (&old.state, &new.state);
    let two = |old: String, new: String| format!("{key} {old} → {new}");
    match key {
        "type" => two(kind_word(a.kind).into(), kind_word(b.kind).into()),
        "target" => two(target(old), target(new)),
        "mode" => two(format!("{:04o}", a.mode), format!("{:04o}", b.mode)),
        "uid" => two(a.uid.to_string(), b.uid.to_string()),
        "gid" => two(a.gid.to_string(), b.gid.to_string()),
        "mtime" => two(a.mtime.to_string(), b.mtime.to_string()),
        "content" if a.size != b.size => two(view.sizes.of(a.size), view.sizes.of(b.size)),
        "xattrs" => format!("xattrs {}", xattrs(old, new)),
        _ => key.to_owned(),
    }
}

/// The names of the attributes that are not the same.
fn xattrs(old: &EntrySide, new: &EntrySide) -> String {
    let (Some(old), Some(new)) = (&old.metadata, &new.metadata) else {
        return String::new();
    };
    let lacks = |all: &[crate::model::Xattr], one: &crate::model::Xattr| !all.contains(one);
    let only_old = old.xattrs.iter().filter(|one| lacks(&new.xattrs, one));
    let only_new = new.xattrs.iter().filter(|one| lacks(&old.xattrs, one));
    let mut names: Vec<&[u8]> = only_old
        .chain(only_new)
        .map(|one| one.name.as_slice())
        .collect();
    names.sort_unstable();
    names.dedup();
    let names = names.into_iter().map(|name| Escaped(name).to_string());
    names.collect::<Vec<_>>().join(" ")
}

fn target(side: &EntrySide) -> String {
    let target = side.target.as_deref();
    target.map_or_else(|| "nothing".into(), |target| Escaped(target).to_string())
}
