//! Typed entries on a [`Shelf`]: what grows with a plan or with a base's past, and is seldom asked for.

use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{Digest, MetadataDigest, ObjectId};
use crate::sys::{Shelf, SysError, SysResult};

/// An object as a key: a fifth of the bytes of its name.
pub(super) type ObjectKey = ([u8; 32], [u8; 16], u32);

/// A table of keys and values that can be written as bytes. Of a type of keys, each variant has bytes of its own.
#[derive(Debug)]
pub struct Table(Shelf);

impl Table {
    /// An empty one, whose file would be made in the base.
    pub fn new(base: &Path) -> Table {
        Table(Shelf::new(base))
    }

    /// Keeps a value, in front of those that the key has.
    pub fn put(&mut self, key: &impl Serialize, value: &impl Serialize) -> SysResult<()> {
        let (key, value) = (self.bytes(key)?, self.bytes(value)?);
        self.0.put(&key, &value)
    }

    /// Removes all values of the key.
    pub fn remove(&mut self, key: &impl Serialize) -> SysResult<()> {
        let key = self.bytes(key)?;
        self.0.remove(&key)
    }

    /// The newest value of the key.
    pub fn get<T: DeserializeOwned>(&self, key: &impl Serialize) -> SysResult<Option<T>> {
        let value = self.0.get(&self.bytes(key)?)?;
        value.map(|bytes| self.value(&bytes)).transpose()
    }

    /// Has the key a value?
    pub fn has(&self, key: &impl Serialize) -> SysResult<bool> {
        Ok(self.0.get(&self.bytes(key)?)?.is_some())
    }

    /// All values of the key, the newest first.
    pub fn all<K: Serialize, T: DeserializeOwned>(
        &self,
        key: &K,
    ) -> SysResult<impl Iterator<Item = SysResult<T>> + use<'_, K, T>> {
        let values = self.0.all(&self.bytes(key)?);
        Ok(values.map(|value| self.value(&value?)))
    }

    /// The newest value of each key whose bytes begin so.
    pub fn values<T: DeserializeOwned>(&self, begin: &[u8]) -> impl Iterator<Item = SysResult<T>> {
        let entries = self.0.entries(begin);
        entries.map(|entry| self.value(&entry?.1))
    }

    /// Bytes of all that was ever put in.
    pub fn length(&self) -> u64 {
        self.0.length()
    }

    /// A table without the entries that count no more, where only the newest value of a key counts.
    pub fn compacted(&self) -> SysResult<Table> {
        let mut fresh = Table::new(self.0.dir());
        for entry in self.0.entries(&[]) {
            let (key, value) = entry?;
            fresh.0.put(&key, &value)?;
        }
        Ok(fresh)
    }

    fn bytes(&self, of: &impl Serialize) -> SysResult<Vec<u8>> {
        postcard::to_allocvec(of).map_err(|e| self.damaged(e))
    }

    fn value<T: DeserializeOwned>(&self, bytes: &[u8]) -> SysResult<T> {
        postcard::from_bytes(bytes).map_err(|e| self.damaged(e))
    }

    /// The error for an entry that is not what was written.
    pub fn damaged(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SysError {
        let error = io::Error::other(error);
        SysError::new("use what is remembered of", self.0.dir(), error)
    }
}

pub(super) fn key_of(object: &ObjectId) -> ObjectKey {
    (object.content.0, object.metadata.0, object.generation)
}

pub fn object_of((content, metadata, generation): ObjectKey) -> ObjectId {
    ObjectId {
        content: Digest(content),
        metadata: MetadataDigest(metadata),
        generation,
    }
}
