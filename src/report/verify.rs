//! What `unify verify` found: every difference in JSON, and for people as many as a screen has room for.
//!
//! The JSON form is the fields of `VerifyJson`; a difference's `code` is stable.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{Difference, GuestName, ObjectId, Verification, Wrong};

use super::answer::next::{NextJson, NextStep};
use super::layout::json;
use super::layout::json::PathJson;
use super::layout::size::{count, counted};
use super::status::orphans::unknown;
use super::words::list::ListLimits;
use super::words::sentence;

/// For people: the answer first, then the differences, one a line.
pub fn text(found: &Verification, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    let holds = counted(found.holds, "line");
    let objects = counted(found.objects, "object");
    match found.differences.len() as u64 {
        0 if found.is_nothing_applied() => {
            writeln!(out, "NOT APPLIED: nothing of the plan is applied.")?;
        }
        0 if found.holds == 0 => {
            writeln!(out, "The plan does nothing: there is nothing to verify.")?;
        }
        0 => writeln!(out, "Verified: everything is as it should be.")?,
        n => writeln!(out, "DIFFERENT: {}.", counted(n, "difference"))?,
    }
    let not_applied = count(found.not_applied);
    writeln!(
        out,
        "  {holds} as promised, {not_applied} not applied or undone since, {objects} read again"
    )?;
    differences(&found.differences, listing, out)?;
    changed_since(found, listing, out)?;
    orphans(found, listing, out)
}

/// As many as there is room for.
pub(super) fn differences(
    all: &[Difference],
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut shown = all.iter().take(listing.most);
    shown.try_for_each(|difference| line(difference, out))?;
    listing.more(all.len(), out)
}

fn changed_since(found: &Verification, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    let all = &found.changed_since;
    if all.is_empty() {
        return Ok(());
    }
    let files = counted(all.len() as u64, "file");
    writeln!(
        out,
        "CHANGED SINCE, and no difference: {files} that shared blocks, by what guests have written"
    )?;
    differences(all, listing, out)
}

fn orphans(found: &Verification, listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    for (guest, why) in &found.owners_unknown {
        unknown(guest, why, out)?;
    }
    let all = &found.orphans;
    if all.is_empty() {
        return Ok(());
    }
    let names = counted(all.len() as u64, "shared name");
    writeln!(
        out,
        "ORPHANED, and no difference: {names} without an installed package; `unify status` says what to do"
    )?;
    for orphan in all.iter().take(listing.most) {
        let bare = Difference {
            object: None,
            ..orphan.clone()
        };
        line(&bare, out)?;
    }
    listing.more(all.len(), out)
}

fn line(difference: &Difference, out: &mut dyn Write) -> io::Result<()> {
    let guest = difference.guest.as_ref().map(|guest| format!("{guest}:"));
    let path = difference.path.as_ref().map(|path| format!("{path}"));
    let name = guest.unwrap_or_default() + &path.unwrap_or_default();
    let object = difference.object.map(|object| object.to_string());
    let about = [Some(name).filter(|name| !name.is_empty()), object];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let about = if about.is_empty() {
        "the base".to_owned()
    } else {
        about.join("  ")
    };
    writeln!(out, "  {about}: {}", sentence::wrong(&difference.what))
}

#[derive(Serialize)]
struct VerifyJson<'a> {
    /// `unify.verify`.
    kind: &'static str,
    /// Is everything as it should be?
    ok: bool,
    /// Is anything of the plan applied?
    applied: bool,
    /// Link and flag lines that hold.
    holds: u64,
    /// Lines with nothing to prove.
    not_applied: u64,
    /// Objects that were read again.
    objects: u64,
    /// All differences.
    differences: Vec<DifferenceJson<'a>>,
    /// Files that shared blocks and were changed since.
    changed_since: Vec<DifferenceJson<'a>>,
    /// Names that hold, and that no package owns any more.
    orphaned: Vec<DifferenceJson<'a>>,
    /// Guests of which that is not known.
    guests_unknown: Vec<OwnersUnknownJson<'a>>,
    /// What may be done now.
    next: Vec<NextJson>,
}

/// What a difference or an orphan asks for.
fn next(found: &Verification) -> Vec<NextStep> {
    let is_left = |one: &Difference| matches!(one.what, Wrong::LeftInStaging(_));
    let mut steps = Vec::new();
    if found.differences.iter().any(is_left) {
        let why = "to heal what a run left";
        steps.push(NextStep::on_base("recover", &found.base, why));
    }
    if !found.orphans.is_empty() {
        let why = "to see what to do about orphaned names";
        steps.push(NextStep::on_base("status", &found.base, why));
    }
    steps
}

#[derive(Serialize)]
struct OwnersUnknownJson<'a> {
    guest: &'a str,
    why: &'a str,
}

#[derive(Serialize)]
pub(super) struct DifferenceJson<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectId>,
    sentence: String,
}

/// For programs.
pub fn json(found: &Verification, out: &mut dyn Write) -> io::Result<()> {
    let difference = |it| difference_json(it);
    let value = VerifyJson {
        kind: "unify.verify",
        ok: found.differences.is_empty() && !found.is_nothing_applied(),
        applied: !found.is_nothing_applied(),
        holds: found.holds,
        not_applied: found.not_applied,
        objects: found.objects,
        differences: found.differences.iter().map(difference).collect(),
        changed_since: found.changed_since.iter().map(difference).collect(),
        orphaned: found.orphans.iter().map(difference).collect(),
        guests_unknown: found.owners_unknown.iter().map(unknown_json).collect(),
        next: NextJson::all(&next(found)),
    };
    json::write_line(out, &value)
}

fn unknown_json((guest, why): &(GuestName, String)) -> OwnersUnknownJson<'_> {
    OwnersUnknownJson {
        guest: guest.as_str(),
        why,
    }
}

pub(super) fn difference_json(difference: &Difference) -> DifferenceJson<'_> {
    DifferenceJson {
        code: difference.what.kind().code(),
        guest: difference.guest.as_ref().map(GuestName::as_str),
        path: difference.path.as_ref().map(PathJson::from),
        object: difference.object,
        sentence: sentence::wrong(&difference.what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GuestPath, Moved};
    use crate::report::samples::{HOSTILE, assert_tame, guest, object, path, written};

    const LISTING: ListLimits = ListLimits {
        most: 20,
        columns: 80,
    };

    fn about(name: &str, at: &str, what: Wrong) -> Difference {
        Difference {
            guest: Some(guest(name)),
            path: Some(path(at)),
            object: None,
            what,
        }
    }

    fn found(differences: Vec<Difference>) -> Verification {
        Verification {
            holds: 38_100,
            links_hold: 38_000,
            links: 38_003,
            not_applied: 3,
            objects: 9_310,
            differences,
            ..Verification::default()
        }
    }

    #[test]
    fn all_is_well() {
        let want = "Verified: everything is as it should be.
  38,100 lines as promised, 3 not applied or undone since, 9,310 objects read again
";
        assert_eq!(written(|out| text(&found(vec![]), LISTING, out)), want);
        let want = "{\"kind\":\"unify.verify\",\"ok\":true,\"applied\":true,\"holds\":38100,\"not_applied\":3,\"objects\":9310,\"differences\":[],\"changed_since\":[],\"orphaned\":[],\"guests_unknown\":[],\"next\":[]}\n";
        assert_eq!(written(|out| json(&found(vec![]), out)), want);
    }

    #[test]
    fn every_difference_is_listed() {
        let damaged = Difference {
            guest: None,
            path: None,
            object: Some(object(0xab)),
            what: Wrong::ObjectDamaged(vec![Moved::Content]),
        };
        let left = Difference {
            object: None,
            what: Wrong::LeftInStaging("x/7".into()),
            ..damaged.clone()
        };
        let all = found(vec![about("web1", "/a", Wrong::NameGone), damaged, left]);
        let hex = format!("sha256:{}-{}", "ab".repeat(32), "ab".repeat(16));
        let want = format!(
            "DIFFERENT: 3 differences.
  38,100 lines as promised, 3 not applied or undone since, 9,310 objects read again
  web1:/a: the name does not exist
  {hex}: the object is not what its name says: content
  the base: left behind in the base's staging area: x/7; run `unify recover`
"
        );
        assert_eq!(written(|out| text(&all, LISTING, out)), want);
        let want = format!(
            "{{\"code\":\"object-damaged\",\"object\":\"{hex}\",\"sentence\":\"the object is not what its name says: content\"}}"
        );
        let many = found(vec![all.differences[1].clone(); 25]);
        let cut = written(|out| text(&many, LISTING, out));
        assert_eq!(cut.matches(&hex).count(), 20);
        assert!(
            cut.ends_with("\n  and 5 more: --all or --json lists all\n"),
            "{cut}"
        );
        let json = written(|out| json(&all, out));
        assert!(json.contains(&want), "{json}");
        assert!(json.starts_with("{\"kind\":\"unify.verify\",\"ok\":false,"));
        assert!(json.contains("{\"code\":\"name-gone\",\"guest\":\"web1\",\"path\":\"/a\",\"sentence\":\"the name does not exist\"}"));
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let mut bad = about("web1", "/a", Wrong::Unreadable(HOSTILE.into()));
        bad.path = Some(GuestPath::new(b"/a\x1b\n\xff\xc2\x9b").unwrap());
        let all = found(vec![
            bad.clone(),
            Difference {
                what: Wrong::LeftInStaging(HOSTILE.into()),
                ..bad
            },
        ]);
        let text = written(|out| text(&all, LISTING, out));
        assert_tame(&text);
        assert_eq!(text.lines().count(), 4);
        assert_tame(&written(|out| json(&all, out)));
    }
}
