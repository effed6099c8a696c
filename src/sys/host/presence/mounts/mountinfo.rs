//! One line of `/proc/PID/mountinfo` (`proc(5)`).

use super::places::BlockDevice;

/// A line, in the kernel's escapes: what is not asked for is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountLine<'a> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::host::presence::mounts::paths::unescape;

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
    }
}
