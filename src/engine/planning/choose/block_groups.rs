//! Groups of files that share blocks, and the file of each whose blocks the others get.

use std::collections::HashMap;

use crate::engine::planning::matching::file::FileRef;
use crate::engine::planning::matching::groups::Groups;

/// All of them, in the end without their members.
#[derive(Default)]
pub struct BlockGroups {
    pub groups: Groups,
    pub sources: HashMap<u32, FileRef>,
}
