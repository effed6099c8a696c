//! What is shared now, and what is not as it should be: the answers of `status`, `verify` and `gc`.

pub(super) mod collected;
pub(super) mod guard;
pub(super) mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::reason::kinds;
use super::{
    Broken, GuestName, GuestPath, MaintainedGuest, Moved, ObjectId, Owner, ReceiptGuest,
    ReflinkCount, RunId, RunKind, RunTotals, Sign, WritersMeet,
};

/// The answer of `unify status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where the base is.
    pub base: PathBuf,
    /// What its objects have while they are protected.
    pub sign: Sign,
    /// Cgroups that a run left frozen, whose processes stand still until they are let go.
    pub frozen: Vec<String>,
    /// Objects in the base, and how many of them no guest name refers to.
    pub objects: ObjectCount,
    /// Every guest that the base remembers.
    pub guests: Vec<GuestStatus>,
    /// Guests that are being maintained.
    pub maintained: Vec<MaintainedGuest>,
    /// Every run that left a receipt, oldest first.
    pub runs: Vec<RunStatus>,
    /// Lines of receipts that are damaged, and count for nothing.
    pub damaged: Vec<DamagedLine>,
    /// Names of objects that are in no guest which the base knows and finds; zero while a run is not over.
    pub unknown_names: u64,
    /// Is a run at work now?
    pub at_work: bool,
    /// What guests wrote to shared files, and have copies of now.
    pub written: Broken,
    /// What they meet that write now, where the guard protects its objects and is loaded.
    pub guard: Option<WritersMeet>,
}

/// A line of a receipt that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedLine {
    /// Whose receipt.
    pub run: RunId,
    /// The paper, below the base.
    pub paper: String,
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong with it, in words that are safe to print.
    pub why: String,
}

/// Objects and their disk use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ObjectCount {
    /// Objects in the base.
    pub all: u64,
    /// Their allocated bytes.
    pub bytes: u64,
    /// Objects without a name in any guest: `unify gc` removes them.
    pub unused: u64,
    /// What comes back with them: their allocated bytes, without blocks that others share.
    pub unused_bytes: u64,
    /// Allocated bytes that the linked files would need with an inode each, minus those of the objects in use.
    pub saved_bytes: u64,
    /// Objects that guests refer to and that lack what protects them: a write by one guest changes all.
    pub unprotected: u64,
}

/// What one guest holds. All sizes are allocated bytes, each inode once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestStatus {
    /// Its name.
    pub name: GuestName,
    /// Where the base remembers it.
    pub root: PathBuf,
    /// Set when the root is gone or another directory: then all counts are zero.
    pub missing: Option<String>,
    /// Is nothing left of it anywhere? Its root is gone, and no object has a name that is not accounted for: it was
    /// deleted, and nothing of it was missed.
    pub is_gone: bool,
    /// Regular files (inodes). Names that come to share one are one file from then on.
    pub files: u64,
    /// Names of all of them.
    pub names: u64,
    /// Names that refer to objects.
    pub shared_names: u64,
    /// Those of them that refer to objects without their protection.
    pub unprotected_names: u64,
    /// Bytes of files that no object is, and that nothing else has: neither names elsewhere nor shared blocks.
    pub unique: u64,
    /// Bytes of files that no object is and that others have as well, by names elsewhere or by blocks; each counts.
    pub elsewhere: u64,
    /// Bytes of the objects that it refers to.
    pub shared: u64,
    /// Bytes that would come back if the guest were deleted and `gc` run: its unique files, and the objects that no
    /// other guest refers to. What its own files share among each other comes on top.
    pub freed_if_deleted: u64,
    /// How many of these are an upper bound: compressed, or the file system does not tell what is shared.
    pub unsure: u64,
    /// Names that receipts say were linked and that do not refer to their object any more.
    pub drifted: Vec<Drift>,
    /// Its files that got blocks of others.
    pub reflinks: ReflinkCount,
    /// Names that package managers left behind.
    pub orphans: Orphans,
    /// Names and directories that could not be read.
    pub unread: u64,
}

/// Names of a guest that refer to objects, belonged to a package when they were linked, and belong to none now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orphans {
    /// All that are known.
    pub names: Vec<Orphan>,
    /// Why it cannot be told whether there are others, if so.
    pub unknown: Option<String>,
    /// Is that because a database or a paper could not be read?
    pub unread: bool,
}

/// A name that a package manager could not remove, or not replace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The name.
    pub path: GuestPath,
    /// The object that it refers to.
    pub object: ObjectId,
    /// The package that its file belonged to, by the file's first name.
    pub owner: Owner,
}

/// A name that was unified and is not any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// The name.
    pub path: GuestPath,
    /// The object that it referred to.
    pub object: ObjectId,
    /// Does the name still exist?
    pub exists: bool,
}

/// One run in the base's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// Its name.
    pub run: RunId,
    /// Apply or undo.
    pub what: RunKind,
    /// When it began.
    pub started: String,
    /// How it ended, if it did.
    pub end: RunEnd,
    /// Its counts; `None` when it did not end by itself.
    pub totals: Option<RunTotals>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunEnd {
    /// By itself.
    Whole,
    /// A signal ended it between two batches: what was done is whole, and the rest was not begun.
    Signal,
    /// A limit that was given ended it likewise.
    Limit,
    /// It was interrupted, and what it left is healed.
    Recovered,
    /// It was interrupted and is not healed, or it is at work.
    Unfinished,
}

/// The answer of `unify verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Where the base is or would be.
    pub base: PathBuf,
    /// Link and flag lines that hold.
    pub holds: u64,
    /// Link lines among them.
    pub links_hold: u64,
    /// Link lines that were looked at.
    pub links: u64,
    /// Lines that were refused or failed at apply, or taken out by a reviewer: nothing to prove.
    pub not_applied: u64,
    /// Objects whose content was read again.
    pub objects: u64,
    /// Everything that is not as it should be.
    pub differences: Vec<Difference>,
    /// Files that got blocks of others and were changed since, or whose source was: their guests may do that, and it is
    /// no difference.
    pub changed_since: Vec<Difference>,
    /// Names that hold, and that no package of their guest owns any more: all of them [`Wrong::Orphaned`]. The plan
    /// promises nothing about packages, so they are no differences.
    pub orphans: Vec<Difference>,
    /// Guests of which it cannot be told which names these are, and why.
    pub owners_unknown: Vec<(GuestName, String)>,
}

impl Verification {
    /// Is nothing of the plan applied? Flags of objects that were left behind say nothing of it, where it has links.
    pub fn is_nothing_applied(&self) -> bool {
        let held = match self.links {
            0 => self.holds,
            _ => self.links_hold,
        };
        let is_other = self.differences.is_empty() && self.changed_since.is_empty();
        held == 0 && self.not_applied > 0 && is_other
    }
}

/// Something that is not as a plan or a base promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whose name, if it is about a name.
    pub guest: Option<GuestName>,
    /// Which name, if it is about a name.
    pub path: Option<GuestPath>,
    /// Which object, if it is about one.
    pub object: Option<ObjectId>,
    /// What is wrong.
    pub what: Wrong,
}

kinds! {
    /// What is wrong with a name, an object or the base.
    #[derive(Debug, Clone, PartialEq, Eq)]
    Wrong
    /// The code of what is wrong, as it stands in answers.
    WrongKind {
        /// The name refers to another inode than the object's.
        NotTheObject = "not-the-object": "the name refers to another file than the object",
        /// The name does not exist.
        NameGone = "name-gone": "the name does not exist",
        /// The object is not in the base.
        ObjectGone = "object-gone": "the object is not in the base",
        /// The object's content or metadata are not what its name says.
        ObjectDamaged(Vec<Moved>) = "object-damaged": "the object is not what its name says",
        /// The name refers to a damaged object.
        ReachesDamage = "reaches-damage": "the name refers to this damaged object: put back what it should be from a copy of the guest",
        /// Something in the base's objects is no object.
        Stranger(String) = "stranger": "in the base's objects and no object",
        /// The object lacks what protects it: this.
        NotFlagged(Sign) = "not-flagged": "the object lacks what protects it",
        /// Something was left behind in the base's staging area.
        LeftInStaging(String) = "left-in-staging": "left behind in the base's staging area",
        /// The guest's root is gone or another directory.
        RootChanged = "root-changed": "the guest's root is gone or another directory",
        /// A package had the file, and none has it now: which one is said.
        Orphaned(String) = "orphaned": "no installed package owns the name any more",
        /// The file got blocks of another, and its guest has written to it or changed its metadata since.
        WrittenSince = "written-since": "its guest has changed it since",
        /// The file that got blocks of another is gone, or another one is in its place.
        ReplacedSince = "replaced-since": "its guest has removed or replaced it since",
        /// The file is what it was, and the one whose blocks it got is not.
        SourceWritten = "source-written": "the file whose blocks it got was changed or replaced since",
        /// Nobody has touched either file, and they have not the same blocks.
        BlocksApart = "blocks-apart": "it does not have the blocks of its source any more, though neither was written to",
        /// Nobody has touched the file, and its bytes are not those of the plan.
        BytesChanged = "bytes-changed": "its bytes are not what the plan says, though nobody has written to it",
        /// The machine could not read it.
        Unreadable(String) = "unreadable": "could not be read",
    }
}

/// The answer of `unify verify --base`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scrub {
    /// Objects that were read whole.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were left out, because another scrub has read them since the moment that was asked for.
    pub fresh: u64,
    /// Was it stopped by a signal before its end?
    pub interrupted: bool,
    /// Everything that is not as it should be; a damaged object once, and once for every name that reaches it.
    pub differences: Vec<Difference>,
}

/// An object that was changed while it was not protected, by a process that was not seen: what became of its holders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoiled {
    /// Which.
    pub object: ObjectId,
    /// What differs from what it was.
    pub fields: Vec<Moved>,
    /// Was a process left that had it open for writing?
    pub written: bool,
    /// Names that have a file of their own again, as it was.
    pub parted: Vec<HeldNames>,
    /// Names that refer to it still: no copy of what it was was there any more, or their guest runs.
    pub left: Vec<HeldNames>,
    /// How many more names it has, in no guest that the base can find.
    pub unknown: u64,
}

/// Names of one guest that refer, or referred, to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldNames {
    /// Whose.
    pub guest: GuestName,
    /// The names.
    pub paths: Vec<GuestPath>,
}

/// The answer of `unify recover`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Runs that had been interrupted.
    pub runs: u64,
    /// Names whose exchange was finished.
    pub finished: u64,
    /// Names that keep the file that they had.
    pub kept: u64,
    /// What objects of the base have while they are protected.
    pub sign: Sign,
    /// Flags, or what else that is, that were set again.
    pub flags: u64,
    /// Those of them that no run of ours had taken off, and by guest how many names refer to these objects.
    pub unprotected: u64,
    /// See there.
    pub were_open: BTreeMap<GuestName, u64>,
    /// Entries that need a person, as paths.
    pub quarantined: Vec<String>,
    /// Objects that were written to while they were not protected, or may have been, and that guests still refer to.
    /// Each of these guests has what was written.
    pub damaged: Vec<ObjectId>,
    /// All that were changed while they were not protected, those of which no guest has a name any more as well.
    pub spoiled: Vec<Spoiled>,
    /// What else a person should know, as sentences.
    pub notes: Vec<String>,
    /// What was found in the guests, where the base was taken as the disk shows it.
    pub taken: Option<TakenOver>,
}

/// What `recover --restored` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenOver {
    /// Was the base made elsewhere, and is at home here from now on?
    pub settled: bool,
    /// Cgroups that a run had frozen where it was made; they are forgotten.
    pub frozen: Vec<String>,
    /// Guests that are here.
    pub guests: Vec<TakenGuest>,
    /// Guests that the base remembers names of, and that were not found.
    pub lost: Vec<ReceiptGuest>,
    /// Objects with names in no guest that was found.
    pub unknown_objects: u64,
    /// How many names that are.
    pub unknown_names: u64,
}

impl TakenOver {
    /// Is every guest here, and every link accounted for?
    pub fn is_all(&self) -> bool {
        let unread: u64 = self.guests.iter().map(|guest| guest.unread).sum();
        self.lost.is_empty() && self.unknown_names == 0 && unread == 0
    }
}

/// A guest that was recognised by its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TakenGuest {
    /// Its name.
    pub name: GuestName,
    /// Where it is now.
    pub root: PathBuf,
    /// Names in it that refer to objects.
    pub names: u64,
    /// How many of them no receipt told of.
    pub learned: u64,
    /// Names and directories that could not be read.
    pub unread: u64,
}
