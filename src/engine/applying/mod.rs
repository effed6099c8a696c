//! `apply`: a plan that was checked, executed batch by batch.
//!
//! [`ready`] checks the plan's own copy, `path_order` says in which order its lines are taken, [`batches`] gathers them,
//! [`prepare`] proves each anew, `objects` makes or proves the object, `in_flight` tells what became of the lines, and
//! `release` drops the old inodes while the next batch is prepared.

mod batches;
mod in_flight;
mod objects;
mod path_order;
pub(super) mod prepare;
pub(super) mod ready;
mod release;
