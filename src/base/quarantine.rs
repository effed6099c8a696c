//! What came out of a guest and is not known, and what was an object and is not what its name says: kept for a person.

use std::path::PathBuf;

use super::layout::place;
use super::{Base, Run};
use crate::model::{ObjectId, RunId};
use crate::sys::own::papers;
use crate::sys::{Dir, Meaning, SysError, SysResult};

impl Base {
    /// The quarantine of a run, made where it is missing.
    pub fn quarantine(&self, run: &str) -> SysResult<Dir> {
        let all = self.dir().open_dir(b"quarantine")?;
        match all.make_dir(run.as_bytes()) {
            Err(error) if error.meaning() != Meaning::Exists => return Err(error),
            _ => {}
        }
        all.open_dir(run.as_bytes())
    }

    /// The quarantine of a run, where it has one.
    pub fn quarantine_of(&self, run: &RunId) -> SysResult<Option<Dir>> {
        let all = self.dir().open_dir(b"quarantine")?;
        SysError::absent(all.open_dir(run.to_string().as_bytes()))
    }

    /// Moves an entry of a run's staging into its quarantine: it is not ours to drop.
    pub fn move_to_quarantine(&self, run: &Run, entry: &[u8]) -> SysResult<()> {
        run.staging
            .move_to(entry, &self.quarantine(&run.id.to_string())?, entry)
    }

    /// Moves an object into the quarantine of a run: no guest has a name of it any more, and it is not what its name
    /// says.
    pub fn object_to_quarantine(&self, run: &Run, id: &ObjectId) -> SysResult<()> {
        let aside = self.quarantine(&run.id.to_string())?;
        let name = id.file_name();
        self.objects()
            .move_to(place(id).as_bytes(), &aside, name.as_bytes())
    }

    /// Everything in quarantine, as paths below the base.
    pub fn quarantined(&self) -> SysResult<Vec<PathBuf>> {
        let top = self.path().join("quarantine");
        let mut all = Vec::new();
        for run in papers::entries(&top)? {
            let dir = top.join(run);
            all.extend(
                papers::entries(&dir)?
                    .into_iter()
                    .map(|name| dir.join(name)),
            );
        }
        Ok(all)
    }
}
