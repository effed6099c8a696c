//! What is wanted of a plan, and what its groups are called.

use crate::report::Format;
use crate::report::layout::size::Sizes;
use crate::report::totals::{By, GroupKey};
use crate::report::words::sentence;

/// How a plan is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Show {
    /// A table of groups; the [`crate::report::Tally`] must have been made with the same.
    pub by: Option<By>,
    /// Text, JSON or markdown.
    pub format: Format,
    /// A line for every action.
    pub lines: bool,
    /// A line for every near miss that the plan lists.
    pub near_misses: bool,
    /// Exact sizes.
    pub bytes: bool,
    /// Only some of the lines were counted: what the plan says of all of them is left out.
    pub selected: bool,
}

impl Show {
    /// How sizes are written.
    pub(super) fn sizes(self) -> Sizes {
        Sizes { exact: self.bytes }
    }

    /// Is the whole page wanted? Who asks for a table or for lines gets these alone.
    pub(super) fn is_page(self) -> bool {
        !self.selected && self.by.is_none() && !self.lines && !self.near_misses
    }
}

/// What the groups are called.
pub(super) fn heading(by: By) -> &'static str {
    match by {
        By::Guest => "guest",
        By::Reason => "reason",
        By::Directory => "directory",
        By::Package => "package",
    }
}

/// Is this group a row? What has no guest is a flag, and no guest's.
pub(super) fn is_row(by: By, key: &GroupKey) -> bool {
    by != By::Guest || *key != GroupKey::None
}

/// A group's name, safe to print.
pub(super) fn label(by: By, key: &GroupKey) -> String {
    match key {
        GroupKey::Guest(guest) => guest.to_string(),
        GroupKey::Reason(code) => (*code).to_owned(),
        GroupKey::Directory(path) => path.to_string(),
        GroupKey::Package(name) => sentence::safe(name),
        GroupKey::None => format!("(no {})", heading(by)),
    }
}
