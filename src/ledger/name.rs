//! Names are bytes and JSON is text: how the one becomes the other and back.
//!
//! A name that is UTF-8 is its own text. Any other has two fields: `path`, in which U+FFFD stands for what is not
//! text, for people; and `path_b64` with the bytes in standard base64 (RFC 4648, section 4, with padding), which
//! decides. The reader insists that both say the same, so that no person approves one name and gets another.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::json::BadValue;
use crate::model::{BlockSource, GuestName, GuestPath};

/// A name that stands alone, such as an element of `also`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameWire<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

impl<'a> From<&'a GuestPath> for NameWire<'a> {
    fn from(path: &'a GuestPath) -> Self {
        let (path, path_b64) = to_text(path);
        NameWire { path, path_b64 }
    }
}

impl NameWire<'_> {
    /// The name; `place` says where this stands, for the error.
    pub(super) fn read(&self, place: &str) -> Result<GuestPath, BadValue> {
        let field = format!("{place}.path");
        from_text(&field, &self.path, self.path_b64.as_deref())
    }
}

/// A name and its guest: the source of a reflink.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceWire<'a> {
    guest: Cow<'a, GuestName>,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_b64: Option<String>,
}

impl<'a> From<&'a BlockSource> for SourceWire<'a> {
    fn from(source: &'a BlockSource) -> Self {
        let (path, path_b64) = to_text(&source.path);
        SourceWire {
            guest: Cow::Borrowed(&source.guest),
            path,
            path_b64,
        }
    }
}

impl SourceWire<'_> {
    /// The source again.
    pub(super) fn read(&self) -> Result<BlockSource, BadValue> {
        Ok(BlockSource {
            guest: self.guest.clone().into_owned(),
            path: from_text("source.path", &self.path, self.path_b64.as_deref())?,
        })
    }
}

/// The text for people, and the bytes in base64 where the text does not carry them.
pub(super) fn to_text(path: &GuestPath) -> (Cow<'_, str>, Option<String>) {
    // Nearly all names are text, which this finds faster.
    if let Ok(text) = str::from_utf8(path.as_bytes()) {
        return (text.into(), None);
    }
    let text = String::from_utf8_lossy(path.as_bytes());
    (text, Some(STANDARD.encode(path.as_bytes())))
}

/// The name again. `field` is the name of the text's field; that of the bytes ends in `_b64`.
pub(super) fn from_text(field: &str, text: &str, b64: Option<&str>) -> Result<GuestPath, BadValue> {
    let Some(b64) = b64 else {
        return GuestPath::new(text.as_bytes()).map_err(|why| BadValue::new(field, why));
    };
    let field = format!("{field}_b64");
    let bytes = STANDARD
        .decode(b64)
        .map_err(|_| BadValue::new(&field, "expected standard base64 with padding"))?;
    if String::from_utf8_lossy(&bytes) != text {
        return Err(BadValue::new(
            &field,
            "says another name than the text beside it",
        ));
    }
    GuestPath::new(&bytes).map_err(|why| BadValue::new(&field, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_needs_no_base64_and_bytes_do() {
        let path = GuestPath::new("/é\u{fffd}".as_bytes()).unwrap();
        assert_eq!(to_text(&path), (Cow::Borrowed("/é\u{fffd}"), None));
        let path = GuestPath::new(b"/a\xff").unwrap();
        let (text, b64) = to_text(&path);
        assert_eq!((&*text, b64.as_deref()), ("/a\u{fffd}", Some("L2H/")));
        assert_eq!(from_text("path", &text, b64.as_deref()), Ok(path));
    }

    #[test]
    fn text_and_bytes_must_agree() {
        for (text, b64) in [
            ("/b\u{fffd}", "L2H/"),
            ("/a", "L2H/"),
            ("/a\u{fffd}", "L2H"),
            ("", ""),
        ] {
            let bad = from_text("with", text, Some(b64)).unwrap_err();
            assert_eq!(bad.field, "with_b64", "{text} {b64}");
        }
        assert_eq!(from_text("path", "a", None).unwrap_err().field, "path");
    }
}
