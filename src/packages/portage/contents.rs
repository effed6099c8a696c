//! The files of a package of portage: `CONTENTS`. Pure.
//!
//! ```text
//! line = "dir" SP path | "dev" SP path | "fif" SP path
//!      | "obj" SP path SP md5 SP mtime
//!      | "sym" SP path SP "->" SP target SP ( mtime | "(" … ")" )     ; the second form is very old
//! ```
//!
//! Paths hold blanks, never newlines. As in portage's own pattern (dbapi/vartree) the path reaches as far as it can.

use crate::packages::formats::lines::short_lines;
use crate::packages::read::fault::{Defect, Fault};

/// A line of `CONTENTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentsEntry<'a> {
    Directory,
    /// A regular file or a link.
    File(&'a [u8]),
    /// A device or FIFO.
    Other(&'a [u8]),
}

/// Every line with its offset.
pub fn entries(data: &[u8]) -> impl Iterator<Item = Result<(usize, ContentsEntry<'_>), Fault>> {
    short_lines(data).map(|line| {
        let (at, line) = line?;
        let broken = Defect::Broken("not a line of CONTENTS");
        Ok((at, entry(line).ok_or(broken.at(at))?))
    })
}

fn entry(line: &[u8]) -> Option<ContentsEntry<'_>> {
    let (kind, rest) = line.split_at_checked(4)?;
    let entry = match kind {
        b"dir " => ContentsEntry::Directory,
        b"dev " | b"fif " => ContentsEntry::Other(rest),
        b"obj " => ContentsEntry::File(without_last_word(without_last_word(rest)?)?),
        b"sym " => ContentsEntry::File(link(without_time(rest)?)?),
        _ => return None,
    };
    Some(entry)
}

fn without_last_word(text: &[u8]) -> Option<&[u8]> {
    let space = text.iter().rposition(|&b| b == b' ')?;
    text.get(..space)
}

fn without_time(text: &[u8]) -> Option<&[u8]> {
    match text {
        [.., b')'] => {
            let start = text.windows(2).rposition(|two| two == b" (")?;
            text.get(..start)
        }
        _ => without_last_word(text),
    }
}

/// The path in `PATH -> TARGET`.
fn link(text: &[u8]) -> Option<&[u8]> {
    let arrow = text.windows(4).rposition(|four| four == b" -> ")?;
    text.get(..arrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let cases: [(&str, ContentsEntry<'_>); 9] = [
            ("dir /etc", ContentsEntry::Directory),
            ("obj /etc/a 0 1", ContentsEntry::File(b"/etc/a")),
            (
                "obj /etc/with space 0 1",
                ContentsEntry::File(b"/etc/with space"),
            ),
            ("obj /etc/a 0 1 0 1", ContentsEntry::File(b"/etc/a 0 1")),
            ("sym /etc/l -> t 1", ContentsEntry::File(b"/etc/l")),
            (
                "sym /etc/l -> m -> with space 1",
                ContentsEntry::File(b"/etc/l -> m"),
            ),
            (
                "sym /etc/l -> t (41471, 1L, 2L)",
                ContentsEntry::File(b"/etc/l"),
            ),
            ("dev /dev/null", ContentsEntry::Other(b"/dev/null")),
            ("fif /run/f", ContentsEntry::Other(b"/run/f")),
        ];
        for (line, want) in cases {
            assert_eq!(entry(line.as_bytes()), Some(want), "{line}");
        }
        for bad in [
            "",
            "obj",
            "obj /etc/a",
            "obj /etc/a 0",
            "sym /etc/l t 1",
            "xyz /a 0 1",
            "dir",
        ] {
            assert_eq!(entry(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn the_fault_is_at_its_line() {
        let all = |data| entries(data).collect::<Result<Vec<_>, _>>();
        let broken = Defect::Broken("not a line of CONTENTS");
        assert_eq!(all(b"dir /\nobj /a\n"), Err(broken.at(6)));
        assert_eq!(all(b"dir /\ndev /a"), Err(Defect::NoFinalNewline.at(6)));
    }
}
