//! Shared names that package managers left behind, and what to do about them.
//!
//! Names are a guest's: in a command each stands as a pattern that means itself, within quotes. Nobody is told to
//! delete a guest's file from outside, where a link in the guest could lead the command elsewhere.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use crate::model::{
    GuestName, GuestPath, GuestStatus, ObjectId, Orphan, Orphans, Status, is_harmless,
};
use crate::report::layout::json::PathJson;
use crate::report::layout::shell::shell_word;
use crate::report::layout::size::counted;
use crate::report::words::list::{ListLimits, some};
use crate::report::words::sentence::safe;

/// For so many names a command names each; beyond them it takes the guest.
const FEW: usize = 5;

/// So many packages are named.
const PACKAGES: usize = 5;

/// For people: of each guest the names, and what to do.
pub fn text(status: &Status, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    for guest in &status.guests {
        if let Some(why) = &guest.orphans.unknown {
            unknown(&guest.name, why, out)?;
        }
        if !guest.orphans.names.is_empty() {
            orphaned(guest, &status.base, listing, out)?;
        }
    }
    Ok(())
}

/// Why nothing can be said of a guest.
pub(in crate::report) fn unknown(
    guest: &GuestName,
    why: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let why = safe(why);
    writeln!(
        out,
        "UNKNOWN: {guest}: whether its packages still own its shared names: {why}"
    )
}

fn orphaned(
    guest: &GuestStatus,
    base: &Path,
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (name, names) = (&guest.name, &guest.orphans.names);
    writeln!(
        out,
        "ORPHANED: {name}: {} without an installed package ({}): a removal or an upgrade has left them behind",
        counted(names.len() as u64, "shared name"),
        packages(names)
    )?;
    for orphan in names.iter().take(listing.most) {
        writeln!(out, "  {name}:{}  {}", orphan.path, had(orphan))?;
    }
    listing.more(names.len(), out)?;
    remedy(guest, base, out)
}

/// The files become the guest's own, and then anybody in it may delete them. The whole guest is more than is needed,
/// and does no harm: the next plan shares it again.
fn remedy(guest: &GuestStatus, base: &Path, out: &mut dyn Write) -> io::Result<()> {
    let names = &guest.orphans.names;
    let words = names.iter().map(|orphan| words(&orphan.path));
    let words: Option<Vec<(String, String)>> = words.collect();
    let few = words.filter(|words| words.len() <= FEW);
    let base = shell_word(base);
    let undo = format!("unify undo --base {base} --run all --guest {}", guest.name);
    match few {
        Some(words) => {
            let (globs, paths): (Vec<String>, Vec<String>) = words.into_iter().unzip();
            let (globs, paths) = (globs.join(" --path "), paths.join(" "));
            writeln!(out, "  to be rid of them:  {undo} --path {globs}")?;
            writeln!(out, "  and in the guest:   rm -- {paths}")
        }
        None => {
            writeln!(
                out,
                "  to be rid of them, keep `unify status --json`, then:  {undo}"
            )?;
            writeln!(
                out,
                "  and in the guest delete what is listed there; the next plan shares the rest again"
            )
        }
    }?;
    writeln!(
        out,
        "  or, after the same undo, install these packages again in the guest"
    )
}

/// The name as a pattern and as it is, each as a shell takes it; `None` where it cannot be printed.
fn words(path: &GuestPath) -> Option<(String, String)> {
    let text = std::str::from_utf8(path.as_bytes()).ok()?;
    if !is_harmless(text) {
        return None;
    }
    let special = |c: char| r"\*?[".contains(c);
    let mut glob = String::new();
    for c in text.chars() {
        glob.extend(special(c).then_some('\\'));
        glob.push(c);
    }
    Some((shell_word(Path::new(&glob)), shell_word(Path::new(text))))
}

/// `curl, libcurl4 and 3 more`.
fn packages(names: &[Orphan]) -> String {
    let all: BTreeSet<&str> = names.iter().map(|orphan| &*orphan.owner.package).collect();
    let names: Vec<String> = all.into_iter().map(safe).collect();
    some(&names, PACKAGES)
}

/// The package that had it: `curl 7.88.1`.
fn had(orphan: &Orphan) -> String {
    let version = orphan.owner.version.as_deref();
    let version = version.map(|version| format!(" {version}"));
    safe(&format!(
        "{}{}",
        orphan.owner.package,
        version.unwrap_or_default()
    ))
}

/// Two fields of a guest.
#[derive(Serialize)]
pub(super) struct OrphansJson<'a> {
    orphaned: Vec<OrphanJson<'a>>,
    /// Why it cannot be told whether there are others; null if it can.
    owners_unknown: Option<&'a str>,
}

#[derive(Serialize)]
struct OrphanJson<'a> {
    #[serde(flatten)]
    path: PathJson,
    object: ObjectId,
    /// What had it.
    package: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
}

impl<'a> From<&'a Orphans> for OrphansJson<'a> {
    fn from(orphans: &'a Orphans) -> OrphansJson<'a> {
        let orphan = |orphan: &'a Orphan| OrphanJson {
            path: PathJson::from(&orphan.path),
            object: orphan.object,
            package: &orphan.owner.package,
            version: orphan.owner.version.as_deref(),
        };
        OrphansJson {
            orphaned: orphans.names.iter().map(orphan).collect(),
            owners_unknown: orphans.unknown.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectCount, Owner, Sign};
    use crate::report::samples::{HOSTILE, assert_tame, guest, object, path, written};

    fn orphan(at: &str, package: &str) -> Orphan {
        Orphan {
            path: path(at),
            object: object(0xab),
            owner: Owner {
                package: package.into(),
                version: Some("1".into()),
            },
        }
    }

    fn status(names: Vec<Orphan>) -> Status {
        let web = GuestStatus {
            name: guest("web"),
            root: "/srv/web".into(),
            missing: None,
            is_gone: false,
            files: 1,
            names: 1,
            shared_names: 1,
            unprotected_names: 0,
            unique: 0,
            elsewhere: 0,
            shared: 0,
            freed_if_deleted: 0,
            unsure: 0,
            drifted: Vec::new(),
            reflinks: crate::model::ReflinkCount::default(),
            orphans: Orphans {
                names,
                unknown: None,
                unread: false,
            },
            unread: 0,
        };
        Status {
            maintained: Vec::new(),
            base: "/srv/.unify".into(),
            sign: Sign::Mark,
            frozen: Vec::new(),
            objects: ObjectCount::default(),
            guests: vec![web],
            runs: Vec::new(),
            damaged: Vec::new(),
            unknown_names: 0,
            at_work: false,
            written: crate::model::Broken::default(),
            guard: None,
        }
    }

    #[test]
    fn a_few_names_have_a_command_each() {
        let names = vec![orphan("/usr/bin/[", "coreutils"), orphan("/usr/it's", "x")];
        let want = r"ORPHANED: web: 2 shared names without an installed package (coreutils, x): a removal or an upgrade has left them behind
  web:/usr/bin/[  coreutils 1
  web:/usr/it's  x 1
  to be rid of them:  unify undo --base /srv/.unify --run all --guest web --path '/usr/bin/\[' --path '/usr/it'\''s'
  and in the guest:   rm -- '/usr/bin/[' '/usr/it'\''s'
  or, after the same undo, install these packages again in the guest
";
        assert_eq!(
            written(|out| text(&status(names), ListLimits::on(80, false), out)),
            want
        );
    }

    #[test]
    fn many_names_are_counted_and_their_guest_is_undone() {
        let name = |n| orphan(&format!("/usr/share/{n:02}"), &format!("p{}", n % 7));
        let said = written(|out| {
            text(
                &status((0..25).map(name).collect()),
                ListLimits::on(80, false),
                out,
            )
        });
        assert!(said.contains("25 shared names"), "{said}");
        assert!(said.contains("(p0, p1, p2, p3, p4 and 2 more)"), "{said}");
        assert_eq!(said.matches("\n  web:/").count(), 20, "{said}");
        assert!(said.contains("\n  and 5 more: "), "{said}");
        assert!(said.contains("--run all --guest web\n"), "{said}");
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let mut bad = orphan("/a", HOSTILE);
        bad.path = GuestPath::new(b"/a\x1b\n\xff\xc2\x9b").unwrap();
        let mut status = status(vec![bad]);
        status.guests[0].orphans.unknown = Some(HOSTILE.into());
        let said = written(|out| text(&status, ListLimits::on(80, false), out));
        assert_tame(&said);
        assert!(!said.contains("rm --"), "{said}");
        let json = OrphansJson::from(&status.guests[0].orphans);
        assert_tame(&written(|out| {
            crate::report::layout::json::write(out, &json)
        }));
    }
}
