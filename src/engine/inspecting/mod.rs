//! The commands that only read: `verify`, `scrub`, `status`, `explain` and `show --stale`. Nothing here changes a
//! guest or the base, except that a scrub notes when an object was last read.

mod compare;
mod executed_plans;
pub(super) mod explain;
mod former_owners;
mod orphans;
mod owners;
mod proof;
pub(super) mod scrub;
mod shared_blocks;
pub(super) mod stale;
pub(super) mod status;
pub(super) mod verify;
mod writers;
