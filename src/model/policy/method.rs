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
    /// Hard links, and reflinks for what no hard link takes.
    Both,
}

impl MethodChoice {
    /// All of them.
    pub const ALL: [MethodChoice; 4] = [
        MethodChoice::Hardlink,
        MethodChoice::Reflink,
        MethodChoice::Auto,
        MethodChoice::Both,
    ];

    /// The word for it in plans and papers.
    pub fn code(self) -> &'static str {
        match self {
            MethodChoice::Hardlink => "hardlink",
            MethodChoice::Reflink => "reflink",
            MethodChoice::Auto => "auto",
            MethodChoice::Both => "both",
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

/// By which methods the lines of a plan share files. Each line has one of them, and each file one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanMethods {
    /// Hard links alone.
    Hardlink,
    /// Reflinks alone.
    Reflink,
    /// Hard links, and reflinks for what no hard link takes.
    Both,
}

impl PlanMethods {
    /// The word for it in plans and papers.
    pub fn code(self) -> &'static str {
        match self {
            PlanMethods::Hardlink => "hardlink",
            PlanMethods::Reflink => "reflink",
            PlanMethods::Both => "both",
        }
    }

    /// Are there lines of this method?
    pub fn has(self, method: Method) -> bool {
        match self {
            PlanMethods::Hardlink => method == Method::Hardlink,
            PlanMethods::Reflink => method == Method::Reflink,
            PlanMethods::Both => true,
        }
    }

    /// By which of them a file is judged that has no line: the one that keeps fewer files.
    pub fn widest(self) -> Method {
        match self {
            PlanMethods::Hardlink => Method::Hardlink,
            PlanMethods::Reflink | PlanMethods::Both => Method::Reflink,
        }
    }
}

/// How files will be shared, as decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingMethod {
    /// What was asked for.
    pub asked: MethodChoice,
    /// What lines do.
    pub mode: PlanMethods,
    /// Why this, as a sentence.
    pub why: String,
}
