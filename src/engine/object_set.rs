//! Sets of objects that may be as many as the plan names, where everything is refused: on a [`Shelf`], like all that
//! grows with a plan.

use crate::base::Base;
use crate::model::{Digest, MetadataDigest, ObjectId};
use crate::sys::{Shelf, SysResult};

pub(super) struct ObjectSet(Shelf);

impl ObjectSet {
    /// An empty one.
    pub fn new(base: &Base) -> ObjectSet {
        ObjectSet(Shelf::new(base.path()))
    }

    pub fn contains(&self, object: &ObjectId) -> SysResult<bool> {
        Ok(self.0.get(&key_of(object))?.is_some())
    }

    pub fn insert(&mut self, object: &ObjectId) -> SysResult<()> {
        if self.contains(object)? {
            return Ok(());
        }
        self.0.put(&key_of(object), &[])
    }

    /// Takes it out, and says whether it was in.
    pub fn remove(&mut self, object: &ObjectId) -> SysResult<bool> {
        let was_in = self.contains(object)?;
        if was_in {
            self.0.remove(&key_of(object))?;
        }
        Ok(was_in)
    }

    /// All, in the order in which they came.
    pub fn all(&self) -> impl Iterator<Item = SysResult<ObjectId>> {
        self.0.entries().filter_map(|entry| {
            let object = entry.map(|(key, _)| object_of(&key));
            object.transpose()
        })
    }
}

/// The bytes by which an object is found on a shelf.
pub(super) fn key_of(object: &ObjectId) -> Vec<u8> {
    let generation = object.generation.to_le_bytes();
    [&object.content.0[..], &object.metadata.0, &generation].concat()
}

fn object_of(key: &[u8]) -> Option<ObjectId> {
    let (content, rest) = key.split_first_chunk()?;
    let (metadata, rest) = rest.split_first_chunk()?;
    Some(ObjectId {
        content: Digest(*content),
        metadata: MetadataDigest(*metadata),
        generation: u32::from_le_bytes(rest.try_into().ok()?),
    })
}
