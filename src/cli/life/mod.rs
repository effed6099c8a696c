//! The beginning and the end of a guest.

pub(super) mod clone;
pub(super) mod forget;
