//! A protection that is off for a while, as a value: a durable record goes before it, and it ends by being restored.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::protector::{Permit, Protector};
use crate::model::ObjectId;
use crate::sys::{Regular, SysError, SysResult};

/// A durable record says that the protections of these objects may be off.
#[derive(Debug, Default)]
pub struct WrittenDown(BTreeSet<ObjectId>);

impl WrittenDown {
    /// The proof for `objects`, if `durable` has made their record durable.
    pub fn once(
        objects: impl IntoIterator<Item = ObjectId>,
        durable: impl FnOnce() -> SysResult<()>,
    ) -> SysResult<WrittenDown> {
        durable()?;
        Ok(WrittenDown(objects.into_iter().collect()))
    }

    /// Both records stand.
    pub fn join(&mut self, other: WrittenDown) {
        self.0.extend(other.0);
    }

    /// Does the record name this object?
    pub fn covers(&self, object: &ObjectId) -> bool {
        self.0.contains(object)
    }
}

impl dyn Protector {
    /// Takes the protection off an object that the record names.
    pub fn lift(
        &'static self,
        object: &ObjectId,
        file: Arc<Regular>,
        written: &WrittenDown,
    ) -> SysResult<Lifted> {
        if !written.covers(object) {
            let why = io::Error::other("no record says that it is off");
            return Err(SysError::new("lift the protection of", file.path(), why));
        }
        // From here on: where it comes off and cannot be read back, it is put back as well.
        let lifted = Lifted {
            file,
            by: self,
            is_over: false,
        };
        self.take_off(&lifted.file, Permit(()))?;
        Ok(lifted)
    }
}

/// An object whose protection is off. Where this is dropped, as an error does, it is put back as well as that can
/// be done; the record stays for what could not be.
#[derive(Debug)]
#[must_use = "the protection is off until it is restored"]
pub struct Lifted {
    file: Arc<Regular>,
    by: &'static dyn Protector,
    is_over: bool,
}

impl Lifted {
    /// Puts the protection back.
    pub fn restore(mut self) -> SysResult<()> {
        self.by.set(&self.file)?;
        self.is_over = true;
        Ok(())
    }

    /// Another protection takes the place of this one, at once; or none, where the object needs none. Where that fails
    /// this one is put back.
    pub fn replaced_by(mut self, other: Option<&dyn Protector>) -> SysResult<()> {
        if let Some(other) = other {
            other.set(&self.file)?;
        }
        self.is_over = true;
        Ok(())
    }

    /// The object ceases to be one: `remove` takes its name from the base, and what other names the inode has are their
    /// guest's alone. Where that fails the protection is put back.
    pub fn retire(mut self, remove: impl FnOnce() -> SysResult<()>) -> SysResult<()> {
        remove()?;
        self.is_over = true;
        Ok(())
    }
}

impl Drop for Lifted {
    fn drop(&mut self) {
        if !self.is_over {
            drop(self.by.set(&self.file));
        }
    }
}
