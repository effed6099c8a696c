//! What guests share already, outside of the base.

use serde::{Deserialize, Serialize};

use super::{Count, GuestName};

/// Files that guests of the plan share by hard links which are no objects of its base. A file is an inode here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnprotectedSharing {
    /// Files that nothing protects: what one guest writes to them the others read.
    pub all: Count,
    /// Those of them that become objects by this plan.
    pub taken: Count,
    /// Those of them that have names outside the guests of the plan as well.
    pub outside: Count,
    /// All of them by the guests that share them, those of most bytes first: at most
    /// [`UnprotectedSharing::MOST_SETS`].
    pub guests: Vec<SharedBy>,
    /// How many more sets of guests there are.
    #[serde(skip_serializing_if = "super::is_zero", default)]
    pub more_guests: u64,
    /// `GUEST:PATH` of some that this plan does not protect, at most [`UnprotectedSharing::MOST_NAMES`], escaped as on
    /// a terminal: to be read, not to be parsed.
    pub staying: Vec<String>,
    /// Files that guests share and that are immutable, so that another base may hold them; none of them is in `all`.
    pub immutable: Count,
    /// Other bases that were seen near the guests, escaped as on a terminal.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub bases: Vec<String>,
}

impl UnprotectedSharing {
    /// Most sets of guests that are listed.
    pub const MOST_SETS: usize = 1_000;

    /// Most names that are listed.
    pub const MOST_NAMES: usize = 20;

    /// Is there nothing to say?
    pub fn is_empty(&self) -> bool {
        self.all.files == 0 && self.immutable.files == 0
    }
}

/// Files that one set of guests shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedBy {
    /// The guests, in the order of the plan.
    pub guests: Vec<GuestName>,
    /// How many files.
    pub files: u64,
    /// Their lengths added up.
    pub bytes: u64,
}
