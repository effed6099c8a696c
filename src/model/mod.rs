//! Floor 0, the words: plain data that every other room speaks in. No verbs, no I/O, no clock.
//!
//! | word | meaning |
//! | --- | --- |
//! | guest | a directory tree that holds the root file system of a Linux system |
//! | name | a path inside a guest: bytes, absolute, without `.` and `..` |
//! | file | an inode; it may have several names |
//! | object | a shared inode in the base, named by the digest of its content and metadata |
//! | base | the common base: the directory that holds the objects, beside the guests |
//! | link | make a name refer to an object |
//! | flag | protect an object against change |
//! | skip | leave a name alone, with a reason |
//! | plan | the list of actions that people review and `apply` executes |
//! | receipt | what `apply` did with every action |
//! | drift | a name that was unified and is not any more |
//!
//! Three things that others mix are three types here: a *skip* is planned ([`SkipReason`]), a
//! *refusal* is met at apply because the world changed ([`Refusal`]), and a *failure* is the
//! machine's ([`Outcome::Failed`]).

mod action;
mod digest;
mod event;
mod explain;
mod guest;
mod names;
mod outcome;
mod packed;
mod path;
mod plan;
mod policy;
mod reason;
mod refusal;
mod size;
mod state;
mod status;

pub use action::{Action, Before, Flag, Left, Link, Making, Method, ObjectFlag, Owner, Skip};
pub use digest::{BadId, Digest, Fingerprint, MetadataDigest, ObjectId};
pub use event::{Event, Observer, Quiet, Stage, Unit};
pub use explain::{Compared, Explanation, Voice};
pub use guest::{BadGuestName, Escaped, GuestName, needs_escape};
pub use names::{Scan, TooLarge, Tree, TreeBuilder, Unread};
pub use outcome::{
    About, BadRunId, FreezeTimes, Outcome, Receipt, ReceiptGuest, ReceiptLine, RunId, RunKind,
    RunTotals,
};
pub use packed::States;
pub use path::{BadPath, GuestPath};
pub use plan::{
    BaseFacts, Count, Database, DatabaseState, FORMAT, Header, NearMiss, NearMisses, PlanDigest,
    PlannedGuest, SameSecret, Shared, Shift, Summary, Totals,
};
pub use policy::{
    Asked, DatabaseUse, Ignored, Objects, OnDamaged, Pattern, PatternKind, Policy, PolicySource,
    Protect, Protection, Running, SkipDetail,
};
pub use reason::{FlagReason, LinkReason, SkipReason};
pub use refusal::{Moved, Refusal, RefusalKind};
pub use size::parse_size;
pub use state::{BadTime, FileId, FileKind, FileState, Metadata, Time, Xattr};
pub use status::{
    Collected, Difference, Drift, GuestStatus, ObjectCount, Recovered, RunEnd, RunStatus, Scrub,
    Status, Verification, Wrong,
};
