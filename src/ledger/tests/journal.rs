//! The journal: round trips, torn ends, and what is still open.

use proptest::prelude::*;

use super::receipt::blocks;
use super::sample::*;
use crate::ledger::journal::{Intent, Record, encode, open_batch, read};
use crate::model::*;

fn file(ino: u64) -> FileId {
    FileId { dev: u64::MAX, ino }
}

fn intent(seq: u64) -> Intent {
    Intent {
        seq,
        guest: guest("web1"),
        path: path(b"/usr/\xff\n"),
        parent: file(1),
        was: file(2),
        becomes: file(u64::MAX),
        object: object(3),
    }
}

fn records() -> Vec<Record> {
    let run = "20260101T000000Z-0123abcd".parse().unwrap();
    vec![
        Record::Begin {
            run,
            what: RunKind::Apply,
        },
        Record::Intent(intent(1)),
        Record::Intent(intent(2)),
        Record::Commit { upto: 2 },
        Record::Done { upto: 2 },
        Record::Intent(intent(3)),
        Record::Lift {
            object: object(3),
            inode: file(9),
        },
        Record::Intent(intent(4)),
        Record::Commit { upto: 3 },
        Record::Blocks {
            seq: 5,
            blocks: blocks(),
        },
    ]
}

fn text() -> Vec<u8> {
    records().iter().flat_map(encode).collect()
}

#[test]
fn records_round_trip() {
    let journal = read(&text()[..]).unwrap();
    assert_eq!((journal.records, journal.damaged_at), (records(), None));
    for line in text().split_inclusive(|&b| b == b'\n') {
        assert!(serde_json::from_slice::<serde_json::Value>(line).is_ok());
    }
}

#[test]
fn a_journal_cut_anywhere_gives_the_records_before() {
    let text = text();
    for cut in 0..text.len() {
        let journal = read(&text[..cut]).unwrap();
        let whole = text[..cut].iter().filter(|&&b| b == b'\n').count();
        assert_eq!(journal.records, records()[..whole], "cut at {cut}");
        let torn = cut > 0 && text[cut - 1] != b'\n';
        assert_eq!(
            journal.damaged_at,
            torn.then_some(whole as u64 + 1),
            "cut at {cut}"
        );
    }
}

#[test]
fn no_flipped_bit_is_believed() {
    let text = text();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone();
            bytes[at] ^= 1 << bit;
            let journal = read(&bytes[..]).unwrap();
            let before = text[..at].iter().filter(|&&b| b == b'\n').count();
            assert_eq!(journal.records, records()[..before], "byte {at}, bit {bit}");
            assert_eq!(
                journal.damaged_at,
                Some(before as u64 + 1),
                "byte {at}, bit {bit}"
            );
        }
    }
}

#[test]
fn old_bytes_behind_the_end_are_damage() {
    for rest in [vec![0; 5000], vec![b'x'; 3 << 20]] {
        let journal = read(&[text(), rest].concat()[..]).unwrap();
        assert_eq!(journal.records, records());
        assert_eq!(journal.damaged_at, Some(11));
    }
}

#[test]
fn open_is_what_no_done_covers() {
    let open = open_batch(&records());
    assert_eq!(open.intents, [intent(3), intent(4)]);
    assert_eq!(open.lifted, [(object(3), file(9))]);
    assert_eq!(open.committed, Some(3));
    assert_eq!(open.blocks, [(5, blocks())]);
    assert!(open.run.is_some());
    let open = open_batch(&records()[..5]);
    assert!(open.intents.is_empty() && open.lifted.is_empty());
    assert_eq!(open_batch(&records()[..4]).committed, Some(2));

    let begin = records()[0].clone();
    let later = [&records()[..], &[begin]].concat();
    assert_eq!(
        open_batch(&later).intents.len(),
        2,
        "a new run heals nothing by itself"
    );
    let done = [&records()[..], &[Record::Done { upto: 3 }]].concat();
    assert_eq!(open_batch(&done).intents, [intent(4)]);
    assert_eq!(open_batch(&done).blocks.len(), 1);
    let done = [&records()[..], &[Record::Done { upto: 5 }]].concat();
    assert!(open_batch(&done).blocks.is_empty());
}

proptest! {
    #[test]
    fn any_intent_round_trips(seq in any::<u64>(), path in any_path()) {
        let record = Record::Intent(Intent { path, ..intent(seq) });
        let journal = read(&encode(&record)[..]).unwrap();
        prop_assert_eq!(journal.records, [record]);
    }
}

#[test]
fn the_longest_path_fits() {
    let mut bytes = Vec::new();
    while bytes.len() + 256 <= GuestPath::MAX {
        bytes.push(b'/');
        bytes.extend([0x01; 127]);
        bytes.extend([0xff; 128]);
    }
    let record = Record::Intent(Intent {
        path: path(&bytes),
        ..intent(1)
    });
    assert_eq!(read(&encode(&record)[..]).unwrap().records, [record]);
}
