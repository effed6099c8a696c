//! Lines of a plan about files that have names in other guests: those of one object together. There may be as many as
//! the plan has lines, so they are in a table.

use serde::{Deserialize, Serialize};

use super::table::{Table, key_of};
use crate::base::Base;
use crate::model::{Before, GuestName, GuestPath, Link, LinkReason, Making, ObjectId};
use crate::sys::SysResult;

pub struct SharedLines(Table);

/// What is needed of a line.
#[derive(Serialize, Deserialize)]
struct SharedLine {
    guest: GuestName,
    path: GuestPath,
    also: Vec<GuestPath>,
    adopts: bool,
    size: u64,
    before: Option<Before>,
}

impl SharedLines {
    /// None so far.
    pub fn new(base: &Base) -> SharedLines {
        SharedLines(Table::new(base.spill_place()))
    }

    /// One more line.
    pub fn put(&mut self, link: &Link) -> SysResult<()> {
        let line = SharedLine {
            guest: link.guest.clone(),
            path: link.path.clone(),
            also: link.also.clone(),
            adopts: link.makes == Some(Making::Adopt),
            size: link.size,
            before: link.before,
        };
        self.0.put(&key_of(&link.object), &line)
    }

    /// All lines about an object, in the order in which they came.
    pub fn of(&self, object: &ObjectId) -> SysResult<Vec<Link>> {
        let lines = self.0.all(&key_of(object))?;
        let lines = lines.map(|line: SysResult<SharedLine>| Ok(link(line?, *object)));
        let mut lines = lines.collect::<SysResult<Vec<Link>>>()?;
        lines.reverse();
        Ok(lines)
    }
}

fn link(line: SharedLine, object: ObjectId) -> Link {
    Link {
        guest: line.guest,
        path: line.path,
        also: line.also,
        object,
        makes: line.adopts.then_some(Making::Adopt),
        size: line.size,
        saves: 0,
        reason: LinkReason::SharedInode,
        owner: None,
        before: line.before,
        note: None,
    }
}
