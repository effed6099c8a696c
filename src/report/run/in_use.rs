//! Files that were in use as they got inodes of their own: what no private copy can hide from who uses them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{PartedInUse, SkipReason, UsedFile};
use crate::report::layout::json::PathJson;
use crate::report::layout::size::counted;
use crate::report::words::sentence::safe;

/// For people, after what a run came to.
pub(super) fn text(in_use: &PartedInUse, out: &mut dyn Write) -> io::Result<()> {
    let lines = lines(in_use);
    if !lines.is_empty() {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// The lines; none where nothing is to be said. JSON and the receipt name every file.
pub fn lines(in_use: &PartedInUse) -> Vec<String> {
    let mut lines = Vec::new();
    if !in_use.files.is_empty() {
        lines.push("IN USE as they got files of their own:".to_owned());
        lines.extend(by_code(&in_use.files));
        lines.push(
            "  who uses them has the file that was shared still, by this name or another, and sees nothing of the guest's own until it is opened anew".to_owned(),
        );
    }
    let unknown = in_use.unknown.iter();
    lines.extend(unknown.map(|(guest, why)| {
        let why = safe(why);
        format!("NOT KNOWN: whether more files of {guest} were in use ({why})")
    }));
    lines
}

/// `locked: 2 files, first db:/usr/locked (a process holds a lock on it: flock of flock)`.
fn by_code(files: &[UsedFile]) -> Vec<String> {
    let mut kinds: BTreeMap<SkipReason, (u64, &UsedFile)> = BTreeMap::new();
    for file in files {
        kinds.entry(file.how).or_insert((0, file)).0 += 1;
    }
    let line = |(how, (times, first)): (SkipReason, (u64, &UsedFile))| {
        let UsedFile {
            guest, path, who, ..
        } = first;
        let (files, sentence, who) = (counted(times, "file"), sentence(how), safe(who));
        format!("  {how}: {files}, first {guest}:{path} ({sentence}: {who})")
    };
    kinds.into_iter().map(line).collect()
}

/// Whose file it is, a run does not know.
fn sentence(how: SkipReason) -> &'static str {
    match how {
        SkipReason::Open => "a process has it open",
        other => other.sentence(),
    }
}

/// One use of one file.
#[derive(Serialize)]
pub(super) struct UsedFileJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
    code: &'static str,
    who: &'a str,
}

impl UsedFileJson<'_> {
    /// All of them.
    pub fn all(in_use: &PartedInUse) -> Vec<UsedFileJson<'_>> {
        let files = in_use.files.iter();
        let files = files.map(|file| UsedFileJson {
            guest: file.guest.as_str(),
            path: PathJson::from(&file.path),
            code: file.how.code(),
            who: &file.who,
        });
        files.collect()
    }
}

/// A guest of which not all is known.
#[derive(Serialize)]
pub(super) struct UnknownUsesJson<'a> {
    guest: &'a str,
    why: &'a str,
}

impl UnknownUsesJson<'_> {
    /// All of them.
    pub fn all(in_use: &PartedInUse) -> Vec<UnknownUsesJson<'_>> {
        let unknown = in_use.unknown.iter();
        let unknown = unknown.map(|(guest, why)| UnknownUsesJson {
            guest: guest.as_str(),
            why,
        });
        unknown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{HOSTILE, assert_tame, guest, path, written};

    fn used(at: &str, how: SkipReason, who: &str) -> UsedFile {
        UsedFile {
            guest: guest("db"),
            path: path(at),
            how,
            who: who.into(),
        }
    }

    #[test]
    fn each_kind_of_use_is_counted_and_shown_once() {
        let mut in_use = PartedInUse::default();
        assert_eq!(written(|out| text(&in_use, out)), "");
        in_use.files = vec![
            used("/usr/b", SkipReason::Watched, "inotify of tail"),
            used("/usr/a", SkipReason::Locked, "flock of flock"),
            used("/usr/c", SkipReason::Locked, "OFD lock"),
        ];
        let why = "there are more watches than can be looked at";
        in_use.unknown.insert(guest("db"), why.into());
        let want = "
IN USE as they got files of their own:
  locked: 2 files, first db:/usr/a (a process holds a lock on it: flock of flock)
  watched: 1 file, first db:/usr/b (a process watches it for changes: inotify of tail)
  who uses them has the file that was shared still, by this name or another, and sees nothing of the guest's own until it is opened anew
NOT KNOWN: whether more files of db were in use (there are more watches than can be looked at)
";
        assert_eq!(written(|out| text(&in_use, out)), want);
        let files = serde_json::to_value(UsedFileJson::all(&in_use)).unwrap();
        let first = serde_json::json!(
            {"guest": "db", "path": "/usr/b", "code": "watched", "who": "inotify of tail"}
        );
        assert_eq!((&files[0], files.as_array().unwrap().len()), (&first, 3));
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let in_use = PartedInUse {
            files: vec![used("/a", SkipReason::Open, HOSTILE)],
            unknown: [(guest("db"), HOSTILE.to_owned())].into(),
        };
        assert_tame(&written(|out| text(&in_use, out)));
    }
}
