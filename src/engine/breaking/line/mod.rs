//! Who waits for what: requests before a base's thread, in shares of those who ask, and those that wait for something
//! to be read, for a copy or for the turn. What one guest asks for is bounded for that guest, and never stands before
//! what another asks for.

pub(super) mod asker;
pub(super) mod message;
pub(super) mod queue;
mod shares;
pub(super) mod waiting;
pub(super) mod wanted;
