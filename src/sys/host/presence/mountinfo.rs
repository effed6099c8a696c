//! One line of `/proc/PID/mountinfo` (`proc(5)`), and paths as the kernel writes them.

use super::places::BlockDevice;

/// A line, in the kernel's escapes: what is not asked for is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MountLine<'a> {
    pub id: u64,
    pub parent: u64,
    pub device: BlockDevice,
    pub root: &'a [u8],
    pub point: &'a [u8],
    /// `ext4`, `overlay`, …
    pub kind: &'a [u8],
    /// What the file system itself was mounted with.
    pub options: &'a [u8],
}

impl<'a> MountLine<'a> {
    /// `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda rw,errors=continue`; `None` for what is no such
    /// line.
    pub fn of(line: &'a [u8]) -> Option<MountLine<'a>> {
        let mut fields = line.split(|&byte| byte == b' ');
        let (id, parent) = (number(fields.next()?)?, number(fields.next()?)?);
        let device = BlockDevice::of(fields.next()?, 10)?;
        let (root, point) = (fields.next()?, fields.next()?);
        let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
        Some(MountLine {
            id,
            parent,
            device,
            root,
            point,
            kind: rest.next().unwrap_or_default(),
            options: rest.nth(1).unwrap_or_default(),
        })
    }
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// The kernel writes space, tab, newline, backslash and what else would mislead as three octal digits: `\040`.
pub(super) fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, tail)) = rest.split_first() {
        match (byte, tail) {
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

/// `path` without the directory `top` in front: empty for itself, else beginning with a slash.
pub(super) fn strip<'a>(top: &[u8], path: &'a [u8]) -> Option<&'a [u8]> {
    let top = top.strip_suffix(b"/").unwrap_or(top);
    let rest = path.strip_prefix(top)?;
    match rest {
        b"" | b"/" => Some(b""),
        [b'/', ..] => Some(rest),
        _ => None,
    }
}

/// `path` beneath the directory `top`.
pub(super) fn beneath(top: &[u8], rest: &[u8]) -> Vec<u8> {
    let all = [top.strip_suffix(b"/").unwrap_or(top), rest].concat();
    if all.is_empty() { b"/".to_vec() } else { all }
}

/// `path` itself, then each directory above it, `/` last.
pub(super) fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let cut = |path: &&'_ [u8]| -> Option<usize> { path.iter().rposition(|&byte| byte == b'/') };
    std::iter::successors(Some(path), move |path| match cut(path)? {
        0 if path.len() > 1 => path.get(..1),
        0 => None,
        at => path.get(..at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_all_its_parts() {
        let text =
            b"36 35 98:0 /mnt1 /a\\040b rw,noatime master:1 - overlay none rw,lowerdir=/x:/y";
        let line = MountLine::of(text).unwrap();
        assert_eq!((line.id, line.parent), (36, 35));
        assert_eq!(unescape(line.point), b"/a b");
        assert_eq!(line.kind, b"overlay");
        assert_eq!(line.options, b"rw,lowerdir=/x:/y");
    }

    #[test]
    fn damaged_lines_are_none() {
        for bad in [&b"x"[..], b"1 2", b"", b"1 2 3:4 /", b"1 2 x:4 / /"] {
            assert_eq!(MountLine::of(bad), None);
        }
        assert_eq!(unescape(b"a\\040b\\\\9\\134"), b"a b\\\\9\\");
    }

    #[test]
    fn paths_within_paths() {
        assert_eq!(strip(b"/srv/web", b"/srv/web"), Some(&b""[..]));
        assert_eq!(strip(b"/srv/web", b"/srv/web/x"), Some(&b"/x"[..]));
        assert_eq!(strip(b"/srv/web", b"/srv/web2"), None);
        assert_eq!(strip(b"/", b"/srv"), Some(&b"/srv"[..]));
        assert_eq!(beneath(b"/", b""), b"/");
        assert_eq!(beneath(b"/srv", b"/x"), b"/srv/x");
        let all: Vec<&[u8]> = ancestors(b"/a/b").collect();
        assert_eq!(all, [&b"/a/b"[..], b"/a", b"/"]);
    }
}
