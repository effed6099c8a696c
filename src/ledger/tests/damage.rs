//! A plan that is truncated or damaged anywhere is refused or read as something else; nothing panics.

use proptest::prelude::*;

use super::sample::*;
use crate::ledger::plan::frames::JsonFault;
use crate::ledger::{Form, PlanError, PlanReader};
use crate::model::*;
use crate::sys::effort::stride;

#[test]
fn a_plan_cut_at_any_byte_is_refused() {
    for form in [Form::Document, Form::Lines] {
        let text = plan(form);
        let whole = text.trim_end().len();
        for cut in (0..whole).step_by(stride(5)) {
            assert!(!drains(&text.as_bytes()[..cut]), "{form:?} cut at {cut}");
        }
        assert!(drains(&text.as_bytes()[..whole]));
    }
}

/// Does a reader of the actions alone take this for a whole plan?
fn drains(text: &[u8]) -> bool {
    let Ok(mut reader) = PlanReader::open(text) else {
        return false;
    };
    loop {
        match reader.next_action() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

#[test]
fn a_flipped_bit_never_panics_and_is_never_missed_in_what_is_done() {
    for form in [Form::Document, Form::Lines] {
        let text = plan(form);
        let (start, end) = (
            text.find("{\"action\"").unwrap(),
            text.find("unify.summary"),
        );
        let end = end.or(text.find("\"summary\"")).unwrap();
        let want = read(&text).unwrap();
        for at in (0..text.len()).step_by(stride(3)) {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1 << (at % 8);
            let Ok(got) = read(&bytes) else { continue };
            let edits = &got.closing.edits;
            let silent = !edits.need_consent() && edits.removed + edits.held == 0;
            if (start..end).contains(&at) && silent {
                assert_eq!(got.closing.digest_now, want.closing.digest_now, "byte {at}");
            }
        }
    }
}

#[test]
fn a_byte_put_in_or_taken_out_never_panics() {
    let text = plan(Form::Document);
    for at in (0..text.len()).step_by(stride(17)) {
        let mut bytes = text.clone().into_bytes();
        bytes.remove(at);
        let _answer = read(&bytes);
        for extra in [b'"', b'{', b'[', b']', b'}', b',', b'\\', 0] {
            let mut bytes = text.clone().into_bytes();
            bytes.insert(at, extra);
            let _answer = read(&bytes);
        }
    }
}

#[test]
fn huge_and_deep_lines_are_refused_by_line() {
    let text = plan(Form::Document);
    let huge = format!("\"note\":\"{}\",\"before\":", "x".repeat(17 << 20));
    let fault = |text: String| match read(text) {
        Err(PlanError::Text(error)) => (error.line, error.fault),
        other => panic!("{other:?}"),
    };
    let (line, what) = fault(text.replacen("\"before\":", &huge, 1));
    assert!(matches!((line, what), (19, JsonFault::Long)));
    let deep = format!(
        "\"note\":{}1{},\"before\":",
        "[".repeat(1000),
        "]".repeat(1000)
    );
    let (line, what) = fault(text.replacen("\"before\":", &deep, 1));
    assert!(matches!((line, what), (19, JsonFault::Deep)));
}

#[test]
fn a_hostile_plan_puts_nothing_on_the_terminal() {
    let text = plan(Form::Document);
    for hostile in [
        text.replacen(
            "\"action\":\"link\"",
            "\"action\":\"\\u001b]0;x\\u0007\"",
            1,
        ),
        text.replacen("\"size\"", "\"\u{9b}31m\"", 1),
        text.replacen("\"host\"", "\"\u{202e}\"", 1),
        text.replacen("\"1.0\"", "\"9\\u001b.0\"", 1),
        text.replacen("\"name\":\"web1\"", "\"name\":\"\\u001b\"", 1),
    ] {
        let error = read(hostile).unwrap_err().to_string();
        assert!(!error.chars().any(needs_escape), "{error:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(bytes).is_err());
    }

    #[test]
    fn any_json_like_text_never_panics(text in r#"([{}\[\],:" \\]|"kind"|"guests"|"actions"|1|null){0,60}"#) {
        prop_assert!(read(text).is_err());
    }

    #[test]
    fn any_names_round_trip(links in prop::collection::btree_map(any_path(), any_link(), 0..8), lines in any::<bool>()) {
        let form = if lines { Form::Lines } else { Form::Document };
        let actions: Vec<Action> = links
            .into_iter()
            .map(|(path, link)| Action::Link(Link { path, also: Vec::new(), ..link }))
            .collect();
        let read = read(write(form, &actions)).unwrap();
        prop_assert_eq!(read.actions(), actions);
        prop_assert_eq!(read.closing.digest_in_file, read.closing.digest_now);
    }
}
