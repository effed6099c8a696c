//! The objects that a run uses: found or made, proven once, and opened once a batch.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::{Base, MakeError, copy, prove};
use crate::engine::Guest;
use crate::engine::exchange::job::{Flagged, LeaseBy, New};
use crate::model::{FileId, FileState, Ignored, Link, Making, Metadata, Moved, ObjectId, Refusal};
use crate::protect::{self, NameStep, Protector};
use crate::rules::precondition::metadata_differs;
use crate::sys::{Leased, Meaning, Regular, SysError, SysResult};

use super::generations::Generations;
use super::giving_back::GivingBack;
use crate::engine::in_parallel;
use crate::engine::proof::has_metadata;

use crate::engine::exchange::job::Fate;

/// So many objects are known to be intact before all are proven again: some megabytes, whatever the size of the
/// plan.
const REMEMBERED: usize = 1 << 16;

/// Objects by name, for one run.
pub struct ObjectsInUse<'a> {
    base: &'a Base,
    ignore: &'a [Ignored],
    max_links: u64,
    /// What the whole content of an object was found to be, once a run of fewer than [`REMEMBERED`] objects.
    proven: HashMap<ObjectId, bool>,
    /// Opened in this batch.
    open: HashMap<ObjectId, OpenObject>,
    /// Looked for in this batch and not there; only this run, which holds the base, could add them.
    absent: HashSet<ObjectId>,
    generations: Generations,
    giving_back: GivingBack,
    /// Is nothing made?
    rehearses: bool,
}

/// An object in use by the current batch.
#[derive(Debug, Clone)]
pub struct OpenObject {
    pub file: Arc<Regular>,
    pub state: FileState,
    pub metadata: Arc<Metadata>,
    /// Was it made in this batch, and how?
    pub made: Option<Making>,
    /// What protected it when it was opened.
    protection: Option<&'static dyn Protector>,
    /// Names that the batch adds to it.
    adds: u64,
}

/// Why there is no object.
fn not_made(error: MakeError) -> Fate {
    match error {
        MakeError::Differs(fields) => Fate::Refused(Refusal::Changed { fields }),
        MakeError::Sys(error) => Fate::from_name_error(&error),
        other @ MakeError::NotKept(_) => Fate::Failed(other.to_string()),
    }
}

impl OpenObject {
    /// Was its flag on?
    pub fn flagged(&self) -> bool {
        self.protection.is_some()
    }

    /// Can it get names while it stays protected?
    pub fn stays_protected(&self) -> bool {
        let changes = [NameStep::Link, NameStep::Unlink];
        let stays = |on: &dyn Protector| !changes.iter().any(|change| on.needs_lift_for(*change));
        self.protection.is_some_and(stays)
    }

    /// Is the adopted file, under its lease, what the object's name says?
    pub fn is_itself(&self, id: &ObjectId) -> Result<(), Fate> {
        prove(&self.file, self.state.size, &self.metadata, id).map_err(not_made)
    }

    /// What differs between a file under lease and the object: metadata first, then every byte.
    pub fn differs(
        &self,
        file: &Regular,
        state: &FileState,
        ignore: &[Ignored],
    ) -> SysResult<Vec<Moved>> {
        let theirs = file.metadata_of(state, file.flags()?, ignore)?;
        let mut fields = metadata_differs(&theirs, &self.metadata, ignore);
        if state.size != self.state.size {
            fields.push(Moved::Size);
        }
        if fields.is_empty() && !file.same_content(&self.file, state.size)? {
            fields.push(Moved::Content);
        }
        Ok(fields)
    }

    pub fn new_inode(&self) -> New {
        New {
            file: Arc::clone(&self.file),
            id: self.state.id,
        }
    }
}

impl<'a> ObjectsInUse<'a> {
    pub fn new(base: &'a Base, ignore: &'a [Ignored], max_links: u64) -> ObjectsInUse<'a> {
        ObjectsInUse {
            base,
            ignore,
            max_links,
            proven: HashMap::new(),
            open: HashMap::new(),
            absent: HashSet::new(),
            generations: Generations::default(),
            giving_back: GivingBack::default(),
            rehearses: false,
        }
    }

    /// The same for a run that changes nothing: what would be copied is proven as what is adopted, by the object's
    /// name.
    pub fn rehearsing(self) -> Self {
        ObjectsInUse {
            rehearses: true,
            ..self
        }
    }

    /// How an object is made that the plan would make so.
    pub fn making(
        &mut self,
        planned: Making,
        file: &Regular,
        guest: (usize, &Guest),
        link: &Link,
    ) -> Making {
        match planned {
            _ if self.rehearses => Making::Adopt,
            Making::Adopt if self.can_give_back(file, guest, link) => Making::Adopt,
            _ => Making::Copy,
        }
    }

    /// Can a copy take the place of this file of a line again? What cannot be copied back is not adopted.
    pub fn can_give_back(&mut self, file: &Regular, guest: (usize, &Guest), link: &Link) -> bool {
        if self.rehearses {
            return true;
        }
        let base = self.base.dir();
        self.giving_back.can(base, file, guest, link.names())
    }

    /// Forgets the handles of the last batch; what was proven stays, as far as memory may grow.
    pub fn next_batch(&mut self) {
        self.open.clear();
        self.absent.clear();
        self.giving_back.next_batch();
        if self.proven.len() >= REMEMBERED {
            self.proven.clear();
        }
    }

    /// The objects that the batch uses.
    pub fn in_use(&self) -> impl Iterator<Item = (&ObjectId, &OpenObject)> {
        self.open.iter()
    }

    /// An object that the batch uses.
    pub fn used(&self, id: &ObjectId) -> Option<&OpenObject> {
        self.open.get(id)
    }

    /// Forgets an object: the file that was to be adopted for it is none.
    pub fn give_up(&mut self, id: &ObjectId) {
        self.open.remove(id);
        self.proven.remove(id);
    }

    /// Files of this batch whose inodes become objects.
    pub fn adopted(&self) -> Vec<Flagged> {
        let adopted = self
            .open
            .iter()
            .filter(|(_, open)| open.made == Some(Making::Adopt));
        adopted
            .map(|(id, open)| Flagged {
                id: *id,
                file: Arc::clone(&open.file),
                content: id.content,
                lease: LeaseBy::Job,
            })
            .collect()
    }

    /// The object `id`, or its next generation with room for `names` more, if it is in the base. Proven by its
    /// content before its first use in the run: a damaged object must not spread.
    pub fn find(
        &mut self,
        mut id: ObjectId,
        names: u64,
    ) -> Result<(ObjectId, Option<OpenObject>), Fate> {
        loop {
            let Some(open) = self.opened(&id)? else {
                return Ok((id, None));
            };
            if u64::from(open.state.nlink) + open.adds + names <= self.max_links {
                self.prove(&id, &open)?;
                return Ok((id, Some(open)));
            }
            if id.generation >= ObjectId::MAX_GENERATION {
                let why = format!("{id} has as many names as it may, and is the last generation");
                return Err(Fate::Failed(why));
            }
            id = id.next_generation();
        }
    }

    /// The first generation from `id` on that is not in the base, for an inode that has so many names.
    pub fn free(&mut self, mut id: ObjectId, names: u64) -> Result<ObjectId, Fate> {
        while self.opened(&id)?.is_some() && id.generation < ObjectId::MAX_GENERATION {
            id = id.next_generation();
        }
        if names >= self.max_links || self.opened(&id)?.is_some() {
            return Err(Fate::Full);
        }
        Ok(id)
    }

    /// Counts names that the batch will add to an object that is open.
    pub fn add_names(&mut self, id: &ObjectId, names: u64) {
        if let Some(open) = self.open.get_mut(id) {
            open.adds += names;
        }
    }

    /// Makes `id` of the file under lease.
    pub fn make(&mut self, id: ObjectId, source: &Leased, how: Making) -> Result<OpenObject, Fate> {
        let file = match how {
            Making::Copy => copy(self.base, source.file(), &id, self.ignore).map_err(not_made)?,
            // It is proven with the twins that are compared with it, and gets its name in the base once the journal
            // knows of it.
            Making::Adopt => source
                .file()
                .duplicate()
                .map_err(|e| Fate::Failed(e.to_string()))?,
        };
        self.proven.insert(id, true);
        self.absent.remove(&id);
        self.generations.add(&id);
        let described = file
            .state()
            .and_then(|state| self.describe(file, state, Some(how)));
        let mut open = described.map_err(|e| Fate::Failed(e.to_string()))?;
        open.adds = u64::from(how == Making::Adopt);
        self.open.insert(id, open.clone());
        Ok(open)
    }

    /// Opens in parallel what a batch will ask for. What cannot be opened is opened again by the step that needs
    /// it.
    pub fn open_ahead(&mut self, ids: impl Iterator<Item = ObjectId>) {
        let known = |id: &ObjectId| self.open.contains_key(id) || self.absent.contains(id);
        let new: HashSet<ObjectId> = ids.filter(|id| !known(id)).collect();
        let new: Vec<ObjectId> = new.into_iter().collect();
        let open = |id: &ObjectId| Some((*id, self.look(id).ok()?));
        for (id, found) in in_parallel::each(&new, open).into_iter().flatten() {
            match found {
                Some(open) => drop(self.open.insert(id, open)),
                None => drop(self.absent.insert(id)),
            }
        }
    }

    /// The generations after the first that are in the base, whatever a plan says of their number.
    pub fn later_generations(&mut self, first: &ObjectId) -> Result<Vec<ObjectId>, Fate> {
        let later = self.generations.of(self.base, first);
        later.map_err(|error| Fate::Failed(error.to_string()))
    }

    /// The inode of an object in the base.
    pub fn inode(&mut self, id: &ObjectId) -> Result<Option<FileId>, Fate> {
        Ok(self.opened(id)?.map(|open| open.state.id))
    }

    /// Is an object that has no flag what its name says? One that has it is not touched.
    pub fn is_sound(&mut self, id: &ObjectId) -> Result<(), Fate> {
        match self.opened(id)? {
            Some(open) if !open.flagged() => self.prove(id, &open),
            _ => Ok(()),
        }
    }

    fn opened(&mut self, id: &ObjectId) -> Result<Option<OpenObject>, Fate> {
        let failed = |error: SysError| match error.meaning() {
            // Another process holds a lease of its own on the object.
            Meaning::Busy => Fate::Refused(Refusal::OpenForWriting {}),
            _ => Fate::Failed(error.to_string()),
        };
        if self.absent.contains(id) {
            return Ok(None);
        }
        if !self.open.contains_key(id) {
            let Some(open) = self.look(id).map_err(failed)? else {
                self.absent.insert(*id);
                return Ok(None);
            };
            self.open.insert(*id, open);
        }
        Ok(self.open.get(id).cloned())
    }

    fn look(&self, id: &ObjectId) -> SysResult<Option<OpenObject>> {
        let seen = self.base.object_seen(id)?;
        let open = seen.map(|(file, state)| self.describe(file, state, None));
        open.transpose()
    }

    fn describe(
        &self,
        file: Regular,
        state: FileState,
        made: Option<Making>,
    ) -> SysResult<OpenObject> {
        let flags = file.flags()?;
        Ok(OpenObject {
            metadata: Arc::new(file.metadata_of(&state, flags, self.ignore)?),
            protection: protect::on_with(&file, flags)?,
            file: Arc::new(file),
            state,
            made,
            adds: 0,
        })
    }

    fn prove(&mut self, id: &ObjectId, open: &OpenObject) -> Result<(), Fate> {
        if !self.proven.contains_key(id) {
            let sound = is_sound(id, open).map_err(|e| Fate::Failed(e.to_string()))?;
            self.proven.insert(*id, sound);
        }
        if self.proven.get(id) == Some(&true) {
            Ok(())
        } else {
            Err(Fate::Refused(Refusal::DamagedObject {}))
        }
    }
}

/// Is it what its name says? Plans of other policies may have made it, with the time of its files or without.
fn is_sound(id: &ObjectId, open: &OpenObject) -> SysResult<bool> {
    let whole = open
        .file
        .metadata_of(&open.state, open.file.flags()?, &[])?;
    Ok(has_metadata(&whole, id) && open.file.digest(open.state.size)? == id.content)
}
