//! Receipts: round trips, and what a crash leaves.

use super::sample::*;
use crate::ledger::receipt::ReceiptEnd;
use crate::ledger::{ReceiptError, ReceiptReader, ReceiptWriter};
use crate::model::*;

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
        RefusalKind::TooLargeToFreeze => Refusal::TooLargeToFreeze { most: 268_435_400 },
        RefusalKind::MountedOver => Refusal::MountedOver {},
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

pub fn lines() -> Vec<ReceiptLine> {
    let line = |outcome| ReceiptLine {
        about: About::Names {
            guest: guest("web1"),
            paths: vec![path(b"/a\xff"), path(b"/b")],
        },
        object: object(1),
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
            about: About::Flag,
            ..line(Outcome::AlreadyDone)
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
        done: 1,
        already: 2,
        refused: 3,
        failed: 4,
        names: 5,
        bytes: 6,
        held: 7,
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
    while let Some(line) = reader.next_line()? {
        lines.push(line);
    }
    Ok((lines, reader.finish()?))
}

#[test]
fn a_receipt_round_trips() {
    let (read, end) = read(&text()).unwrap();
    assert_eq!(read, lines());
    assert_eq!((end.totals, end.complete), (Some(totals()), true));
    let end = ReceiptReader::open(&text()[..]).unwrap().finish().unwrap();
    assert!(end.complete);
}

#[test]
fn a_receipt_cut_anywhere_is_read_up_to_there() {
    let text = text();
    let first = text.iter().position(|&b| b == b'\n').unwrap() + 1;
    for cut in 0..first {
        assert!(read(&text[..cut]).is_err(), "cut at {cut}");
    }
    for cut in first..text.len() {
        let (read, end) = read(&text[..cut]).unwrap();
        let whole = text[first..cut].iter().filter(|&&b| b == b'\n').count();
        assert_eq!(read, lines()[..whole], "cut at {cut}");
        assert_eq!((end.totals, end.complete), (None, false), "cut at {cut}");
    }
}

#[test]
fn a_cut_line_with_a_newline_is_torn_at_the_end_and_an_error_in_the_middle() {
    let mut damaged = text();
    let totals = damaged.len() - 100;
    damaged.truncate(totals);
    damaged.extend(b"{\"object\n");
    let lines_before = damaged.iter().filter(|&&b| b == b'\n').count() as u64;
    let end = read(&damaged).unwrap().1;
    assert!(!end.complete);
    damaged.extend(b"{\"object\n");
    match read(&damaged) {
        Err(ReceiptError::Value { line, .. }) => assert_eq!(line, lines_before),
        other => panic!("{other:?}"),
    }
    let after = [&text()[..], b"{}\n"].concat();
    assert!(matches!(read(&after), Err(ReceiptError::Trailing { .. })));
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
        let text = format!("{head}\n{{\"object\":\"{id}\",{rest}}}\n{{}}\n");
        match read(text.as_bytes()) {
            Err(ReceiptError::Value { line: 2, bad }) => {
                assert!(field.starts_with(&bad.field), "{field}: {bad}");
            }
            other => panic!("{rest}: {other:?}"),
        }
    }
}

#[test]
fn a_plan_is_not_a_receipt() {
    let plan = plan(crate::ledger::Form::Lines);
    assert!(ReceiptReader::open(plan.as_bytes()).is_err());
}
