//! The like of what a guest has, made in directories of ours: links and devices, and all that a copy needs beside
//! bytes.

mod copies;
mod nodes;

pub use copies::{is_append_only, without_append_only};
pub use nodes::SpecialNode;
