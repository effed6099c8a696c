//! Leaving something alone.

use crate::model::{GuestName, GuestPath, ObjectId, SkipReason};

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
