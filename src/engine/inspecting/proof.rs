//! What `verify` asks the disk: objects read whole, names looked up. Many threads ask at once.

use std::collections::{BTreeMap, HashMap};

use crate::base::{Base, Index};
use crate::engine::proof::differing;
use crate::engine::{EngineError, Guest};
use crate::model::{
    Before, FileId, GuestName, GuestPath, Header, Ignored, Link, Moved, ObjectId, PlannedGuest,
    Wrong,
};
use crate::protect;
use crate::sys::hash::is_digest_of;
use crate::sys::{PageCache, Regular, SysError, SysResult};

/// Where lines are looked up.
pub(super) struct ProofWorld<'a> {
    base: &'a Base,
    /// Objects in the base by content and metadata: all generations, with whatever gaps gc left.
    held: HashMap<ObjectId, Vec<ObjectId>>,
    guests: BTreeMap<GuestName, Option<Guest>>,
    ignore: Vec<Ignored>,
    cache: PageCache,
}

/// One generation of an object that is in the base.
pub(super) struct Generation {
    pub id: ObjectId,
    inode: FileId,
    /// Is it what its name says?
    sound: bool,
    /// Is its flag set?
    pub flagged: bool,
}

/// All generations of one object, and what is to be reported of them.
#[derive(Default)]
pub(super) struct Proven {
    pub generations: Vec<Generation>,
    /// How many were read.
    pub read: u64,
    pub wrong: Vec<(ObjectId, Wrong)>,
}

impl<'a> ProofWorld<'a> {
    pub fn open(
        base: &'a Base,
        header: &Header,
        guests: &[PlannedGuest],
        cache: PageCache,
    ) -> Result<ProofWorld<'a>, EngineError> {
        let open = |planned: &PlannedGuest| {
            let guest = Guest::open(planned.name.clone(), &planned.root).ok();
            let guest = guest.filter(|open| open.is(planned));
            (planned.name.clone(), guest)
        };
        Ok(ProofWorld {
            base,
            held: generations_held(&Index::read(base)?),
            guests: guests.iter().map(open).collect(),
            ignore: header.policy.ignore.clone(),
            cache,
        })
    }

    /// The guest, where its root is the one that the plan saw.
    pub fn guest(&self, name: &GuestName) -> Option<&Guest> {
        self.guests.get(name)?.as_ref()
    }

    /// Whether what is read stays in the page cache.
    pub fn cache(&self) -> PageCache {
        self.cache
    }

    /// Reads all generations of an object whole: a damaged one is a difference. `told` is what a line says of a file
    /// that has its metadata.
    pub fn prove(&self, id: &ObjectId, told: Option<&Before>) -> SysResult<Proven> {
        let mut proven = Proven::default();
        for id in self.held.get(&first(id)).into_iter().flatten() {
            match self.base.object(id) {
                Ok(Some(object)) => self.prove_one(*id, object, told, &mut proven)?,
                Ok(None) => {}
                Err(error) => proven
                    .wrong
                    .push((*id, Wrong::Unreadable(error.to_string()))),
            }
        }
        Ok(proven)
    }

    fn prove_one(
        &self,
        id: ObjectId,
        object: Regular,
        told: Option<&Before>,
        proven: &mut Proven,
    ) -> SysResult<()> {
        let state = object.state()?;
        let object = object.passing(state.size, self.cache);
        let mut wrong = Vec::new();
        if object.digest(state.size)? != id.content {
            wrong.push(Moved::Content);
        }
        let flags = object.flags()?;
        let metadata = object.metadata_of(&state, flags, &self.ignore)?;
        if !is_digest_of(&id.metadata, &metadata) {
            let fields = differing(&metadata, &id, told);
            // By its name it may be any time's, and by the plan it is not.
            wrong.extend(if fields.is_empty() {
                vec![Moved::Mtime]
            } else {
                fields
            });
        }
        proven.read += 1;
        proven.generations.push(Generation {
            id,
            inode: state.id,
            sound: wrong.is_empty(),
            flagged: protect::on_with(&object, flags)?.is_some(),
        });
        if !wrong.is_empty() {
            proven.wrong.push((id, Wrong::ObjectDamaged(wrong)));
        }
        Ok(())
    }

    /// Names of the line that do not refer to the object as it should be, and how.
    pub fn wrong_names<'l>(
        &self,
        link: &'l Link,
        generations: &[Generation],
    ) -> Vec<(&'l GuestPath, Wrong)> {
        let names = link.names();
        let Some(guest) = self.guest(&link.guest) else {
            return names.map(|name| (name, Wrong::RootChanged)).collect();
        };
        let judge = |name: &'l GuestPath| Some((name, judge(guest, name, generations)?));
        names.filter_map(judge).collect()
    }
}

fn judge(guest: &Guest, name: &GuestPath, generations: &[Generation]) -> Option<Wrong> {
    let state = match SysError::absent(guest.root.look(name.relative())) {
        Ok(None) => return Some(Wrong::NameGone),
        Ok(Some(state)) => state,
        Err(error) => return Some(Wrong::Unreadable(error.to_string())),
    };
    if generations.is_empty() {
        return Some(Wrong::ObjectGone);
    }
    match generations.iter().find(|one| one.inode == state.id) {
        Some(object) if object.sound => None,
        Some(_) => Some(Wrong::ReachesDamage),
        None => Some(Wrong::NotTheObject),
    }
}

/// The object without its generation.
pub(super) fn first(id: &ObjectId) -> ObjectId {
    ObjectId {
        generation: 0,
        ..*id
    }
}

fn generations_held(index: &Index) -> HashMap<ObjectId, Vec<ObjectId>> {
    let mut held: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for object in index.objects() {
        held.entry(first(&object.id)).or_default().push(object.id);
    }
    held
}
