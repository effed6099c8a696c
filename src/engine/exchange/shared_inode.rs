//! One inode that a batch lifts, makes or adopts, and one file that came out of it: what is asked of each under the
//! flag. Why, and what it rests on, is said in `proof`.

use std::sync::Arc;

use super::job::Job;
use crate::engine::proof::{self, Flaw, SpoiledObject};
use crate::model::{Before, Digest, FileState, Ignored, Metadata, Moved, ObjectId};
use crate::protect;
use crate::rules::precondition::{metadata_differs, moved_but_for_names};
use crate::sys::{Regular, SysResult};

/// A shared inode, as it was when nobody could change it, or before anybody could reach it.
pub struct SharedInode {
    pub id: ObjectId,
    pub file: Arc<Regular>,
    pub content: Digest,
    pub before: FileState,
    pub metadata: Metadata,
    /// Shall it be protected when the batch is over?
    pub must_be_protected: bool,
}

/// What was proven under the flag.
#[derive(Default)]
pub struct Proofs {
    pub spoiled: Vec<SpoiledObject>,
    /// What the others were then, to be looked at once more.
    pub sound: Vec<(ObjectId, Arc<Regular>, FileState)>,
}

impl SharedInode {
    /// Has it other names than the base's?
    pub fn is_shared(&self) -> SysResult<bool> {
        Ok(self.file.state()?.nlink > 1)
    }

    pub fn is_protected(&self) -> SysResult<bool> {
        Ok(protect::on(&self.file)?.is_some())
    }

    /// What it is now, and what is wrong with it. `added` is how many names the batch gave it. An object that gets
    /// names or its flag is what its own name says, with the time of its files or without, by whichever policy it was
    /// made; an undo takes one as it finds it.
    pub fn look(&self, must_be_named: bool, added: u64) -> SysResult<(FileState, Option<Flaw>)> {
        let now = self.file.state()?;
        let names = u64::from(self.before.nlink) + added;
        let flaw = proof::flaw_of(&self.file, self.content, |now, metadata| {
            let mut fields = metadata.differs(&self.metadata, &[]);
            if fields.is_empty() && must_be_named && !proof::has_metadata(metadata, &self.id) {
                fields.push(Moved::Metadata);
            }
            if now.size != self.before.size {
                fields.push(Moved::Size);
            }
            if u64::from(now.nlink) > names {
                fields.push(Moved::Nlink);
            }
            fields
        })?;
        Ok((now, flaw))
    }
}

/// Is a file that came out still what was compared, and will it stay so? No name of a guest refers to it any more.
pub fn old_is_spent(job: &Job, ignore: &[Ignored]) -> SysResult<bool> {
    let Some(new) = job.new.as_ref().filter(|_| !job.old.is_spoiled()) else {
        return Ok(true);
    };
    let old = job.old.file();
    let Some(lease) = proof::new_lease(old)? else {
        return Ok(false);
    };
    let now = old.state()?;
    let mut fields = moved_but_for_names(&Before::from(&job.state), &now);
    // Attributes show in no state.
    let (theirs, ours) = (old.metadata(ignore)?, new.file.metadata(ignore)?);
    fields.extend(metadata_differs(&theirs, &ours, ignore));
    Ok(fields.is_empty() && old.same_content(&new.file, now.size)? && lease.stands()?)
}
