//! What guests wrote to shared files, and what would better not be shared.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    Broken, BrokenByGuest, BrokenOften, Escaped, FileUse, GuestPath, Status, UsedWhenWritten,
    is_harmless,
};
use crate::report::layout::json::PathJson;
use crate::report::layout::size::{Sizes, count, counted};
use crate::report::words::list::{ListLimits, some};
use crate::rules::pattern::of_path::glob_of;

/// So many names of a guest are shown on its line.
const NAMED: usize = 3;

/// A line a guest, and the lines of a policy that would end it; nothing where nothing was written.
pub fn text(
    status: &Status,
    sizes: Sizes,
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    let written = &status.written;
    if written.guests.is_empty() && written.used.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nWritten to since {}, so that each guest has a file of its own now:",
        written.since
    )?;
    for guest in &written.guests {
        writeln!(out, "  {}", line(guest, sizes, listing))?;
    }
    used(&written.used, listing, out)?;
    often(&written.often, listing, out)
}

fn line(guest: &BrokenByGuest, sizes: Sizes, listing: ListLimits) -> String {
    let denied = match guest.denied {
        0 => String::new(),
        times => format!("; {} denied", counted(times, "write")),
    };
    let once = match (counted(guest.denied_once, "write"), guest.traced) {
        _ if guest.denied_once == 0 => String::new(),
        (writes, 0) => format!("; {writes} denied once"),
        (writes, traced) => format!("; {writes} denied once, {} of them traced", count(traced)),
    };
    let named = match listing.most {
        usize::MAX => usize::MAX,
        _ => NAMED,
    };
    let paths: Vec<String> = guest.paths.iter().map(ToString::to_string).collect();
    let files = match guest.files {
        0 => String::from("no file"),
        files => format!(
            "{} ({}): {}",
            counted(files, "shared file"),
            sizes.of(guest.bytes),
            some(&paths, named)
        ),
    };
    let unlooked = match guest.unlooked {
        0 => String::new(),
        times => format!(
            "; of {} it is not known whether the file was in use",
            counted(times, "write")
        ),
    };
    format!("{} wrote to {files}{denied}{once}{unlooked}", guest.guest)
}

/// What was seen of files that their guest used as it wrote to them, and what would end it.
fn used(used: &[UsedWhenWritten], listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    if used.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "Written to while a process used them, which has the old file still:"
    )?;
    for one in used.iter().take(listing.most) {
        writeln!(out, "  {}", use_line(one))?;
    }
    listing.more(used.len(), out)?;
    let lines = used.iter().map(|one| (&one.file.path, use_reason(one)));
    let lines: Vec<_> = lines.filter_map(policy_of).collect();
    patterns(
        "Better not shared, for no copy hides that;",
        &lines,
        listing,
        out,
    )
}

fn use_line(one: &UsedWhenWritten) -> String {
    let ways = one.file.uses.iter().map(|(used, who)| {
        let way = match used {
            FileUse::Locked => "held a lock on it",
            FileUse::Watched => "watched it",
            FileUse::OpenForWriting => "had it open for writing",
            FileUse::Open => "had it open",
            FileUse::Mounted => "had it mounted",
        };
        format!("{way} ({})", Escaped(who.as_bytes()))
    });
    let ways: Vec<String> = ways.collect();
    let (guest, path) = (&one.guest, &one.file.path);
    format!(
        "{guest} wrote to {path} while a process inside it {}",
        ways.join(", ")
    )
}

fn use_reason(one: &UsedWhenWritten) -> String {
    let ways = one.file.uses.iter().map(|(used, _)| match used {
        FileUse::Locked => "locked",
        FileUse::Watched => "watched",
        FileUse::OpenForWriting => "open for writing",
        FileUse::Open => "open",
        FileUse::Mounted => "mounted",
    });
    let ways: Vec<&str> = ways.collect();
    format!("written to while it was {}", ways.join(", "))
}

fn often(often: &[BrokenOften], listing: ListLimits, out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<PatternLines> = often.iter().filter_map(policy).collect();
    let title = "Better not shared, for they are written to again and again;";
    patterns(title, &lines, listing, out)
}

/// A pattern, and its reason, as TOML has them.
type PatternLines = (String, String);

fn patterns(
    title: &str,
    lines: &[PatternLines],
    listing: ListLimits,
    out: &mut dyn Write,
) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title} in the policy of the next plan:")?;
    for (exclude, reason) in lines.iter().take(listing.most) {
        writeln!(
            out,
            "\n  [[pattern]]\n  exclude = {exclude}\n  reason = {reason}"
        )?;
    }
    listing.more(lines.len(), out)
}

fn policy(one: &BrokenOften) -> Option<PatternLines> {
    let reason = match one.guests {
        1 => format!("written to {} times", count(one.times)),
        guests => format!("written to by {}", counted(guests, "guest")),
    };
    policy_of((&one.path, reason))
}

/// A name that is not text has none: its pattern would mean others.
fn policy_of((path, reason): (&GuestPath, String)) -> Option<PatternLines> {
    std::str::from_utf8(path.as_bytes()).ok()?;
    Some((toml(&glob_of(path)), toml(&reason)))
}

/// A basic string of TOML: what commands a terminal is escaped in it, too.
fn toml(text: &str) -> String {
    let (mut quoted, tame) = (String::from('"'), is_harmless(text));
    for letter in text.chars() {
        let plain = letter.is_ascii_alphanumeric() || "/._-".contains(letter);
        match letter {
            '"' | '\\' if tame => quoted.extend(['\\', letter]),
            letter if tame || plain => quoted.push(letter),
            letter => quoted.push_str(&format!("\\U{:08X}", u32::from(letter))),
        }
    }
    quoted.push('"');
    quoted
}

#[derive(Serialize)]
pub(super) struct WrittenJson<'a> {
    /// When the oldest line that is kept was written; null where there is none.
    since: Option<&'a str>,
    guests: Vec<WrittenByJson<'a>>,
    /// Written to at least three times, or by two guests.
    often: Vec<OftenJson>,
    /// Written to while a process of the guest used the file.
    used: Vec<UsedJson<'a>>,
}

#[derive(Serialize)]
struct UsedJson<'a> {
    guest: &'a str,
    #[serde(flatten)]
    path: PathJson,
    uses: Vec<UseJson<'a>>,
    exclude: Option<String>,
}

#[derive(Serialize)]
struct UseJson<'a> {
    code: &'static str,
    who: &'a str,
}

#[derive(Serialize)]
struct WrittenByJson<'a> {
    guest: &'a str,
    files: u64,
    bytes: u64,
    denied: u64,
    /// Denied once, as they could not wait; the next try has its copy.
    denied_once: u64,
    /// Of these, by processes that were traced.
    traced: u64,
    unlooked: u64,
    paths: Vec<PathJson>,
}

#[derive(Serialize)]
struct OftenJson {
    #[serde(flatten)]
    path: PathJson,
    times: u64,
    guests: u64,
    /// A pattern for a policy; null where the name is not text.
    exclude: Option<String>,
}

impl<'a> From<&'a Broken> for WrittenJson<'a> {
    fn from(written: &'a Broken) -> Self {
        WrittenJson {
            since: Some(written.since.as_str()).filter(|since| !since.is_empty()),
            guests: written.guests.iter().map(by_json).collect(),
            often: written.often.iter().map(often_json).collect(),
            used: written.used.iter().map(used_json).collect(),
        }
    }
}

fn by_json(one: &BrokenByGuest) -> WrittenByJson<'_> {
    WrittenByJson {
        guest: one.guest.as_str(),
        files: one.files,
        bytes: one.bytes,
        denied: one.denied,
        denied_once: one.denied_once,
        traced: one.traced,
        unlooked: one.unlooked,
        paths: one.paths.iter().map(PathJson::from).collect(),
    }
}

fn used_json(one: &UsedWhenWritten) -> UsedJson<'_> {
    let uses = one.file.uses.iter();
    let uses = uses.map(|(used, who)| UseJson {
        code: used.reason().code(),
        who,
    });
    UsedJson {
        guest: one.guest.as_str(),
        path: PathJson::from(&one.file.path),
        uses: uses.collect(),
        exclude: exclude(&one.file.path),
    }
}

/// A pattern for a policy, where the name is text.
fn exclude(path: &GuestPath) -> Option<String> {
    let is_text = std::str::from_utf8(path.as_bytes()).is_ok();
    is_text.then(|| glob_of(path))
}

fn often_json(one: &BrokenOften) -> OftenJson {
    OftenJson {
        path: PathJson::from(&one.path),
        times: one.times,
        guests: one.guests,
        exclude: exclude(&one.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FileUsed, GuestName, ObjectCount, Sign};
    use crate::report::samples::{HOSTILE, assert_tame, written};

    fn path(text: &str) -> GuestPath {
        GuestPath::new(text.as_bytes()).unwrap()
    }

    fn sample(paths: &[&str]) -> Status {
        Status {
            base: "/b".into(),
            sign: Sign::default(),
            frozen: Vec::new(),
            objects: ObjectCount::default(),
            guests: Vec::new(),
            runs: Vec::new(),
            damaged: Vec::new(),
            unknown_names: 0,
            at_work: false,
            maintained: Vec::new(),
            guard: None,
            written: Broken {
                since: "2026-01-02T03:04:05Z".into(),
                guests: vec![BrokenByGuest {
                    guest: GuestName::new("web").unwrap(),
                    files: paths.len() as u64,
                    bytes: 8192,
                    denied: 1,
                    denied_once: 3,
                    traced: 2,
                    unlooked: 2,
                    paths: paths.iter().map(|text| path(text)).collect(),
                }],
                often: paths
                    .iter()
                    .map(|text| BrokenOften {
                        path: path(text),
                        times: 5,
                        guests: 1,
                    })
                    .collect(),
                used: paths.iter().take(1).map(|text| used_once(text)).collect(),
            },
        }
    }

    fn used_once(text: &str) -> UsedWhenWritten {
        let flock = (FileUse::Locked, "flock of cron".to_owned());
        let tail = (
            FileUse::Watched,
            format!("inotify of {}", HOSTILE.replace('\0', "")),
        );
        UsedWhenWritten {
            guest: GuestName::new("web").unwrap(),
            file: FileUsed {
                path: path(text),
                uses: match text.contains('[') {
                    true => vec![flock],
                    false => vec![flock, tail],
                },
            },
        }
    }

    #[test]
    fn guests_and_what_is_better_not_shared() {
        let status = sample(&["/usr/[a]", "/usr/b", "/usr/c", "/usr/d"]);
        let said = written(|out| text(&status, Sizes::default(), ListLimits::on(80, false), out));
        let want = "
Written to since 2026-01-02T03:04:05Z, so that each guest has a file of its own now:
  web wrote to 4 shared files (8.00 KiB): /usr/[a], /usr/b, /usr/c and 1 more; 1 write denied; 3 writes denied once, 2 of them traced; of 2 writes it is not known whether the file was in use
Written to while a process used them, which has the old file still:
  web wrote to /usr/[a] while a process inside it held a lock on it (flock of cron)
Better not shared, for no copy hides that; in the policy of the next plan:

  [[pattern]]
  exclude = \"/usr/\\\\[a]\"
  reason = \"written to while it was locked\"
Better not shared, for they are written to again and again; in the policy of the next plan:

  [[pattern]]
  exclude = \"/usr/\\\\[a]\"
  reason = \"written to 5 times\"
";
        assert!(said.starts_with(want), "{said}");
        let none = Status {
            written: Broken::default(),
            ..status
        };
        assert_eq!(
            written(|out| text(&none, Sizes::default(), ListLimits::on(80, false), out)),
            ""
        );
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let hostile = format!("/{}", HOSTILE.replace('\0', ""));
        let status = sample(&[&hostile]);
        let said = written(|out| text(&status, Sizes::default(), ListLimits::on(80, false), out));
        assert_tame(&said);
    }
}
