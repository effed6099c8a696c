//! What can be decided about a name or an object.

use serde::{Deserialize, Serialize};

use super::{FileState, FlagReason, GuestName, GuestPath, LinkReason, ObjectId, SkipReason, Time};

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Make names refer to an object.
    Link(Link),
    /// Protect an object.
    Flag(Flag),
    /// Leave alone.
    Skip(Skip),
}

/// Make all names of one file in one guest refer to `object`: all of them are exchanged, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose file.
    pub guest: GuestName,
    /// Its first name in byte order.
    pub path: GuestPath,
    /// Its other names in this guest, in byte order; empty for most files.
    pub also: Vec<GuestPath>,
    /// How it is shared.
    pub method: Method,
    /// With what it is shared.
    pub object: ObjectId,
    /// Set on the file that the object is made from.
    pub makes: Option<Making>,
    /// Length in bytes.
    pub size: u64,
    /// Allocated bytes that come back: those of blocks that nothing else has.
    pub saves: u64,
    /// Why this is possible.
    pub reason: LinkReason,
    /// The package that the file belongs to, by its first name, as the guest's database says.
    pub owner: Option<Owner>,
    /// What the file was when the plan was made. `apply` refuses the line if any of it changed. `None` in a plan that
    /// nothing can be applied from.
    pub before: Option<Before>,
    /// Free text of a reviewer.
    pub note: Option<String>,
}

impl Link {
    /// All names of the file, the one that the line is sorted by first.
    pub fn names(&self) -> impl Iterator<Item = &GuestPath> {
        std::iter::once(&self.path).chain(&self.also)
    }

    /// Had the file names that are none of these? They are in other guests of the plan.
    pub fn has_names_elsewhere(&self) -> bool {
        let nlink = self.before.map_or(0, |before| before.nlink);
        u64::from(nlink) > 1 + self.also.len() as u64
    }
}

/// Which package a file belongs to. Information for readers: nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The package.
    pub package: String,
    /// Its version, where the database says it.
    pub version: Option<String>,
}

/// Protect `object`. The line stands after the first line that names the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Which object.
    pub object: ObjectId,
    /// What to set.
    pub set: Vec<ObjectFlag>,
    /// How many names of the plan refer to the object: the flag hits all of them.
    pub names: u64,
    /// Why.
    pub reason: FlagReason,
    /// Free text of a reviewer.
    pub note: Option<String>,
}

/// Leave something alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// What is left alone.
    pub left: Left,
    /// Why.
    pub reason: SkipReason,
    /// What says so: `dpkg`, `ucf`, `dpkg-divert`, …
    pub per: Option<String>,
    /// The package concerned.
    pub package: Option<String>,
    /// Its version, where it is known.
    pub version: Option<String>,
    /// The pattern or rule that decided.
    pub rule: Option<String>,
    /// Another name that decided, such as the config file whose inode this is.
    pub with: Option<GuestPath>,
    /// Free text: the machine's error, or a reviewer's word.
    pub note: Option<String>,
}

/// What a skip leaves alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// One name.
    Name {
        /// Whose.
        guest: GuestName,
        /// Which name.
        path: GuestPath,
        /// The object that it refers to already, or that a link would have made it refer to.
        object: Option<ObjectId>,
        /// Length in bytes of the file; `None` where it was not looked at.
        size: Option<u64>,
    },
    /// The files beneath a directory for which the reason holds.
    Beneath {
        /// Whose.
        guest: GuestName,
        /// The directory.
        top: GuestPath,
        /// How many regular files the line stands for.
        files: u64,
        /// Their lengths added up.
        bytes: u64,
    },
    /// The flag of an object, which a reviewer turned into a skip.
    Flag {
        /// Which object.
        object: ObjectId,
    },
}

impl Skip {
    /// A skip of one name with nothing but a reason.
    pub fn new(guest: GuestName, path: GuestPath, reason: SkipReason) -> Skip {
        let name = Left::Name {
            guest,
            path,
            object: None,
            size: None,
        };
        Skip::of(name, reason)
    }

    /// A skip with nothing but a reason.
    pub fn of(left: Left, reason: SkipReason) -> Skip {
        Skip {
            left,
            reason,
            per: None,
            package: None,
            version: None,
            rule: None,
            with: None,
            note: None,
        }
    }

    /// The same skip; if it is of one name, `size` is the length of its file.
    #[must_use]
    pub fn sized(mut self, length: u64) -> Skip {
        if let Left::Name { size, .. } = &mut self.left {
            *size = Some(length);
        }
        self
    }

    /// Whose name or directory it is.
    pub fn guest(&self) -> Option<&GuestName> {
        match &self.left {
            Left::Name { guest, .. } | Left::Beneath { guest, .. } => Some(guest),
            Left::Flag { .. } => None,
        }
    }

    /// The name, or the directory.
    pub fn path(&self) -> Option<&GuestPath> {
        match &self.left {
            Left::Name { path, .. } | Left::Beneath { top: path, .. } => Some(path),
            Left::Flag { .. } => None,
        }
    }

    /// The object that the line names.
    pub fn object(&self) -> Option<&ObjectId> {
        match &self.left {
            Left::Name { object, .. } => object.as_ref(),
            Left::Beneath { .. } => None,
            Left::Flag { object } => Some(object),
        }
    }
}

/// How a file is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Names refer to one inode in the base: disk and page cache are used once.
    Hardlink,
}

/// What an object is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Making {
    /// A fresh private copy of this file.
    Copy,
    /// This file's own inode, where its guest is stopped and nothing else can reach it.
    Adopt,
}

/// A protection of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectFlag {
    /// `FS_IMMUTABLE_FL`: no write, no metadata change, no link, rename or unlink.
    Immutable,
}

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
pub(super) mod decimal {
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
