//! What a file was when the plan was made, as a line says it.

use serde::{Deserialize, Serialize};

use crate::model::{FileState, Time};

/// The evidence of a link line. No field has a default: an absent field never means "equal". Device, inode and
/// times are strings because they pass 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    #[serde(with = "decimal")]
    /// Device.
    pub dev: u64,
    #[serde(with = "decimal")]
    /// Inode.
    pub ino: u64,
    /// Number of names.
    pub nlink: u32,
    #[serde(with = "octal")]
    /// Permission bits, four octal digits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length in bytes.
    pub size: u64,
    /// Last change of the content.
    pub mtime: Time,
    /// Last change of anything.
    pub ctime: Time,
}

impl From<&FileState> for Before {
    fn from(state: &FileState) -> Before {
        Before {
            dev: state.id.dev,
            ino: state.id.ino,
            nlink: state.nlink,
            mode: state.mode,
            uid: state.uid,
            gid: state.gid,
            size: state.size,
            mtime: state.mtime,
            ctime: state.ctime,
        }
    }
}

/// Numbers that JSON readers round are written as decimal strings.
pub(in crate::model) mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let value = if digits { text.parse().ok() } else { None };
        value.ok_or_else(|| {
            D::Error::custom(format_args!(
                "expected a decimal number in a string, found {text:?}"
            ))
        })
    }
}

/// Permission bits as people read them.
mod octal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:04o}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.len() == 4 && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        let value = if digits {
            u32::from_str_radix(&text, 8).ok()
        } else {
            None
        };
        value.ok_or_else(|| {
            D::Error::custom(format_args!(
                "expected four octal digits in a string, found {text:?}"
            ))
        })
    }
}
