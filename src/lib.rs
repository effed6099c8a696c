//! `unify` replaces identical files of Linux guests by one shared inode, in two phases: `plan` decides and writes
//! it down with a reason each, people review and edit the plan, `apply` executes it after proving every claim
//! anew.
//!
//! Ranked, where two goals collide: no guest byte is lost or leaked, what is printed is true, the reviewer
//! understands it, speed, savings.
//!
//! # The floors
//!
//! A room names only rooms below it; rooms of one floor do not know each other. A test keeps these laws
//! (`tests/it/floors`).
//!
//! ```text
//!  6  cli        arguments, one file a command, screen, exit codes: the only room that speaks and exits
//!  5  report     views of plans, receipts and bases, written to any `Write`
//!  4  engine     where decisions meet the disk: plan, apply, verify, undo, recover, status, gc
//!  3  scan       guests in directories     packages  what package databases call configuration
//!     images     guests in archives and layouts
//!     base       the shared objects        link      the one exchange of a guest's names
//!     protect    how an object is protected against change; the only room that sets or lifts a flag
//!     ledger     plan, journal and receipt as bytes
//!     discover   what the configuration of container managers says of a guest
//!  2  sys        the machine: the only room that touches it
//!  1  rules      decisions without I/O: care rules, patterns, choice, preconditions, sums
//!  0  model      the words
//! ```
//!
//! # Where to begin
//!
//! The words are in the table of `model`, the acts in the map of `engine`. Then, by question:
//!
//! * what can be decided, and why: `model/action`, `model/reason`
//! * where a care rule stands: `rules/care_table`; `rules/care` asks them in their order
//! * where two files are proved equal: for the plan `engine/planning/matching/compare`, for apply
//!   `engine/applying/objects`
//! * where it is chosen which files share which object: `rules/choose`; put together in `engine/planning`
//! * where a line of a plan is read: `ledger/plan/line`, and all of them as a stream: `ledger/plan/reader`
//! * where a line is proved anew before it is done: `engine/applying/prepare`
//! * where a name is exchanged: `link/exchange`; the steps around it, up to the commit: `engine/exchange`
//! * where a flag comes off: `protect`
//! * where a guest is frozen: `engine/activity/freeze`
//! * who could take a flag off: `engine/activity/clearing`; what managers say of that: `discover`
//! * where a crash is healed: `engine/healing`; one name, by what is found: `engine/healing/name`
//! * what `check` finds: the rules in `rules/findings`, where they look in `engine/checking`
//! * what the machine is assumed to do: `sys`
//! * what a host can do, and how that is found out: `engine/doctoring`, `sys/host/trials`
//! * where two plans are compared: `rules/changes`; two guests, or files: `engine/comparing`
//! * what a plan asks of a guest, be it a directory or not: `GuestFiles` in `sys/guest`
//!
//! # The laws
//!
//! Only `sys` touches the file system, and `unsafe` stands in one file of it. walkdir is the exception, in
//! `scan/walk.rs`: what it finds is a proposal. Names of guests are exchanged in one place, and a protection is
//! taken off in one room. No decision of `engine` looks at a reason. A skip is planned, a refusal is met at apply, a
//! failure is the machine's: three types.

mod base;
pub mod cli;
mod discover;
mod engine;
mod images;
mod ledger;
mod link;
mod model;
mod packages;
mod protect;
mod report;
mod rules;
mod scan;
mod sys;

/// A plan for other programs: its reader, its writer, and the words that stand in it.
///
/// The schema is the format (`unify schema plan`); this is the code that keeps it. Of everything else in this crate
/// nothing is promised.
pub mod plan {
    pub use crate::ledger::{
        BadValue, Closing, Decoded, Edit, Edits, Encoded, Form, FrameError, IMAGE_PLAN_SCHEMA,
        IMAGE_PLAN_SCHEMA_ID, JsonFault, PLAN_SCHEMA, PLAN_SCHEMA_ID, PaperReader, PaperWriter,
        PlanError, PlanReader, PlanWriter, Section, SectionReader,
    };
    pub use crate::model::{
        Action, Asked, BadGuestName, BadId, BadPath, BadTime, BaseFacts, Before, BlockSource,
        ChoiceKind, ClearsFlags, Count, Database, DatabaseState, DatabaseUse, Digest, FORMAT,
        FileLine, Flag, FlagClearers, FlagClearing, FlagReason, GuestName, GuestPath, Header,
        IdleChoice, IdleReason, Ignored, ImageFacts, ImageForm, ImageLack, Left, Link, LinkReason,
        Making, MetadataDigest, Method, MethodChoice, Moved, NearMiss, NearMisses, ObjectFlag,
        ObjectId, Objects, OnDamaged, Owner, Pattern, PatternKind, PlanDigest, PlanKind,
        PlanMethods, PlanTarget, PlannedGuest, Policy, PolicySource, Protect, Protection, Reflink,
        ReflinkTotals, RootNote, SameSecret, Shared, SharedBy, SharingMethod, Shift, Skip,
        SkipDetail, SkipReason, Summary, Time, Totals, UnprotectedSharing,
    };
}

/// What benches and fuzz targets measure and feed. No other program may rely on it.
#[cfg(feature = "internals")]
pub mod internals {
    pub use crate::images::read_bytes;
    pub use crate::ledger::journal::{Intent, Record, encode};
    pub use crate::ledger::policy_file::KEYS;
    pub use crate::model::Quiet;
    pub use crate::packages::parse_as;
    pub use crate::scan::scan;
    pub use crate::sys::hash::{fingerprint, sha256};
    pub use crate::sys::{Dir, Regular, View};
}
