use super::*;
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

fn known(n: u8, extents: Option<u32>) -> Known {
    Known {
        beginning: Fingerprint(u128::from(n) << 120 | 5),
        plain: Some((u32::from(n), u32::from(n) + 1)),
        content: Some(Digest([n; 32])),
        extents,
    }
}

fn sample() -> Vec<Record> {
    let beginning = Known {
        plain: None,
        content: None,
        ..known(3, None)
    };
    let seen = [
        (state(30), known(1, Some(9))),
        (state(10), known(2, None)),
        (state(20), beginning),
    ];
    merged(&[], &seen)
}

#[test]
fn what_was_written_is_read() {
    let text = text(b"head\n", &sample());
    assert_eq!(text.len(), 5 + 16 + 3 * RECORD);
    assert_eq!(parse(&text, b"head\n"), Some(sample()));
    assert_eq!(parse(&text, b"tail\n"), None);
    assert_eq!(
        parse(&super::text(b"head\n", &[]), b"head\n"),
        Some(Vec::new())
    );
}

#[test]
fn no_damage_is_believed() {
    let good = text(b"h", &sample());
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert_eq!(parse(&bad, b"h"), None, "byte {at}");
        assert_eq!(parse(&good[..at], b"h"), None, "cut at {at}");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(parse(&longer, b"h"), None);
}

/// A good check over records that are out of order, or twice: a search would miss some.
#[test]
fn order_is_checked() {
    let mut records = sample();
    records.swap(0, 1);
    assert_eq!(parse(&text(b"h", &records), b"h"), None);
    let twice = [sample()[0], sample()[0]];
    assert_eq!(parse(&text(b"h", &twice), b"h"), None);
}

#[test]
fn only_the_file_that_was_read_is_known() {
    let digests = Digests { records: sample() };
    assert_eq!(digests.of(&state(10)), Some(&known(2, None)));
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
    let mut records = sample();
    let seen = [(state(10), known(7, None))];
    for plan in 1..FORGOTTEN {
        records = merged(&records, &seen);
        assert_eq!(records.len(), 3, "plan {plan}");
        assert_eq!((records[0].known, records[0].unseen), (seen[0].1, 0));
        assert_eq!((records[1].key.ino, records[1].unseen), (20, plan));
    }
    assert_eq!(merged(&records, &seen).len(), 1);
}
