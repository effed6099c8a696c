//! By which method files are shared: what is asked for, and what is decided.

use serde::{Deserialize, Serialize};

use crate::model::Method;

/// How files shall be shared, as asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MethodChoice {
    /// One inode for all: disk and page cache are used once.
    #[default]
    Hardlink,
    /// Blocks in common, copied on write: disk only, and nothing to protect.
    Reflink,
    /// What the file system can do, reflinks first.
    Auto,
}

impl MethodChoice {
    /// All of them.
    pub const ALL: [MethodChoice; 3] = [
        MethodChoice::Hardlink,
        MethodChoice::Reflink,
        MethodChoice::Auto,
    ];

    /// The word for it in plans and papers.
    pub fn code(self) -> &'static str {
        match self {
            MethodChoice::Hardlink => "hardlink",
            MethodChoice::Reflink => "reflink",
            MethodChoice::Auto => "auto",
        }
    }

    /// What this word means, if it is one.
    pub fn from_code(code: &str) -> Option<MethodChoice> {
        let mut all = MethodChoice::ALL.into_iter();
        all.find(|one| one.code() == code)
    }

    pub(super) fn is_default(&self) -> bool {
        *self == MethodChoice::Hardlink
    }
}

/// How files will be shared, as decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingMethod {
    /// What was asked for.
    pub asked: MethodChoice,
    /// What lines do.
    pub mode: Method,
    /// Why this, as a sentence.
    pub why: String,
}
