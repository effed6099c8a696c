//! A plan without some of its lines is what a reviewer makes of it by deleting them.

use super::sample::*;
use crate::ledger::{Form, PlanReader, narrow};
use crate::model::*;

fn is_kept(action: &Action) -> bool {
    !matches!(action, Action::Link(link) if link.guest == guest("web2"))
}

fn narrowed(text: &str, form: Option<Form>) -> (String, PlanDigest) {
    let mut out = Vec::new();
    let narrowed = narrow(text.as_bytes(), form, &mut out, &mut is_kept).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(read(&text).unwrap().closing.edits, narrowed.edits);
    (text, narrowed.digest)
}

#[test]
fn lines_that_stay_are_as_they_were_in_both_forms() {
    for form in [Form::Document, Form::Lines] {
        let whole = plan(form);
        assert_eq!(narrowed_to_all(&whole), whole, "nothing is taken out");
        let (text, digest) = narrowed(&whole, None);
        let left = read(&text).unwrap();
        let want: Vec<Action> = actions().into_iter().filter(is_kept).collect();
        assert!(want.len() < actions().len());
        assert_eq!(left.actions(), want);
        assert_eq!(left.closing.digest_now, digest);
        assert_eq!(
            left.closing.digest_in_file,
            read(&whole).unwrap().closing.digest_now
        );
        assert!(left.closing.edits.removed > 0 && !left.closing.edits.need_consent());
        let other = if form == Form::Lines {
            Form::Document
        } else {
            Form::Lines
        };
        assert_eq!(
            narrowed(&whole, Some(other)).0,
            narrowed(&plan(other), None).0
        );
    }
}

fn narrowed_to_all(text: &str) -> String {
    let mut out = Vec::new();
    narrow(text.as_bytes(), None, &mut out, &mut |_| true).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a hand has changed is not sealed anew, however a formatter spread the text.
#[test]
fn a_line_that_a_hand_has_changed_stays_one() {
    let whole = plan(Form::Document).replacen("\"saves\":", "\"saves\":1", 1);
    let spread = whole.replace(",\"", ",\n  \"");
    for text in [whole, spread] {
        let left = narrowed_to_all(&text);
        let mut reader = PlanReader::open(left.as_bytes()).unwrap();
        while reader.next_action().unwrap().is_some() {}
        let edits = reader.finish().unwrap().edits;
        assert_eq!(edits.changed.len(), 1, "{edits:?}");
        assert_eq!(edits.changed[0].1, ["saves"]);
    }
    let cut_off = &plan(Form::Document)[..1500];
    assert!(narrow(cut_off.as_bytes(), None, Vec::new(), &mut |_| true).is_err());
}
