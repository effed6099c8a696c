//! Numbers of a header: octal digits, or base 256 with its sign. What programs read in several ways is refused.

use crate::images::fault::BadEntry;

/// A number of a header. Spaces may stand before octal digits, spaces and NULs behind them; a field of spaces and NULs
/// alone is zero. Base 256 (the first bit is set) is in two's complement.
pub(super) fn number(field: &[u8], what: &'static str) -> Result<i64, BadEntry> {
    match field.first() {
        Some(0x80..) => base_256(field),
        _ => octal(field),
    }
    .ok_or(BadEntry::Number(what))
}

/// The same where only such a number makes sense.
pub(super) fn number_32(field: &[u8], what: &'static str) -> Result<u32, BadEntry> {
    u32::try_from(number(field, what)?).map_err(|_| BadEntry::Number(what))
}

fn octal(field: &[u8]) -> Option<i64> {
    let end = field.iter().position(|byte| *byte == 0);
    let text = field[..end.unwrap_or(field.len())].trim_ascii();
    // A number behind the NUL is read by nobody, but a field that begins with one may be.
    let rest = &field[end.unwrap_or(field.len())..];
    if text.is_empty() && rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    text.iter().try_fold(0i64, |sum, digit| match digit {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

fn base_256(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    // The bit after the one that says base 256 is the sign; 0x80 and 0xff are what writers put there.
    let start: i64 = match first {
        0x80 => 0,
        0xff => -1,
        _ => return None,
    };
    rest.iter().try_fold(start, |sum, byte| {
        sum.checked_mul(256)?.checked_add(i64::from(*byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(field: &[u8]) -> Option<i64> {
        number(field, "x").ok()
    }

    #[test]
    fn numbers() {
        for (field, want) in [
            (&b"0000644\0"[..], Some(0o644)),
            (b"000644 \0", Some(0o644)),
            (b"   644 \0", Some(0o644)),
            (b"00000644", Some(0o644)),
            (b"\0\0\0\0", Some(0)),
            (b"    ", Some(0)),
            (b"644\0junk", Some(0o644)),
            (b"\x80\0\0\0\0\0\x01\x02", Some(258)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xfe", Some(-2)),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                Some(-1),
            ),
            (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (b"\x80\x01\0\0\0\0\0\0\0\0\0\x05", None),
            (b"\x81\0\0\0\0\0\0\x05", None),
            (b"888\0", None),
            (b"-1\0", None),
            (b"1 1\0", None),
            (b"\0\x001\0", None),
            (b"0x10\0", None),
        ] {
            assert_eq!(read(field), want, "{}", field.escape_ascii());
        }
    }
}
