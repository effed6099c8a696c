use std::path::PathBuf;

use super::merge::FORGOTTEN;
use super::record::DigestRecord;
use super::*;
use crate::model::{Digest, Fingerprint, Time};
use crate::model::{FileId, FileKind};

fn state(ino: u64) -> FileState {
    let time = Time {
        sec: -7,
        nsec: 999_999_999,
    };
    FileState {
        kind: FileKind::Regular,
        id: FileId { dev: 1, ino },
        nlink: 1,
        mode: 0o644,
        uid: 0,
        gid: 0,
        size: ino * 10,
        blocks: 8,
        mtime: time,
        ctime: time,
    }
}

fn known(n: u8, extents: Option<u32>) -> KnownContent {
    KnownContent {
        beginning: Fingerprint(u128::from(n) << 120 | 5),
        plain: Some((u32::from(n), u32::from(n) + 1)),
        content: Some(Digest([n; 32])),
        extents,
    }
}

fn sample() -> Vec<DigestRecord> {
    let beginning = KnownContent {
        plain: None,
        content: None,
        ..known(3, None)
    };
    let seen = [
        (state(10), known(2, None)),
        (state(20), beginning),
        (state(30), known(1, Some(9))),
    ];
    merge::merged(None, seen.into_iter()).collect()
}

/// A paper of these records in a directory of its own, which must outlive it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("digests")
    }

    fn text(heading: &[u8], records: &[DigestRecord]) -> Vec<u8> {
        let (text, _) = paper::write(Vec::new(), heading, records.iter().copied()).unwrap();
        text
    }

    fn open(&self, text: &[u8], heading: &[u8]) -> Option<Paper> {
        std::fs::write(self.path(), text).unwrap();
        Paper::open(&self.path(), heading)
    }

    fn of(&self, records: &[DigestRecord]) -> Paper {
        self.open(&Desk::text(b"h", records), b"h").unwrap()
    }
}

fn records(paper: &Paper) -> Vec<DigestRecord> {
    paper.records().collect()
}

/// So many that they take several blocks, and more blocks than are held.
fn many() -> Vec<DigestRecord> {
    let seen = (1..=40_000u64).map(|n| (state(n * 3), known((n % 251) as u8, None)));
    merge::merged(None, seen).collect()
}

#[test]
fn what_was_written_is_read() {
    let desk = Desk::new();
    let text = Desk::text(b"head\n", &sample());
    assert_eq!(text.len(), 5 + 3 * 112 + 24 + 24);
    let paper = desk.open(&text, b"head\n").unwrap();
    assert_eq!(records(&paper), sample());
    assert!(desk.open(&text, b"tail\n").is_none());
    assert_eq!(records(&desk.of(&[])), []);
    for length in [1, 63, 64, 65, 128, 40_000] {
        let some = &many()[..length];
        let paper = desk.of(some);
        assert_eq!(records(&paper), some, "{length}");
        for record in some.iter().step_by(7).chain(some.last()) {
            assert_eq!(paper.find(record.key.ino), Some(*record));
            assert_eq!(paper.find(record.key.ino + 1), None);
            assert_eq!(paper.find(record.key.ino - 1), None);
        }
    }
}

#[test]
fn no_damage_is_believed() {
    let desk = Desk::new();
    let good = Desk::text(b"h", &sample());
    let body = 1..1 + 3 * 112;
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let paper = desk.open(&bad, b"h");
        // A block is compared with its check when it is read.
        assert_eq!(paper.is_some(), body.contains(&at), "byte {at}");
        if let Some(paper) = paper {
            assert_eq!(records(&paper), [], "byte {at}");
            assert_eq!(paper.find(10), None, "byte {at}");
        }
        assert!(desk.open(&good[..at], b"h").is_none(), "cut at {at}");
    }
    let longer = [&good[..], &[0]].concat();
    assert!(desk.open(&longer, b"h").is_none());
}

/// No room is made for a number of records that the file does not have.
#[test]
fn no_number_is_believed() {
    let desk = Desk::new();
    for count in [u64::MAX, u64::MAX / 112, 1 << 32, 4] {
        let mut bad = Desk::text(b"h", &sample());
        let at = bad.len() - 24;
        bad[at..at + 8].copy_from_slice(&count.to_le_bytes());
        assert!(desk.open(&bad, b"h").is_none(), "{count}");
    }
}

#[test]
fn damage_of_one_block_leaves_the_others() {
    let desk = Desk::new();
    let mut bad = Desk::text(b"h", &many());
    bad[1 + 64 * 112 + 5] ^= 1;
    let paper = desk.open(&bad, b"h").unwrap();
    let all = many();
    assert_eq!(paper.find(all[70].key.ino), None);
    assert_eq!(paper.find(all[10].key.ino), Some(all[10]));
    assert_eq!(paper.find(all[130].key.ino), Some(all[130]));
    assert_eq!(records(&paper).len(), all.len() - 64);
}

/// A good check over records that are out of order, or twice: a search would miss some.
#[test]
fn order_is_checked() {
    let desk = Desk::new();
    let [a, b, c] = sample()[..] else { panic!() };
    for bad in [[b, a, c], [a, a, c], [a, c, b]] {
        assert_eq!(records(&desk.of(&bad)), []);
    }
    let mut swapped = many();
    swapped.swap(63, 64);
    assert!(records(&desk.of(&swapped)).len() < swapped.len());
}

#[test]
fn only_the_file_that_was_read_is_known() {
    let desk = Desk::new();
    let digests = Digests(Some(desk.of(&sample())));
    assert_eq!(digests.of(&state(10)), Some(known(2, None)));
    assert_eq!(digests.of(&state(11)), None);
    let changes: [fn(&mut FileState); 5] = [
        |s| s.size += 1,
        |s| s.mtime.sec += 1,
        |s| s.mtime.nsec -= 1,
        |s| s.ctime.sec += 1,
        |s| s.ctime.nsec -= 1,
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = state(10);
        change(&mut other);
        assert_eq!(digests.of(&other), None, "change {at}");
    }
}

#[test]
fn what_is_not_met_is_forgotten_in_the_end() {
    let desk = Desk::new();
    let mut paper = desk.of(&sample());
    let seen = [(state(10), known(7, None)), (state(40), known(8, None))];
    let next = |paper: &Paper| merge::merged(Some(paper), seen.into_iter()).collect::<Vec<_>>();
    for plan in 1..FORGOTTEN {
        let records = next(&paper);
        let inodes: Vec<_> = records.iter().map(|record| record.key.ino).collect();
        assert_eq!(inodes, [10, 20, 30, 40], "plan {plan}");
        assert_eq!((records[0].known, records[0].unseen), (seen[0].1, 0));
        assert_eq!((records[1].unseen, records[3].unseen), (plan, 0));
        paper = desk.of(&records);
    }
    assert_eq!(next(&paper).len(), 2);
}

/// Of two records of a file that was seen twice, the one that says more stays.
#[test]
fn most_is_kept_of_what_was_seen_twice() {
    let less = KnownContent {
        content: None,
        ..known(1, None)
    };
    let more = known(2, Some(3));
    for both in [[less, more], [more, less]] {
        let seen = both.map(|known| (state(5), known));
        let records: Vec<_> = merge::merged(None, seen.into_iter()).collect();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].known, more);
    }
}

/// Where there is no room for all, the longest unseen go first.
#[test]
fn the_oldest_go_first() {
    let desk = Desk::new();
    let half = Digests::MOST as u64 / 2;
    let all = |from: u64, step: u64, count: u64| {
        let numbers = (0..count).map(move |n| from + n * step);
        numbers.map(|ino| (state(ino), known(1, None)))
    };
    let first: Vec<_> = merge::merged(None, all(1, 4, half)).collect();
    let paper = desk.of(&first);
    let second: Vec<_> = merge::merged(Some(&paper), all(2, 4, half)).collect();
    let paper = desk.of(&second);
    let third: Vec<_> = merge::merged(Some(&paper), all(3, 4, half / 2)).collect();
    assert_eq!(third.len(), Digests::MOST);
    let of = |rest: u64| {
        third
            .iter()
            .filter(|record| record.key.ino % 4 == rest)
            .count() as u64
    };
    assert_eq!((of(3), of(2), of(1)), (half / 2, half, half / 2));
    assert!(third.is_sorted_by_key(|record| record.key.ino));
}
