//! Whose file: the short name of a guest in a plan, and how untrusted bytes are shown.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize, Serializer};

/// The name of a guest in plans and receipts: 1 to 128 characters, no slash, no control character, and none of
/// the invisible marks that make text look like other text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct GuestName(String);

/// A name that cannot stand in a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot be a guest's name: give one as NAME=PATH, 1 to 128 characters, no slash, colon or control character"
)]
pub struct BadGuestName(pub String);

impl GuestName {
    /// Checks the name.
    pub fn new(name: &str) -> Result<Self, BadGuestName> {
        let bad_char = |c: char| c == '/' || c == ':' || needs_escape(c);
        let length = name.chars().count();
        if length == 0 || length > 128 || name.chars().any(bad_char) || matches!(name, "." | "..") {
            return Err(BadGuestName(name.to_owned()));
        }
        Ok(GuestName(name.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for GuestName {
    type Error = BadGuestName;
    fn try_from(name: String) -> Result<Self, BadGuestName> {
        GuestName::new(&name)
    }
}

impl Serialize for GuestName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for GuestName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Untrusted bytes for people and terminals: control bytes, marks that reorder or hide text, and bytes that are
/// not UTF-8 are escaped. Nothing parses the result back.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl<'a> Escaped<'a> {
    /// A path of the host: it may come from a plan, or lead into a guest.
    pub fn of(path: &'a Path) -> Escaped<'a> {
        Escaped(path.as_os_str().as_encoded_bytes())
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_safe(self.0, f)
    }
}

/// Control characters, and the marks that reorder or hide text on a terminal.
pub fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Writes untrusted bytes so that a terminal shows them and obeys nothing.
fn write_safe(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().try_for_each(|c| write_char(c, f))?;
        chunk
            .invalid()
            .iter()
            .try_for_each(|b| write!(f, "\\x{b:02x}"))?;
    }
    Ok(())
}

fn write_char(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\t' => f.write_str("\\t"),
        '\r' => f.write_str("\\r"),
        '\\' => f.write_str("\\\\"),
        c if (c as u32) < 0x100 && needs_escape(c) => write!(f, "\\x{:02x}", c as u32),
        c if needs_escape(c) => write!(f, "\\u{{{:x}}}", c as u32),
        c => write!(f, "{c}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert!(GuestName::new("web-1.example").is_ok());
        for bad in [
            "",
            "a/b",
            "a:b",
            "a\nb",
            "..",
            "a\u{202e}b",
            &"x".repeat(129),
        ] {
            assert!(GuestName::new(bad).is_err(), "{bad:?}");
        }
    }
}
