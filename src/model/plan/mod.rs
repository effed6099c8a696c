//! A plan's header, its guests and its closing lines. The actions between them are streamed, never held.

mod caveats;
mod guest;
mod header;
mod image;
mod path_text;
mod root_note;
mod unprotected;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Digest, GuestName, IdleChoice, Moved};

pub use caveats::Caveats;
pub use guest::{Database, DatabaseState, FlagClearing, PlannedGuest};
pub use header::{BaseFacts, FORMAT, Header, PlanKind, PlanTarget};
pub use image::{ImageFacts, ImageForm, ImageLack};
pub use root_note::RootNote;
pub use unprotected::{SharedBy, UnprotectedSharing};

/// Files and bytes of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Files (inodes).
    pub files: u64,
    /// Their lengths added up.
    pub bytes: u64,
}

impl Count {
    /// Counts more files, of together `bytes` bytes. Stays at the largest number instead of wrapping.
    pub fn add(&mut self, files: u64, bytes: u64) {
        self.files = self.files.saturating_add(files);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Counts of a plan as it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Counts of the action lines.
    pub totals: Totals,
    /// What is left alone, by reason code; a file is counted once.
    pub skipped: BTreeMap<String, Count>,
    /// How much two guests would share, for at most [`Summary::MOST_PAIRS`] pairs: those that share most.
    pub shared: Vec<Shared>,
    /// How many more pairs there are.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more_shared: u64,
    /// Files of equal content that only their metadata keeps apart.
    #[serde(skip_serializing_if = "NearMisses::is_empty", default)]
    pub near_misses: NearMisses,
    /// Files that guests share by hard links which nothing protects.
    #[serde(skip_serializing_if = "UnprotectedSharing::is_empty", default)]
    pub unprotected: UnprotectedSharing,
    /// Keys and identities that several guests have in common, at most [`Summary::MOST_SECRETS`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub same_secrets: Vec<SameSecret>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more_same_secrets: u64,
    /// Objects of the base, of whichever guests, that lack the flag which protects them: a write by one guest that has
    /// a name of such an object changes all others.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub flags_lost: u64,
    /// Choices of the policy that change nothing, at most [`IdleChoice::MOST`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub without_effect: Vec<IdleChoice>,
    /// How many more there are.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more_without_effect: u64,
    /// What is not as plain as [`Totals::saves`] says.
    #[serde(skip_serializing_if = "Caveats::is_empty", default)]
    pub caveats: Caveats,
}

impl Summary {
    /// Most pairs that are listed: they grow with the square of the guests, and 1,500 guests have a million.
    pub const MOST_PAIRS: usize = 10_000;

    /// Most secrets that are listed one by one.
    pub const MOST_SECRETS: usize = 1_000;

    /// A summary is one value of the plan, and the names of guests' files are as long and as many as the guests
    /// like: no more bytes than these are written of each list.
    pub const MOST_TEXT: usize = 1 << 20;
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Files of equal content that only their metadata keeps apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMisses {
    /// Inodes that could go if the metadata were equal, and their allocated bytes.
    pub all: Count,
    /// The same by what differs, such as `mtime` or `uid, gid`.
    pub by: BTreeMap<String, Count>,
    /// The largest ones, at most [`NearMisses::MOST_LISTED`], and at most [`Summary::MOST_TEXT`] bytes of names.
    pub listed: Vec<NearMiss>,
    /// Guests whose owners are shifted by a constant, as user namespaces do: one entry for each pair and
    /// constant, those of most files, at most [`NearMisses::MOST_LISTED`].
    pub shifted: Vec<Shift>,
}

impl NearMisses {
    /// Most near misses that are listed one by one.
    pub const MOST_LISTED: usize = 1_000;

    fn is_empty(&self) -> bool {
        self.all.files == 0
    }
}

/// Two files that could share an inode but for their metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// `GUEST:PATH` of a name of each, escaped as on a terminal: to be read, not to be parsed.
    pub files: (String, String),
    /// What differs.
    pub differs: Vec<Moved>,
    /// Allocated bytes at stake.
    pub bytes: u64,
}

/// A guest whose owners are those of another plus a constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The two guests, in order.
    pub guests: (GuestName, GuestName),
    /// What must be added to a user id of the first to get that of the second.
    pub uid: i64,
    /// The same for groups.
    pub gid: i64,
    /// Inodes that could go, and their allocated bytes; they are part of [`NearMisses::all`].
    pub count: Count,
}

/// A key or identity that several guests have in common: a person who holds one guest can pretend to be another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameSecret {
    /// `GUEST:PATH` of some, with at least one of each guest's as far as there is room, escaped as on a terminal: to be
    /// read, not to be parsed.
    pub files: Vec<String>,
    /// How many more files have it.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub more: u64,
}

impl SameSecret {
    /// Most files of one secret that are listed.
    pub const MOST_FILES: usize = 100;
}

/// What a plan would do, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Link lines.
    pub links: u64,
    /// Names that they would exchange; a line may hold several.
    pub names: u64,
    /// Lengths of the files to be linked, added up.
    pub bytes: u64,
    /// Allocated bytes that come back, each inode once, without blocks that are shared already.
    pub saves: u64,
    /// Objects that would be made.
    pub objects: u64,
    /// Flag lines.
    pub flags: u64,
    /// Skip lines.
    pub skips: u64,
    /// Those of the links, names, bytes and saves that share blocks, and no inode.
    #[serde(skip_serializing_if = "ReflinkTotals::is_empty", default)]
    pub reflinks: ReflinkTotals,
}

/// The part of [`Totals`] that reflinks have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReflinkTotals {
    /// Link lines.
    pub links: u64,
    /// Names of their files, which stay where they are.
    pub names: u64,
    /// Lengths of the files, added up.
    pub bytes: u64,
    /// Allocated bytes that come back.
    pub saves: u64,
}

impl ReflinkTotals {
    /// Is there none?
    pub fn is_empty(&self) -> bool {
        *self == ReflinkTotals::default()
    }
}

/// Content that two guests would share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// The two guests, in order.
    pub guests: (GuestName, GuestName),
    /// Files that both would share.
    pub files: u64,
    /// Their lengths added up.
    pub bytes: u64,
}

/// The last line of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDigest {
    /// The digest of what would be done here and of nothing else: people approve it for one host.
    pub content: Digest,
    /// The digest of what was decided, equal for equal guests wherever they are: people approve it for all of them.
    /// Plans of before have none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub decision: Option<Digest>,
}
