//! Lines of reflinks: what they say, what does not belong to them, and what the digests see of them.

use serde_json::{Value, json};

use super::image_plan::image_header;
use super::sample::*;
use crate::ledger::plan::line::{Edit, decode, encode};
use crate::ledger::{Edits, Form, PlanError};
use crate::model::*;

/// A header of a plan that makes no object, and so protects none.
pub fn reflink_header() -> Header {
    let mut header = header();
    let target = header.target.as_mut().unwrap();
    target.method = Some(SharingMethod {
        asked: MethodChoice::Auto,
        mode: PlanMethods::Reflink,
        why: "it was tried".into(),
    });
    target.protection = None;
    header.policy.method = MethodChoice::Auto;
    header.policy.within = true;
    header
}

pub fn reflink(owner: &str, name: &[u8]) -> Reflink {
    let like = link(owner, name);
    Reflink {
        guest: like.guest,
        path: like.path,
        also: like.also,
        source: BlockSource {
            guest: guest("web1"),
            path: path(b"/usr/bin/\xff"),
        },
        content: Digest([7; 32]),
        size: like.size,
        saves: like.saves,
        reason: LinkReason::SameContent,
        owner: None,
        before: like.before,
        source_before: like.before.map(|before| Before { ino: 9, ..before }),
        note: None,
    }
}

pub fn reflinks() -> Vec<Action> {
    let owner = Some(Owner {
        package: "perl".into(),
        version: Some("5".into()),
    });
    let also = vec![path(b"/usr/bin/perl5")];
    vec![
        Action::Reflink(Reflink {
            also,
            owner,
            ..reflink("web1", b"/usr/bin/perl")
        }),
        Action::Reflink(reflink("web2", b"/bin/\xc3\x28")),
    ]
}

fn text(action: &Action) -> String {
    let mut line = Vec::new();
    encode(action, &mut line).unwrap();
    String::from_utf8(line).unwrap()
}

/// The line with one member that is another, or that is not there.
fn edited(action: &Action, field: &str, value: Value) -> Result<Edit, String> {
    let mut line: Value = serde_json::from_str(&text(action)).unwrap();
    let members = line.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(field)),
        other => drop(members.insert(field.to_owned(), other)),
    }
    match decode(line.to_string().as_bytes(), PlanKind::Plan) {
        Ok(decoded) => Ok(decoded.edit),
        Err(bad) => Err(bad.field),
    }
}

#[test]
fn a_plan_of_reflinks_is_read_as_it_was_written() {
    for form in [Form::Document, Form::Lines] {
        let plan = read(write_with(form, &reflink_header(), &guests(), &reflinks())).unwrap();
        assert_eq!(plan.header, reflink_header());
        assert_eq!(plan.actions(), reflinks());
        assert_eq!(plan.closing.digest_in_file, plan.closing.digest_now);
        assert_eq!(plan.closing.edits.changed, Edits::default().changed);
    }
}

#[test]
fn an_image_plan_has_no_evidence_of_either_file() {
    let mut lines = reflinks();
    let proven = write_with(Form::Lines, &image_header(), &guests(), &lines);
    for line in &mut lines {
        if let Action::Reflink(line) = line {
            (line.before, line.source_before) = (None, None);
        }
    }
    let plan = read(write_with(Form::Lines, &image_header(), &guests(), &lines)).unwrap();
    assert_eq!(plan.actions(), lines);
    assert!(matches!(read(proven), Err(PlanError::Value { bad, .. }) if bad.field == "before"));
}

#[test]
fn every_member_is_sealed_and_none_may_be_missing() {
    let line = &reflinks()[0];
    let source = json!({"guest": "web2", "path": "/x"});
    let before = serde_json::to_value(reflink("a", b"/a").before).unwrap();
    for (field, value) in [
        ("source", source),
        ("content", json!(format!("sha256:{}", "0".repeat(64)))),
        ("source_before", before),
        ("size", json!(1)),
    ] {
        let changed = Edit::Changed(vec![field.to_owned()]);
        assert_eq!(edited(line, field, value), Ok(changed), "{field}");
        let missing = edited(line, field, Value::Null);
        assert!(
            missing.is_err_and(|at| at.contains(field) || at.is_empty()),
            "{field}"
        );
    }
    assert_eq!(edited(line, "note", json!("why?")), Ok(Edit::None));
}

#[test]
fn what_belongs_to_the_other_method_is_refused() {
    let (hard, soft) = (Action::Link(link("web1", b"/a")), &reflinks()[0]);
    let object = json!(object(1).to_string());
    assert_eq!(edited(soft, "object", object), Err("object".into()));
    assert_eq!(edited(soft, "makes", json!("copy")), Err("makes".into()));
    let source = json!({"guest": "web2", "path": "/x"});
    assert_eq!(edited(&hard, "source", source), Err("source".into()));
    assert_eq!(
        edited(&hard, "method", json!("reflink")),
        Err("source_before".into())
    );
    let itself = json!({"guest": "web1", "path": "/usr/bin/perl5"});
    assert_eq!(edited(soft, "source", itself), Err("source".into()));
}

#[test]
fn a_hard_link_is_none_of_a_plan_that_protects_nothing() {
    let refused = |action| {
        let text = write_with(Form::Lines, &reflink_header(), &guests(), &[action]);
        match read(text) {
            Err(PlanError::Value { bad, .. }) => bad.field,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(Action::Link(link("web1", b"/a"))), "method");
    assert_eq!(refused(Action::Flag(flag())), "action");
    let mut open = header();
    open.target.as_mut().unwrap().protection = None;
    assert!(read(write_with(Form::Lines, &open, &guests(), &[])).is_err());
    let mut needless = reflink_header();
    needless.target.as_mut().unwrap().protection = header().target.unwrap().protection;
    assert!(read(write_with(Form::Lines, &needless, &guests(), &[])).is_err());
}

#[test]
fn the_source_is_a_guest_of_the_plan() {
    let mut lost = reflink("web2", b"/a");
    lost.source.guest = guest("web9");
    let text = write_with(
        Form::Lines,
        &reflink_header(),
        &guests(),
        &[Action::Reflink(lost)],
    );
    assert!(matches!(read(text), Err(PlanError::UnknownGuest { .. })));
}

#[test]
fn a_reflink_becomes_a_skip_by_its_word_alone() {
    let line = text(&reflinks()[0]).replace(r#""action":"link""#, r#""action":"skip""#);
    let held = decode(line.as_bytes(), PlanKind::Plan).unwrap();
    assert_eq!(held.edit, Edit::Held);
    let Action::Skip(skip) = held.action else {
        panic!("not a skip");
    };
    assert_eq!(skip.reason, SkipReason::Held);
}

#[test]
fn digests_see_what_would_be_done_and_what_was_decided() {
    let digest = |change: &dyn Fn(&mut Reflink)| {
        let mut line = reflink("web2", b"/a");
        change(&mut line);
        let lines = [Action::Reflink(line)];
        let plan = read(write_with(
            Form::Lines,
            &reflink_header(),
            &guests(),
            &lines,
        ))
        .unwrap();
        let now = plan.closing.digest_now;
        (now.content, now.decision.unwrap())
    };
    let (content, decision) = digest(&|_| {});
    for change in [
        &(|line: &mut Reflink| line.content = Digest([8; 32])) as &dyn Fn(&mut Reflink),
        &|line: &mut Reflink| line.path = path(b"/b"),
    ] {
        let (other, decided) = digest(change);
        assert!(other != content && decided != decision);
    }
    let (elsewhere, decided) = digest(&|line| line.source.path = path(b"/other"));
    assert!(elsewhere != content && decided == decision);
    let same = digest(&|line| {
        line.before = line.before.map(|before| Before { ino: 1, ..before });
        (line.saves, line.source_before, line.note) = (0, line.before, Some("x".into()));
    });
    assert_eq!(same, (content, decision));
}

#[test]
fn choices_that_earlier_programs_did_not_know_are_not_written() {
    let text = plan(Form::Document);
    for word in [
        "within",
        "reflink_config",
        "\"asked\":\"hardlink",
        "reflinks",
    ] {
        assert!(!text.contains(word), "{word}");
    }
}
