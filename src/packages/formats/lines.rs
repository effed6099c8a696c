//! Lines of a text file with the offset of each. Pure; one pass, no copies.

use crate::packages::read::fault::{Defect, Fault};
use crate::packages::read::limits;

/// A line without its newline, and the offset of its first byte.
pub type TextLine<'a> = (usize, &'a [u8]);

/// All lines. Every line must end in a newline and hold no NUL; the first fault ends it.
pub fn lines(data: &[u8]) -> TextLines<'_> {
    TextLines { data, at: 0 }
}

/// The same, where every line is needed and must therefore be short.
pub fn short_lines(data: &[u8]) -> impl Iterator<Item = Result<TextLine<'_>, Fault>> {
    lines(data).map(|line| line.and_then(needed))
}

/// A line that is needed must not be longer than the bound.
pub fn needed((at, line): TextLine<'_>) -> Result<TextLine<'_>, Fault> {
    if line.len() > limits::LINE {
        return Err(Defect::LongLine.at(at));
    }
    Ok((at, line))
}

/// What C's `isspace` calls white space, as dpkg does.
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Without white space at the end.
pub fn trim_end(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&b| !is_blank(b));
    end.and_then(|end| bytes.get(..=end)).unwrap_or_default()
}

/// Without white space at the start.
pub fn trim_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&b| !is_blank(b));
    start
        .and_then(|start| bytes.get(start..))
        .unwrap_or_default()
}

/// See [`lines`].
pub struct TextLines<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Iterator for TextLines<'a> {
    type Item = Result<TextLine<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.data.get(self.at..).filter(|rest| !rest.is_empty())?;
        let at = self.at;
        let end = rest.iter().position(|&b| b == b'\n');
        let Some(line) = end.and_then(|end| rest.get(..end)) else {
            return Some(Err(self.stop(Defect::NoFinalNewline)));
        };
        if line.contains(&0) {
            return Some(Err(self.stop(Defect::Nul)));
        }
        self.at = at + line.len() + 1;
        Some(Ok((at, line)))
    }
}

impl TextLines<'_> {
    fn stop(&mut self, what: Defect) -> Fault {
        let fault = what.at(self.at);
        self.at = self.data.len();
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_faults() {
        let all = |data: &'static [u8]| lines(data).collect::<Result<Vec<_>, _>>();
        assert_eq!(all(b"").unwrap(), []);
        assert_eq!(
            all(b"a\n\nbc\n").unwrap(),
            [(0, b"a".as_slice()), (2, b""), (3, b"bc")]
        );
        assert_eq!(all(b"a\nb"), Err(Defect::NoFinalNewline.at(2)));
        assert_eq!(all(b"a\nb\0\n"), Err(Defect::Nul.at(2)));
        assert_eq!(lines(b"a\0\nb\nc").count(), 1, "a fault ends it");
    }

    #[test]
    fn trimming() {
        assert_eq!(trim_end(b" a \t\r"), b" a");
        assert_eq!(trim_start(b"\t a "), b"a ");
        assert_eq!(trim_end(b"  "), b"");
        assert_eq!(trim_start(b"  "), b"");
    }
}
