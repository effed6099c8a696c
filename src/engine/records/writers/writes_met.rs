//! What guests wrote to shared files, and how they used these then: recorded line by line in the base, as far as there
//! is room, and summed up.
//!
//! It is for people. What is shared and what is not stands in receipts and on the disk, so a line that is lost costs
//! nothing, and nothing is synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use crate::base::{Base, OLDER_WRITES, WRITES};
use crate::ledger::writes;
use crate::model::{
    Broken, BrokenByGuest, BrokenOften, DeniedOnce, FileUse, FileUsed, GuestName, GuestPath,
    UsedWhenWritten, UsesMet, WriteMet, WriterLine,
};
use crate::sys::own::papers::{self, Growing};
use crate::sys::{SysError, SysResult};

/// Where a paper is as long as this, it becomes the older one, which goes.
const LONGEST: u64 = 4 << 20;

/// Written so often, a path is better not shared.
const OFTEN: u64 = 3;
const SEVERAL: u64 = 2;

/// So many paths are proposed at most.
const MOST_OFTEN: usize = 1000;

/// Writes the line of a write.
pub fn record(base: &Base, met: &WriteMet) -> SysResult<()> {
    write_line(base, &writes::encode(met))
}

/// Writes the line of what was seen after some writes.
pub fn record_uses(base: &Base, met: &UsesMet) -> SysResult<()> {
    write_line(base, &writes::encode_uses(met))
}

fn write_line(base: &Base, line: &[u8]) -> SysResult<()> {
    let path = base.paper(WRITES);
    let long = SysError::absent(papers::allocated(&path))?;
    if long.is_some_and(|bytes| bytes >= LONGEST) {
        let older = base.paper(OLDER_WRITES);
        papers::remove(&older)?;
        papers::keep_as(&path, &older)?;
        papers::remove(&path)?;
    }
    let written = Growing::open(&path)?.write_all(line);
    written.map_err(|e| SysError::new("write", &path, e))
}

/// All that is recorded, summed up.
pub fn summed_up(base: &Base) -> SysResult<Broken> {
    let mut all = Vec::new();
    for paper in [OLDER_WRITES, WRITES] {
        let file = papers::open_for_reading(&base.paper(paper));
        all.extend(SysError::absent(file)?.map_or_else(Vec::new, writes::read));
    }
    Ok(sum(&all))
}

/// What was seen of one path.
#[derive(Default)]
struct PathSeen<'a> {
    times: u64,
    guests: BTreeSet<&'a GuestName>,
}

fn sum(all: &[WriterLine]) -> Broken {
    let mut broken = sum_writes(all);
    let uses = all.iter().filter_map(|line| match line {
        WriterLine::Uses(met) => Some(met),
        WriterLine::Write(_) => None,
    });
    let mut used: BTreeMap<(&GuestPath, &GuestName), UsersOfFile> = BTreeMap::new();
    for met in uses {
        let mut guests = broken.guests.iter_mut();
        if let Some(guest) = guests.find(|guest| guest.guest == met.guest) {
            guest.unlooked = guest.unlooked.saturating_sub(met.looked);
        }
        for file in &met.used {
            let users = used.entry((&file.path, &met.guest)).or_default();
            users.extend(file.uses.iter().cloned());
        }
    }
    let used = used.into_iter().take(MOST_OFTEN);
    broken.used = used
        .map(|((path, guest), uses)| UsedWhenWritten {
            guest: guest.clone(),
            file: FileUsed {
                path: path.clone(),
                uses: uses.into_iter().collect(),
            },
        })
        .collect();
    broken
}

/// By whom in each way, the last that was seen.
type UsersOfFile = BTreeMap<FileUse, String>;

fn sum_writes(all: &[WriterLine]) -> Broken {
    let all = all.iter().filter_map(|line| match line {
        WriterLine::Write(met) => Some(met),
        WriterLine::Uses(_) => None,
    });
    let since = all.clone().next().map(|met| met.at.clone());
    let mut paths: BTreeMap<&GuestPath, PathSeen<'_>> = BTreeMap::new();
    let mut guests: BTreeMap<&GuestName, BrokenByGuest> = BTreeMap::new();
    let mut files: BTreeMap<&GuestName, BTreeSet<&GuestPath>> = BTreeMap::new();
    for met in all {
        let Some(guest) = &met.guest else { continue };
        let its = guests.entry(guest).or_insert_with(|| BrokenByGuest {
            guest: guest.clone(),
            files: 0,
            bytes: 0,
            denied: 0,
            denied_once: 0,
            traced: 0,
            unlooked: 0,
            paths: Vec::new(),
        });
        if met.denied.is_some() {
            its.denied += 1;
            continue;
        }
        its.denied_once += u64::from(met.once.is_some());
        its.traced += u64::from(met.once == Some(DeniedOnce::Traced));
        its.bytes = its.bytes.saturating_add(met.bytes);
        its.unlooked += 1;
        if let Some(first) = &met.path {
            files.entry(guest).or_default().insert(first);
            let seen = paths.entry(first).or_default();
            seen.times += 1;
            seen.guests.insert(guest);
        }
    }
    for (guest, files) in files {
        if let Some(its) = guests.get_mut(guest) {
            its.files = files.len() as u64;
            its.paths = files.into_iter().cloned().collect();
        }
    }
    let often = paths.into_iter().map(|(path, seen)| BrokenOften {
        path: path.clone(),
        times: seen.times,
        guests: seen.guests.len() as u64,
    });
    let is_often = |one: &BrokenOften| one.times >= OFTEN || one.guests >= SEVERAL;
    Broken {
        since: since.unwrap_or_default(),
        guests: guests.into_values().collect(),
        often: often.filter(is_often).take(MOST_OFTEN).collect(),
        used: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(guest: &str, path: &str, denied: bool) -> WriterLine {
        WriterLine::Write(WriteMet {
            at: "2026-01-02T03:04:05Z".into(),
            guest: Some(GuestName::new(guest).expect("a name")),
            path: Some(GuestPath::new(path.as_bytes()).expect("a path")),
            names: 1,
            object: None,
            by: "open".into(),
            command: Vec::new(),
            process: 1,
            bytes: 10,
            micros: 1,
            denied: denied.then(|| "why".into()),
            once: (path == "/both").then_some(DeniedOnce::Traced),
        })
    }

    fn seen(guest: &str, path: &str, uses: &[(FileUse, &str)]) -> WriterLine {
        let uses = uses.iter();
        WriterLine::Uses(UsesMet {
            at: "2026-01-02T03:04:06Z".into(),
            guest: GuestName::new(guest).expect("a name"),
            looked: 2,
            used: vec![FileUsed {
                path: GuestPath::new(path.as_bytes()).expect("a path"),
                uses: uses.map(|(used, by)| (*used, (*by).to_owned())).collect(),
            }],
        })
    }

    #[test]
    fn what_was_not_looked_at_is_not_unused() {
        let all = [
            met("a", "/locked", false),
            met("a", "/other", false),
            seen("a", "/locked", &[(FileUse::Locked, "flock of one")]),
            met("a", "/unknown", false),
            met("b", "/locked", false),
            seen(
                "a",
                "/locked",
                &[(FileUse::Locked, "flock of two"), (FileUse::Open, "sh")],
            ),
        ];
        let broken = sum(&all);
        let unlooked = |broken: &Broken| -> Vec<_> {
            let guests = broken.guests.iter();
            guests.map(|guest| guest.unlooked).collect()
        };
        assert_eq!(unlooked(&broken), [0, 1]);
        assert_eq!(unlooked(&sum(&all[..5])), [1, 1]);
        let uses = broken.used.iter().map(|one| &one.file.uses);
        let want = [
            (FileUse::Locked, "flock of two".to_owned()),
            (FileUse::Open, "sh".to_owned()),
        ];
        assert_eq!(uses.collect::<Vec<_>>(), [&want]);
    }

    #[test]
    fn what_is_written_to_again_and_again_is_told() {
        let all = [
            met("a", "/thrice", false),
            met("a", "/once", false),
            met("a", "/thrice", false),
            met("b", "/both", false),
            met("a", "/both", false),
            met("b", "/no", true),
            met("a", "/thrice", false),
        ];
        let broken = sum(&all);
        let often: Vec<_> = broken
            .often
            .iter()
            .map(|one| (one.path.to_string(), one.times, one.guests))
            .collect();
        assert_eq!(often, [("/both".into(), 2, 2), ("/thrice".into(), 3, 1)]);
        let guests: Vec<_> = broken
            .guests
            .iter()
            .map(|one| {
                (
                    one.files,
                    one.bytes,
                    one.denied,
                    one.denied_once,
                    one.traced,
                )
            })
            .collect();
        assert_eq!(guests, [(3, 50, 0, 1, 1), (1, 10, 1, 1, 1)]);
        assert_eq!(sum(&[]), Broken::default());
    }
}
