//! Tags and text of a property list: the small part of XML that one is written in. Pure.

use std::borrow::Cow;

use crate::packages::read::fault::{Defect, Fault};

/// A tag, and what stands between it and the one before.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Offset of its `<`.
    pub at: usize,
    /// Its name, without attributes.
    pub name: &'a [u8],
    pub kind: TagKind,
    /// The text in front of it, not decoded; after a comment only what follows that.
    pub text: &'a [u8],
    /// Nothing but text is between it and the tag before.
    pub is_adjacent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// `<x>`
    Open,
    /// `</x>`
    Close,
    /// `<x/>`
    Empty,
}

/// The tags of a document.
pub(super) struct Markup<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Markup<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Markup { data, at: 0 }
    }

    /// The next tag; `None` at the end, before which only white space may be.
    pub(super) fn next_tag(&mut self) -> Result<Option<Tag<'a>>, Fault> {
        let mut is_adjacent = true;
        loop {
            let rest = self.rest();
            let Some(before) = rest.iter().position(|&b| b == b'<') else {
                let blank = rest.iter().all(|&b| is_space(b));
                let fault = Defect::Broken("text after the property list").at(self.at);
                return if blank { Ok(None) } else { Err(fault) };
            };
            let (text, markup) = rest.split_at_checked(before).unwrap_or_default();
            let at = self.at + before;
            let end = end_of(markup).map_err(|what| what.at(at))?;
            self.at = at + end;
            if matches!(markup, [b'<', b'?' | b'!', ..]) {
                is_adjacent = false;
                continue;
            }
            let inner = markup.get(1..end - 1).unwrap_or_default();
            let (name, kind) = name_and_kind(inner);
            return Ok(Some(Tag {
                at,
                name,
                kind,
                text,
                is_adjacent,
            }));
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }
}

/// Length of the markup that `rest` begins with.
fn end_of(rest: &[u8]) -> Result<usize, Defect> {
    let (end, is_doctype) = match rest {
        [b'<', b'!', b'-', b'-', ..] => (find(rest, 4, b"-->"), false),
        [b'<', b'?', ..] => (find(rest, 2, b"?>"), false),
        _ if rest.starts_with(b"<!DOCTYPE") => (find(rest, 9, b">"), true),
        [b'<', b'!', ..] => return Err(Defect::Broken("markup that no property list holds")),
        _ => (find(rest, 1, b">"), false),
    };
    let end = end.ok_or(Defect::Broken("markup that is cut off"))?;
    let declares = is_doctype && rest.iter().take(end).any(|&b| b == b'[');
    if declares {
        return Err(Defect::Broken("document type with declarations of its own"));
    }
    Ok(end)
}

/// The offset after the first `what` at or after `from`.
fn find(data: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let mut windows = data.get(from..)?.windows(what.len());
    let found = windows.position(|window| window == what)?;
    Some(from + found + what.len())
}

/// Of what stands between `<` and `>`.
fn name_and_kind(inner: &[u8]) -> (&[u8], TagKind) {
    let (body, kind) = match inner {
        [b'/', body @ ..] => (body, TagKind::Close),
        [body @ .., b'/'] => (body, TagKind::Empty),
        body => (body, TagKind::Open),
    };
    let end = body.iter().position(|&b| is_space(b));
    (body.get(..end.unwrap_or(body.len())).unwrap_or(body), kind)
}

/// XML's white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Text with its entities replaced. It never becomes longer.
pub fn decoded(text: &[u8]) -> Result<Cow<'_, [u8]>, Defect> {
    let mut parts = text.split(|&b| b == b'&');
    let first = parts.next().unwrap_or_default();
    if first.len() == text.len() {
        return Ok(Cow::Borrowed(text));
    }
    let mut whole = first.to_vec();
    for part in parts {
        let end = part.iter().position(|&b| b == b';');
        let (name, rest) = end
            .and_then(|end| Some((part.get(..end)?, part.get(end + 1..)?)))
            .ok_or(Defect::Broken("& without a name"))?;
        let meant = entity(name).ok_or(Defect::Broken("entity that is not one of XML's own"))?;
        whole.extend_from_slice(meant.encode_utf8(&mut [0; 4]).as_bytes());
        whole.extend_from_slice(rest);
    }
    Ok(Cow::Owned(whole))
}

fn entity(name: &[u8]) -> Option<char> {
    let meant = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    (meant != '\0').then_some(meant)
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.bytes().all(|b| b.is_ascii_hexdigit()); // no sign
    let value = u32::from_str_radix(text, radix).ok().filter(|_| plain)?;
    char::from_u32(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities() {
        let good: [(&str, &str); 6] = [
            ("plain", "plain"),
            ("a&amp;b", "a&b"),
            ("&lt;&gt;&quot;&apos;", "<>\"'"),
            ("&#65;&#x42;&#xe9;", "ABé"),
            ("&amp;amp;", "&amp;"),
            ("&amp;", "&"),
        ];
        for (text, want) in good {
            assert_eq!(&*decoded(text.as_bytes()).unwrap(), want.as_bytes());
        }
        for bad in [
            "&",
            "&amp",
            "&a;",
            "&#0;",
            "&#x;",
            "&#;",
            "&#+1;",
            "&#x110000;",
            "&#xd800;",
            "&#99999999999;",
            "&AMP;",
        ] {
            assert!(decoded(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_and_what_is_between_them() {
        let mut markup = Markup::new(b" <a b='c'>x<!-- <y> -->z</a>\n<e/> ");
        let mut next = || markup.next_tag().unwrap();
        let open = next().unwrap();
        assert_eq!(
            (open.name, open.kind, open.at),
            (&b"a"[..], TagKind::Open, 1)
        );
        let close = next().unwrap();
        assert_eq!(
            (close.name, close.kind, close.text),
            (&b"a"[..], TagKind::Close, &b"z"[..])
        );
        assert!(open.is_adjacent && !close.is_adjacent);
        let empty = next().unwrap();
        assert_eq!(
            (empty.name, empty.kind, empty.is_adjacent),
            (&b"e"[..], TagKind::Empty, true)
        );
        assert_eq!(next(), None);
    }

    #[test]
    fn markup_that_is_refused() {
        for bad in [
            "<",
            "<a",
            "<!-- -",
            "<!-->",
            "<?x",
            "<![CDATA[x]]>",
            "<!ENTITY a 'b'>",
            "<!DOCTYPE p [<!ENTITY a 'b'>]>",
            "<!DOCTYPE p [",
            "x",
        ] {
            assert!(Markup::new(bad.as_bytes()).next_tag().is_err(), "{bad}");
        }
    }
}
