//! Is there room for the copies: on the disk, and in a batch?

use super::{ReadyToUndo, still_shared};
use crate::engine::EngineError;
use crate::engine::activity::budget::Room;
use crate::engine::error::CannotHere;
use crate::engine::records::Linked;
use crate::sys::host::machine;
use crate::sys::{SHARE, SysResult};

impl ReadyToUndo {
    /// Every copy needs its room again, at the same time as the object, and what is remembered of names has its share.
    pub(super) fn enough_space(&self) -> Result<u64, EngineError> {
        let mut needed: u64 = 0;
        for (_, file) in &self.chosen.files {
            let object = self.base.object_state(&file.object)?;
            needed = needed.saturating_add(object.map_or(0, |state| state.allocated()));
        }
        needed = needed.saturating_add(still_shared::needed(&self.chosen)?);
        let free = machine::filesystem(self.base.dir())?.free;
        let free = free - free / SHARE;
        if needed <= free {
            return Ok(needed);
        }
        Err(CannotHere::NoRoom { needed, free }.into())
    }

    /// The first files that have room together, at most `left` of them and at least one.
    pub(super) fn first_batch<'f>(
        &self,
        files: &'f [(usize, Linked)],
        room: Room,
        left: usize,
    ) -> SysResult<&'f [(usize, Linked)]> {
        let (mut names, mut bytes, mut fit) = (0, 0u64, 0);
        for (_, file) in files.iter().take(left) {
            names += file.paths.len();
            let object = self.base.object_state(&file.object)?;
            bytes = bytes.saturating_add(object.map_or(0, |state| state.size));
            if names > room.names || bytes > room.bytes {
                break;
            }
            fit += 1;
        }
        Ok(&files[..fit.max(1).min(files.len())])
    }
}
