//! Sets of objects that may be as many as the plan names, where everything is refused.

use super::table::{Table, key_of, object_of};
use crate::base::Base;
use crate::model::ObjectId;
use crate::sys::SysResult;

pub struct ObjectSet(Table);

impl ObjectSet {
    /// An empty one.
    pub fn new(base: &Base) -> ObjectSet {
        ObjectSet(Table::new(base.spill_place()))
    }

    pub fn contains(&self, object: &ObjectId) -> SysResult<bool> {
        self.0.has(&key_of(object))
    }

    pub fn insert(&mut self, object: &ObjectId) -> SysResult<()> {
        if self.contains(object)? {
            return Ok(());
        }
        let key = key_of(object);
        self.0.put(&key, &key)
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
        self.0.values(&[]).map(|key| key.map(object_of))
    }
}
