//! What became of an action: the words of a receipt.

use std::cmp::Ordering;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BlockSource, Digest, GuestName, GuestPath, Making, ObjectId, Protect, Refusal, Time};

/// The name of one run of `apply` or `undo`: `YYYYMMDDTHHMMSSZ-`, which people read, and eight hex digits, which count
/// the runs of a base. The order is that of the count: clocks step, and two runs may begin in one second.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// The name of run number `count`, begun at `stamp` (`YYYYMMDDTHHMMSSZ`).
    pub fn new(stamp: &str, count: u32) -> Result<RunId, BadRunId> {
        format!("{stamp}-{count:08x}").parse()
    }

    /// Its number among the runs of its base.
    pub fn count(&self) -> u32 {
        u32::from_str_radix(self.digits(), 16).unwrap_or(0)
    }

    fn digits(&self) -> &str {
        self.0.get(17..).unwrap_or_default()
    }
}

impl Ord for RunId {
    fn cmp(&self, other: &RunId) -> Ordering {
        (self.digits(), &self.0).cmp(&(other.digits(), &other.0))
    }
}

impl PartialOrd for RunId {
    fn partial_cmp(&self, other: &RunId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Text that is not a run's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a run: see `unify status`, or say `last`")]
pub struct BadRunId(String);

impl FromStr for RunId {
    type Err = BadRunId;
    fn from_str(text: &str) -> Result<Self, BadRunId> {
        let shape = |(i, b): (usize, u8)| match i {
            8 => b == b'T',
            15 => b == b'Z',
            16 => b == b'-',
            0..16 => b.is_ascii_digit(),
            _ => b.is_ascii_digit() || (b'a'..=b'f').contains(&b),
        };
        if text.len() == 25 && text.bytes().enumerate().all(shape) {
            Ok(RunId(text.to_owned()))
        } else {
            Err(BadRunId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = BadRunId;
    fn try_from(text: String) -> Result<Self, BadRunId> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(run: RunId) -> String {
        run.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of run a receipt is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// Names were made to refer to objects.
    Apply,
    /// Names got private inodes again.
    Undo,
    /// Names of guests that go were taken from them without a copy, or were gone.
    Forget,
    /// Names got private inodes because their guest was about to write to a shared one.
    Break,
}

impl RunKind {
    /// Does it give names private inodes?
    pub fn parts(self) -> bool {
        matches!(self, RunKind::Undo | RunKind::Break)
    }

    /// Does it say where guests are? A break names them where they were when a daemon read that, which may be long
    /// ago.
    pub fn finds_guests(self) -> bool {
        self != RunKind::Break
    }
}

/// The first line of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// `unify.receipt`.
    pub kind: String,
    /// [`super::FORMAT`].
    pub format: String,
    /// This run.
    pub run: RunId,
    /// Apply, undo or forget.
    pub what: RunKind,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// The content digest of the plan that was executed; `None` for undo.
    pub plan: Option<Digest>,
    /// The run that was undone; `None` for apply and for undo of everything.
    pub undoes: Option<RunId>,
    /// How the plan protects objects; `None` for undo.
    pub protect: Option<Protect>,
    /// Which guests, and where they were.
    pub guests: Vec<ReceiptGuest>,
}

/// Where a guest of a run was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptGuest {
    /// Its name in the lines.
    pub name: GuestName,
    /// Its root on the host.
    pub root: PathBuf,
}

/// One action and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptLine {
    /// What the action was about.
    pub about: About,
    /// What happened.
    pub outcome: Outcome,
}

/// What a line of a receipt is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Names of one file.
    Names {
        /// Whose.
        guest: GuestName,
        /// All names of the action: at least one.
        paths: Vec<GuestPath>,
        /// The object that they refer to now (apply) or referred to (undo).
        object: ObjectId,
    },
    /// The blocks of one file.
    Blocks(CommonBlocks),
    /// The flag of an object.
    Flag {
        /// Which object.
        object: ObjectId,
    },
}

/// The blocks that a file of a guest has in common with another, or had, or was to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonBlocks {
    /// Whose file.
    pub guest: GuestName,
    /// All names of the action: at least one.
    pub paths: Vec<GuestPath>,
    /// The number of its inode: another one at its name is another file.
    pub ino: u64,
    /// With which file it has them in common now (apply) or had them (undo).
    pub source: BlockSource,
    /// The digest of the content that the plan names. Missing where the disk showed what is shared, and no plan.
    pub content: Option<Digest>,
    /// The size of that content: a file of another has been written to since. Missing where an earlier program wrote
    /// the line.
    pub size: Option<u64>,
    /// Bytes, in whole blocks, that lie at one place on the device for both (apply), or that the file was given of its
    /// own (undo).
    pub shared: u64,
    /// Bytes that it has in common with other files still, where an undo was not about all that the disk showed: what
    /// receipts tell of the file holds on.
    pub left: u64,
}

impl ReceiptLine {
    /// Whose names the line is about.
    pub fn guest(&self) -> Option<&GuestName> {
        match &self.about {
            About::Names { guest, .. } | About::Blocks(CommonBlocks { guest, .. }) => Some(guest),
            About::Flag { .. } => None,
        }
    }

    /// The names that the line is about.
    pub fn paths(&self) -> &[GuestPath] {
        match &self.about {
            About::Names { paths, .. } | About::Blocks(CommonBlocks { paths, .. }) => paths,
            About::Flag { .. } => &[],
        }
    }

    /// The object that the names refer to now (apply) or referred to (undo), or whose flag it is. Blocks that files
    /// have in common are no object.
    pub fn object(&self) -> Option<&ObjectId> {
        match &self.about {
            About::Names { object, .. } | About::Flag { object } => Some(object),
            About::Blocks(_) => None,
        }
    }
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As the plan says.
    Done {
        /// Set where the object was made from this file, and how.
        made: Option<Making>,
        /// Allocated bytes that came back.
        saved: u64,
        /// The file's own modification time, where the policy let it differ from the object's.
        mtime: Option<Time>,
    },
    /// Nothing was left to do.
    AlreadyDone,
    /// The world is not as the plan says; nothing was touched.
    Refused(Refusal),
    /// The machine said no; nothing was touched, or it was rolled back.
    Failed(String),
}

impl Outcome {
    /// Is it about the guest, and the same for all its names?
    pub fn is_of_guest(&self) -> bool {
        let guest =
            |why: &Refusal| matches!(why, Refusal::GuestRunning { .. } | Refusal::RootChanged {});
        matches!(self, Outcome::Refused(why) if guest(why))
    }
}

/// For how long running guests were frozen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FreezeTimes {
    /// How often.
    pub moments: u64,
    /// The longest moment.
    pub longest: Duration,
    /// All together.
    pub total: Duration,
    /// How long a moment should have been at most.
    pub budget: Duration,
    /// How many were longer.
    pub exceeded: u64,
}

impl FreezeTimes {
    /// One more moment.
    pub fn add(&mut self, moment: Duration) {
        self.moments += 1;
        self.longest = self.longest.max(moment);
        self.total += moment;
        self.exceeded += u64::from(moment > self.budget);
    }
}

/// What the file system of the base said before a run and after it. Others write to it as well, and so does the run:
/// what the base remembers takes room, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiskChange {
    /// Bytes that it stored before.
    pub used_before: u64,
    /// Bytes that it stores now.
    pub used_after: u64,
    /// Is it a view of several layers? What lies in a lower one stays there.
    pub layered: bool,
}

/// A running guest that could not be frozen, because a process in it may take flags off files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlagClearer {
    /// Which guest.
    pub guest: GuestName,
    /// What ends it, as an order.
    pub remedy: String,
}

/// The last line of a receipt. Its absence means that the run did not end by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunTotals {
    /// Actions done.
    pub done: u64,
    /// Actions with nothing left to do.
    pub already: u64,
    /// Actions refused.
    pub refused: u64,
    /// Actions failed.
    pub failed: u64,
    /// Names that were exchanged, or whose files came to share blocks (apply) or have their own again (undo).
    pub names: u64,
    /// How many of these are of files whose blocks it was about; missing where it is none.
    #[serde(rename = "reflinked", skip_serializing_if = "is_zero", default)]
    pub reflinks: u64,
    /// Allocated bytes that came back (apply) or are used again (undo).
    pub bytes: u64,
    /// Lines of the plan that a reviewer took out.
    pub held: u64,
    /// What ended the run before all was done, between two batches; missing where it came to its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stopped: Option<StoppedBy>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it out so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What ends a run before all is done, and leaves nothing in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoppedBy {
    /// SIGINT or SIGTERM.
    Signal,
    /// `--max-actions` or `--max-failures`.
    Limit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_ordered_by_their_count_and_not_by_the_clock() {
        let first = RunId::new("20261121T052954Z", 9).unwrap();
        let second = RunId::new("20261121T052953Z", 0x10).unwrap();
        assert!(first < second);
        assert_eq!((first.count(), second.count()), (9, 16));
        for bad in [
            "",
            "20261121T052954Z",
            "20261121T052954Z-0000000G",
            "2026-121T052954Z-00000001",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
