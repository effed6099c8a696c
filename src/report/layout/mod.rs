//! How numbers, columns and objects are laid out for people and programs.

pub mod fit;
pub(super) mod json;
pub mod shell;
pub mod size;
pub mod table;
