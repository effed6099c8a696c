//! The scanner by itself: what it splits, what it counts, what it refuses.

use std::io;

use crate::ledger::plan::frames::*;

/// Every frame as `LINE:WHAT`, or the error.
fn frames(text: &str) -> Result<Vec<String>, String> {
    let mut frames = Frames::new(text.as_bytes());
    let mut seen = Vec::new();
    while let Some((line, frame)) = frames.next().map_err(|e| e.to_string())? {
        let value = String::from_utf8_lossy(frames.value()).into_owned();
        seen.push(match frame {
            Frame::ObjectMember(key) => format!("{line}:{key}={value}"),
            Frame::Enter(array) => format!("{line}:{array:?}["),
            Frame::Element(_) => format!("{line}:{value}"),
            Frame::Record => format!("{line}:record {value}"),
        });
    }
    Ok(seen)
}

#[test]
fn a_document_in_any_layout() {
    let want = [
        "a=1",
        "Guests[",
        "{}",
        "Actions[",
        "[\"]\\\"\"]",
        "2",
        "b={\"c\":[]}",
    ];
    let one_line = r#"{"a":1,"guests":[{}],"actions":[["]\""],2],"b":{"c":[]}}"#;
    let one: Vec<_> = want.iter().map(|w| format!("1:{w}")).collect();
    assert_eq!(frames(one_line).unwrap(), one);
    let spread = one_line.replace([','], "\n,\r\n").replace(':', "\t:\n") + "\n";
    let lines = [2, 5, 5, 8, 8, 10, 13];
    let seen = frames(&spread).unwrap();
    for (seen, line) in seen.iter().zip(lines) {
        assert!(
            seen.starts_with(&format!("{line}:")),
            "{seen} not on {line}"
        );
    }
    assert_eq!(seen.len(), want.len());
}

#[test]
fn a_comma_behind_the_last_element_is_accepted_and_no_other() {
    let good = "{\"actions\":[\n1,\n2,\n]}";
    assert_eq!(frames(good).unwrap(), ["1:Actions[", "2:1", "3:2"]);
    for bad in [
        "{\"actions\":[,]}",
        "{\"actions\":[1,,]}",
        "{\"a\":1,}",
        "{,}",
    ] {
        assert!(frames(bad).is_err(), "{bad}");
    }
}

#[test]
fn json_lines() {
    let text = "{\"a\":1}\n{\"b\":2}\n\n{\"c\":\n3}";
    assert_eq!(
        frames(text).unwrap(),
        ["1:a=1", "2:record {\"b\":2}", "4:record {\"c\":\n3}"]
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let deep = format!("{{\n\"a\":{}", "[".repeat(40));
    let keys: String = (0..70).map(|i| format!("\"{i}\":1,")).collect();
    for (bad, want) in [
        ("", "line 1: the text ends"),
        ("[1]", "line 1: expected `{`"),
        ("{\"a\":1\n\"b\":2}", "line 2: expected `,` or `}`"),
        (
            "{\"a\":1,\n\"\\u0061\":2}",
            "line 2: key `a` is given twice",
        ),
        ("{\"guests\":[]}\n1", "line 2: something stands behind"),
        ("{\"a\":1}\nx", "line 2: expected `{`"),
        ("{\"a\":1}\n{\"b\":", "line 2: the text ends"),
        ("{\"a\":\n+1}", "line 2: expected a value"),
        (&deep, "line 2: values are nested too deep"),
        (&format!("{{{keys}"), "line 1: too many keys"),
    ] {
        let error = frames(bad).unwrap_err();
        assert!(error.starts_with(want), "{bad:?}: {error}");
    }
}

#[test]
fn a_huge_value_is_refused_without_reading_it_all() {
    let endless = io::BufReader::new(io::Read::chain(&b"{\"a\":\n\""[..], io::repeat(b'x')));
    let error = Frames::new(endless).next().unwrap_err();
    assert!(matches!(
        error,
        FrameError {
            line: 2,
            fault: JsonFault::Long
        }
    ));
}

#[test]
fn what_is_given_by_mistake_is_called_by_its_name() {
    let said = |text: &[u8]| {
        let mut frames = Frames::new(text);
        frames.next().map_err(|error| error.to_string())
    };
    for (begin, name) in [
        (&b"\xef\xbb\xbf{\"kind\":1}"[..], "byte order mark"),
        (b"\xff\xfe{\0", "UTF-16"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\xfd7zXZ\0", "xz"),
        (b"BZh9", "bzip2"),
        (b"PK\x03\x04", "zip archive"),
    ] {
        let why = said(begin).unwrap_err();
        assert!(why.starts_with("line 1: ") && why.contains(name), "{why}");
    }
    assert!(said(b"PK").unwrap_err().contains("not a plan"));
}
