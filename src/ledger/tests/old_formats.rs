//! Papers that earlier programs wrote, in `tests/data/old-base`: every fact in them is read, and what is read is
//! written as it stood there. `tests/it/reading/old_formats.rs` has the disk that most of them are from.
//!
//! What a paper says must be read for ever. That it is written so, too, ends with the next version of a format:
//! then its papers come beside these, and the tests that write go over to them.

use std::io::Read as _;

use serde_json::{Value, json};

use super::receipt::{refusals, totals};
use super::sample::{self, guest, object, path, time};
use crate::ledger::journal::{Intent, Record, encode, read};
use crate::ledger::{Edits, Encoded, Form, PaperReader, PlanWriter, ReceiptReader, ReceiptWriter};
use crate::model::*;

/// All papers whose names end so, and what is in them.
fn papers(ends: &[&str]) -> Vec<(String, Vec<u8>)> {
    let top = format!("{DATA}/papers");
    let mut all = Vec::new();
    for scene in std::fs::read_dir(&top).unwrap() {
        for paper in std::fs::read_dir(scene.unwrap().path()).unwrap() {
            let path = paper.unwrap().path();
            let name = path.strip_prefix(&top).unwrap().to_str().unwrap();
            if ends.iter().any(|end| name.ends_with(end)) {
                all.push((name.to_owned(), std::fs::read(&path).unwrap()));
            }
        }
    }
    all.sort();
    assert!(all.len() > 2, "{ends:?}: {} papers", all.len());
    all
}

fn paper(name: &str) -> Vec<u8> {
    std::fs::read(format!("{DATA}/papers/{name}")).unwrap()
}

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/old-base");

/// Fails where something else is read than the earlier program read. All of it is in `facts.json`, by the paper's name.
#[track_caller]
fn assert_facts(name: &str, found: &Value) {
    let facts = std::fs::read(format!("{DATA}/facts.json")).unwrap();
    let facts: Value = serde_json::from_slice(&facts).unwrap();
    assert_eq!(&facts[name], found, "{name}: now {found}");
}

#[test]
fn every_fact_of_a_receipt_is_read() {
    for (name, text) in papers(&["receipt.jsonl", "recovered.jsonl"]) {
        let mut reader = ReceiptReader::open(&text[..]).unwrap();
        let receipt = reader.receipt().clone();
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line() {
            lines.push(line);
        }
        let end = reader.finish();
        assert_eq!(end.damaged, [], "{name}");
        let found = json!({
            "run": receipt.run.to_string(),
            "count": receipt.run.count(),
            "what": kind(receipt.what),
            "started": receipt.started,
            "plan": receipt.plan.map(|digest| digest.to_string()),
            "undoes": receipt.undoes.as_ref().map(RunId::to_string),
            "protect": receipt.protect.map(|mode| match mode {
                Protect::Auto => "auto",
                Protect::Guard => "guard",
                Protect::Iunlink => "iunlink",
                Protect::Verity => "verity",
                Protect::Immutable => "immutable",
                Protect::None => "none",
            }),
            "guests": receipt.guests.iter().map(|guest| json!([guest.name.as_str(), guest.root])).collect::<Vec<_>>(),
            "lines": lines.iter().map(line).collect::<Vec<_>>(),
            "complete": end.complete,
            "totals": end.totals.map(|t| [t.done, t.already, t.refused, t.failed, t.names, t.bytes, t.held]),
        });
        assert_facts(&name, &found);

        let mut writer = ReceiptWriter::new(Vec::new(), &receipt).unwrap();
        lines.iter().for_each(|line| writer.line(line).unwrap());
        let totals = end.totals.unwrap_or_default();
        let mut again = without_checks(&writer.finish(&totals).unwrap());
        if !end.complete {
            again.truncate(text.len());
        }
        assert_same(&name, &again, &text);
    }
}

/// Lines have a check since they were written.
fn without_checks(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    let before = |line: &str| format!("{}}}\n", &line[..line.rfind(",\"check\":").unwrap()]);
    text.lines().map(before).collect::<String>().into_bytes()
}

fn line(line: &ReceiptLine) -> Value {
    let mut value = json!({
        "guest": line.guest().map(GuestName::as_str),
        "paths": line.paths().iter().map(|path| path.as_bytes().escape_ascii().to_string()).collect::<Vec<_>>(),
        "object": line.object().unwrap().to_string(),
    });
    value["outcome"] = match &line.outcome {
        Outcome::Done { made, saved, mtime } => {
            let made = made.map(|made| match made {
                Making::Copy => "copy",
                Making::Adopt => "adopt",
            });
            json!({"made": made, "saved": saved, "mtime": mtime.map(|time| json!([time.sec, time.nsec]))})
        }
        Outcome::AlreadyDone => "already".into(),
        Outcome::Failed(why) => json!({"failed": why}),
        Outcome::Refused(refusal) => refused(refusal),
    };
    value
}

fn refused(refusal: &Refusal) -> Value {
    let code = refusal.code();
    match refusal {
        Refusal::Changed { fields } | Refusal::DiffersFromObject { fields } => {
            json!([
                code,
                fields.iter().map(Moved::to_string).collect::<Vec<_>>()
            ])
        }
        Refusal::GuestRunning { who } => json!([code, who]),
        Refusal::HolderRunning { guest, who } => json!([code, guest.as_str(), who]),
        Refusal::HolderUnknown { names } => json!([code, names]),
        Refusal::TooLargeToFreeze { most } => json!([code, most]),
        _ => json!([code]),
    }
}

fn kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Apply => "apply",
        RunKind::Undo => "undo",
        RunKind::Forget => "forget",
        RunKind::Break => "break",
    }
}

#[test]
fn every_fact_of_a_journal_is_read() {
    for (name, text) in papers(&["journal"]) {
        let journal = read(&text[..]).unwrap();
        assert_eq!(journal.damaged_at, None, "{name}");
        let found: Vec<Value> = journal.records.iter().map(record).collect();
        assert_facts(&name, &found.into());
        let again: Vec<u8> = journal.records.iter().flat_map(encode).collect();
        assert_same(&name, &again, &text);
    }
}

fn record(record: &Record) -> Value {
    let inode = |id: &FileId| json!([id.dev, id.ino]);
    match record {
        Record::Blocks { .. } => unreachable!("that program shared no blocks"),
        Record::Begin { run, what } => json!(["begin", run.to_string(), kind(*what)]),
        Record::Lift { object, inode: id } => json!(["lift", object.to_string(), inode(id)]),
        Record::Commit { upto } => json!(["commit", upto]),
        Record::Done { upto } => json!(["done", upto]),
        Record::Intent(intent) => json!({
            "seq": intent.seq,
            "guest": intent.guest.as_str(),
            "path": intent.path.as_bytes().escape_ascii().to_string(),
            "parent": inode(&intent.parent),
            "was": inode(&intent.was),
            "becomes": inode(&intent.becomes),
            "object": intent.object.to_string(),
        }),
    }
}

/// A journal that says what no run on the disk had to say.
#[test]
fn every_record_that_there_can_be_is_what_it_was() {
    let text = paper("every/journal");
    assert_eq!(read(&text[..]).unwrap().records, every_record());
}

fn every_record() -> Vec<Record> {
    let id = |ino| FileId { dev: u64::MAX, ino };
    let run = |run: &str| run.parse().unwrap();
    let intent = |seq, name: &[u8]| {
        Record::Intent(Intent {
            seq,
            guest: guest("web1"),
            path: path(name),
            parent: id(1),
            was: id(2),
            becomes: id(u64::MAX),
            object: ObjectId {
                generation: 7,
                ..object(3)
            },
        })
    };
    vec![
        Record::Begin {
            run: run("20260101T000000Z-0123abcd"),
            what: RunKind::Apply,
        },
        intent(1, b"/usr/\xff\n\"\\"),
        Record::Lift {
            object: object(4),
            inode: id(9),
        },
        Record::Commit { upto: 1 },
        Record::Done { upto: u64::MAX },
        Record::Begin {
            run: run("20260101T000001Z-ffffffff"),
            what: RunKind::Undo,
        },
        intent(u64::MAX, "/usr/\u{9b}ä".as_bytes()),
    ]
}

/// A receipt that says what no run on the disk had to say.
#[test]
fn every_outcome_that_there_can_be_is_what_it_was() {
    let text = paper("every/receipt.jsonl");
    let mut reader = ReceiptReader::open(&text[..]).unwrap();
    assert_eq!(reader.receipt(), &receipt());
    for mut wanted in every_line() {
        // That program had no word for what it did not know.
        if let Outcome::Refused(
            Refusal::Changed { fields } | Refusal::DiffersFromObject { fields },
        ) = &mut wanted.outcome
        {
            fields.retain(|field| *field != Moved::Metadata);
        }
        assert_eq!(reader.next_line(), Some(wanted));
    }
    assert_eq!(reader.next_line(), None);
    assert_eq!(reader.finish().totals, Some(totals()));
}

fn receipt() -> Receipt {
    Receipt {
        what: RunKind::Undo,
        undoes: Some("20260101T000000Z-0000abcd".parse().unwrap()),
        protect: Some(Protect::None),
        ..super::receipt::receipt()
    }
}

fn every_line() -> Vec<ReceiptLine> {
    let mut lines = super::receipt::lines();
    // Reflinks are newer than all of these.
    lines.retain(|line| line.object().is_some());
    // The sample of that program had this one elsewhere, and with another number; it had no freeze with a budget, took
    // in nothing that guests share, shared no blocks, maintained no guest, and had no word for what does not cross.
    let today = Outcome::Refused(Refusal::HolderUnknown { names: 2 });
    let is_new = |outcome: &Outcome| {
        use Refusal::{
            BeingMaintained, CannotCross, DiffersFromSource, Locked, MountedElsewhere,
            NamesElsewhere, NoCopyOnWrite, NoRoom, NothingShareable, Open, OwnBlocks,
            SourceChanged, SourceGone, TooLargeToFreeze, Unchangeable, UsesUnknown, Watched,
        };
        let refusal = |it: &Outcome| match it {
            Outcome::Refused(why) => matches!(
                why,
                TooLargeToFreeze { .. }
                    | BeingMaintained {}
                    | Locked { .. }
                    | Watched { .. }
                    | Open { .. }
                    | MountedElsewhere { .. }
                    | UsesUnknown { .. }
                    | NamesElsewhere { .. }
                    | CannotCross {}
                    | SourceChanged { .. }
                    | SourceGone {}
                    | DiffersFromSource {}
                    | Unchangeable {}
                    | NoCopyOnWrite {}
                    | NothingShareable {}
                    | NoRoom {}
                    | OwnBlocks {}
            ),
            _ => false,
        };
        *outcome == today || refusal(outcome)
    };
    lines.retain(|line| !is_new(&line.outcome));
    let more = [
        Outcome::Refused(Refusal::HolderUnknown { names: 3 }),
        Outcome::Done {
            made: Some(Making::Adopt),
            saved: u64::MAX,
            mtime: Some(Time {
                nsec: 1,
                ..time(i64::MIN)
            }),
        },
    ];
    let line = lines[0].clone();
    lines.extend(more.map(|outcome| ReceiptLine {
        outcome,
        ..line.clone()
    }));
    let old = refusals().into_iter().map(Outcome::Refused);
    assert!(lines.len() > old.filter(|outcome| !is_new(outcome)).count());
    lines
}

/// A plan with every word that it can have.
#[test]
fn every_line_that_a_plan_can_have_is_what_it_was() {
    for name in ["every/plan.json", "every/plan.jsonl"] {
        let plan = sample::read(paper(name)).unwrap();
        assert_eq!(plan.header, sample::header(), "{name}");
        assert_eq!(plan.guests, sample::guests(), "{name}");
        assert_eq!(plan.actions(), sample::actions(), "{name}");
        // That program looked at nothing that lacks its protection.
        let summary = Summary {
            unprotected: UnprotectedSharing::default(),
            flags_lost: 0,
            without_effect: Vec::new(),
            more_without_effect: 0,
            caveats: Caveats::default(),
            ..sample::summary()
        };
        assert_eq!(plan.closing.summary, summary, "{name}");
    }
}

#[test]
fn a_plan_is_read_whole_and_unedited() {
    for (name, text) in papers(&["plan.json", "plan.jsonl", "plan.json.zst"]) {
        let mut plain = Vec::new();
        let mut paper = PaperReader::new(&text[..]).unwrap();
        paper.read_to_end(&mut plain).unwrap();
        let plan = sample::read(&plain).unwrap();
        assert_eq!(plan.closing.edits, Edits::default(), "{name}");
        let (was, now) = (plan.closing.digest_in_file, plan.closing.digest_now);
        assert_eq!((was.content, was.decision), (now.content, None), "{name}");

        let form = match name.contains("jsonl") {
            true => Form::Lines,
            false => Form::Document,
        };
        let mut again = Vec::new();
        let mut writer = PlanWriter::new(&mut again, form, &plan.header, &plan.guests).unwrap();
        writer
            .actions(Encoded::new(form, &plan.actions()).unwrap())
            .unwrap();
        writer.finish(&plan.closing.summary).unwrap();
        // Plans have a second digest since then, which is written after all else.
        assert_same(&name, before_digest(&again), before_digest(&plain));
    }
}

fn before_digest(text: &[u8]) -> &[u8] {
    let text = std::str::from_utf8(text).unwrap();
    &text.as_bytes()[..text.rfind("\"content\":\"sha256:").unwrap()]
}

#[track_caller]
fn assert_same(name: &str, again: &[u8], text: &[u8]) {
    let lines = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    assert!(
        again == text,
        "{name} would be written so:\n{}",
        lines(again)
    );
}
