//! What a base knows for those who write to its objects, and what it records of them.

pub mod object_names;
pub mod writes_met;
