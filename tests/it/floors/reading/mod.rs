//! Reads Rust files as far as the laws need it: what is code, what is defined, what is named, and where that lies.

mod blank;
mod items;
mod modules;
mod paths;
mod source;
mod tree;

pub use items::{Function, functions};
pub use modules::Modules;
pub use paths::Named;
pub use source::{Source, find_word, line_at};
pub use tree::Tree;
