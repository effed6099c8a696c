//! Names that refer to an object already and that the base does not remember: those of a guest that was moved or
//! renamed, or that was brought here with its names. The plan points at them, the disk confirms them, and the
//! receipt teaches them to the base. Nothing of a guest is changed.

use std::collections::{HashMap, HashSet};

use super::EngineError;
use super::history::{History, Linked};
use super::holding::Holding;
use super::receipts::ReceiptFile;
use crate::base::Base;
use crate::model::{GuestName, GuestPath, ObjectId, Outcome, ReceiptLine, Skip};
use crate::sys::{SysError, SysResult};

/// What is remembered of guests whose roots are gone: the names of one file belong together wherever it is now.
pub(super) struct Teacher<'a> {
    base: &'a Base,
    files: HashMap<(ObjectId, &'a GuestPath), &'a Linked>,
    later_names: HashSet<(ObjectId, &'a GuestPath)>,
}

impl<'a> Teacher<'a> {
    /// Reads what `history` says of guests that `holding` cannot find.
    pub fn new(base: &'a Base, history: &'a History, holding: &Holding<'_>) -> Teacher<'a> {
        let found = |name: &GuestName| holding.guests().iter().any(|guest| guest.name == *name);
        let lost = history.guests.iter().filter(|(name, _)| !found(name));
        let (mut files, mut later_names) = (HashMap::new(), HashSet::new());
        for file in lost.flat_map(|(_, known)| known.files.values()) {
            if let Some((first, later)) = file.paths.split_first() {
                files.insert((file.object, first), file);
                later_names.extend(later.iter().map(|name| (file.object, name)));
            }
        }
        Teacher {
            base,
            files,
            later_names,
        }
    }

    /// Teaches the name of a line that says "already shared", if that is so and new.
    pub fn teach(
        &self,
        skip: &Skip,
        holding: &mut Holding<'_>,
        receipt: &mut ReceiptFile<'_>,
    ) -> Result<(), EngineError> {
        let (Some(guest), Some(path), Some(object)) = (&skip.guest, &skip.path, skip.object) else {
            return Ok(());
        };
        let at = holding.guests().iter().position(|g| g.name == *guest);
        let Some(at) = at.filter(|at| !known_by_any_name(holding, *at, object, path)) else {
            return Ok(());
        };
        if self.later_names.contains(&(object, path)) {
            return Ok(());
        }
        let known = self.files.get(&(object, path));
        let names = known.map_or_else(|| vec![path.clone()], |file| file.paths.clone());
        let paths = self.referring(object, at, names, holding)?;
        if paths.is_empty() {
            return Ok(());
        }
        holding.learn(object, at, &paths);
        let guest = Some(guest.clone());
        let outcome = Outcome::AlreadyDone;
        Ok(receipt.add(&ReceiptLine {
            guest,
            paths,
            object,
            outcome,
        })?)
    }

    /// Those of `names` that refer to the object now.
    fn referring(
        &self,
        object: ObjectId,
        guest: usize,
        names: Vec<GuestPath>,
        holding: &Holding<'_>,
    ) -> SysResult<Vec<GuestPath>> {
        let (Some(inode), Some(guest)) = (
            self.base.object_inode(&object)?,
            holding.guests().get(guest),
        ) else {
            return Ok(Vec::new());
        };
        let refers = |name: &GuestPath| {
            let now = SysError::absent(guest.root.look(name.relative()));
            now.is_ok_and(|now| now.is_some_and(|state| state.id == inode))
        };
        Ok(names.into_iter().filter(refers).collect())
    }
}

/// One directory may have had several guest names: a name in it is remembered once.
fn known_by_any_name(
    holding: &Holding<'_>,
    guest: usize,
    object: ObjectId,
    path: &GuestPath,
) -> bool {
    let guests = holding.guests();
    let own = guests.get(guest).map(|guest| guest.id);
    let same_root = (0..guests.len()).filter(|at| guests.get(*at).map(|g| g.id) == own);
    let mut known = same_root.filter(|at| holding.knows(&object, *at, path));
    known.next().is_some()
}
