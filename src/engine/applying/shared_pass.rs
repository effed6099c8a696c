//! What guests share already is taken in by a pass of its own, before all other lines: which of its lines wait, and
//! which lines of the plan are answered by it.

use crate::base::Base;
use crate::engine::records::object_set::ObjectSet;
use crate::model::{Flag, Link, ObjectId};
use crate::sys::SysResult;

/// What was taken in, or tried.
pub(super) struct SharedPass {
    /// The lines of each inode of the current batch.
    gathered: Vec<Vec<Link>>,
    /// Objects whose lines about shared inodes are answered.
    met: ObjectSet,
    /// Those of them whose flag lines are not.
    flags_left: ObjectSet,
}

impl SharedPass {
    pub fn new(base: &Base) -> SharedPass {
        SharedPass {
            gathered: Vec::new(),
            met: ObjectSet::new(base),
            flags_left: ObjectSet::new(base),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.gathered.is_empty()
    }

    /// How many lines are gathered.
    pub fn lines(&self) -> usize {
        self.gathered.iter().map(Vec::len).sum()
    }

    pub fn clear(&mut self) {
        self.gathered.clear();
    }

    /// All lines of one inode.
    pub fn gather(&mut self, object: &ObjectId, lines: Vec<Link>) -> SysResult<()> {
        self.gathered.push(lines);
        self.met.insert(object)
    }

    /// What was gathered for this batch.
    pub fn take(&mut self) -> Vec<Vec<Link>> {
        std::mem::take(&mut self.gathered)
    }

    /// Were the lines about this object gathered before?
    pub fn has_met(&self, object: &ObjectId) -> SysResult<bool> {
        self.met.contains(object)
    }

    /// The pass is over: the flag lines of these objects are not answered.
    pub fn end(&mut self, flags_left: ObjectSet) {
        self.flags_left = flags_left;
    }

    /// Is this line answered already?
    pub fn has_answered(&self, link: &Link) -> SysResult<bool> {
        Ok(link.has_names_elsewhere() && self.met.contains(&link.object)?)
    }

    /// Is this flag line answered already?
    pub fn has_flagged(&self, flag: &Flag) -> SysResult<bool> {
        Ok(self.met.contains(&flag.object)? && !self.flags_left.contains(&flag.object)?)
    }
}
