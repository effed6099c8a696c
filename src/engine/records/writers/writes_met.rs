//! What guests wrote to shared files: recorded line by line in the base, as far as there is room, and summed up.
//!
//! It is for people. What is shared and what is not stands in receipts and on the disk, so a line that is lost costs
//! nothing, and nothing is synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use crate::base::{Base, OLDER_WRITES, WRITES};
use crate::ledger::writes;
use crate::model::{Broken, BrokenByGuest, BrokenOften, GuestName, GuestPath, WriteMet};
use crate::sys::own::papers::{self, Growing};
use crate::sys::{SysError, SysResult};

/// Where a paper is as long as this, it becomes the older one, which goes.
const LONGEST: u64 = 4 << 20;

/// Written so often, a path is better not shared.
const OFTEN: u64 = 3;
const SEVERAL: u64 = 2;

/// So many paths are proposed at most.
const MOST_OFTEN: usize = 1000;

/// Writes one line.
pub fn record(base: &Base, met: &WriteMet) -> SysResult<()> {
    let path = base.paper(WRITES);
    let long = SysError::absent(papers::allocated(&path))?;
    if long.is_some_and(|bytes| bytes >= LONGEST) {
        let older = base.paper(OLDER_WRITES);
        papers::remove(&older)?;
        papers::keep_as(&path, &older)?;
        papers::remove(&path)?;
    }
    let written = Growing::open(&path)?.write_all(&writes::encode(met));
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

fn sum(all: &[WriteMet]) -> Broken {
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
            paths: Vec::new(),
        });
        if met.denied.is_some() {
            its.denied += 1;
            continue;
        }
        its.bytes = its.bytes.saturating_add(met.bytes);
        if let Some(first) = met.paths.first() {
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
        since: all.first().map(|met| met.at.clone()).unwrap_or_default(),
        guests: guests.into_values().collect(),
        often: often.filter(is_often).take(MOST_OFTEN).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(guest: &str, path: &str, denied: bool) -> WriteMet {
        WriteMet {
            at: "2026-01-02T03:04:05Z".into(),
            guest: Some(GuestName::new(guest).expect("a name")),
            paths: vec![GuestPath::new(path.as_bytes()).expect("a path")],
            object: None,
            by: "open".into(),
            command: Vec::new(),
            process: 1,
            bytes: 10,
            micros: 1,
            denied: denied.then(|| "why".into()),
        }
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
            .map(|one| (one.files, one.bytes, one.denied))
            .collect();
        assert_eq!(guests, [(3, 50, 0), (1, 10, 1)]);
        assert_eq!(sum(&[]), Broken::default());
    }
}
