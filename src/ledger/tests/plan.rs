//! Whole plans: both forms, in any layout, and what a reviewer may do to them.

use std::io::{Read as _, Write as _};

use serde_json::Value;

use super::sample::*;
use crate::ledger::{Edits, Form, PaperReader, PaperWriter, PlanError, PlanReader};
use crate::model::*;

#[test]
fn both_forms_hold_the_same() {
    for form in [Form::Document, Form::Lines] {
        let read = read(plan(form)).unwrap();
        assert_eq!(read.header, header());
        assert_eq!(read.guests, guests());
        assert_eq!(read.actions(), actions());
        assert_eq!(read.closing.summary, summary());
        assert_eq!(read.closing.digest_in_file, read.closing.digest_now);
        assert_eq!(read.closing.edits, Edits::default());
    }
}

#[test]
fn a_document_has_a_value_a_line() {
    let text = plan(Form::Document);
    let starts: Vec<&str> = text
        .lines()
        .map(|line| line.get(..11).unwrap_or(line))
        .collect();
    #[rustfmt::skip]
    let want = [
        "{", "\"$schema\": ", "\"kind\": \"un", "\"format\": \"", "\"created\": ", "\"tool\": \"un",
        "\"edit\": \"de", "\"host\": \"01", "\"base\": {\"p", "\"policy\": {", "\"protection",
        "\"seal\": \"1a", "\"guests\": [", "{\"name\":\"we", "{\"name\":\"we", "],",
        "\"actions\": ", "{\"action\":\"", "{\"action\":\"", "{\"action\":\"", "{\"action\":\"",
        "{\"action\":\"", "{\"action\":\"", "],",
        "\"summary\": ", "\"digest\": {", "}",
    ];
    let want: Vec<&str> = want.iter().map(|w| w.get(..11).unwrap_or(w)).collect();
    assert_eq!(starts, want);
    assert!(text.ends_with("}\n"));
    assert_eq!(
        read(&text).unwrap().lines[0].0,
        18,
        "the line of the first action"
    );
    assert!(serde_json::from_str::<Value>(&text).is_ok());
}

#[test]
fn json_lines_are_one_record_a_line() {
    let text = plan(Form::Lines);
    let kind = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        record
            .get("kind")
            .or(record.get("action"))
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let kinds: Vec<String> = text.lines().map(kind).collect();
    #[rustfmt::skip]
    assert_eq!(kinds, [
        "unify.plan", "unify.guest", "unify.guest", "skip", "link", "flag", "link", "link", "skip",
        "unify.summary", "unify.digest",
    ]);
}

#[test]
fn the_same_plan_has_the_same_bytes() {
    assert_eq!(plan(Form::Document), plan(Form::Document));
}

#[test]
fn an_empty_plan_is_a_plan() {
    for form in [Form::Document, Form::Lines] {
        let read = read(write(form, &[])).unwrap();
        assert_eq!(read.actions(), []);
        assert_eq!(read.closing.edits.removed, 4);
    }
}

#[test]
fn any_layout_is_read() {
    let text = plan(Form::Document);
    let pretty = pretty(&text);
    assert!(pretty.lines().count() > 3 * text.lines().count());
    let compact = text.replace('\n', "").replace("\": ", "\":");
    let windows = text.replace('\n', "\r\n");
    let want = read(&text).unwrap();
    for text in [pretty, compact, windows, text.trim_end().to_owned()] {
        let read = read(text).unwrap();
        assert_eq!(read.actions(), want.actions());
        assert_eq!(read.closing, want.closing);
    }
    let spread: String = plan(Form::Lines).lines().map(pretty_value).collect();
    assert_eq!(read(spread).unwrap().closing, want.closing);
}

/// What `jq .` does: the order of the keys stays and everything has its line. [`Value`] sorts keys,
/// so the top level is put together by hand.
pub fn pretty(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    let top = [
        "$schema", "kind", "format", "created", "tool", "edit", "host", "base", "policy",
    ];
    let rest = [
        "protection",
        "seal",
        "guests",
        "actions",
        "summary",
        "digest",
    ];
    let member = |key: &&str| format!("  \"{key}\": {}", pretty_value(&value[key].to_string()));
    let members: Vec<String> = top.iter().chain(&rest).map(member).collect();
    format!("{{\n{}\n}}\n", members.join(",\n"))
}

pub fn pretty_value(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn any_line_of_an_action_may_be_deleted() {
    for form in [Form::Document, Form::Lines] {
        let text = plan(form);
        let lines: Vec<&str> = text.lines().collect();
        let is_action = |line: &str| line.starts_with("{\"action\"");
        let whole = read(&text).unwrap();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| is_action(line)) {
            let mut rest = lines.clone();
            rest.remove(i);
            let read = read(rest.join("\n")).unwrap();
            let counts = u64::from(!line.contains("\"skip\""));
            assert_eq!(read.lines.len(), whole.lines.len() - 1);
            assert_eq!(read.closing.edits.removed, counts, "{line}");
            assert_eq!(read.closing.digest_in_file, whole.closing.digest_now);
            let same = read.closing.digest_now == whole.closing.digest_now;
            assert_eq!(same, counts == 0, "{line}");
        }
        let none: Vec<&str> = lines.into_iter().filter(|line| !is_action(line)).collect();
        assert_eq!(read(none.join("\n")).unwrap().closing.edits.removed, 4);
    }
}

#[test]
fn edits_are_counted_and_named() {
    let text = plan(Form::Document);
    let held = read(text.replacen("\"action\":\"link\"", "\"action\":\"skip\"", 2)).unwrap();
    assert_eq!(
        (held.closing.edits.held, held.closing.edits.removed),
        (2, 0)
    );
    assert!(!held.closing.edits.need_consent());
    assert_ne!(held.closing.digest_now, held.closing.digest_in_file);

    let changed = read(text.replacen("\"saves\":3973120", "\"saves\":9", 1)).unwrap();
    assert_eq!(
        changed.closing.edits.changed,
        [(21, vec!["saves".to_owned()])]
    );
    assert_eq!(changed.closing.edits.removed, 0);
    assert!(changed.closing.edits.need_consent());

    let noted = text.replacen("\"before\":", "\"note\":\"ok\",\"before\":", 3);
    let noted = read(noted).unwrap();
    assert_eq!(noted.closing.edits, Edits::default());
    assert_eq!(noted.closing.digest_now, noted.closing.digest_in_file);
}

#[test]
fn a_hand_in_header_guests_summary_or_digest_is_named() {
    for form in [Form::Document, Form::Lines] {
        let text = plan(form);
        for (from, to, field) in [
            ("\"mode\":\"immutable\"", "\"mode\":\"none\"", "protection"),
            ("\"min_size\":", "\"min_size\":7", "policy"),
            ("/srv/guests/web1", "/srv/guests/db", "root"),
            ("\"flags\":1", "\"flags\":0", "totals"),
            ("\"seal\":\"", "\"seal\":\"00", "seal"),
        ] {
            let changed = read(text.replacen(from, to, 1)).unwrap().closing.edits;
            let fields = changed.changed.iter().flat_map(|(_, fields)| fields);
            assert_eq!(fields.collect::<Vec<_>>(), [field], "{form:?} {from}");
            assert!(changed.need_consent());
        }
    }
}

#[test]
fn a_line_added_by_hand_is_named_and_hides_no_removal() {
    let mut lines = actions();
    lines.remove(4);
    let text = write(Form::Lines, &lines);
    let first = text.find("{\"action\"").unwrap();
    let at = first + text[first..].find(",\"seal\":").unwrap();
    let end = text[at..].find('}').unwrap();
    let unsealed = text.replacen(&text[at..at + end], "", 1);
    let edits = read(unsealed).unwrap().closing.edits;
    assert_eq!((edits.unsealed, edits.removed), (vec![5], 2));
}

fn evidence(link: &mut Link) -> &mut Before {
    link.before.as_mut().unwrap()
}

#[test]
fn an_approval_covers_what_would_be_done_and_nothing_else() {
    let digest = |actions: &[Action]| {
        read(write(Form::Lines, actions))
            .unwrap()
            .closing
            .digest_now
            .content
    };
    let change = |edit: fn(&mut Link)| {
        let mut changed = actions();
        if let Action::Link(link) = &mut changed[4] {
            edit(link);
        }
        digest(&changed) == digest(&actions())
    };
    assert!(change(|l| evidence(l).ctime = time(9)));
    assert!(change(|l| evidence(l).ino = 9));
    assert!(change(|l| l.note = Some("x".into())));
    assert!(change(|l| l.reason = LinkReason::IdenticalObject));
    assert!(!change(|l| l.path = path(b"/usr/bin/perm")));
    assert!(!change(|l| l.also = vec![path(b"/usr/bin/perm")]));
    let named = |name| {
        let mut linked = link("web1", b"/a");
        linked.also = vec![path(name)];
        digest(&[Action::Link(linked)])
    };
    assert_ne!(named(b"/b"), named(b"/c"));
    assert!(!change(|l| l.object = l.object.next_generation()));
    let mut fewer = actions();
    fewer.remove(0);
    assert_eq!(digest(&fewer), digest(&actions()), "skips are not done");
    fewer.remove(1);
    assert_ne!(digest(&fewer), digest(&actions()), "flags are");
}

#[test]
fn another_format_or_paper_is_refused() {
    let text = plan(Form::Document);
    let newer = text.replace("\"format\": \"1.0\"", "\"format\": \"2.0\"");
    assert!(matches!(
        read(newer),
        Err(PlanError::Version { line: 4, .. })
    ));
    let minor = text.replace("\"format\": \"1.0\"", "\"format\": \"1.7\"");
    assert!(read(minor).is_ok());
    let other = text.replace("unify.plan", "unify.receipt");
    assert!(matches!(read(other), Err(PlanError::NotAPlan { line: 3 })));
    assert!(matches!(read("{}"), Err(PlanError::NotAPlan { .. })));
}

#[test]
fn what_is_wrong_outside_the_actions_is_named_too() {
    let text = plan(Form::Document);
    let cases = [
        ("\"host\": \"0123\",", "", "host"),
        ("\"host\":", "\"hast\":", "hast"),
        ("\"glob\":\"/opt/**\",", "", "policy.patterns[0].glob"),
        ("\"max_links\":65000", "\"max_links\":-1", "base.max_links"),
        (
            "\"path\":\"/srv/guests/.unify\"",
            "\"path\":\"x\"",
            "base.path",
        ),
        ("\"running\":false,", "", "running"),
        ("\"flags\":1,", "\"flags\":1,\"flogs\":1,", "totals.flogs"),
        ("\"content\":", "\"contant\":", "contant"),
    ];
    for (from, to, field) in cases {
        match read(text.replacen(from, to, 1)) {
            Err(PlanError::Value { bad, .. }) => assert_eq!(bad.field, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let bad = read(text.replacen("\"glob\":\"/opt/**\",", "", 1)).unwrap_err();
    assert_eq!(
        bad.to_string(),
        "line 10, field `policy.patterns[0].glob`: missing"
    );
}

#[test]
fn a_compressed_plan_is_read_as_it_is() {
    let mut out = PaperWriter::new(Vec::new(), true).unwrap();
    out.write_all(plan(Form::Document).as_bytes()).unwrap();
    let packed = out.finish().unwrap();
    let mut reader = PlanReader::open(PaperReader::new(&packed[..]).unwrap()).unwrap();
    let mut count = 0;
    while reader.next_action().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, actions().len());
    let mut text = String::new();
    PaperReader::new(&packed[..])
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, plan(Form::Document));
}

#[test]
fn finish_reads_what_was_not_asked_for() {
    let text = plan(Form::Document);
    let closing = PlanReader::open(text.as_bytes()).unwrap().finish().unwrap();
    assert_eq!(closing, read(text).unwrap().closing);
}
