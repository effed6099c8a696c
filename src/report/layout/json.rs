//! JSON forms that all reports share: one object a report, on one line, first key `kind`.
//!
//! * A path is `path`, with U+FFFD for what is not UTF-8, and then `path_b64` with the bytes in standard base64;
//!   `path_b64` decides. The same holds for `root_b64` beside `root`, `host_path_b64` beside `host_path`, and
//!   `command_b64` beside `command`.
//! * Sizes and counts are plain integers, sizes in bytes.
//! * What hides or commands is a `\u` escape even where JSON would allow it raw (RFC 8259, 7, escapes only what is
//!   below U+0020), so that neither a terminal nor the runner of a CI job obeys it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use crate::model::{BlockSource, GuestPath, escaped_in_json};

/// A path inside a guest, flattened into the object that it belongs to.
#[derive(Debug, Serialize)]
pub struct PathJson {
    /// For people.
    path: String,
    /// The bytes, where `path` does not hold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

impl From<&GuestPath> for PathJson {
    fn from(path: &GuestPath) -> PathJson {
        let (path, path_b64) = text_and_bytes(path.as_bytes());
        PathJson { path, path_b64 }
    }
}

/// A file of a guest, by one of its names.
#[derive(Debug, Serialize)]
pub struct SourceJson {
    guest: String,
    #[serde(flatten)]
    path: PathJson,
}

impl From<&BlockSource> for SourceJson {
    fn from(source: &BlockSource) -> SourceJson {
        SourceJson {
            guest: source.guest.to_string(),
            path: PathJson::from(&source.path),
        }
    }
}

/// Any bytes of a guest: `text` for people, and `b64` where that does not hold them.
#[derive(Debug, Serialize)]
pub struct BytesJson {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    b64: Option<String>,
}

impl From<&[u8]> for BytesJson {
    fn from(bytes: &[u8]) -> BytesJson {
        let (text, b64) = text_and_bytes(bytes);
        BytesJson { text, b64 }
    }
}

/// A directory of the host, flattened into the object that it belongs to.
#[derive(Debug, Serialize)]
pub struct RootJson {
    /// For people.
    root: String,
    /// The bytes, where `root` does not hold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    root_b64: Option<String>,
}

impl From<&Path> for RootJson {
    fn from(root: &Path) -> RootJson {
        let (root, root_b64) = text_and_bytes(root.as_os_str().as_encoded_bytes());
        RootJson { root, root_b64 }
    }
}

/// A file or directory of the host that an error is about, flattened into the object that it belongs to.
#[derive(Debug, Serialize)]
pub struct FileJson {
    /// For people.
    host_path: String,
    /// The bytes, where `host_path` does not hold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    host_path_b64: Option<String>,
}

impl From<&Path> for FileJson {
    fn from(file: &Path) -> FileJson {
        let (host_path, host_path_b64) = text_and_bytes(file.as_os_str().as_encoded_bytes());
        FileJson {
            host_path,
            host_path_b64,
        }
    }
}

/// Words of a command, one an argument, flattened into the object that it belongs to.
#[derive(Debug, Serialize)]
pub struct CommandJson {
    /// For people.
    command: Vec<String>,
    /// The bytes of each, where `command` does not hold them.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_b64: Option<Vec<String>>,
}

impl From<&[OsString]> for CommandJson {
    fn from(words: &[OsString]) -> CommandJson {
        let bytes = words.iter().map(|word| word.as_encoded_bytes());
        let command = bytes
            .clone()
            .map(|word| String::from_utf8_lossy(word).into_owned());
        let is_text = bytes.clone().all(|word| std::str::from_utf8(word).is_ok());
        CommandJson {
            command: command.collect(),
            command_b64: (!is_text).then(|| bytes.map(|word| STANDARD.encode(word)).collect()),
        }
    }
}

fn text_and_bytes(bytes: &[u8]) -> (String, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            (text, Some(STANDARD.encode(bytes)))
        }
    }
}

/// Writes `value` without a line break.
pub fn write(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Tame(CompactFormatter));
    value.serialize(&mut serializer).map_err(io::Error::from)
}

/// Writes `value` as a line of its own.
pub fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write(out, value)?;
    writeln!(out)
}

/// Compact JSON in which no character moves a terminal's cursor.
struct Tame(CompactFormatter);

impl Formatter for Tame {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let (mut from, mut chars) = (0, fragment.char_indices().peekable());
        while let Some((at, c)) = chars.next() {
            if escaped_in_json(c, chars.peek().map(|(_, next)| *next)) {
                self.0.write_string_fragment(writer, &fragment[from..at])?;
                for unit in utf16(c) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                from = at + c.len_utf8();
            }
        }
        self.0.write_string_fragment(writer, &fragment[from..])
    }
}

fn utf16(c: char) -> Vec<u16> {
    c.encode_utf16(&mut [0; 2]).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{path, written};

    #[test]
    fn paths_that_are_not_text_carry_their_bytes() {
        let text = PathJson::from(&path("/usr/\u{e9}"));
        assert_eq!(
            written(|out| write(out, &text)),
            "{\"path\":\"/usr/\u{e9}\"}"
        );
        let bytes = PathJson::from(&GuestPath::new(b"/a\xff").unwrap());
        let want = "{\"path\":\"/a\u{fffd}\",\"path_b64\":\"L2H/\"}";
        assert_eq!(written(|out| write(out, &bytes)), want);
    }

    #[test]
    fn no_character_moves_the_cursor_and_nothing_is_lost() {
        let hostile = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{e0041}##[x]\n\"\\z";
        let json = written(|out| write_line(out, &hostile));
        let want = "\"a\\u001b[2J\\u009b31m\\u007f\\u202e\\udb40\\udc41\\u0023#[x]\\n\\\"\\\\z\"\n";
        assert_eq!(json, want);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), hostile);
    }
}
