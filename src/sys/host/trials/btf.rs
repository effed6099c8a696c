//! The kernel's own description of its types (`Documentation/bpf/btf.rst`), as far as the number of a function needs.

use std::path::Path;

use crate::sys::own::papers;
use crate::sys::{SysError, SysResult};

const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// More than any kernel has.
const LONGEST: u64 = 256 << 20;

/// `BTF_KIND_FUNC`.
const FUNCTION: u32 = 12;

/// The number of a function of the kernel; `None` where it has none of that name, or describes nothing.
pub fn function(name: &[u8]) -> SysResult<Option<u32>> {
    let text = SysError::absent(papers::read_text(Path::new(VMLINUX), LONGEST))?;
    Ok(text.and_then(|text| Btf::of(&text)?.function(name)))
}

struct Btf<'a> {
    types: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Btf<'a> {
    /// The two parts behind the header.
    fn of(text: &'a [u8]) -> Option<Btf<'a>> {
        const MAGIC: u16 = 0xeb9f;
        let magic = u16::from_ne_bytes(text.get(..2)?.try_into().ok()?);
        let field = |at| number(text, at).map(|number| number as usize);
        let head = field(4)?;
        let part = |from: usize, length: usize| {
            let from = head.checked_add(from)?;
            text.get(from..from.checked_add(length)?)
        };
        let types = part(field(8)?, field(12)?)?;
        let strings = part(field(16)?, field(20)?)?;
        (magic == MAGIC).then_some(Btf { types, strings })
    }

    /// Types are numbered from 1 on, in their order.
    fn function(&self, name: &[u8]) -> Option<u32> {
        let mut at = 0;
        for id in 1u32.. {
            let info = number(self.types, at + 4)?;
            let kind = (info >> 24) & 0x1f;
            if kind == FUNCTION && self.is_called(number(self.types, at)?, name) {
                return Some(id);
            }
            at += 12 + more(kind, (info & 0xffff) as usize)?;
        }
        None
    }

    fn is_called(&self, place: u32, name: &[u8]) -> bool {
        let rest = self.strings.get(place as usize..);
        rest.and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.first() == Some(&0))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(four.try_into().ok()?))
}

/// Bytes behind a type of this kind, with so many members; `None` for a kind that is not known.
fn more(kind: u32, members: usize) -> Option<usize> {
    match kind {
        // pointers, forwards, names, qualifiers, functions, floats, tags of types
        2 | 7..=12 | 16 | 18 => Some(0),
        // integers, variables, tags of declarations
        1 | 14 | 17 => Some(4),
        // arrays
        3 => Some(12),
        // structures, unions, sections of data, enumerations of 64 bits
        4 | 5 | 15 | 19 => Some(12 * members),
        // enumerations, prototypes
        6 | 13 => Some(8 * members),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header, an integer, a structure of two members, a function, and their names.
    fn small() -> Vec<u8> {
        let strings = b"\0int\0pair\0here\0";
        let types: [u32; 3 + 1 + 3 + 6 + 3] = [
            1,
            1 << 24,
            4,
            32, // an integer
            5,
            (4 << 24) | 2,
            8,
            0,
            1,
            0,
            0,
            1,
            32, // a structure
            10,
            FUNCTION << 24,
            1, // a function
        ];
        let head: [u32; 5] = [24, 0, types.len() as u32 * 4, types.len() as u32 * 4, 15];
        let mut text = 0xeb9f_u16.to_ne_bytes().to_vec();
        text.extend([1, 0]);
        for number in head.iter().chain(&types) {
            text.extend(number.to_ne_bytes());
        }
        text.extend(strings);
        text
    }

    #[test]
    fn a_function_is_found_by_its_name() {
        let text = small();
        let btf = Btf::of(&text).expect("a description");
        assert_eq!(btf.function(b"here"), Some(3));
        assert_eq!(btf.function(b"her"), None);
        assert_eq!(btf.function(b"pair"), None, "no function");
    }

    #[test]
    fn what_is_cut_off_or_strange_has_no_functions() {
        let text = small();
        for length in 0..text.len() - 1 {
            let found = Btf::of(&text[..length]).and_then(|btf| btf.function(b"here"));
            assert_eq!(found, None, "{length}");
        }
        let mut strange = text;
        strange[24 + 7] = 31;
        assert_eq!(
            Btf::of(&strange).and_then(|btf| btf.function(b"here")),
            None
        );
    }
}
