//! Whose file: the short name of a guest in a plan, and how untrusted bytes are shown.

mod maintained;
mod shown;
mod uses;

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

pub use maintained::{CommandEnd, MaintainedGuest};
#[cfg(test)]
pub use shown::needs_escape;
pub use shown::{Escaped, escaped_in_json, harmless, is_harmless};
pub use uses::{FileUse, PartedInUse, UsedFile};

/// The name of a guest in plans and receipts: 1 to 128 characters, no slash, no control character, and none of the
/// usual marks that reorder or hide text. Which names are refused never changes, because bases remember guests by them;
/// whatever else deceives in one is escaped where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct GuestName(String);

/// A name that cannot stand in a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} cannot be a guest's name: give one as NAME=PATH, 1 to 128 characters, no slash, colon, control or invisible character",
    Escaped(.0.as_bytes())
)]
pub struct BadGuestName(pub String);

impl GuestName {
    /// Checks the name.
    pub fn new(name: &str) -> Result<Self, BadGuestName> {
        let bad_char = |c: char| matches!(c, '/' | ':') || is_refused(c);
        let length = name.chars().count();
        if length == 0 || length > 128 || name.chars().any(bad_char) || matches!(name, "." | "..") {
            return Err(BadGuestName(name.to_owned()));
        }
        Ok(GuestName(name.to_owned()))
    }

    /// The name as text, not for people.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_refused(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
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
        match is_harmless(&self.0) {
            true => f.write_str(&self.0),
            false => f.write_str(&harmless(&self.0)),
        }
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
        let shown = |name| GuestName::new(name).unwrap().to_string();
        assert_eq!(shown("a\u{ad}b##[x]"), "a\\u{ad}b\\u{23}#[x]");
        assert_eq!(shown("\u{e9}\\"), "\u{e9}\\");
    }
}
