//! How values become JSON here, and how a value that is wrong is named.
//!
//! What we write never carries a character that a terminal obeys: `cat plan.json` is safe. What we
//! read names the field that is wrong, and quotes the paper only with such characters escaped.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::ser::{Formatter, Serializer};

use crate::model::{escaped_in_json, harmless};

/// Longest reason that is shown, in characters: a hostile paper does not fill the screen.
const LONGEST_WHY: usize = 300;

/// A value that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue {
    /// Which field, such as `before.ctime`; empty where the whole value is meant. Safe to print.
    pub field: String,
    /// What is wrong with it. Safe to print.
    pub why: String,
}

impl std::error::Error for BadValue {}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.why),
            field => write!(f, "field `{field}`: {}", self.why),
        }
    }
}

impl BadValue {
    /// A value that could not be read.
    pub fn unreadable(error: &io::Error) -> Self {
        BadValue::new("", format_args!("it cannot be read: {error}"))
    }

    /// A value of which nothing is left.
    pub fn lost(why: &str) -> Self {
        BadValue::new("", why)
    }

    pub(super) fn new(field: &str, why: impl fmt::Display) -> Self {
        BadValue {
            field: printable(field),
            why: printable(&why.to_string()),
        }
    }
}

/// A number that passes 2^53, which JSON readers round: a decimal string.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Decimal(pub u64);

impl From<Decimal> for String {
    fn from(Decimal(number): Decimal) -> String {
        number.to_string()
    }
}

impl TryFrom<String> for Decimal {
    type Error = String;
    fn try_from(text: String) -> Result<Decimal, String> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = if digits { text.parse().ok() } else { None };
        let wrong = || format!("expected a decimal number in a string, found {text:?}");
        number.map(Decimal).ok_or_else(wrong)
    }
}

/// Appends `value` in one line without spaces.
pub(super) fn write(value: &impl Serialize, out: &mut Vec<u8>) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Harmless))?;
    Ok(())
}

/// Reads one value that fills all of `bytes`.
pub(super) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BadValue> {
    // Tracking the place costs time, so only a value that is wrong is read with it.
    serde_json::from_slice(bytes).map_err(|first| locate::<T>(bytes, &first))
}

fn locate<'a, T: Deserialize<'a>>(bytes: &'a [u8], first: &serde_json::Error) -> BadValue {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => bad_value("", &first.to_string()), // what follows the value is wrong
        Err(error) => bad_value(&error.path().to_string(), &error.inner().to_string()),
    }
}

/// Says "missing field `x`" of the value at `path` as "missing" of `path.x`, and leaves out the
/// position within the value: the reader of the paper knows the line.
fn bad_value(path: &str, message: &str) -> BadValue {
    let path = if path == "." { "" } else { path };
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text);
    for (prefix, why) in [
        ("missing field `", "missing"),
        ("duplicate field `", "given twice"),
    ] {
        let field = message
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix('`'));
        match field {
            Some(field) if path.is_empty() => return BadValue::new(field, why),
            Some(field) => return BadValue::new(&format!("{path}.{field}"), why),
            None => {}
        }
    }
    BadValue::new(path, message)
}

/// Text of a paper that a terminal shows and does not obey, shortened to a bearable length.
pub(super) fn printable(text: &str) -> String {
    let mut shown = harmless(&text.chars().take(LONGEST_WHY).collect::<String>());
    if text.chars().nth(LONGEST_WHY).is_some() {
        shown.push('…');
    }
    shown
}

/// Compact JSON in which what hides or commands is written as `\uXXXX`.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W>(&mut self, out: &mut W, text: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        if is_plain(text.as_bytes()) {
            return out.write_all(text.as_bytes());
        }
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if escaped_in_json(c, chars.peek().copied()) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            } else {
                write!(out, "{c}")?;
            }
        }
        Ok(())
    }
}

/// Is there nothing but printable ASCII, and no `##`? All is looked at, for the machine compares many bytes at once.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: &u8| (0x20..0x7f).contains(byte);
    let order = text.iter().zip(text.iter().skip(1));
    text.iter().fold(true, |all, byte| all & plain(byte))
        && order.fold(true, |all, pair| all & (pair != (&b'#', &b'#')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::needs_escape;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Outer {
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only read")]
    struct Inner {
        a: u8,
    }

    fn bad(text: &str) -> (String, String) {
        let bad = parse::<Outer>(text.as_bytes()).unwrap_err();
        (bad.field, bad.why)
    }

    #[test]
    fn a_wrong_value_is_named() {
        assert_eq!(bad(r#"{"inner":{}}"#), ("inner.a".into(), "missing".into()));
        assert_eq!(bad("{}"), ("inner".into(), "missing".into()));
        assert_eq!(bad(r#"{"inner":{"a":1,"b":2}}"#).0, "inner.b");
        assert_eq!(bad(r#"{"inner":{"a":"x"}}"#).0, "inner.a");
        assert_eq!(bad(r#"{"inner":{"a":1,"a":2}}"#).0, "inner.a");
        assert_eq!(
            bad(r#"{"inner":{"a":1}} x"#),
            (String::new(), "trailing characters".into())
        );
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_written_or_quoted() {
        let hostile = "a\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\u{e0041}é##[x]\n\"\\";
        let mut out = Vec::new();
        write(&hostile, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let order = text.contains("##");
        assert!(!order && !text.chars().any(needs_escape), "{text:?}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);

        let (field, why) = bad(&format!(r#"{{"\u001b{}":1}}"#, "\u{9b}".repeat(1000)));
        assert!(!(field + &why).chars().any(needs_escape));
    }
}
