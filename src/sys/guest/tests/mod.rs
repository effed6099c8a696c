//! What tests of other rooms need of guests.

pub mod in_memory;
