//! The names of objects that a guest has, and how one of them is taken from it.

use std::cell::Cell;

use crate::base::{Base, Index, Run};
use crate::engine::activity::Activity;
use crate::engine::activity::freeze::Freeze;
use crate::engine::error::CannotHere;
use crate::engine::lifting::Lifting;
use crate::engine::records::holders::Holding;
use crate::engine::records::walked::walk_one;
use crate::engine::{EngineError, Guest};
use crate::model::{
    About, FileId, GuestName, GuestPath, ObjectId, Observer, Outcome, ReceiptLine, Refusal, Unread,
};
use crate::sys::{Meaning, SysError, SysResult};

/// A file of the guest that is an object.
pub(super) struct NamedFile {
    pub object: ObjectId,
    pub inode: FileId,
    pub paths: Vec<GuestPath>,
}

impl NamedFile {
    pub fn line(&self, guest: &GuestName, outcome: Outcome) -> ReceiptLine {
        ReceiptLine {
            about: About::Names {
                guest: guest.clone(),
                paths: self.paths.clone(),
                object: self.object,
            },
            outcome,
        }
    }
}

/// All of a guest: the disk says which names are objects', whatever receipts say.
pub(super) fn names_in(
    index: &Index,
    guest: &Guest,
    observer: &dyn Observer,
) -> Result<Vec<NamedFile>, EngineError> {
    let found = walk_one(guest, index, observer)?;
    if let Some(Unread { path, why }) = found.first_unread {
        let name = guest.name.clone();
        return Err(CannotHere::GuestUnread { name, path, why }.into());
    }
    let file = |(object, paths): (ObjectId, Vec<GuestPath>)| {
        let at = index.find(&object)?;
        let inode = index.get(at as usize).state.id;
        Some(NamedFile {
            object,
            inode,
            paths,
        })
    };
    let mut files: Vec<NamedFile> = found.names.into_iter().filter_map(file).collect();
    files.sort_by(|a, b| a.paths.cmp(&b.paths));
    Ok(files)
}

/// Where names are taken from, and by which run.
pub(super) struct Landing<'a> {
    pub base: &'a Base,
    pub run: &'a Run,
    pub guest: &'a Guest,
    /// Its number among the holders.
    pub at: usize,
    /// How many entries staging has had.
    pub entries: &'a Cell<u64>,
    /// Files of the guest that were put into quarantine.
    pub quarantined: &'a Cell<u64>,
}

/// The first files that have so many names together; at least one.
pub(super) fn first_batch(files: &[NamedFile], most: usize) -> &[NamedFile] {
    let mut names = 0;
    let fits = |file: &&NamedFile| {
        names += file.paths.len();
        names <= most
    };
    let fit = files.iter().take_while(fits).count();
    &files[..fit.max(1).min(files.len())]
}

/// What became of one name.
enum Taken {
    Dropped,
    /// It was gone before.
    Gone,
    /// Another file stands there: it is the guest's own.
    Another,
}

impl Landing<'_> {
    /// Takes all names of a file, unless its guest or another holder runs.
    pub fn take(
        &self,
        file: &NamedFile,
        lifting: &Lifting<'_>,
        conditions: &[Activity],
        holding: &mut Holding<'_>,
        still: &Freeze<'_>,
    ) -> SysResult<Outcome> {
        if let Some(who) = conditions.get(self.at).and_then(Activity::in_the_way) {
            return Ok(Outcome::Refused(Refusal::GuestRunning { who: who.clone() }));
        }
        let Some(state) = self.base.object_state(&file.object)? else {
            return Ok(Outcome::Refused(Refusal::NoObject {}));
        };
        if let Err(refusal) = holding.may_lift(&file.object, &state, 1, conditions)? {
            return Ok(Outcome::Refused(refusal));
        }
        let names = || {
            let take = |path: &GuestPath| {
                still.must_stand()?;
                self.take_name(file, path)
            };
            let taken = file.paths.iter().map(take);
            taken.collect::<SysResult<Vec<Taken>>>()
        };
        let taken = match lifting.lifted_for(&file.object, names) {
            // Its flag is on again, or the paper says that it is off.
            Err(error) => return Ok(Outcome::Failed(error.to_string())),
            Ok(taken) => taken,
        };
        let any = |wanted: fn(&Taken) -> bool| taken.iter().any(wanted);
        Ok(match () {
            () if any(|one| matches!(one, Taken::Dropped)) => Outcome::Done {
                made: None,
                saved: 0,
                mtime: None,
            },
            () if any(|one| matches!(one, Taken::Another)) => {
                Outcome::Refused(Refusal::NotShared {})
            }
            // The guest may have moved them a moment ago.
            () => Outcome::Refused(Refusal::Gone {}),
        })
    }

    /// Moves it out of the guest, and drops it if it is what it was. Else it goes back.
    fn take_name(&self, file: &NamedFile, path: &GuestPath) -> SysResult<Taken> {
        let root = &self.guest.root;
        let Some(parent) = SysError::absent(root.open_dir(path.parent().relative()))? else {
            return Ok(Taken::Gone);
        };
        let name = path.file_name();
        match SysError::absent(parent.look(name))? {
            None => return Ok(Taken::Gone),
            Some(state) if state.id != file.inode => return Ok(Taken::Another),
            Some(_) => {}
        }
        let (staging, entry) = (&self.run.staging, self.next_entry());
        parent.move_to(name, staging, &entry)?;
        if staging.look(&entry)?.id == file.inode {
            staging.unlink(&entry)?;
            return Ok(Taken::Dropped);
        }
        match staging.move_to(&entry, &parent, name) {
            Err(error) if error.meaning() == Meaning::Exists => {
                self.base.move_to_quarantine(self.run, &entry)?;
                self.quarantined.set(self.quarantined.get() + 1);
            }
            other => other?,
        }
        Ok(Taken::Another)
    }

    /// A name in staging that no other had, whatever became of those.
    fn next_entry(&self) -> Vec<u8> {
        let next = self.entries.get() + 1;
        self.entries.set(next);
        next.to_string().into_bytes()
    }
}
