//! What healing finds and may not drop is kept for a person, in quarantine.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::base::Base;
use crate::engine::EngineError;
use crate::engine::lifting::Lifting;
use crate::model::{ObjectId, RunId};
use crate::sys::{Dir, Meaning, Regular, SysResult};

/// The quarantine of a run that is healed.
pub struct Quarantine<'a> {
    base: &'a Base,
    lifting: &'a Lifting<'a>,
    run: &'a RunId,
    /// Objects that were copied by this healing: all guests are quiet, so they are what they were.
    copied: RefCell<BTreeSet<ObjectId>>,
}

impl<'a> Quarantine<'a> {
    pub fn of(base: &'a Base, lifting: &'a Lifting<'a>, run: &'a RunId) -> Quarantine<'a> {
        Quarantine {
            base,
            lifting,
            run,
            copied: RefCell::default(),
        }
    }

    /// Keeps an entry of staging: moves it, or where it is a name of an object copies what that holds. A name of
    /// an object would be one that no guest accounts for, and its flag would keep a person from removing it.
    pub fn keep(
        &self,
        staging: &Dir,
        entry: &str,
        object: Option<&ObjectId>,
    ) -> Result<(), EngineError> {
        let inode = staging.look(entry.as_bytes())?.id;
        let inode_of = |id: &ObjectId| self.base.object_inode(id);
        let is_object = object.map(inode_of).transpose()?.flatten() == Some(inode);
        let file = staging.open_regular(entry.as_bytes())?;
        if let Some((file, id)) = file.filter(|_| is_object).zip(object) {
            self.copy(&file, id)?;
            let drop = || staging.unlink(entry.as_bytes());
            return Ok(self.lifting.lifted_for(id, drop)?);
        }
        let aside = self.dir()?;
        let keep = |name: &[u8]| staging.move_to(entry.as_bytes(), &aside, name);
        Ok(under_free_name(entry, keep)?)
    }

    /// Copies what an object holds, once, and durably before the name goes by which it was written to. A healing
    /// that was interrupted may have done so before, and guests have written since: that copy stays as well.
    pub fn copy(&self, file: &Regular, id: &ObjectId) -> SysResult<()> {
        if self.copied.borrow().contains(id) {
            return Ok(());
        }
        let aside = self.dir()?;
        let copy = whole_copy(&aside, file)?;
        under_free_name(&id.file_name(), |name| aside.link(&copy, name))?;
        self.copied.borrow_mut().insert(*id);
        aside.sync()
    }

    fn dir(&self) -> SysResult<Dir> {
        self.base.quarantine(&self.run.to_string())
    }
}

/// A healing that was interrupted may have kept something under the name already.
fn under_free_name(wanted: &str, keep: impl Fn(&[u8]) -> SysResult<()>) -> SysResult<()> {
    let (mut name, mut further) = (wanted.to_owned(), 0);
    loop {
        match keep(name.as_bytes()) {
            Err(error) if error.meaning() == Meaning::Exists => {}
            kept => return kept,
        }
        further += 1;
        name = format!("{wanted}.kept{further}");
    }
}

fn whole_copy(aside: &Dir, file: &Regular) -> SysResult<Regular> {
    let state = file.state()?;
    let copy = aside.nameless()?;
    file.copy_data_into(&copy, state.size)?;
    copy.set_metadata(&file.metadata(&[])?, state.mtime)?;
    copy.sync()?;
    Ok(copy)
}
