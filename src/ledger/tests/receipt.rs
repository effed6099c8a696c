//! Receipts: round trips, and what a crash leaves.

use std::io::{BufReader, Read};

use super::sample::*;
use crate::ledger::receipt::ReceiptEnd;
use crate::ledger::{ReceiptError, ReceiptReader, ReceiptWriter};
use crate::model::*;
use crate::sys::effort::stride;

pub fn receipt() -> Receipt {
    Receipt {
        kind: "unify.receipt".into(),
        format: FORMAT.into(),
        run: "20260101T000000Z-0123abcd".parse().unwrap(),
        what: RunKind::Apply,
        started: "2026-01-01T00:00:00Z".into(),
        plan: Some(Digest([7; 32])),
        undoes: None,
        protect: Some(Protect::Immutable),
        guests: vec![ReceiptGuest {
            name: guest("web1"),
            root: "/srv/guests/web1".into(),
        }],
    }
}

/// One of every kind.
pub fn refusals() -> Vec<Refusal> {
    RefusalKind::ALL.iter().map(|kind| refusal(*kind)).collect()
}

fn refusal(kind: RefusalKind) -> Refusal {
    let fields = Moved::ALL.to_vec();
    let who = "bash (17)".to_owned();
    match kind {
        RefusalKind::Changed => Refusal::Changed { fields },
        RefusalKind::Gone => Refusal::Gone {},
        RefusalKind::PathChanged => Refusal::PathChanged {},
        RefusalKind::DiffersFromObject => Refusal::DiffersFromObject { fields },
        RefusalKind::OpenForWriting => Refusal::OpenForWriting {},
        RefusalKind::GuestRunning => Refusal::GuestRunning { who },
        RefusalKind::HolderRunning => Refusal::HolderRunning {
            guest: guest("web2"),
            who,
        },
        RefusalKind::HolderUnknown => Refusal::HolderUnknown { names: 2 },
        RefusalKind::NamesElsewhere => Refusal::NamesElsewhere { names: 1 },
        RefusalKind::TooLargeToFreeze => Refusal::TooLargeToFreeze { most: 268_435_400 },
        RefusalKind::SourceChanged => Refusal::SourceChanged { fields },
        RefusalKind::SourceGone => Refusal::SourceGone {},
        RefusalKind::DiffersFromSource => Refusal::DiffersFromSource {},
        RefusalKind::Unchangeable => Refusal::Unchangeable {},
        RefusalKind::NoCopyOnWrite => Refusal::NoCopyOnWrite {},
        RefusalKind::NothingShareable => Refusal::NothingShareable {},
        RefusalKind::NoRoom => Refusal::NoRoom {},
        RefusalKind::OwnBlocks => Refusal::OwnBlocks {},
        RefusalKind::BeingMaintained => Refusal::BeingMaintained {},
        RefusalKind::MountedOver => Refusal::MountedOver {},
        RefusalKind::Locked => Refusal::Locked { by: who },
        RefusalKind::Watched => Refusal::Watched { by: who },
        RefusalKind::Open => Refusal::Open { by: who },
        RefusalKind::MountedElsewhere => Refusal::MountedElsewhere { at: who },
        RefusalKind::UsesUnknown => Refusal::UsesUnknown { why: who },
        RefusalKind::OtherFilesystem => Refusal::OtherFilesystem {},
        RefusalKind::CannotCross => Refusal::CannotCross {},
        RefusalKind::DamagedObject => Refusal::DamagedObject {},
        RefusalKind::NoObject => Refusal::NoObject {},
        RefusalKind::RootChanged => Refusal::RootChanged {},
        RefusalKind::NotShared => Refusal::NotShared {},
    }
}

#[test]
fn a_refusal_is_written_with_the_code_of_its_kind() {
    for refusal in refusals() {
        let json = serde_json::to_value(&refusal).unwrap();
        assert_eq!(json["code"], refusal.code());
    }
}

pub fn blocks() -> CommonBlocks {
    CommonBlocks {
        guest: guest("web1"),
        paths: vec![path(b"/a"), path(b"/c")],
        ino: u64::MAX,
        source: BlockSource {
            guest: guest("web2"),
            path: path(b"/b\xff"),
        },
        content: Some(Digest([3; 32])),
        size: Some(7000),
        shared: 8192,
        left: 0,
    }
}

pub fn lines() -> Vec<ReceiptLine> {
    let line = |outcome| ReceiptLine {
        about: About::Names {
            guest: guest("web1"),
            paths: vec![path(b"/a\xff"), path(b"/b")],
            object: object(1),
        },
        outcome,
    };
    let done = |made, mtime| Outcome::Done {
        made,
        saved: 4096,
        mtime,
    };
    let mut lines = vec![
        line(done(Some(Making::Copy), Some(time(5)))),
        line(done(None, None)),
        line(Outcome::AlreadyDone),
        line(Outcome::Failed("no space\u{1b}".into())),
        ReceiptLine {
            about: About::Flag { object: object(1) },
            ..line(Outcome::AlreadyDone)
        },
        ReceiptLine {
            about: About::Blocks(blocks()),
            ..line(done(None, None))
        },
        ReceiptLine {
            about: About::Blocks(CommonBlocks {
                content: None,
                left: 4096,
                ..blocks()
            }),
            ..line(done(None, None))
        },
    ];
    lines.extend(
        refusals()
            .into_iter()
            .map(|refusal| line(Outcome::Refused(refusal))),
    );
    lines
}

pub fn totals() -> RunTotals {
    RunTotals {
        reflinks: 0,
        done: 1,
        already: 2,
        refused: 3,
        failed: 4,
        names: 5,
        bytes: 6,
        held: 7,
        stopped: None,
    }
}

pub fn text() -> Vec<u8> {
    let mut writer = ReceiptWriter::new(Vec::new(), &receipt()).unwrap();
    lines().iter().for_each(|line| writer.line(line).unwrap());
    writer.finish(&totals()).unwrap()
}

fn read(text: &[u8]) -> Result<(Vec<ReceiptLine>, ReceiptEnd), ReceiptError> {
    let mut reader = ReceiptReader::open(text)?;
    assert_eq!(reader.receipt(), &receipt());
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line() {
        lines.push(line);
    }
    Ok((lines, reader.finish()))
}

#[test]
fn a_receipt_round_trips() {
    let (read, end) = read(&text()).unwrap();
    assert_eq!(read, lines());
    assert_eq!((end.totals, end.complete), (Some(totals()), true));
    let end = ReceiptReader::open(&text()[..]).unwrap().finish();
    assert!(end.complete && end.damaged.is_empty());
}

#[test]
fn a_receipt_cut_anywhere_is_read_up_to_there() {
    let text = text();
    let first = text.iter().position(|&b| b == b'\n').unwrap() + 1;
    for cut in 0..first {
        assert!(read(&text[..cut]).is_err(), "cut at {cut}");
    }
    for cut in (first..text.len()).step_by(stride(5)) {
        let (read, end) = read(&text[..cut]).unwrap();
        let whole = text[first..cut].iter().filter(|&&b| b == b'\n').count();
        assert_eq!(read, lines()[..whole], "cut at {cut}");
        assert_eq!((end.totals, end.complete), (None, false), "cut at {cut}");
    }
}

/// The numbers of the lines that are left out, and the lines that are not.
fn left(text: &[u8]) -> (Vec<u64>, Vec<ReceiptLine>, Option<RunTotals>) {
    let (lines, end) = read(text).unwrap();
    let damaged = end.damaged.iter().map(|bad| bad.line).collect();
    (damaged, lines, end.totals)
}

#[test]
fn nuls_of_a_power_cut_are_torn_at_the_end_and_damage_in_the_middle() {
    let whole = text();
    let nuls = |text: &[u8]| [text, &[0; 64], b"\n"].concat();
    assert_eq!(left(&nuls(&whole)), (vec![], lines(), Some(totals())));
    let newlines = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let ends: Vec<usize> = newlines.map(|(at, _)| at + 1).collect();
    let middle = [&nuls(&whole[..ends[2]]), &whole[ends[2]..]].concat();
    assert_eq!(left(&middle), (vec![4], lines(), Some(totals())));
    let behind = [&whole[..], &whole[ends[0]..ends[1]]].concat();
    let last = ends.len() as u64 + 1;
    assert_eq!(left(&behind), (vec![last], lines(), Some(totals())));
}

/// Whatever bit it is: nothing is read that was not written, and no other line is lost.
#[test]
fn a_flipped_bit_costs_one_line_and_is_told() {
    let whole = text();
    let first = whole.iter().position(|&byte| byte == b'\n').unwrap();
    for at in 0..whole.len() {
        for bit in (at % stride(8)..8).step_by(stride(8)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let line = 1 + whole[..at].iter().filter(|&&byte| byte == b'\n').count();
            let spot = format!("bit {bit} of byte {at}, in line {line}");
            if at < first {
                let Err(ReceiptError::Head(bad)) = read(&bytes) else {
                    // A newline more.
                    assert_eq!(bytes[at], b'\n', "{spot}");
                    continue;
                };
                let reader = ReceiptReader::without_head(&bytes[..], receipt(), &bad);
                let end = reader.finish();
                assert_eq!(end.damaged[0].line, 1, "{spot}");
                assert_eq!(end.totals, Some(totals()), "{spot}");
                continue;
            }
            let (damaged, got, end) = left(&bytes);
            assert!(!damaged.is_empty(), "{spot}");
            assert!(
                damaged
                    .iter()
                    .all(|bad| (line..line + 2).contains(&(*bad as usize))),
                "{spot}: {damaged:?}"
            );
            let mut wanted = lines();
            if (2..wanted.len() + 2).contains(&line) && whole[at] != b'\n' {
                wanted.remove(line - 2);
            }
            assert_eq!(got, wanted, "{spot}");
            let is_in_totals = line == lines().len() + 2 && whole[at] != b'\n';
            assert_eq!(end.is_none(), is_in_totals, "{spot}");
        }
    }
}

/// What earlier versions wrote has no checks.
#[test]
fn lines_without_a_check_are_believed_where_they_are_lines() {
    let text = String::from_utf8(text()).unwrap();
    let bare = |line: &str| format!("{}}}\n", &line[..line.rfind(",\"check\":").unwrap()]);
    let mut old: Vec<String> = text.lines().map(bare).collect();
    assert_eq!(
        left(old.concat().as_bytes()),
        (vec![], lines(), Some(totals()))
    );
    old[3] = old[3].replacen("object", "obkect", 1);
    let (damaged, got, _) = left(old.concat().as_bytes());
    assert_eq!((damaged, got.len()), (vec![4], lines().len() - 1));
}

#[test]
fn a_disk_that_does_not_give_a_receipt_back_ends_it() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("input/output error"))
        }
    }
    let text = text();
    let half = text.len() / 2;
    let input = BufReader::new(text[..half].chain(Broken));
    let end = ReceiptReader::open(input).unwrap().finish();
    assert!(!end.complete);
    assert!(
        end.damaged[0].why.ends_with("input/output error"),
        "{end:?}"
    );
}

#[test]
fn facts_that_do_not_belong_together_are_refused() {
    let id = object(1);
    let head = String::from_utf8(text())
        .unwrap()
        .lines()
        .next()
        .unwrap()
        .to_owned();
    for (field, rest) in [
        ("saved", r#""outcome":"done""#),
        ("saved", r#""outcome":"failed","error":"x","saved":1"#),
        ("refusal", r#""outcome":"refused""#),
        ("error", r#""outcome":"failed""#),
        ("made", r#""outcome":"already-done","made":"copy""#),
        ("guest", r#""path":"/a","outcome":"already-done""#),
        ("path", r#""also":[{"path":"/a"}],"outcome":"already-done""#),
        ("refusal.code", r#""outcome":"refused","refusal":{}"#),
        ("more", r#""outcome":"already-done","more":1"#),
    ] {
        let text = format!("{head}\n{{\"object\":\"{id}\",{rest}}}\n");
        let (lines, end) = read(text.as_bytes()).unwrap();
        let [bad] = &end.damaged[..] else {
            panic!("{rest}: {lines:?}, {end:?}");
        };
        assert_eq!(bad.line, 2, "{rest}");
        let named = field.rsplit('.').next().unwrap();
        assert!(bad.why.contains(named), "{field}: {}", bad.why);
    }
}

#[test]
fn a_plan_is_not_a_receipt() {
    let plan = plan(crate::ledger::Form::Lines);
    assert!(ReceiptReader::open(plan.as_bytes()).is_err());
}

/// How a file was in use stands in the line for people, and nothing is read of it.
#[test]
fn uses_stand_in_lines_that_were_done() {
    let line = ReceiptLine {
        about: About::Names {
            guest: guest("web1"),
            paths: vec![path(b"/usr/f")],
            object: object(3),
        },
        outcome: Outcome::Done {
            made: None,
            saved: 4096,
            mtime: None,
        },
    };
    let uses = [UsedFile {
        guest: guest("web1"),
        path: path(b"/usr/f"),
        how: SkipReason::Locked,
        who: "flock of \"sh\"".into(),
    }];
    let mut writer = ReceiptWriter::new(Vec::new(), &receipt()).unwrap();
    writer.line_of_used(&line, &uses).unwrap();
    let text = writer.finish(&RunTotals::default()).unwrap();
    let said = String::from_utf8(text.clone()).unwrap();
    let want = r#""uses":[{"code":"locked","who":"flock of \"sh\""}]"#;
    assert!(said.contains(want), "{said}");
    let mut reader = ReceiptReader::open(BufReader::new(&text[..])).unwrap();
    assert_eq!(reader.next_line(), Some(line));
    assert_eq!(reader.next_line(), None);
}
