//! What processes hold, and whether all were looked at.

pub mod capabilities;
pub mod census;
pub mod limit;
pub mod links;
pub mod look;
mod mappings;
pub mod namespace;
pub mod proc_files;
pub mod seen;
pub mod worker;
