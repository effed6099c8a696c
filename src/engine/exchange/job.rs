//! What a batch is given, and what becomes of each part: words of an exchange, apart from what it does.

use std::sync::Arc;

use crate::model::{Digest, FileId, FileState, GuestPath, Link, Moved, ObjectId, Outcome, Refusal};
use crate::sys::{Leased, Meaning, Regular, SysError, SysResult};

/// One file whose names shall refer to another inode.
#[derive(Debug)]
pub struct Job {
    /// Index of the guest.
    pub guest: usize,
    /// All its names.
    pub names: Vec<GuestPath>,
    /// The object concerned.
    pub object: ObjectId,
    /// The inode that the names refer to now.
    pub old: Old,
    /// What it was when it was prepared.
    pub state: FileState,
    /// The inode that the names shall refer to; `None` where they refer to it already (an adopted object).
    pub new: Option<New>,
}

/// The inode that names refer to before a job.
#[derive(Debug)]
pub enum Old {
    /// Compared, with no writer since.
    Leased(Leased),
    /// A marked object, which nobody can change: it needs no lease, and no guest to stand still.
    Marked(Arc<Regular>),
    /// A spoiled object, which is given up whatever it holds by now: it has no lease, for a process may be at it.
    Spoiled(Arc<Regular>),
}

impl Old {
    pub fn file(&self) -> &Regular {
        match self {
            Old::Leased(old) => old.file(),
            Old::Marked(file) | Old::Spoiled(file) => file,
        }
    }

    /// False once a writer waits for the lease.
    pub fn stands(&self) -> SysResult<bool> {
        match self {
            Old::Leased(old) => old.stands(),
            Old::Marked(_) | Old::Spoiled(_) => Ok(true),
        }
    }

    /// Gives the lease back.
    pub fn give_back(&self) {
        if let Old::Leased(old) = self {
            old.give_back();
        }
    }

    pub fn is_spoiled(&self) -> bool {
        matches!(self, Old::Spoiled(_))
    }
}

/// The inode that a job puts in place, complete and durable.
#[derive(Debug, Clone)]
pub struct New {
    pub file: Arc<Regular>,
    pub id: FileId,
}

/// An object whose flag shall be on when the batch is over.
#[derive(Debug)]
pub struct Flagged {
    pub id: ObjectId,
    pub file: Arc<Regular>,
    /// What it holds.
    pub content: Digest,
    pub lease: LeaseBy,
}

/// Whose lease shows that no process has opened an object for writing while it was not protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseBy {
    /// The batch takes one.
    Batch,
    /// The file of a job of this batch becomes the object: that job has it.
    Job,
    /// It is spoiled, and processes may be at it.
    Nobody,
}

/// What became of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fate {
    /// All its names refer to the new inode.
    #[default]
    Done,
    /// The same, and what came out is kept: a process opens it for writing.
    DoneAndKept,
    /// The world is not as expected; nothing was changed, or it was rolled back.
    Refused(Refusal),
    /// The machine said no; nothing was changed, or it was rolled back.
    Failed(String),
    /// The object has as many names as an inode may have; the next generation has room.
    Full,
    /// The file whose inode was to be the object is over, and this job was rolled back: the next batch makes the
    /// object of another file.
    Again,
}

impl Fate {
    /// Do all names refer to the new inode?
    pub fn is_done(&self) -> bool {
        matches!(self, Fate::Done | Fate::DoneAndKept)
    }

    /// Is the content not what the plan said?
    pub fn is_about_content(&self) -> bool {
        use Refusal::{Changed, DiffersFromObject};
        match self {
            Fate::Refused(Changed { fields } | DiffersFromObject { fields }) => {
                fields.contains(&Moved::Content)
            }
            _ => false,
        }
    }

    /// What a line comes to where another line about its inode was not done.
    pub fn without_the_others(line: &Link) -> Fate {
        let own = 1 + line.also.len() as u64;
        let nlink = line.before.map_or(0, |before| before.nlink);
        let names = u64::from(nlink).saturating_sub(own);
        Fate::Refused(Refusal::NamesElsewhere { names })
    }

    /// What an error on the way to a name means.
    pub fn from_path_error(error: &SysError) -> Fate {
        match error.meaning() {
            Meaning::Gone => Fate::Refused(Refusal::Gone {}),
            Meaning::PathChanged => Fate::Refused(Refusal::PathChanged {}),
            Meaning::OtherFilesystem => Fate::Refused(Refusal::OtherFilesystem {}),
            Meaning::TooManyLinks => Fate::Full,
            _ => Fate::Failed(error.to_string()),
        }
    }

    /// What an error of a link or an exchange means, which has changed nothing. Both names are on one mount, as was
    /// seen before: what the kernel calls another device is another project, or another encryption.
    pub fn from_name_error(error: &SysError) -> Fate {
        match error.meaning() {
            Meaning::OtherFilesystem => Fate::Refused(Refusal::CannotCross {}),
            _ => Fate::from_path_error(error),
        }
    }

    /// The outcome of a job that did not succeed; `None` where it did.
    pub fn bad_outcome(&self) -> Option<Outcome> {
        match self {
            Fate::Done | Fate::DoneAndKept => None,
            Fate::Refused(refusal) => Some(Outcome::Refused(refusal.clone())),
            Fate::Failed(why) => Some(Outcome::Failed(why.clone())),
            Fate::Full => Some(Outcome::Failed(
                "the object has as many names as the file system allows".into(),
            )),
            Fate::Again => Some(Outcome::Failed(
                "the file that was to be shared is not what it was".into(),
            )),
        }
    }
}
