//! What is mounted where, in every namespace, as places in file systems.

pub mod host_mounts;
pub mod mountinfo;
pub mod own_table;
pub mod paths;
pub mod places;
pub mod tables;

mod file_mounts;
mod layer_names;
mod layers;
mod real_paths;
