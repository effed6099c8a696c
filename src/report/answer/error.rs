//! Why a command could not do what was asked, for programs: `unify.error`, the only object on standard output then, or
//! the last key of an answer that had begun.
//!
//! People are told the same sentence on standard error.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{GuestName, Trouble, TroublePlace};
use crate::report::layout::json;
use crate::report::layout::json::{FileJson, PathJson};

/// An error, as an answer or a part of one.
#[derive(Debug, Serialize)]
pub struct ErrorJson<'a> {
    /// `unify.error`.
    kind: &'static str,
    /// A word that never changes its meaning.
    code: &'static str,
    /// The exit code of the command.
    exit: u8,
    /// The sentence that people are told.
    what: &'a str,
    /// What it is about, as much as is known.
    r#where: WhereJson<'a>,
    /// What to do next; null where the sentence says all.
    hint: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct WhereJson<'a> {
    #[serde(flatten)]
    file: Option<FileJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    guest: Option<&'a str>,
    #[serde(flatten)]
    path: Option<PathJson>,
}

/// Writes the error as one line.
pub fn json(trouble: &Trouble, what: &str, exit: u8, out: &mut dyn Write) -> io::Result<()> {
    json::write_line(out, &value(trouble, what, exit))
}

/// Ends an answer that had begun, within the array that is its last: it is whole JSON, and says what kept it from
/// being a whole answer.
pub fn end_begun(trouble: &Trouble, what: &str, exit: u8, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\n],\"error\":")?;
    json::write(out, &value(trouble, what, exit))?;
    out.write_all(b"}\n")?;
    out.flush()
}

/// The error as a value.
pub fn value<'a>(trouble: &'a Trouble, what: &'a str, exit: u8) -> ErrorJson<'a> {
    ErrorJson {
        kind: "unify.error",
        code: trouble.code,
        exit,
        what,
        r#where: place(&trouble.place),
        hint: trouble.hint.as_deref(),
    }
}

/// The answer where there is no base yet, and `--if-base-exists` was given: `unify.no-base`.
pub fn no_base(out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct NoBaseJson {
        kind: &'static str,
    }
    let kind = "unify.no-base";
    json::write_line(out, &NoBaseJson { kind })
}

fn place(place: &TroublePlace) -> WhereJson<'_> {
    WhereJson {
        file: place.file.as_deref().map(FileJson::from),
        line: place.line,
        field: place.field.as_deref(),
        option: place.option.as_deref(),
        guest: place.guest.as_ref().map(GuestName::as_str),
        path: place.path.as_ref().map(PathJson::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{HOSTILE, assert_tame, guest, written};

    #[test]
    fn an_error_says_what_where_and_what_next() {
        let trouble = Trouble::new("edited").file("/p.json".as_ref()).line(7);
        let want = "{\"kind\":\"unify.error\",\"code\":\"edited\",\"exit\":5,\"what\":\"no\",\"where\":{\"host_path\":\"/p.json\",\"line\":7},\"hint\":\"look\"}\n";
        let said = |trouble: &Trouble| written(|out| json(trouble, "no", 5, out));
        assert_eq!(said(&trouble.hint("look")), want);
        let bare = said(&Trouble::new("usage"));
        assert!(bare.ends_with("\"where\":{},\"hint\":null}\n"), "{bare}");
        let hostile = Trouble::new("x").guest(&guest("web")).hint(HOSTILE);
        assert_tame(&written(|out| {
            json(&hostile.file(HOSTILE.as_ref()), HOSTILE, 1, out)
        }));
    }
}
