//! Floor 0, the words: plain data that every other room speaks in. No verbs, no I/O, no clock.
//!
//! | word | meaning |
//! | --- | --- |
//! | guest | a directory tree that holds the root file system of a Linux system |
//! | name | a path inside a guest: bytes, absolute, without `.` and `..` |
//! | file | an inode; it may have several names |
//! | object | a shared inode in the base, named by the digest of its content and metadata |
//! | generation | the number of an object among those of the same content and metadata: an inode may have only so many names |
//! | base | the common base: the directory that holds the objects, beside the guests |
//! | holder | a guest that has names of an object |
//! | link | make a name refer to an object |
//! | reflink | make a file have its blocks in common with another, copied on write; it stays its own inode |
//! | source | of a reflink: the file whose blocks the other gets |
//! | adopt | make a guest's own inode the object, instead of a copy of it |
//! | mark | what the guard in the kernel knows an object by: its inode can be read, linked and unlinked, and not changed |
//! | flag | protect an object against change |
//! | skip | leave a name alone, with a reason |
//! | care rule | a built-in rule that leaves names alone whatever their content, such as keys, logs and caches |
//! | plan | the list of actions that people review and `apply` executes |
//! | seal | check digits in a line of a plan: they show which field a hand has changed, and prove nothing |
//! | run | one execution of `apply` or `undo`, with a number, a journal and a receipt |
//! | batch | the jobs that a run exchanges, syncs and commits together |
//! | job | one file of one guest whose names, all of them, shall refer to another inode |
//! | intent | the journal's record of one name that is about to get another inode: where it is, the inode before and after |
//! | spoiled | of an object: changed while its flag was off, by a process that was not seen |
//! | staging | the run's directory in the base: it holds what shall go to a name, and after the exchange what came out |
//! | exchange | swap a guest's name with an entry of staging in one step, so that the name always refers to a whole file |
//! | lease | the kernel's promise that no process has a file open for writing; one that wants to waits until the lease is given back, and we see it |
//! | freeze | stop all processes of a running guest by its cgroup, for the moment in which its names are exchanged |
//! | commit | write into the journal, durably, that the names of a batch have their new inodes; only then are the old ones dropped |
//! | roll back | exchange all names of a job back and clear its staging, before the commit |
//! | part | give every holder of a spoiled object a file of its own again, as it was |
//! | quarantine | the place in the base for what came out of a guest and must not be dropped: a person decides |
//! | receipt | what `apply` did with every action |
//! | finding | what a rule of `check` says of guests or of a plan; it has a level, and a key that a baseline knows it by |
//! | baseline | the keys of findings that are known and do not fail a check |
//! | drift | a name that was unified and is not any more |
//!
//! Three things that others mix are three types here: a *skip* is planned ([`SkipReason`]), a *refusal* is met at
//! apply because the world changed ([`Refusal`]), and a *failure* is the machine's ([`Outcome::Failed`]).

mod action;
mod blocks;
mod clone;
mod differences;
mod digest;
mod doctor;
mod event;
mod explain;
mod finding;
mod guest;
mod names;
mod outcome;
mod package_digest;
mod packed;
mod path;
mod plan;
mod policy;
mod reason;
mod refusal;
mod review;
mod size;
mod state;
mod status;

pub use action::{
    Action, Before, BlockSource, FileLine, Flag, Left, Link, Making, Method, ObjectFlag, Owner,
    Reflink, Skip,
};
pub use blocks::{DataKind, FileBlocks, ReflinkCount};
pub use clone::{Blocks, CloneRemarks, CloneTotals, ClonedGuest, GuestClone, LeftOut, SomePaths};
pub use differences::{
    ComparedGuest, ContentCompared, EntrySide, EntryVerdict, FileCompared, FileSide, GuestChanges,
    GuestsCompared, HeaderChange, HunkLine, LineChange, LineFrom, LineTotals, NameDifference,
    NoText, PackageDifference, PlanChanges, PlanSide, SideOf, TextHunk, TextOfTwo,
};
pub use digest::{BadId, Digest, DigestPrefix, Fingerprint, MetadataDigest, ObjectId};
pub use doctor::{
    Ability, Examination, ExaminedPlace, Offer, Prospect, Trial, TrialVerdict, TriedAbility,
};
pub use event::{Event, Observer, Quiet, Stage, Trouble, TroublePlace, Unit};
pub use explain::{
    Beneath, Change, ChangeStep, Compared, Explanation, FoundNow, NoLine, Overruled, Says, Stale,
    Turn, Voice,
};
pub use finding::{
    CheckIgnore, CheckOutcome, CheckPolicy, CheckRule, CheckedRule, DriftChange, DriftPart,
    Finding, FindingFacts, FindingLevel, FindingPlace, JudgedFinding, LeastShare, NameFault,
    NotVerified, OwnedPath, Reported, RuleLook, SecretKind, SharedPath, Side,
};
#[cfg(test)]
pub use guest::needs_escape;
pub use guest::{
    BadGuestName, CommandEnd, Escaped, FileUse, GuestName, MaintainedGuest, PartedInUse, UsedFile,
    escaped_in_json, harmless, is_harmless,
};
pub use names::{
    ChoseNothing, Descent, DescentStep, Scan, TooLarge, Tree, TreeBuilder, Unread, nearest_of,
};
pub use outcome::{
    About, BadRunId, CommonBlocks, DiskChange, FlagClearer, FreezeTimes, Outcome, Receipt,
    ReceiptGuest, ReceiptLine, RunId, RunKind, RunTotals, StoppedBy,
};
pub use package_digest::{DigestKind, PackageDigest};
pub use packed::States;
pub use path::{BadPath, GuestPath, LinkMet};
pub use plan::{
    BaseFacts, Caveats, Count, Database, DatabaseState, FORMAT, FlagClearing, Header, ImageFacts,
    ImageForm, ImageLack, NearMiss, NearMisses, PlanDigest, PlanKind, PlanTarget, PlannedGuest,
    ReflinkTotals, RootNote, SameSecret, Shared, SharedBy, Shift, Summary, Totals,
    UnprotectedSharing,
};
pub use policy::{
    Asked, ChoiceKind, ClearsFlags, DatabaseUse, FlagClearers, IdleChoice, IdleReason, Ignored,
    MethodChoice, Objects, OnDamaged, Pattern, PatternKind, PlanMethods, Policy, PolicySource,
    Protect, Protection, ProtectionMove, Running, SharingMethod, Sign, SkipDetail,
};
pub use reason::{FlagReason, LinkReason, SkipReason};
pub use refusal::{Moved, Refusal, RefusalKind};
pub use review::{Cut, Freshness, KeptLines, StaleLine, UndoView, WhyStale};
pub use size::parse_size;
pub use state::{
    BadTime, DiskRoom, FileId, FileKind, FileState, INHERITABLE_FLAGS, Metadata, NameLimits,
    PROTECTING_FLAGS, STORAGE_FLAGS, Time, UNLINKABLE_FLAG, VERITY_FLAG, Xattr,
};
pub use status::collected::{Collected, PapersGone};
pub use status::guard::{GuardAct, GuardLevel, GuardState, GuardWish, WritersMeet};
pub use status::written::{
    Broken, BrokenByGuest, BrokenOften, DeniedOnce, FileUsed, UsedWhenWritten, UsesMet, WriteMet,
    WriterLine,
};
pub use status::{
    DamagedLine, Difference, Drift, GuestStatus, HeldNames, ObjectCount, Orphan, Orphans,
    Recovered, RunEnd, RunStatus, Scrub, Spoiled, Status, TakenGuest, TakenOver, Verification,
    Wrong,
};
